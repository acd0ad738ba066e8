"""Paging by key: the `Link` header of RFC 8288 as the Mastodon API uses it, and its two parameters."""

from __future__ import annotations

from collections.abc import Mapping
from urllib.parse import urlencode

from aiohttp import web

from esnfed.errors import Malformed
from esnfed.i18n import N_

MAX_ID = (1 << 63) - 1


def link_header(
    origin: str, path: str, query: Mapping[str, str], *, newest: int | None, oldest: int | None
) -> str:
    """Return the value of `Link`: `next` leads to what is older than `oldest`, `prev` to what is newer.

    `query` is that of the request; its cursors are replaced and its filters kept. "" for an empty page.
    """
    kept = {name: value for name, value in query.items() if name not in {"max_id", "min_id", "since_id"}}
    links = []
    for relation, name, identifier in (("next", "max_id", oldest), ("prev", "min_id", newest)):
        if identifier is not None:
            target = urlencode(kept | {name: str(identifier)})
            links.append(f'<{origin}{path}?{target}>; rel="{relation}"')
    return ", ".join(links)


def identifier(request: web.Request, name: str) -> int | None:
    """Return an id from the query string, None when it is absent; raises Malformed for anything else."""
    value = request.query.get(name)
    if value is None or value == "":
        return None
    return parse_identifier(value)


def parse_identifier(value: str) -> int:
    """Return an id written in decimal (at most 63 bits); raises Malformed."""
    if not value.isascii() or not value.isdigit() or len(value) > 19 or int(value) > MAX_ID:
        raise Malformed(N_("An id is not valid."))
    return int(value)


def limit(request: web.Request, default: int, maximum: int) -> int:
    """Return how many entries the request asks for, between 1 and `maximum`; raises Malformed."""
    value = request.query.get("limit")
    if value is None or value == "":
        return default
    return min(max(parse_identifier(value), 1), maximum)
