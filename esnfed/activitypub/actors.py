"""Actor documents; the node actor's for anybody at any time, because its key proves every GET we sign."""

from __future__ import annotations

from dataclasses import dataclass

from aiohttp import web

from esnfed.activitypub.documents import ID, owner_id, respond
from esnfed.activitypub.signed import admitted, caching, refuse_blocked
from esnfed.context import Context
from esnfed.http.keys import DATABASE
from esnfed.http.negotiation import see_other, wants_html
from esnfed.objects import actor as actor_object
from esnfed.services import collections
from esnfed.vocab import paths
from esnfed.vocab.parse import Document


@dataclass(frozen=True, slots=True)
class Profile:
    """The two addresses of an actor, and its document."""

    uri: str
    page: str
    document: Document


def _profile(context: Context, actor_id: int | None) -> Profile:
    row = collections.owned_actor(context, actor_id)
    page = paths.profile_page(
        context.config.origin, row["handle"], organisation=row["as_type"] == "Organization"
    )
    if row["as_type"] == "Application":
        page = row["url"]
    return Profile(row["uri"], page, actor_object.to_document(context, row))


async def show(request: web.Request) -> web.Response:
    """GET an actor: its document, or 303 to its page when HTML is asked for.

    The node actor never needs a signature, else two nodes would wait for each other's key for ever. Errors:
    401 for an unsigned request under authorised fetch, 404, 410 with the Tombstone, 403 for a suspended actor
    or a blocked server.
    """
    if "id" not in request.match_info:
        await refuse_blocked(request)
    elif not wants_html(request):
        await admitted(request)
    profile = await request.config_dict[DATABASE].read(_profile, owner_id(request))
    if wants_html(request):
        return see_other(profile.page)
    if not profile.uri.endswith(request.path):
        return see_other(profile.uri)  # the node actor asked for by its number
    return respond(profile.document, caching(request))


routes = [
    web.get(f"/ap/actors/{ID}", show, name="actor"),
    web.get(paths.NODE_ACTOR, show, name="node-actor"),
]
