"""Pages of actors, ours and those elsewhere that we know."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from aiohttp import web
from sqlalchemy import RowMapping

from esnfed.context import Context
from esnfed.errors import Gone, NotFound
from esnfed.http import leaves, pages, panels
from esnfed.http.keys import DATABASE
from esnfed.http.leaves import Leaf, Turn
from esnfed.http.negotiation import see_other, wants_activitypub
from esnfed.http.reader import Reader, reader_of
from esnfed.services import actors, public_timelines, timelines
from esnfed.text.sanitise import teaser
from esnfed.vocab.authority import normalise_authority
from esnfed.web import presenters, shown
from esnfed.web.keys import FRAGMENTS
from esnfed.web.shown import Shown

PAGE = 20
HANDLE = r"{handle:[A-Za-z0-9_][A-Za-z0-9_.-]*}"
DOMAIN = r"{domain:[^/@]+}"

routes = web.RouteTableDef()


@dataclass(frozen=True, slots=True)
class Profile:
    """An actor and a page of what it wrote and shared; on the first page also what the rooms add."""

    row: RowMapping
    leaf: Leaf[RowMapping]
    posts: list[Shown]
    panels: list[tuple[str, Any]]
    moved: dict[str, str] | None = None
    """Address and name of where the actor has moved to."""


def find(context: Context, handle: str, domain: str | None) -> RowMapping:
    """Return the actor row of a page's address; raises Gone for a deleted one of ours, else NotFound."""
    if domain is None:
        row = actors.local_by_handle(context, handle)
    else:
        row = actors.by_account(context, handle, normalise_authority(domain))
    if row is not None and row["local"] and row["deleted_at"]:
        raise Gone
    if row is None or row["deleted_at"] or row["suspended_at"] or row["as_type"] == "Application":
        raise NotFound
    return row


def read(context: Context, handle: str, domain: str | None, reader: Reader, turn: Turn) -> Profile:
    """Read an actor and a page of its public posts."""
    row = find(context, handle, domain)
    cursor = timelines.Cursor(max_id=turn.max_id, min_id=turn.min_id, limit=PAGE + 1)
    rows = public_timelines.of_actor(context, row["id"], cursor)
    leaf = leaves.cut(rows, turn, PAGE, lambda found: int(found["id"]))
    on_page = panels.of_page(context, "actor", reader, row) if turn == Turn() else []
    posts = shown.of_statuses(context, leaf.rows, reader)
    return Profile(row, leaf, posts, on_page, _moved(context, row["moved_to_uri"]))


def _moved(context: Context, uri: str | None) -> dict[str, str] | None:
    if uri is None:
        return None
    known = actors.by_uri(context, uri)
    if known is None or known["deleted_at"]:
        return {"url": uri, "name": uri}
    return {"url": presenters.actor_path(known), "name": f"@{known['handle']}@{known['domain']}"}


@routes.get(f"/@{HANDLE}@{DOMAIN}")
@routes.get(f"/@{HANDLE}")
@routes.get(f"/o/{HANDLE}")
async def show(request: web.Request) -> web.Response:
    """The page of an actor; its document is one 303 away, and so is the right one of its two pages."""
    handle, domain = request.match_info["handle"], request.match_info.get("domain")
    reader, turn = reader_of(request), leaves.asked(request)
    profile = await request.config_dict[DATABASE].read(read, handle, domain, reader, turn)
    row = profile.row
    if wants_activitypub(request):
        return see_other(row["uri"])
    path = presenters.actor_path(row)
    if request.path != path:
        return see_other(path)
    return pages.render(
        request,
        "web/actor.html",
        document=row["uri"],
        canonical=None if row["local"] else row["url"],
        indexed=row["local"] and row["indexable"],
        title=row["name"].strip() or row["handle"],
        description=teaser(row["summary"], 160),
        actor=presenters.actor(row),
        first=turn == Turn(),
        panels=profile.panels,
        moved=profile.moved,
        posts_count=row["statuses_count"],
        followers_count=None if row["hides_network"] else row["followers_count"],
        following_count=None if row["hides_network"] else row["following_count"],
        original=None if row["local"] else row["url"] or row["uri"],
        cards=request.config_dict[FRAGMENTS].cards(profile.posts, reader),
        **leaves.links(request, profile.leaf),
    )
