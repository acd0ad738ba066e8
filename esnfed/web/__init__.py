"""Door 3: HTML pages of the social core."""

from __future__ import annotations

from aiohttp import web


def install(app: web.Application) -> None:
    """Add the pages."""
