"""What a kind of record is: its fields, its rules, and the decorator that registers it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import cached_property
from types import MappingProxyType
from typing import Any, ClassVar, TypeVar

from esnfed import registry
from esnfed.errors import Invalid
from esnfed.i18n import N_, NP_
from esnfed.records.composite import public_part, read_fields
from esnfed.records.fields import Field, Reading, instant

RESERVED = frozenset({"kind", "schema", "version", "state", "closed"})
"""Keys of the wire record that are not fields of a sheet."""

STATES = MappingProxyType({"open": NP_("record", "Open"), "closed": NP_("record", "Closed")})
"""Words for the state of a record whose kind has none of its own."""

Sheet = dict[str, Any]


class Definition:
    """One kind of record. A subclass names its fields; validation, wire form, facts and facets follow.

    `deadline` names the DateTime field after which every node counts the record as closed, without a message;
    `closes_by_sheet` says that nothing but the sheet itself (`is_over`) closes it. `states` are the words for
    open and closed: many languages bend them by the gender of the kind.
    """

    name: ClassVar[str] = ""
    title: ClassVar[str]
    states: ClassVar[Mapping[str, tuple[str, str]]] = STATES
    schema: ClassVar[int] = 1
    fields: ClassVar[tuple[Field, ...]]
    deadline: ClassVar[str | None] = "closes"
    closes_by_sheet: ClassVar[bool] = False

    @cached_property
    def by_name(self) -> Mapping[str, Field]:
        """The fields by their names."""
        return {field.name: field for field in self.fields}

    def validate(self, values: Mapping[str, Any]) -> Sheet:
        """Return the sheet of what a person typed; raises Invalid that names the field."""
        sheet = read_fields(self.fields, values, Reading())
        self.check(sheet)
        return _with_origins(sheet)

    def receive(self, values: Mapping[str, Any]) -> Sheet | None:
        """Return the sheet of what another node sent, wrong parts left out; None without a title."""
        sheet = read_fields(self.fields, values, Reading(lenient=True))
        return self.public(_with_origins(sheet)) if "title" in sheet else None

    def check(self, sheet: Sheet) -> None:
        """Check rules between fields; raises Invalid that names the field. A kind may add its own."""
        missing = set(sheet["title"]) ^ set(sheet["summary"])
        if missing:
            raise Invalid(N_("Title and summary must be in the same languages."), "summary")
        for first, last in (
            ("opens", "closes"),
            ("plannedStart", "plannedEnd"),
            ("actualStart", "actualEnd"),
        ):
            if first in sheet and last in sheet and instant(sheet[last], end=True) <= instant(sheet[first]):
                raise Invalid(N_("This is before its beginning."), last)

    def public(self, sheet: Mapping[str, Any]) -> Sheet:
        """Return what may leave the node."""
        return public_part(self.fields, sheet)

    def private(self, sheet: Mapping[str, Any]) -> Sheet:
        """Return the fields that leave the node not at all or only in part, whole."""
        public = self.public(sheet)
        return {name: value for name, value in sheet.items() if public.get(name) != value}

    def facets(self, public: Mapping[str, Any]) -> list[tuple[str, str]]:
        """Return the (facet, value) pairs by which the board finds a public sheet."""
        found = {
            (field.facet, value)
            for field in self.fields
            if field.facet and field.name in public
            for value in field.facet_values(public[field.name])
        }
        return sorted(found)

    def closes_at(self, sheet: Mapping[str, Any]) -> int | None:
        """Return the instant, in milliseconds, from which the deadline is over; None without one."""
        value = sheet.get(self.deadline) if self.deadline else None
        return None if value is None else instant(value, end=True)

    def is_over(self, sheet: Mapping[str, Any]) -> bool:
        """Say whether the sheet itself says that this is closed."""
        return False

    def closed(self, sheet: Mapping[str, Any]) -> Sheet:
        """Return the sheet as it is after closing."""
        return dict(sheet)


def languages_of(sheet: Mapping[str, Any]) -> list[str]:
    """Return the languages of a sheet, the primary first: the first marked original, or else the first."""
    languages = list(sheet["title"])
    origins = sheet.get("languages", {})
    primary = next((tag for tag in languages if origins.get(tag) == "original"), languages[0])
    return [primary, *(tag for tag in languages if tag != primary)]


def _with_origins(sheet: Sheet) -> Sheet:
    """Mark every language of the title: as told, else as original."""
    told = sheet.get("languages", {})
    if "title" not in sheet:
        return sheet
    return sheet | {"languages": {tag: told.get(tag, "original") for tag in sheet["title"]}}


KindClass = TypeVar("KindClass", bound=type[Definition])


def kind(name: str) -> Callable[[KindClass], KindClass]:
    """Register a definition under the name by which the kind travels; ValueError for fields that clash."""

    def decorate(definition: KindClass) -> KindClass:
        names = [field.name for field in definition.fields]
        if len(set(names)) < len(names) or RESERVED & set(names):
            raise ValueError(f"record kind {name!r}: a field name is used twice or reserved")
        definition.name = name
        registry.kinds.add(name, definition())
        return definition

    return decorate


def kind_named(name: object) -> Definition | None:
    """Return the definition of a kind, None for an unknown one."""
    found: Definition | None = registry.kinds.get(name) if isinstance(name, str) else None
    return found
