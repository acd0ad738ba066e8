"""Door 3: HTML pages of the social core; reading works without a script and without an account."""

from __future__ import annotations

from aiohttp import web

from esnfed.http.keys import RENDERER
from esnfed.web import about, actors, home, posts, static, tags
from esnfed.web.fragments import Fragments
from esnfed.web.keys import FRAGMENTS


def install(app: web.Application) -> None:
    """Add the pages to an application that has its RENDERER, and what they keep in memory."""
    app[FRAGMENTS] = Fragments(app[RENDERER])
    for module in (home, about, posts, actors, tags, static):
        app.add_routes(module.routes)
