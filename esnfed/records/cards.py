"""Records as the macros of the pages take them: the reader's language where the sheet has it."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

from sqlalchemy import RowMapping

from esnfed import registry
from esnfed.context import Context
from esnfed.http.panels import Inset
from esnfed.http.reader import Reader
from esnfed.i18n import translator
from esnfed.records import query, rendering
from esnfed.records.definition import STATES, kind_named, languages_of
from esnfed.records.vocabularies import TERRITORIES, THEMES, Scheme
from esnfed.vocab import paths

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
    """One record as a page shows it; `url` is the path of its page here, `origin` its home when elsewhere.

    `deadline` is as the sheet says it: a day, or an instant with its time.
    """

    url: str
    kind: str
    kind_label: str
    title: str
    summary: str | None
    language: str
    organisation: Owner
    deadline: str | None
    state: str
    state_label: str
    territories: tuple[Chip, ...]
    themes: tuple[Chip, ...]
    languages: tuple[str, ...]
    updated: int
    origin: str | None


def card(row: RowMapping, reader: Reader, home: str) -> Card:
    """Return one row of query.py as a card; `home` is our authority."""
    sheet, locale = row["sheet"], reader.locale
    language = reader.choose(languages_of(sheet))
    words = translator(locale)
    definition = kind_named(row["kind"])
    states = definition.states if definition else STATES
    return Card(
        url=paths.record_page("", row["status_id"], rendering.slug(sheet)),
        kind=row["kind"],
        kind_label=words.gettext(definition.title) if definition else row["kind"],
        title=sheet["title"][language],
        summary=sheet.get("summary", {}).get(language),
        language=language,
        organisation=_owner(row),
        deadline=sheet.get("closes"),
        state=row["state"],
        state_label=str(words.pgettext(*states[row["state"]])),
        territories=_chips(TERRITORIES, "territory", sheet.get("territories", []), locale),
        themes=_chips(THEMES, "theme", sheet.get("themes", []), locale),
        languages=tuple(languages_of(sheet)),
        updated=row["updated_at"],
        origin=None if row["owner_host"] == home else row["owner_host"],
    )


def conversation(row: RowMapping) -> str:
    """Return the path of the post that announced a record: its thread is there."""
    domain = "" if row["local"] else f"@{row['owner_domain']}"
    return f"/@{row['owner_handle']}{domain}/{row['status_id']}"


def of_posts(context: Context, status_ids: Collection[int], reader: Reader) -> dict[int, Card]:
    """Return the cards of those of these posts that announce a record."""
    rows = query.some(context, status_ids)
    return {row["status_id"]: card(row, reader, context.config.domain) for row in rows}


registry.panels.add("post:record", Inset(of_posts))


def _owner(row: RowMapping) -> Owner:
    handle = f"{row['owner_handle']}@{row['owner_domain']}"
    url = f"/o/{row['owner_handle']}" if row["local"] else f"/@{handle}"
    return Owner(row["owner_name"].strip() or row["owner_handle"], handle, url)


def _chips(scheme: Scheme, name: str, values: list[str], locale: str) -> tuple[Chip, ...]:
    return tuple(Chip(scheme.label(value, locale), f"{BOARD}?{name}={value}") for value in values)
