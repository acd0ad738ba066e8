"""Fields made of fields: structs, lists of them, contacts, and the marks of who translated a text."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from itertools import islice
from typing import Any

from esnfed.errors import Invalid
from esnfed.i18n import N_
from esnfed.records.choices import Choice, Choices
from esnfed.records.fields import MAX_LANGUAGES, ActorRef, Field, Reading, Text
from esnfed.records.vocabularies import LANGUAGES, SCHEMES

_EMAIL = re.compile(r"[^@\s<>\"(),:;\\\[\]]{1,64}@[^@\s<>\"(),:;\\\[\]]{1,190}\.[^@\s<>\"(),:;\\\[\].]{2,63}")


def read_fields(fields: tuple[Field, ...], value: Mapping[str, Any], reading: Reading) -> dict[str, Any]:
    """Return the parsed values of `fields`, empty ones left out.

    Strict: an unknown name, a wrong value or a missing compulsory one raises Invalid. Lenient: what is wrong
    is left out, and so is every field that never leaves a node, whoever sent it.
    """
    if not reading.lenient:
        known = {field.name for field in fields}
        for name in value:
            if name not in known:
                raise reading.at(str(name)[:100]).wrong(N_("There is no field of this name."))
    found: dict[str, Any] = {}
    for field in fields:
        if reading.lenient and field.audience == "private":
            continue
        parsed = _parsed(field, value.get(field.name), reading.at(field.name))
        if parsed is not None:
            found[field.name] = parsed
        elif field.required and not reading.lenient:
            raise reading.at(field.name).wrong(N_("This is compulsory."))
    return found


def _parsed(field: Field, value: object, reading: Reading) -> Any:
    if not reading.lenient:
        return field.parse(value, reading)
    try:
        return field.parse(value, reading)
    except Invalid:
        return None


@dataclass(frozen=True, kw_only=True)
class Struct(Field):
    """A group of fields under one name; those marked `fact` show."""

    fields: tuple[Field, ...]

    def parse(self, value: object, reading: Reading) -> dict[str, Any] | None:
        """Accept an object; lenient too, an entry without its compulsory parts is none."""
        if value is None:
            return None
        if not isinstance(value, Mapping):
            raise reading.wrong(N_("This must be a group of fields."))
        found = read_fields(self.fields, value, reading)
        if any(field.required and field.name not in found for field in self.fields):
            raise reading.wrong(N_("This entry is not complete."))
        return found or None

    def show(self, value: Any, language: str) -> str:
        """Return what its facts show, separated by a middle dot."""
        shown = [
            field.show(value[field.name], language)
            for field in self.fields
            if field.fact and value.get(field.name) is not None
        ]
        return " · ".join(text for text in shown if text)

    def to_wire(self, value: Any) -> Any:
        """Return the public parts of a public group."""
        if self.audience != "public":
            return None
        return public_part(self.fields, value) or None


@dataclass(frozen=True, kw_only=True)
class ListOf(Field):
    """A list of at most `most` values of one field."""

    item: Field
    most: int = 20

    def parse(self, value: object, reading: Reading) -> list[Any] | None:
        """Accept a list; on the wire wrong entries fall away and what is over the limit is cut."""
        if value is None:
            return None
        if not isinstance(value, list | tuple):
            raise reading.wrong(N_("This must be a list."))
        if len(value) > self.most and not reading.lenient:
            raise reading.wrong(N_("There are too many entries."))
        limit = self.most * 4 if reading.lenient else self.most
        parsed = [_parsed(self.item, entry, reading.index(n)) for n, entry in enumerate(islice(value, limit))]
        return [entry for entry in parsed if entry is not None][: self.most] or None

    def show(self, value: Any, language: str) -> str:
        """Return the entries, separated by semicolons."""
        return "; ".join(text for text in (self.item.show(entry, language) for entry in value) if text)

    def to_wire(self, value: Any) -> Any:
        """Return the public parts of the entries of a public list."""
        if self.audience != "public":
            return None
        entries = [self.item.to_wire(entry) for entry in value]
        return [entry for entry in entries if entry is not None] or None


def public_part(fields: tuple[Field, ...], values: Mapping[str, Any]) -> dict[str, Any]:
    """Return the wire form of parsed values: what every field lets out."""
    wire = {field.name: field.to_wire(values[field.name]) for field in fields if field.name in values}
    return {name: value for name, value in wire.items() if value is not None}


@dataclass(frozen=True, kw_only=True)
class Email(Text):
    """One e-mail address."""

    limit: int = 254

    def parse(self, value: object, reading: Reading) -> str | None:
        """Accept a plain address without a display name."""
        text = super().parse(value, reading)
        if text is not None and _EMAIL.fullmatch(text) is None:
            raise reading.wrong(N_("This is not an e-mail address."))
        return text


CONTACT_FIELDS: tuple[Field, ...] = (
    Choice(name="role", label=N_("Role"), scheme="contact-roles", required=True, fact=True),
    Text(name="name", label=N_("Name"), limit=100, fact=True),
    ActorRef(name="actor", label=N_("Fediverse address"), fact=True),
    Email(name="email", label=N_("E-mail"), fact=True),
    Choices(name="languages", label=N_("Languages"), scheme="languages"),
    Choices(name="topics", label=N_("Topics"), scheme="themes"),
    Choice(name="audience", label=N_("Who sees the person"), scheme="contact-audiences"),
)

_PERSONAL = ("name", "actor", "email")


@dataclass(frozen=True, kw_only=True)
class Contact(Struct):
    """A person or desk to write to; who it is leaves the node only where that person chose public.

    A contact as received has no `audience`: what its node sent out was public there.
    """

    fields: tuple[Field, ...] = CONTACT_FIELDS

    def parse(self, value: object, reading: Reading) -> dict[str, Any] | None:
        """Accept an object with a role and, when typed here, at least one way to reach somebody."""
        found = super().parse(value, reading)
        if found is None:
            return None
        if not reading.lenient and not any(found.get(name) for name in _PERSONAL):
            raise reading.wrong(N_("Give a name, an address of the fediverse, or an e-mail address."))
        found.setdefault("audience", "public" if reading.lenient else "network")
        return found

    def to_wire(self, value: Any) -> Any:
        """Return role, languages and topics, and the person only where the audience is public."""
        if self.audience != "public":
            return None
        hidden = {"audience"} if value.get("audience") == "public" else {"audience", *_PERSONAL}
        return {name: part for name, part in value.items() if name not in hidden}


@dataclass(frozen=True, kw_only=True)
class TextOrigins(Field):
    """Who wrote the text of each language: {"fr": "original", "en": "human", "es": "machine"}."""

    def parse(self, value: object, reading: Reading) -> dict[str, str] | None:
        """Accept a map of language tags to concepts of `text-origins`."""
        if value is None:
            return None
        if not isinstance(value, Mapping):
            raise reading.wrong(N_("Give this by language."))
        found: dict[str, str] = {}
        for key, mark in islice(value.items(), MAX_LANGUAGES * 2):
            language, origin = LANGUAGES.normalise(key), SCHEMES["text-origins"].normalise(mark)
            if language is not None and origin is not None:
                found[language] = origin
            elif not reading.lenient:
                raise reading.at(str(key)[:32]).wrong(N_("This value is not in the vocabulary."))
        return found or None

    def show(self, value: Any, language: str) -> str:
        """Return each language with its mark."""
        scheme = SCHEMES["text-origins"]
        return ", ".join(
            f"{LANGUAGES.label(tag, language)} ({scheme.label(origin, language)})"
            for tag, origin in value.items()
        )

    def facet_values(self, value: Any) -> list[str]:
        """Return the languages, and the plain language of regional forms."""
        return [found for tag in value for found in LANGUAGES.with_broader(tag)]
