"""Declarative fields of a sheet: the one source of its validation, wire form, rendering and facets.

A parsed value is plain JSON, in the form in which it is stored and travels; None means that there is nothing.
"""

from __future__ import annotations

import math
import re
from abc import ABC, abstractmethod
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from itertools import islice
from typing import Any, Literal

from esnfed import i18n
from esnfed.errors import Invalid, Malformed
from esnfed.i18n import N_
from esnfed.records.plain_text import READ_FACTOR, clean
from esnfed.records.vocabularies import LANGUAGES
from esnfed.records.vocabularies.scheme import pick
from esnfed.vocab.authority import parse_address
from esnfed.vocab.parse import timestamp

Audience = Literal["public", "private"]
MAX_LANGUAGES = 16

_DATE = re.compile(r"(?:19|2[0-9])[0-9]{2}-[0-9]{2}-[0-9]{2}")
_ZONE = re.compile(r".*(?:[Zz]|[+-][0-9]{2}:?[0-9]{2})", re.DOTALL)


@dataclass(frozen=True, slots=True)
class Reading:
    """How a value is read: what a person typed (strict), or what came over the wire (lenient).

    Lenient drops what is wrong inside a list or map and caps lengths; strict refuses and names the place.
    """

    lenient: bool = False
    path: str = ""

    def at(self, name: str) -> Reading:
        """The same reading, one name deeper."""
        return Reading(self.lenient, f"{self.path}.{name}" if self.path else name)

    def index(self, number: int) -> Reading:
        """The same reading, at one entry of a list."""
        return Reading(self.lenient, f"{self.path}[{number}]")

    def wrong(self, message: str) -> Invalid:
        """The error to raise at this place; messages are constants, so that they can be translated."""
        return Invalid(message, self.path or None)


@dataclass(frozen=True, kw_only=True)
class Field(ABC):
    """One property of a sheet. `private` values never leave the node; `fact` puts it into the post's list."""

    name: str
    label: str
    required: bool = False
    audience: Audience = "public"
    facet: str | None = None
    fact: bool = False

    @abstractmethod
    def parse(self, value: object, reading: Reading) -> Any:
        """Return the value in its stored form, None when empty; raises Invalid naming the place."""

    @abstractmethod
    def show(self, value: Any, language: str) -> str:
        """Return the value as one line of plain text in `language`; "" when it shows nothing."""

    def to_wire(self, value: Any) -> Any:
        """Return what may leave the node, None for nothing."""
        return value if self.audience == "public" else None

    def facet_values(self, value: Any) -> Iterable[str]:
        """Return what a stored public value contributes to the filters, under `facet`."""
        return ()


@dataclass(frozen=True, kw_only=True)
class Text(Field):
    """One plain text of at most `limit` characters, in no particular language."""

    limit: int
    lines: bool = False

    def parse(self, value: object, reading: Reading) -> str | None:
        """Accept a string."""
        return _text(value, self.limit, self.lines, reading)

    def show(self, value: Any, language: str) -> str:
        """Return the text on one line."""
        return " ".join(str(value).split())


@dataclass(frozen=True, kw_only=True)
class I18nText(Field):
    """Plain texts by language: {"fr": "...", "en": "..."}; the order is kept, the primary language first."""

    limit: int
    lines: bool = False

    def parse(self, value: object, reading: Reading) -> dict[str, str] | None:
        """Accept a map of BCP 47 tags to strings; each language once."""
        if value is None:
            return None
        if not isinstance(value, Mapping):
            raise reading.wrong(N_("Give this text by language."))
        if len(value) > MAX_LANGUAGES and not reading.lenient:
            raise reading.wrong(N_("There are too many entries."))
        found: dict[str, str] = {}
        for key, text in islice(value.items(), MAX_LANGUAGES * 2):
            place = reading.at(str(key)[:32])
            language = LANGUAGES.normalise(key)
            if language is None and not reading.lenient:
                raise place.wrong(N_("This language is not known."))
            if reading.lenient and (language is None or not isinstance(text, str)):
                continue
            content = self.parse_text(text, place)
            if language is not None and content and len(found) < MAX_LANGUAGES:
                found.setdefault(language, content)
        return found or None

    def parse_text(self, value: object, reading: Reading) -> str | None:
        """Return the text of one language in its stored form."""
        return _text(value, self.limit, self.lines, reading)

    def show(self, value: Any, language: str) -> str:
        """Return the text in `language`, else in the best other one, on one line."""
        return " ".join(pick(value, language).split())


def _text(value: object, limit: int, lines: bool, reading: Reading) -> str | None:
    if value is None:
        return None
    if not isinstance(value, str):
        raise reading.wrong(N_("This must be text."))
    text = clean(value, limit, lines=lines)
    if max(len(text), len(value) // READ_FACTOR) > limit and not reading.lenient:
        raise reading.wrong(N_("This text is too long."))
    return text[:limit].rstrip() or None


@dataclass(frozen=True, kw_only=True)
class Boolean(Field):
    """Yes or no."""

    def parse(self, value: object, reading: Reading) -> bool | None:
        """Accept only true and false."""
        if value is None or isinstance(value, bool):
            return value
        raise reading.wrong(N_("This must be yes or no."))

    def show(self, value: Any, language: str) -> str:
        """Return yes or no in words."""
        translate = i18n.translator(language).gettext
        return translate("yes") if value else translate("no")


@dataclass(frozen=True, kw_only=True)
class Number(Field):
    """A number from `least` to `most`; `whole` refuses fractions."""

    least: float = 0
    most: float = 1_000_000_000_000
    whole: bool = True

    def parse(self, value: object, reading: Reading) -> int | float | None:
        """Accept a JSON number within the bounds; a fraction that is none becomes whole (2.0 is 2)."""
        if value is None:
            return None
        if isinstance(value, bool) or not isinstance(value, int | float):
            raise reading.wrong(N_("This must be a number."))
        # Whole numbers are compared as they are: one of 400 digits has no float.
        if (isinstance(value, float) and not math.isfinite(value)) or not self.least <= value <= self.most:
            raise reading.wrong(N_("This number is out of range."))
        if isinstance(value, int) or value.is_integer():
            return int(value)
        if self.whole:
            raise reading.wrong(N_("This must be a whole number."))
        return value

    def show(self, value: Any, language: str) -> str:
        """Return the number with the separators of `language`."""
        return i18n.number(value, language)


@dataclass(frozen=True, kw_only=True)
class Date(Field):
    """A day, as YYYY-MM-DD."""

    def parse(self, value: object, reading: Reading) -> str | None:
        """Accept an ISO date of the years 1900 to 2999."""
        if value is None:
            return None
        if not isinstance(value, str) or not is_day(value):
            raise reading.wrong(N_("Write a date as 2027-06-30."))
        return value

    def show(self, value: Any, language: str) -> str:
        """Return the date in words."""
        return i18n.day(value, language)


@dataclass(frozen=True, kw_only=True)
class DateTime(Field):
    """A day, or an instant in UTC: "2027-06-30" or "2027-06-30T16:00:00Z"."""

    def parse(self, value: object, reading: Reading) -> str | None:
        """Accept an ISO date, or a date-time with its zone; on the wire a missing zone is UTC."""
        if value is None:
            return None
        if not isinstance(value, str) or len(value) > 40:
            raise reading.wrong(N_("Write a date as 2027-06-30."))
        if is_day(value):
            return value
        at = timestamp(value)
        if at is None or len(value) < 16 or not _era(at):
            raise reading.wrong(N_("Write a date as 2027-06-30."))
        if _ZONE.fullmatch(value) is None and not reading.lenient:
            raise reading.wrong(N_("Write the time zone too, as in 2027-06-30T18:00:00+02:00."))
        return i18n.iso(at)

    def show(self, value: Any, language: str) -> str:
        """Return the day, or the instant with its zone, in words."""
        return i18n.day(value, language) if is_day(value) else i18n.moment(instant(value), language)


def is_day(value: str) -> bool:
    """Say whether the text is exactly an ISO date of the years 1900 to 2999."""
    if _DATE.fullmatch(value) is None:
        return False
    try:
        date.fromisoformat(value)
    except ValueError:
        return False
    return True


def _era(milliseconds: int) -> bool:
    return 0 < milliseconds < 32_503_680_000_000  # before the year 3000, as for dates


def instant(value: str, *, end: bool = False) -> int:
    """Return milliseconds since 1970 of a stored DateTime; a day begins (`end`: ends) at midnight UTC."""
    moment = datetime.fromisoformat(value)
    if is_day(value):
        moment = moment.replace(tzinfo=UTC) + timedelta(days=1 if end else 0)
    return int(moment.timestamp() * 1000)


@dataclass(frozen=True, kw_only=True)
class Link(Field):
    """A web address."""

    def parse(self, value: object, reading: Reading) -> str | None:
        """Accept an http or https address without user information, 2,048 characters at most."""
        if value is None or value == "":
            return None
        try:
            parse_address(value)
        except Malformed:
            raise reading.wrong(N_("This is not a web address.")) from None
        return str(value)

    def show(self, value: Any, language: str) -> str:
        """Return the address itself."""
        return str(value)


@dataclass(frozen=True, kw_only=True)
class ActorRef(Link):
    """The id of an actor, here or on another node."""
