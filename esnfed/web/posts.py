"""The page of a post, in the middle of its thread."""

from __future__ import annotations

from dataclasses import dataclass
from html import escape

from aiohttp import web

from esnfed.context import Context
from esnfed.errors import Busy, Gone, Malformed, NotFound
from esnfed.http import pages, paging
from esnfed.http.keys import DATABASE
from esnfed.http.negotiation import see_other, wants_activitypub
from esnfed.http.reader import Reader, reader_of
from esnfed.objects import note
from esnfed.services import actors, statuses, threads, wanted
from esnfed.services.wanted import Hope
from esnfed.text.sanitise import teaser
from esnfed.vocab.addressing import READABLE_BY_ALL
from esnfed.web import presenters, shown
from esnfed.web.actors import DOMAIN, HANDLE
from esnfed.web.keys import FRAGMENTS
from esnfed.web.shown import Shown

TITLE = 80
DESCRIPTION = 200

routes = web.RouteTableDef()


@dataclass(frozen=True, slots=True)
class Page:
    """A post with what stands before and after it."""

    post: Shown
    before: list[Shown]
    after: list[Shown]
    hope: Hope
    """Whether more of the thread may come from other servers."""


def read(context: Context, status_id: int, reader: Reader) -> Page:
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
    found = shown.of_statuses(context, [*thread.ancestors, row, *thread.descendants], reader)
    # Not the number of ancestors: those by suspended authors are left out.
    place = next(number for number, other in enumerate(found) if other.status["id"] == row["id"])
    return Page(found[place], found[:place], found[place + 1 :], wanted.hope(context, row))


@routes.get(f"/@{HANDLE}@{DOMAIN}/{{id}}")
@routes.get(f"/@{HANDLE}/{{id}}")
async def show(request: web.Request) -> web.Response:
    """The page of a post; only the id finds it, a wrong handle leads to the right address."""
    try:
        status_id = paging.parse_identifier(request.match_info["id"])
    except Malformed:
        raise NotFound from None
    reader = reader_of(request)
    page = await request.config_dict[DATABASE].read(read, status_id, reader)
    row, author = page.post.status, page.post.view.author
    if wants_activitypub(request):
        return see_other(row["uri"])
    path = presenters.post_path(author, row)
    if request.path != path:
        return see_other(str(request.rel_url.with_path(path, keep_query=True)))
    more_expected = page.hope == "waiting" or (page.hope == "due" and await _ask(request, status_id))
    fragments = request.config_dict[FRAGMENTS]
    text = _text(page.post, reader)
    return pages.render(
        request,
        "web/post.html",
        document=row["uri"],
        canonical=None if row["local"] else row["url"],
        indexed=row["local"] and author["indexable"] and row["visibility"] == "public",
        author=presenters.actor(author),
        text=teaser(text, TITLE),
        description=teaser(text, DESCRIPTION),
        before=fragments.cards(page.before, reader),
        card=fragments.card(page.post, reader, main=True),
        after=fragments.cards(page.after, reader),
        counts=(row["replies_count"], row["boosts_count"], row["favourites_count"]),
        more_expected=more_expected,
        original=None if row["local"] else row["url"] or row["uri"],
    )


async def _ask(request: web.Request, status_id: int) -> bool:
    """Let the rest of the thread be fetched in the background; False when there is no time for it now."""
    try:
        return await request.config_dict[DATABASE].write(_want, status_id, background=True)
    except Busy:
        return False


def _want(context: Context, status_id: int) -> bool:
    return wanted.thread(context, statuses.by_id(context, status_id)) is not None


def _text(post: Shown, reader: Reader) -> str:
    """Return what tells the post in a title: its content warning where it has one, never what that hides."""
    row = post.status
    if row["title"] or row["summary"]:
        return escape(row["title"] or row["summary"])
    return presenters.content_of(row, presenters.language_of(row, reader))
