"""What the pages keep in the application."""

from __future__ import annotations

from aiohttp import web

from esnfed.web.fragments import Fragments

FRAGMENTS: web.AppKey[Fragments] = web.AppKey("fragments", Fragments)
