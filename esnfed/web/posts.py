"""The page of a post, in the middle of its thread."""

from __future__ import annotations

from dataclasses import dataclass

from aiohttp import web

from esnfed.context import Context
from esnfed.errors import Gone, Malformed, NotFound
from esnfed.http import language, pages, paging
from esnfed.http.keys import DATABASE
from esnfed.http.negotiation import see_other, wants_activitypub
from esnfed.objects import note
from esnfed.services import actors, threads, views
from esnfed.services.views import StatusView
from esnfed.vocab.addressing import READABLE_BY_ALL
from esnfed.web import presenters
from esnfed.web.actors import DOMAIN, HANDLE
from esnfed.web.keys import FRAGMENTS

routes = web.RouteTableDef()


@dataclass(frozen=True, slots=True)
class Page:
    """A post with what stands before and after it."""

    post: StatusView
    before: list[StatusView]
    after: list[StatusView]


def read(context: Context, status_id: int) -> Page:
    """Read a public post and its thread; raises Gone for a deleted one of ours, NotFound for a hidden one."""
    row = note.row_by_id(context, status_id)
    if row is None or row["visibility"] not in READABLE_BY_ALL or row["boost_of_id"]:
        raise NotFound
    if row["deleted_at"]:
        raise Gone if row["local"] else NotFound
    author = actors.by_id(context, row["actor_id"])
    if author["deleted_at"] or author["suspended_at"]:
        raise NotFound
    thread = threads.around(context, row)
    found = views.of_statuses(context, [*thread.ancestors, row, *thread.descendants])
    place = len(thread.ancestors)
    return Page(found[place], found[:place], found[place + 1 :])


@routes.get(f"/@{HANDLE}@{DOMAIN}/{{id}}")
@routes.get(f"/@{HANDLE}/{{id}}")
async def show(request: web.Request) -> web.Response:
    """The page of a post; only the id finds it, a wrong handle leads to the right address."""
    try:
        status_id = paging.parse_identifier(request.match_info["id"])
    except Malformed:
        raise NotFound from None
    page = await request.config_dict[DATABASE].read(read, status_id)
    row, author = page.post.status, page.post.author
    if wants_activitypub(request):
        return see_other(row["uri"])
    path = presenters.post_path(author, row)
    if request.path != path:
        return see_other(path)
    locale, fragments = language.choose(request), request.config_dict[FRAGMENTS]
    return pages.render(
        request,
        "web/post.html",
        document=row["uri"],
        canonical=None if row["local"] else row["url"],
        indexed=row["local"] and author["indexable"] and row["visibility"] == "public",
        author=presenters.actor(author),
        text=row["summary"] or row["content"],
        before=fragments.cards(page.before, locale),
        card=fragments.card(page.post, locale, main=True),
        after=fragments.cards(page.after, locale),
        counts=(row["replies_count"], row["boosts_count"], row["favourites_count"]),
        original=None if row["local"] else row["url"],
    )
