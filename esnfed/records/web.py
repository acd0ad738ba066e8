"""Pages of the records: the board with its filters in the address, the sheet, the panel on the home page."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from aiohttp import web
from sqlalchemy import RowMapping

from esnfed import registry
from esnfed.context import Context
from esnfed.errors import Malformed, NotFound
from esnfed.http import language, pages, paging
from esnfed.http.keys import CONFIG, DATABASE
from esnfed.http.negotiation import see_other, wants_activitypub
from esnfed.http.panels import Panel
from esnfed.i18n import N_, language_name, translator
from esnfed.records import query, rendering
from esnfed.records.cards import BOARD, Card, card, language_for
from esnfed.records.definition import languages_of
from esnfed.records.filters import STATES, Filters, read_filters, resolve
from esnfed.records.vocabularies import GOALS, TERRITORIES, THEMES
from esnfed.text.markdown import render as markdown
from esnfed.vocab import paths

PAGE = 24
PANEL = 6

routes = web.RouteTableDef()
registry.nav.add("20 records", (BOARD, N_("Projects and calls")))

_STATE_LABELS = {"open": N_("Open"), "closed": N_("Closed"), "all": N_("All")}


def latest(context: Context, locale: str) -> list[Card]:
    """Return the newest open records for the home page."""
    rows = query.page(context, query.BoardQuery(limit=PANEL))
    return [card(row, locale, context.config.domain) for row in rows]


registry.panels.add("home:records", Panel("records/panel.html", latest))


def _board(context: Context, filters: Filters) -> list[RowMapping]:
    return query.page(context, resolve(context, filters))


@routes.get(BOARD)
async def board(request: web.Request) -> web.Response:
    """The board; every filter is in the address. An unknown filter or value is a clear 4xx page."""
    asked = [
        (name, value) for name, value in request.query.items() if name != language.PARAMETER and value != ""
    ]
    if "limit" not in request.query:
        asked.append(("limit", str(PAGE)))
    rows = await request.config_dict[DATABASE].read(_board, read_filters(asked))
    locale, home = language.choose(request), request.config_dict[CONFIG].domain
    kept = request.rel_url.without_query_params("max_id", language.PARAMETER)
    older = None
    if len(rows) == PAGE:
        older = str(kept.update_query(max_id=rows[-1]["status_id"]))
    return pages.render(
        request,
        "records/board.html",
        records=[card(row, locale, home) for row in rows],
        fields=_fields(request.query, locale),
        active=bool(kept.query),
        older=older,
        alternates=[
            {
                "href": f"/api/esn/v1/records?{kept.raw_query_string}".removesuffix("?"),
                "type": "application/json",
                "title": translator(locale).gettext(N_("This list as data (JSON)")),
            }
        ],
    )


def _fields(given: Mapping[str, str], locale: str) -> list[dict[str, Any]]:
    """Return the filter form, filled with what was asked."""
    gettext = translator(locale).gettext

    def select(name: str, label: str, options: list[tuple[str, str]]) -> dict[str, Any]:
        chosen = given.get(name, "")
        return {
            "name": name,
            "label": gettext(label),
            "type": "select",
            "options": [
                {"value": value, "label": text, "selected": value == chosen} for value, text in options
            ],
        }

    every = [("", gettext(N_("Any")))]
    kinds = [(name, gettext(definition.title)) for name, definition in registry.kinds.items()]
    themes = [(value, THEMES.label(value, locale)) for value in THEMES.members()]
    goals = [(value, GOALS.label(value, locale)) for value in GOALS.members()]
    places = sorted(
        ((value, TERRITORIES.label(value, locale)) for value in TERRITORIES.members()),
        key=lambda place: place[1].casefold(),
    )
    languages = [(tag, language_name(tag, locale)) for tag in ("fr", "en", "es", "pt", "ar")]
    states = [(state, gettext(_STATE_LABELS[state])) for state in STATES]
    return [
        select("kind", N_("Kind"), every + kinds),
        select("territory", N_("Territory"), every + places),
        select("theme", N_("Theme"), every + themes),
        select("sdg", N_("Sustainable development goal"), every + goals),
        select("language", N_("Language"), every + languages),
        select("status", N_("State"), states),
    ]


@routes.get("/r/{id}/{slug}")
@routes.get("/r/{id}")
async def sheet(request: web.Request) -> web.Response:
    """One sheet; the id alone finds it, and its readable tail is mended. 410 when it was deleted here."""
    try:
        status_id = paging.parse_identifier(request.match_info["id"])
    except Malformed:
        raise NotFound from None
    row = await request.config_dict[DATABASE].read(query.one, status_id)
    if wants_activitypub(request):
        return see_other(row["uri"])
    path = paths.record_page("", status_id, rendering.slug(row["sheet"]))
    if request.path != path:
        return see_other(str(request.rel_url.with_path(path)))
    locale, home = language.choose(request), request.config_dict[CONFIG].domain
    wanted = request.query.get(language.PARAMETER)
    spoken = language_for(row["sheet"], locale, wanted)
    return pages.render(
        request,
        "records/record.html",
        document=row["uri"],
        canonical=None if row["local"] else row["page"],
        title=row["sheet"]["title"][spoken],
        description=row["sheet"].get("summary", {}).get(spoken, ""),
        record=card(row, locale, home, wanted),
        body=_body(row["sheet"], spoken),
        others=[
            {"tag": tag, "href": f"{path}?lang={tag}"} for tag in languages_of(row["sheet"]) if tag != spoken
        ],
        original=None if row["local"] else row["page"],
        data=f"/api/esn/v1/records/{status_id}",
    )


def _body(found: dict[str, Any], spoken: str) -> str:
    """Return the long text of a sheet as safe HTML, "" without one."""
    body = found.get("body", {})
    text = body.get(spoken) or next(iter(body.values()), "")
    return markdown(text) if text else ""
