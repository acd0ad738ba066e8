"""Collections: `totalItems` for everybody, items in pages whose addresses are paths (federation.md A5)."""

from __future__ import annotations

from typing import get_args

from aiohttp import web

from esnfed.activitypub.documents import (
    CURSOR,
    ID,
    SIGNATURE_DEPENDENT,
    owner_id,
    path_id,
    respond,
)
from esnfed.activitypub.signed import admitted, asker, caching
from esnfed.errors import Refused, Unauthenticated
from esnfed.http.keys import DATABASE, Handler
from esnfed.services import collections
from esnfed.services.collections import START, ActorCollection, Collection, ObjectCollection, Page
from esnfed.vocab import paths
from esnfed.vocab.parse import Document
from esnfed.vocab.terms import AS_CONTEXT


def to_document(collection: Collection, *, paged: bool) -> Document:
    """Return an OrderedCollection: with all items of a short one, without `first` for whom no page is for."""
    document: Document = {
        "@context": AS_CONTEXT,
        "id": collection.uri,
        "type": "OrderedCollection",
        "attributedTo": collection.owner_uri,
        "totalItems": collection.total,
    }
    if collection.items is not None:
        # As Mastodon and GoToSocial write `featured`: peers look for the items here first.
        document["orderedItems"] = collection.items
    elif paged:
        document["first"] = f"{collection.uri}/{START}"
    return document


def page_document(page: Page, cursor: int) -> Document:
    """Return an OrderedCollectionPage with a `next` as long as there is more."""
    document: Document = {
        "@context": AS_CONTEXT,
        "id": f"{page.uri}/{cursor}",
        "type": "OrderedCollectionPage",
        "partOf": page.uri,
        "orderedItems": page.items,
    }
    if page.next_cursor is not None:
        document["next"] = f"{page.uri}/{page.next_cursor}"
    return document


def _of_actor(kind: ActorCollection) -> Handler:
    async def show(request: web.Request) -> web.Response:
        who = await admitted(request)
        found = await request.config_dict[DATABASE].read(
            collections.actor_collection, owner_id(request), kind
        )
        if kind not in collections.NETWORK or found.hidden:
            return respond(to_document(found, paged=not found.hidden), caching(request))
        who = who or await asker(request)
        paged = who is not None and who.trusted
        return respond(to_document(found, paged=paged), SIGNATURE_DEPENDENT)

    return show


def _page_of_actor(kind: ActorCollection) -> Handler:
    async def show(request: web.Request) -> web.Response:
        who = await admitted(request)
        headers = caching(request)
        if kind in collections.NETWORK:
            headers = SIGNATURE_DEPENDENT
            who = who or await asker(request)
            if who is None:
                raise Unauthenticated
            if not who.trusted:
                raise Refused
        cursor = path_id(request, "cursor")
        page = await request.config_dict[DATABASE].read(
            collections.actor_page, owner_id(request), kind, cursor
        )
        return respond(page_document(page, cursor), headers)

    return show


def _of_object(kind: ObjectCollection) -> Handler:
    async def show(request: web.Request) -> web.Response:
        await admitted(request)
        found = await request.config_dict[DATABASE].read(
            collections.object_collection, path_id(request), kind
        )
        return respond(to_document(found, paged=True), caching(request))

    return show


def _page_of_object(kind: ObjectCollection) -> Handler:
    async def show(request: web.Request) -> web.Response:
        await admitted(request)
        cursor = path_id(request, "cursor")
        page = await request.config_dict[DATABASE].read(
            collections.object_page, path_id(request), kind, cursor
        )
        return respond(page_document(page, cursor), caching(request))

    return show


def _routes() -> list[web.RouteDef]:
    """One handler per collection, on the paths of every actor and of the node actor."""
    found: list[web.RouteDef] = []
    actor_kinds: tuple[ActorCollection, ...] = get_args(ActorCollection)
    for kind in actor_kinds:
        for root in (f"/ap/actors/{ID}", paths.NODE_ACTOR):
            found.append(web.get(f"{root}/{kind}", _of_actor(kind)))
            found.append(web.get(f"{root}/{kind}/{CURSOR}", _page_of_actor(kind)))
    object_kinds: tuple[ObjectCollection, ...] = get_args(ObjectCollection)
    for name in object_kinds:
        found.append(web.get(f"/ap/objects/{ID}/{name}", _of_object(name)))
        found.append(web.get(f"/ap/objects/{ID}/{name}/{CURSOR}", _page_of_object(name)))
    return found


routes = _routes()
