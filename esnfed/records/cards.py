"""Records as the macros of the pages take them: the reader's language where the sheet has it."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import RowMapping

from esnfed.i18n import N_, translator
from esnfed.records.definition import Sheet, kind_named, languages_of
from esnfed.records.rendering import Fact, facts
from esnfed.records.vocabularies import TERRITORIES, THEMES, Scheme
from esnfed.vocab import paths

STATES = {"open": N_("Open"), "closed": N_("Closed")}
BOARD = "/records"


@dataclass(frozen=True, slots=True)
class Owner:
    """The organisation of a record as the actor macros take it, with its page on this node."""

    name: str
    handle: str
    url: str
    avatar: None = None
    as_type: str = "Organization"


@dataclass(frozen=True, slots=True)
class Chip:
    """A word that leads to the board filtered by it."""

    label: str
    href: str


@dataclass(frozen=True, slots=True)
class Card:
    """One record as a page shows it; `url` is the path of its page here, `origin` its home when elsewhere."""

    url: str
    kind: str
    kind_label: str
    title: str
    summary: str | None
    language: str
    organisation: Owner
    deadline: int | None
    state: str
    state_label: str
    territories: tuple[Chip, ...]
    themes: tuple[Chip, ...]
    languages: tuple[str, ...]
    facts: tuple[Fact, ...]
    updated: int
    origin: str | None


def language_for(sheet: Sheet, locale: str, wanted: str | None = None) -> str:
    """Return the language a reader gets: the one asked for, their own (es for es-MX), else the primary."""
    languages = languages_of(sheet)
    for tag in (wanted, locale, locale.partition("-")[0]):
        if tag in languages:
            return tag
    return languages[0]


def card(row: RowMapping, locale: str, home: str, wanted: str | None = None) -> Card:
    """Return one row of query.py as a card; `home` is our authority, `wanted` a language asked for."""
    sheet = row["sheet"]
    language = language_for(sheet, locale, wanted)
    gettext = translator(locale).gettext
    definition = kind_named(row["kind"])
    return Card(
        url=paths.record_page("", row["status_id"]),
        kind=row["kind"],
        kind_label=gettext(definition.title) if definition else row["kind"],
        title=sheet["title"][language],
        summary=sheet.get("summary", {}).get(language),
        language=language,
        organisation=_owner(row),
        deadline=row["closes_at"],
        state=row["state"],
        state_label=gettext(STATES[row["state"]]),
        territories=_chips(TERRITORIES, "territory", sheet.get("territories", []), locale),
        themes=_chips(THEMES, "theme", sheet.get("themes", []), locale),
        languages=tuple(languages_of(sheet)),
        facts=tuple(facts(definition, sheet, locale)) if definition else (),
        updated=row["updated_at"],
        origin=None if row["owner_host"] == home else row["owner_host"],
    )


def _owner(row: RowMapping) -> Owner:
    handle = f"{row['owner_handle']}@{row['owner_domain']}"
    url = f"/o/{row['owner_handle']}" if row["local"] else f"/@{handle}"
    return Owner(row["owner_name"] or row["owner_handle"], handle, url)


def _chips(scheme: Scheme, name: str, values: list[str], locale: str) -> tuple[Chip, ...]:
    return tuple(Chip(scheme.label(value, locale), f"{BOARD}?{name}={value}") for value in values)
