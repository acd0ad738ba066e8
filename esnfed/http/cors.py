"""Cross-origin reading: browser clients may read what is public, never with credentials."""

from __future__ import annotations

from aiohttp import web

from esnfed.http.keys import Handler

READABLE = ("/.well-known/", "/nodeinfo/", "/ap/", "/relay")
"""Documents that anybody may read."""

API = ("/api/", "/oauth/")
"""Where clients of other origins work with a bearer token."""

_EXPOSED = "Link, X-RateLimit-Limit, X-RateLimit-Remaining, X-RateLimit-Reset, X-Request-Id, Retry-After"
_MAX_AGE = "86400"


async def add_headers(request: web.Request, response: web.StreamResponse) -> None:
    """Open every answer under those paths, errors included (a listener of `app.on_response_prepare`)."""
    if request.path.startswith(READABLE + API):
        response.headers["Access-Control-Allow-Origin"] = "*"
        response.headers["Access-Control-Expose-Headers"] = _EXPOSED


@web.middleware
async def preflight(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Answer the browser's question before a request with unusual headers, without authentication."""
    asked = request.headers.get("Access-Control-Request-Method")
    if request.method != "OPTIONS" or asked is None or not request.path.startswith(READABLE + API):
        return await handler(request)
    methods = "GET, HEAD, POST, PUT, PATCH, DELETE" if request.path.startswith(API) else "GET, HEAD"
    allowed = "Accept, Accept-Language, Authorization, Content-Type, Idempotency-Key"
    headers = {
        "Access-Control-Allow-Methods": methods,
        "Access-Control-Allow-Headers": allowed,
        "Access-Control-Max-Age": _MAX_AGE,
    }
    return web.Response(status=204, headers=headers)
