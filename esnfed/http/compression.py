"""Smaller answers for those who accept gzip: text only, and nothing whose exact bytes are vouched for."""

from __future__ import annotations

from aiohttp import web

from esnfed.http.keys import Handler
from esnfed.http.negotiation import split

LEAST = 700
"""Bytes below which compressing saves no packet."""

VARY = "Accept-Encoding"
_TYPES = frozenset({"text/html", "text/css", "text/plain", "image/svg+xml", "application/json"})
_DIGESTS = ("Digest", "Content-Digest", "Repr-Digest", "Signature")
"""What covers the bytes as they are: an answer with one of these stays as it is."""


@web.middleware
async def middleware(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Compress a whole answer of a text type; `Vary` says so also where this client got it plain."""
    response = await handler(request)
    if not _may_shrink(response):
        return response
    add_vary(response)
    if accepts_gzip(request.headers.get("Accept-Encoding", "")):
        response.enable_compression(web.ContentCoding.gzip)
    return response


def _may_shrink(response: web.StreamResponse) -> bool:
    if not isinstance(response, web.Response) or not isinstance(response.body, bytes):
        return False
    if len(response.body) < LEAST or "Content-Encoding" in response.headers:
        return False
    if any(name in response.headers for name in _DIGESTS):
        return False
    return response.content_type in _TYPES or response.content_type.endswith("+json")


def accepts_gzip(header: str) -> bool:
    """Say whether an `Accept-Encoding` takes gzip (RFC 9110, 12.5.3); a quality of 0 refuses it."""
    found = {"gzip": False, "*": False}
    for item in split(header):
        name, *parameters = split(item, ";")
        coding = name.lower().removeprefix("x-")
        if coding in found:
            found[coding] = not any(_is_zero(parameter) for parameter in parameters)
            if coding == "gzip":
                return found[coding]
    return found["*"]


def _is_zero(parameter: str) -> bool:
    name, _, value = parameter.partition("=")
    return name.strip().lower() == "q" and value.strip() in {"0", "0.", "0.0", "0.00", "0.000"}


def add_vary(response: web.StreamResponse) -> None:
    """Name `Accept-Encoding` in `Vary`, after what stands there."""
    named = response.headers.get("Vary", "")
    if VARY.lower() not in [name.lower() for name in split(named)]:
        response.headers["Vary"] = f"{named}, {VARY}" if named else VARY
