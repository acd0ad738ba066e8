"""Every public field of a sheet as its page shows it, by the type of the field; templates only lay it out."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import singledispatch
from typing import Any

from esnfed.i18n import translator
from esnfed.records.choices import Choice, Choices
from esnfed.records.composite import Contact, ListOf, Struct, TextOrigins
from esnfed.records.definition import Definition, languages_of
from esnfed.records.fields import ActorRef, Date, DateTime, Field, I18nText, Link
from esnfed.records.rich_text import I18nRichText
from esnfed.records.vocabularies import LANGUAGES, SCHEMES

BOARD = "/records"
ABOVE = frozenset({"title", "summary", "body"})
"""Fields that stand at the head of the page."""

LAST = ("languages", "license")
"""Fields about the sheet itself rather than about its matter: they close it."""


LONG_ENTRY = 4
"""Parts from which the entries of a list need more room than a table gives."""


@dataclass(frozen=True, slots=True)
class Detail:
    """One labelled part of an entry; `href` leads elsewhere, or writes a mail."""

    label: str
    text: str
    href: str | None = None


@dataclass(frozen=True, slots=True)
class Value:
    """One value. `language` is that of its text, None for the interface's; `when` an ISO date or instant.

    `label` names it where it is one of a group of fields.
    """

    text: str
    language: str | None = None
    href: str | None = None
    when: str | None = None
    details: tuple[Detail, ...] = ()
    label: str | None = None


@dataclass(frozen=True, slots=True)
class Part:
    """A field with its values; one that `is_long` has a heading of its own, the others stand in a table."""

    name: str
    label: str
    values: tuple[Value, ...]
    is_long: bool


@dataclass(frozen=True, slots=True)
class Speech:
    """The language of the interface, and those of the sheet's texts in the order in which they are taken."""

    locale: str
    texts: tuple[str, ...]

    def label(self, text: str) -> str:
        """Translate a label of the code."""
        return translator(self.locale).gettext(text)

    def pick(self, texts: Mapping[str, str]) -> tuple[str, str]:
        """Return (language, text) of what the reader reads best."""
        language = next((tag for tag in self.texts if tag in texts), next(iter(texts)))
        return language, texts[language]


def parts(definition: Definition, sheet: Mapping[str, Any], locale: str, spoken: str) -> list[Part]:
    """Return the fields of a public sheet in their order, texts in `spoken` where they exist in it."""
    speech = Speech(locale, (spoken, *languages_of(sheet)))
    found = []
    for field in definition.fields:
        if field.name in sheet and field.name not in ABOVE and field.audience == "public":
            values = tuple(values_of(field, sheet[field.name], speech))
            if values:
                found.append(Part(field.name, speech.label(field.label), values, _is_long(field)))
    return sorted(found, key=lambda part: part.name in LAST)


def body(definition: Definition, sheet: Mapping[str, Any], spoken: str) -> Value | None:
    """Return the long text, whose `text` is safe HTML: it was sanitised before it was stored."""
    if not isinstance(definition.by_name.get("body"), I18nRichText) or not sheet.get("body"):
        return None
    language, html = Speech(spoken, (spoken, *languages_of(sheet))).pick(sheet["body"])
    return Value(html, language)


def _is_long(field: Field) -> bool:
    item = field.item if isinstance(field, ListOf) else field
    return isinstance(item, I18nText) or (isinstance(item, Struct) and len(item.fields) >= LONG_ENTRY)


@singledispatch
def values_of(field: Field, value: Any, speech: Speech) -> Iterable[Value]:
    """Give the values of a field; a kind with a type of field of its own registers how it shows."""
    yield Value(field.show(value, speech.locale))


@values_of.register
def _(field: I18nText, value: Any, speech: Speech) -> Iterator[Value]:
    language, text = speech.pick(value)
    yield Value(text, language)


@values_of.register
def _(field: Date | DateTime, value: Any, speech: Speech) -> Iterator[Value]:
    yield Value(field.show(value, speech.locale), when=value)


@values_of.register
def _(field: Choice | Choices, value: Any, speech: Speech) -> Iterator[Value]:
    for concept in [value] if isinstance(value, str) else value:
        href = f"{BOARD}?{field.facet}={concept}" if field.facet else None
        yield Value(SCHEMES[field.scheme].label(concept, speech.locale), href=href)


@values_of.register
def _(field: TextOrigins, value: Any, speech: Speech) -> Iterator[Value]:
    for tag, origin in value.items():
        details = (Detail("", SCHEMES["text-origins"].label(origin, speech.locale)),)
        yield Value(LANGUAGES.label(tag, speech.locale), href=f"?lang={tag}", details=details)


@values_of.register
def _(field: Link, value: Any, speech: Speech) -> Iterator[Value]:
    yield Value(value, href=value)


@values_of.register
def _(field: ListOf, value: Any, speech: Speech) -> Iterator[Value]:
    for entry in value:
        if isinstance(field.item, Contact):
            yield _contact(field.item, entry, speech)
        elif isinstance(field.item, Struct):
            yield _entry(field.item, entry, speech)
        else:
            yield from values_of(field.item, entry, speech)


@values_of.register
def _(field: Struct, value: Any, speech: Speech) -> Iterator[Value]:
    for part in field.fields:
        if part.name in value:
            shown = list(values_of(part, value[part.name], speech))
            text = ", ".join(each.text for each in shown)
            yield Value(text, shown[0].language, label=speech.label(part.label))


def _entry(field: Struct, value: Mapping[str, Any], speech: Speech) -> Value:
    """An entry is named by its first part; an actor among the others is where the name leads."""
    first, *others = [part for part in field.fields if part.name in value]
    named = next(iter(values_of(first, value[first.name], speech)))
    href = next((value[part.name] for part in others if isinstance(part, ActorRef)), None)
    details = tuple(_detail(part, value, speech) for part in others if not isinstance(part, ActorRef))
    return Value(named.text, named.language, href, named.when, details)


def _contact(field: Contact, value: Mapping[str, Any], speech: Speech) -> Value:
    """A contact is named by the person who chose to be seen, else by its role."""
    role = SCHEMES["contact-roles"].label(value["role"], speech.locale)
    details = tuple(
        _detail(part, value, speech)
        for part in field.fields
        if part.name in value and part.name not in {"name", "actor", "audience"}
        if part.name != "role" or "name" in value
    )
    return Value(value.get("name", role), href=value.get("actor"), details=details)


def _detail(part: Field, value: Mapping[str, Any], speech: Speech) -> Detail:
    text = "; ".join(shown.text for shown in values_of(part, value[part.name], speech))
    return Detail(speech.label(part.label), text, f"mailto:{text}" if part.name == "email" else None)
