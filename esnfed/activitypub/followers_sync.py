"""Which actors of the asking server follow an actor of ours (FEP-8fcf): for its own signed fetch."""

from __future__ import annotations

from aiohttp import web

from esnfed.activitypub.documents import CURSOR, ID, SIGNATURE_DEPENDENT, path_id, respond
from esnfed.activitypub.signed import asker
from esnfed.context import Context
from esnfed.errors import NotFound, Unauthenticated
from esnfed.federation import followers_sync
from esnfed.http.keys import DATABASE
from esnfed.services import collections
from esnfed.vocab import paths
from esnfed.vocab.parse import Document
from esnfed.vocab.terms import AS_CONTEXT

INLINE = 1_000
"""So many ids stand in the collection itself, as peers write and read it; more are on pages."""

PAGE_SIZE = 2_500
"""Ten pages, which peers read at most, hold the 25,000 that are compared at all."""


def document_of(context: Context, actor_id: int, host: str, number: int) -> Document:
    """Return the partial collection (number 0) or one of its pages, from 1; NotFound for none."""
    uri = collections.owned_actor(context, actor_id)["uri"]
    followers = followers_sync.followers_on(context, actor_id, host)
    if followers is None:
        raise NotFound
    collection = followers_sync.partial_collection(uri)
    document: Document = {
        "@context": AS_CONTEXT,
        "id": collection,
        "type": "OrderedCollection",
        "attributedTo": uri,
        "totalItems": len(followers),
    }
    if number == 0 and len(followers) <= INLINE:
        return document | {"orderedItems": followers}
    if number == 0:
        return document | {"first": f"{collection}/1"}
    return _page(collection, followers, number)


def _page(collection: str, followers: list[str], number: int) -> Document:
    shown = followers[(number - 1) * PAGE_SIZE : number * PAGE_SIZE]
    if not shown:
        raise NotFound
    document: Document = {
        "@context": AS_CONTEXT,
        "id": f"{collection}/{number}",
        "type": "OrderedCollectionPage",
        "partOf": collection,
        "orderedItems": shown,
    }
    if number * PAGE_SIZE < len(followers):
        document["next"] = f"{collection}/{number + 1}"
    return document


async def show(request: web.Request) -> web.Response:
    """GET the followers on the asking server. Errors: 401 unsigned, 403 blocked, 404, 410."""
    who = await asker(request)
    if who is None:
        raise Unauthenticated
    number = path_id(request, "cursor") if "cursor" in request.match_info else 0
    document = await request.config_dict[DATABASE].read(document_of, path_id(request), who.host, number)
    return respond(document, SIGNATURE_DEPENDENT)


_ROOT = f"/ap/actors/{ID}/{paths.FOLLOWERS_SYNC}"
routes = [web.get(_ROOT, show), web.get(f"{_ROOT}/{CURSOR}", show)]
