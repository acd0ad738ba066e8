"""The board's filters as they stand in an address, read into a query; every refusal names what is wrong."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from typing import Any

from esnfed.context import Context
from esnfed.errors import EsnfedError, Invalid, Malformed
from esnfed.http.paging import parse_identifier
from esnfed.i18n import N_
from esnfed.records.definition import kind_named
from esnfed.records.fields import DateTime, Reading, instant
from esnfed.records.query import MAX_LIMIT, BoardQuery
from esnfed.records.vocabularies import SCHEMES
from esnfed.services import actors

MAX_VALUES = 20
STATES = ("open", "closed", "all")

_MOMENT = DateTime(name="closing_before", label="")
_CURSORS = ("max_id", "since_id", "min_id")


@dataclass(frozen=True, slots=True)
class Filters:
    """Filters with valid values; `organisation` is an id, handle or address, looked up in the read."""

    query: BoardQuery
    organisation: str | None = None


def _unknown_value(name: str, value: str) -> Invalid:
    return Invalid(N_("The filter “%(name)s” has no value “%(value)s”."), name, name=name, value=value[:100])


def _concept(scheme: str) -> Callable[[str, str], str]:
    def read(name: str, value: str) -> str:
        concept = SCHEMES[scheme].normalise(value)
        if concept is None:
            raise _unknown_value(name, value)
        return concept

    return read


def _kind(name: str, value: str) -> str:
    if kind_named(value) is None:
        raise _unknown_value(name, value)
    return value


_MANY: dict[str, Callable[[str, str], str]] = {
    "kind": _kind,
    "territory": _concept("territories"),
    "theme": _concept("themes"),
    "sdg": _concept("sdg"),
    "language": _concept("languages"),
}


def _state(name: str, value: str) -> str:
    if value not in STATES:
        raise _unknown_value(name, value)
    return value


def _moment(name: str, value: str) -> int:
    try:
        moment = _MOMENT.parse(value, Reading(path=name))
    except Invalid as error:
        raise _unknown_value(name, value) from error
    return instant(moment or "")


def _cursor(name: str, value: str) -> int:
    try:
        return parse_identifier(value)
    except Malformed as error:
        raise _unknown_value(name, value) from error


def _limit(name: str, value: str) -> int:
    number = _cursor(name, value)
    if not 1 <= number <= MAX_LIMIT:
        raise Invalid(N_("“%(name)s” is a number from 1 to %(most)s."), name, name=name, most=MAX_LIMIT)
    return number


_ONE: dict[str, tuple[str, Callable[[str, str], Any]]] = {
    "status": ("state", _state),
    "closing_before": ("closing_before", _moment),
    "limit": ("limit", _limit),
    **{name: (name, _cursor) for name in _CURSORS},
}

NAMES = (*_MANY, *_ONE, "organisation")
"""Every filter name there is; `limit` and the cursors count as such."""


def read_filters(items: Iterable[tuple[str, str]]) -> Filters:
    """Return the filters of a query string; several values of one are repeated or separated by commas.

    Raises Invalid (422) naming an unknown filter, an unknown value, or a single-valued filter given twice.
    """
    given: dict[str, list[str]] = {}
    for name, value in items:
        if name not in NAMES:
            raise Invalid(
                N_("There is no filter “%(name)s”; there are: %(names)s."),
                name[:100],
                name=name[:100],
                names=", ".join(sorted(NAMES)),
            )
        given.setdefault(name, []).append(value)
    arguments: dict[str, Any] = {}
    organisation = None
    for name, values in given.items():
        if name in _MANY:
            arguments[name] = _several(name, values)
        elif len(values) > 1:
            raise Invalid(N_("The filter “%(name)s” takes one value."), name, name=name)
        elif name == "organisation":
            organisation = values[0]
        else:
            target, read = _ONE[name]
            arguments[target] = read(name, values[0])
    return Filters(BoardQuery(**arguments), organisation)


def _several(name: str, values: list[str]) -> tuple[str, ...]:
    parts = [part.strip() for value in values for part in value.split(",", MAX_VALUES)]
    if len(parts) > MAX_VALUES:
        many = N_("The filter “%(name)s” takes at most %(most)s values.")
        raise Invalid(many, name, name=name, most=MAX_VALUES)
    return tuple(dict.fromkeys(_MANY[name](name, part) for part in parts))


def resolve(context: Context, filters: Filters) -> BoardQuery:
    """Return the query with its owner looked up by id, address or handle (name@domain, or name here).

    Raises Invalid naming the filter when nobody is known by it.
    """
    if filters.organisation is None:
        return filters.query
    return replace(filters.query, owner_id=_owner_id(context, filters.organisation))


def _owner_id(context: Context, organisation: str) -> int:
    name = organisation.removeprefix("@")
    try:
        if name.isascii() and name.isdigit():
            return int(actors.by_id(context, parse_identifier(name))["id"])
        if "://" in name:
            row = actors.by_uri(context, name)
        else:
            handle, at, domain = name.partition("@")
            row = actors.by_account(context, handle, domain.lower() if at else context.config.account_domain)
    except EsnfedError as error:
        raise _unknown_value("organisation", organisation) from error
    if row is None:
        raise _unknown_value("organisation", organisation)
    return int(row["id"])
