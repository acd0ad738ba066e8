"""The page of a hashtag: the public posts under it that are known here."""

from __future__ import annotations

from dataclasses import dataclass

from aiohttp import web
from sqlalchemy import RowMapping

from esnfed.context import Context
from esnfed.http import leaves, pages
from esnfed.http.keys import DATABASE
from esnfed.http.leaves import Leaf, Turn
from esnfed.http.reader import Reader, reader_of
from esnfed.services import public_timelines
from esnfed.services.timelines import Cursor
from esnfed.web import shown
from esnfed.web.keys import FRAGMENTS
from esnfed.web.shown import Shown

PAGE = 20

routes = web.RouteTableDef()


@dataclass(frozen=True, slots=True)
class Tagged:
    """One page of posts under a hashtag."""

    leaf: Leaf[RowMapping]
    posts: list[Shown]


def read(context: Context, name: str, reader: Reader, turn: Turn) -> Tagged:
    """Read a page of the posts under a hashtag."""
    cursor = Cursor(max_id=turn.max_id, min_id=turn.min_id, limit=PAGE + 1)
    rows = public_timelines.of_tag(context, name, cursor)
    leaf = leaves.cut(rows, turn, PAGE, lambda row: int(row["id"]))
    return Tagged(leaf, shown.of_statuses(context, leaf.rows, reader))


@routes.get("/tags/{name}")
async def show(request: web.Request) -> web.Response:
    """The page of a hashtag; an unknown one is an empty page, as it may be used at any moment."""
    name, reader, turn = request.match_info["name"][:200], reader_of(request), leaves.asked(request)
    found = await request.config_dict[DATABASE].read(read, name, reader, turn)
    return pages.render(
        request,
        "web/tag.html",
        title=f"#{name}",
        tag=name,
        indexed=bool(found.posts),
        cards=request.config_dict[FRAGMENTS].cards(found.posts, reader),
        **leaves.links(request, found.leaf),
    )
