"""Static files, named with a mark of their content so that browsers may keep them for ever."""

from __future__ import annotations

from aiohttp import web

from esnfed.errors import NotFound
from esnfed.resources import folder

TYPES = {".css": "text/css", ".svg": "image/svg+xml", ".png": "image/png"}

routes = web.RouteTableDef()


@routes.get(r"/static/{name:[a-z0-9_-]+\.[a-z]+}")
async def show(request: web.Request) -> web.Response:
    """One static file; with its mark in the query it never changes."""
    path = folder("static") / request.match_info["name"]
    media_type = TYPES.get(path.suffix)
    if media_type is None or not path.is_file():
        raise NotFound
    kept = "public, max-age=31536000, immutable" if "v" in request.query else "public, max-age=3600"
    response = web.Response(body=path.read_bytes(), content_type=media_type, charset="utf-8")
    response.headers["Cache-Control"] = kept
    return response


@routes.get("/favicon.ico")
async def favicon(request: web.Request) -> web.Response:
    """Browsers ask for it whatever the page says."""
    raise web.HTTPFound("/static/favicon.svg")
