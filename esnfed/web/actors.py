"""Pages of actors, ours and those elsewhere that we know."""

from __future__ import annotations

from dataclasses import dataclass

from aiohttp import web
from sqlalchemy import RowMapping

from esnfed.context import Context
from esnfed.errors import Gone, NotFound
from esnfed.http import language, pages, paging
from esnfed.http.keys import DATABASE
from esnfed.http.negotiation import see_other, wants_activitypub
from esnfed.services import actors, timelines, views
from esnfed.services.views import StatusView
from esnfed.vocab.authority import normalise_authority
from esnfed.web import presenters
from esnfed.web.keys import FRAGMENTS

PAGE = 20
HANDLE = r"{handle:[A-Za-z0-9_][A-Za-z0-9_.-]*}"
DOMAIN = r"{domain:[^/@]+}"

routes = web.RouteTableDef()


@dataclass(frozen=True, slots=True)
class Profile:
    """An actor and a page of what it wrote and shared."""

    row: RowMapping
    posts: list[StatusView]


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


def read(context: Context, handle: str, domain: str | None, max_id: int | None) -> Profile:
    """Read an actor and a page of its public posts."""
    row = find(context, handle, domain)
    rows = timelines.of_actor(context, row["id"], timelines.Cursor(max_id=max_id, limit=PAGE))
    return Profile(row, views.of_statuses(context, rows))


@routes.get(f"/@{HANDLE}@{DOMAIN}")
@routes.get(f"/@{HANDLE}")
@routes.get(f"/o/{HANDLE}")
async def show(request: web.Request) -> web.Response:
    """The page of an actor; its document is one 303 away, and so is the right one of its two pages."""
    handle, domain = request.match_info["handle"], request.match_info.get("domain")
    locale, max_id = language.choose(request), paging.identifier(request, "max_id")
    profile = await request.config_dict[DATABASE].read(read, handle, domain, max_id)
    row = profile.row
    if wants_activitypub(request):
        return see_other(row["uri"])
    path = presenters.actor_path(row)
    if request.path != path:
        return see_other(path)
    posts = profile.posts
    return pages.render(
        request,
        "web/actor.html",
        document=row["uri"],
        canonical=None if row["local"] else row["url"],
        indexed=row["local"] and row["indexable"],
        title=row["name"] or row["handle"],
        actor=presenters.actor(row),
        posts_count=row["statuses_count"],
        followers_count=None if row["hides_network"] else row["followers_count"],
        following_count=None if row["hides_network"] else row["following_count"],
        original=None if row["local"] else row["url"],
        cards=request.config_dict[FRAGMENTS].cards(posts, locale),
        older=f"{path}?max_id={posts[-1].status['id']}" if len(posts) == PAGE else None,
    )
