"""The node's home: what it is, what the rooms of the network add, and the latest public posts."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from aiohttp import web
from sqlalchemy import RowMapping

from esnfed import registry
from esnfed.context import Context
from esnfed.http import leaves, pages, panels
from esnfed.http.keys import CONFIG, DATABASE
from esnfed.http.leaves import Leaf, Turn
from esnfed.http.reader import Reader, reader_of
from esnfed.i18n import N_
from esnfed.services import public_timelines, timelines
from esnfed.web import shown
from esnfed.web.keys import FRAGMENTS
from esnfed.web.shown import Shown

PAGE = 20

routes = web.RouteTableDef()
registry.nav.add("10 home", ("/", N_("Home")))


@dataclass(frozen=True, slots=True)
class Home:
    """What the page shows, read in one hop."""

    leaf: Leaf[RowMapping]
    posts: list[Shown]
    panels: list[tuple[str, Any]]


def read(context: Context, reader: Reader, turn: Turn) -> Home:
    """Read a page of public posts and every panel; panels only stand on the first page."""
    cursor = timelines.Cursor(max_id=turn.max_id, min_id=turn.min_id, limit=PAGE + 1)
    leaf = leaves.cut(public_timelines.public(context, cursor), turn, PAGE, lambda row: int(row["id"]))
    on_page = panels.of_page(context, "home", reader) if turn == Turn() else []
    return Home(leaf, shown.of_statuses(context, leaf.rows, reader), on_page)


@routes.get("/")
async def show(request: web.Request) -> web.Response:
    """The home page; `?max_id=` goes back in time, `?min_id=` comes forward again."""
    reader, turn = reader_of(request), leaves.asked(request)
    found = await request.config_dict[DATABASE].read(read, reader, turn)
    config = request.config_dict[CONFIG]
    return pages.render(
        request,
        "web/home.html",
        document=f"{config.origin}/relay",
        description=config.description,
        panels=found.panels,
        first=turn == Turn(),
        account_domain=config.account_domain,
        cards=request.config_dict[FRAGMENTS].cards(found.posts, reader),
        **leaves.links(request, found.leaf),
    )
