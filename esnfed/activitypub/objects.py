"""Object documents: public posts for anybody, others for the servers they are addressed to, else 404."""

from __future__ import annotations

from dataclasses import dataclass

from aiohttp import web
from sqlalchemy import RowMapping

from esnfed.activitypub.documents import ID, SIGNATURE_DEPENDENT, path_id, respond
from esnfed.activitypub.signed import admitted, asker, caching
from esnfed.context import Context
from esnfed.errors import NotFound
from esnfed.http.keys import DATABASE
from esnfed.http.negotiation import see_other, wants_html
from esnfed.objects import note
from esnfed.services import collections
from esnfed.vocab.parse import Document


@dataclass(frozen=True, slots=True)
class Found:
    """A post that the asker may read: its page and its document."""

    page: str
    document: Document


def _public(context: Context, status_id: int) -> Found | None:
    row = collections.public_status(context, status_id)
    return None if row is None else _found(context, row)


def _for_host(context: Context, status_id: int, host: str) -> Found:
    return _found(context, collections.status_for_host(context, status_id, host))


def _found(context: Context, row: RowMapping) -> Found:
    return Found(row["url"], note.to_document(context, row))


async def show(request: web.Request) -> web.Response:
    """GET an object: its document, or 303 to its page when HTML is asked for.

    What is not for anybody, and what never was, take the same road: a signature is checked, the same
    question is asked, and the answer is the same 404 (GHSA-gwhw-gcjx-72v8). Errors: 404, 410 with the
    Tombstone, 401 and 403 for a wrong signature or a blocked server; under authorised fetch 401 for none.
    """
    status_id, database = path_id(request), request.config_dict[DATABASE]
    who = None if wants_html(request) else await admitted(request)
    found = await database.read(_public, status_id)
    if found is not None:
        return see_other(found.page) if wants_html(request) else respond(found.document, caching(request))
    who = who or await asker(request)
    if who is None:
        raise NotFound
    found = await database.read(_for_host, status_id, who.host)
    return respond(found.document, SIGNATURE_DEPENDENT)


routes = [web.get(f"/ap/objects/{ID}", show, name="object")]
