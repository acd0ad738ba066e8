"""Pages of the records: the board with its filters in the address, the sheet, the panel on the home page."""

from __future__ import annotations

import unicodedata
from collections.abc import Mapping
from dataclasses import replace
from typing import Any
from urllib.parse import quote

from aiohttp import web
from sqlalchemy import RowMapping

from esnfed import registry
from esnfed.context import Context
from esnfed.errors import Malformed, NotFound
from esnfed.http import language, leaves, pages, paging
from esnfed.http.keys import CONFIG, DATABASE
from esnfed.http.leaves import CURSORS, Leaf, Turn
from esnfed.http.negotiation import see_other, wants_activitypub
from esnfed.http.panels import Panel
from esnfed.http.reader import Reader, reader_of
from esnfed.i18n import N_, language_name, translator
from esnfed.records import details, query, rendering
from esnfed.records.cards import BOARD, Card, card, conversation
from esnfed.records.definition import kind_named, languages_of
from esnfed.records.filters import STATES, Filters, read_filters, resolve
from esnfed.records.vocabularies import GOALS, TERRITORIES, THEMES
from esnfed.vocab import paths

PAGE = 24
PANEL = 6
OWNER_PANEL = 4
LANGUAGES_OFFERED = ("fr", "en", "es", "pt", "ar")
ABOUT_BOARD = N_(
    "What the organisations of the network do and look for, from every server that this one knows."
)

routes = web.RouteTableDef()
registry.nav.add("20 records", (BOARD, N_("Projects and calls")))

_STATE_LABELS = {"open": N_("Open"), "closed": N_("Closed"), "all": N_("All")}


def latest(context: Context, reader: Reader, subject: RowMapping | None = None) -> list[Card]:
    """Return the newest open records for the home page, which is about nobody in particular."""
    rows = query.page(context, query.BoardQuery(limit=PANEL))
    return [card(row, reader, context.config.domain) for row in rows]


def of_owner(context: Context, reader: Reader, subject: RowMapping | None) -> dict[str, Any]:
    """Return the newest open records of an actor for its page, and the address of all of them."""
    if subject is None:
        raise ValueError("the page of an actor is about an actor")
    rows = query.page(context, query.BoardQuery(owner_id=subject["id"], limit=OWNER_PANEL))
    account = quote(f"{subject['handle']}@{subject['domain']}", safe="@")
    return {
        "records": [card(row, reader, context.config.domain) for row in rows],
        "href": f"{BOARD}?organisation={account}&status=all",
    }


registry.panels.add("home:records", Panel("records/panel.html", latest))
registry.panels.add("actor:records", Panel("records/owner_panel.html", of_owner))


def _board(context: Context, filters: Filters, turn: Turn) -> Leaf[RowMapping]:
    asked = resolve(context, filters)
    size = min(asked.limit, query.MAX_LIMIT - 1)
    rows = query.page(context, replace(asked, limit=size + 1))
    return leaves.cut(rows, turn, size, lambda row: int(row["status_id"]))


@routes.get(BOARD)
async def board(request: web.Request) -> web.Response:
    """The board; every filter is in the address. An unknown filter or value is a clear 4xx page."""
    asked = [
        (name, value) for name, value in request.query.items() if name != language.PARAMETER and value != ""
    ]
    if "limit" not in request.query:
        asked.append(("limit", str(PAGE)))
    reader, turn = reader_of(request), leaves.asked(request)
    leaf = await request.config_dict[DATABASE].read(_board, read_filters(asked), turn)
    home = request.config_dict[CONFIG].domain
    gettext = translator(reader.locale).gettext
    filters = request.rel_url.without_query_params(*CURSORS, language.PARAMETER)
    return pages.render(
        request,
        "records/board.html",
        records=[card(row, reader, home) for row in leaf.rows],
        fields=_fields(request.query, reader.locale),
        active=any(filters.query.values()),
        description=gettext(ABOUT_BOARD),
        alternates=[
            {
                "href": f"/api/esn/v1/records?{filters.raw_query_string}".removesuffix("?"),
                "type": "application/json",
                "title": gettext(N_("This list as data (JSON)")),
            }
        ],
        **leaves.links(request, leaf),
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
        key=lambda place: _alphabetical(place[1]),
    )
    languages = [(tag, language_name(tag, locale)) for tag in LANGUAGES_OFFERED]
    states = [(state, gettext(_STATE_LABELS[state])) for state in STATES]
    # Nobody picks an organisation out of hundreds: the field is there for those who came by its link.
    owner = given.get("organisation", "")
    owners = [{"name": "organisation", "label": gettext(N_("Organisation")), "type": "text", "value": owner}]
    return [
        *(owners if owner else []),
        select("kind", N_("Kind"), every + kinds),
        select("territory", N_("Territory"), every + places),
        select("theme", N_("Theme"), every + themes),
        select("sdg", N_("Goal (SDG)"), every + goals),
        select("language", N_("Language"), every + languages),
        select("status", N_("State"), states),
    ]


def _alphabetical(name: str) -> tuple[str, str]:
    """Return what sorts a name where a reader looks for it: its letters, then their accents."""
    letters = unicodedata.normalize("NFKD", name.casefold())
    return "".join(each for each in letters if not unicodedata.combining(each)), letters


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
        return see_other(str(request.rel_url.with_path(path, keep_query=True)))
    reader, found = reader_of(request), row["sheet"]
    shown = card(row, reader, request.config_dict[CONFIG].domain)
    definition = kind_named(row["kind"])
    return pages.render(
        request,
        "records/record.html",
        document=row["uri"],
        canonical=None if row["local"] else row["page"],
        title=shown.title,
        description=shown.summary or "",
        record=shown,
        body=details.body(definition, found, shown.language) if definition else None,
        parts=details.parts(definition, found, reader.locale, shown.language) if definition else [],
        closed_at=row["closed_at"],
        conversation=conversation(row),
        replies=row["replies_count"],
        others=[
            {"tag": tag, "href": f"{path}?lang={tag}"} for tag in languages_of(found) if tag != shown.language
        ],
        original=None if row["local"] else row["page"] or row["uri"],
        alternates=[
            {
                "href": f"/api/esn/v1/records/{status_id}",
                "type": "application/json",
                "title": translator(reader.locale).gettext(N_("This sheet as data (JSON)")),
            }
        ],
    )
