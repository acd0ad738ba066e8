"""The node's home: what it is, what the rooms of the network add, and the latest public posts."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from aiohttp import web

from esnfed import registry
from esnfed.context import Context
from esnfed.http import language, pages, paging, panels
from esnfed.http.keys import CONFIG, DATABASE
from esnfed.i18n import N_
from esnfed.services import timelines, views
from esnfed.services.views import StatusView
from esnfed.web.keys import FRAGMENTS

PAGE = 20

routes = web.RouteTableDef()
registry.nav.add("10 home", ("/", N_("Home")))


@dataclass(frozen=True, slots=True)
class Home:
    """What the page shows, read in one hop."""

    posts: list[StatusView]
    panels: list[tuple[str, Any]]


def read(context: Context, locale: str, max_id: int | None) -> Home:
    """Read a page of public posts and every panel; panels only stand on the first page."""
    rows = timelines.public(context, timelines.Cursor(max_id=max_id, limit=PAGE))
    shown = [] if max_id else panels.of_page("home")
    return Home(
        views.of_statuses(context, rows),
        [(panel.template, panel.read(context, locale)) for panel in shown],
    )


@routes.get("/")
async def show(request: web.Request) -> web.Response:
    """The home page; `?max_id=` goes back in time."""
    locale, max_id = language.choose(request), paging.identifier(request, "max_id")
    found = await request.config_dict[DATABASE].read(read, locale, max_id)
    config = request.config_dict[CONFIG]
    return pages.render(
        request,
        "web/home.html",
        description=config.description,
        panels=found.panels,
        first=max_id is None,
        cards=request.config_dict[FRAGMENTS].cards(found.posts, locale),
        older=f"/?max_id={found.posts[-1].status['id']}" if len(found.posts) == PAGE else None,
    )
