"""What every ActivityPub answer shares: ids in the path, the media type, and how long it may be kept."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from aiohttp import web

from esnfed.errors import Malformed, NotFound
from esnfed.http.paging import parse_identifier
from esnfed.vocab import parse
from esnfed.vocab.terms import ACTIVITY_JSON

PUBLIC_SECONDS = 180
"""How long a shared cache may keep what is the same for everybody, as Mastodon."""

ID = r"{id:[0-9]{1,19}}"
CURSOR = r"{cursor:[0-9]{1,19}}"

SIGNATURE_DEPENDENT = {"Vary": "Accept, Signature", "Cache-Control": "private, no-store"}
"""The answer is for this asker alone (CVE-2026-25540: a cache gave it to the next one)."""

FOR_EVERYBODY = {"Vary": "Accept, Signature", "Cache-Control": f"public, max-age={PUBLIC_SECONDS}"}


def path_id(request: web.Request, name: str = "id") -> int:
    """Return an id or a cursor of the path; raises NotFound when none can be that large."""
    try:
        return parse_identifier(request.match_info[name])
    except Malformed:
        raise NotFound from None


def owner_id(request: web.Request) -> int | None:
    """Return the id of the actor in the path, None on the paths of the node actor."""
    return path_id(request) if "id" in request.match_info else None


def respond(document: Mapping[str, Any], headers: Mapping[str, str]) -> web.Response:
    """Return a document as `application/activity+json`."""
    return respond_raw(parse.dump(document), headers)


def respond_raw(body: bytes, headers: Mapping[str, str]) -> web.Response:
    """Return a document that is JSON already."""
    return web.Response(body=body, content_type=ACTIVITY_JSON, headers=headers)
