"""The readable post of a record, recomputed from its sheet on every node that holds it (federation.md B2)."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from html import escape
from typing import Any

from esnfed.i18n import N_, own_name, translator
from esnfed.records.definition import Definition, languages_of
from esnfed.records.hashtags import words_language
from esnfed.records.vocabularies.scheme import pick

SLUG_LIMIT = 60
_REL = 'rel="nofollow noopener noreferrer"'
_NOT_SLUG = re.compile(r"[^a-z0-9]+")
_FACT = N_("%(label)s: %(value)s")


@dataclass(frozen=True, slots=True)
class Fact:
    """One line of key facts: plain text, to be escaped by whoever shows it."""

    name: str
    label: str
    value: str


def facts(definition: Definition, public: Mapping[str, Any], language: str) -> list[Fact]:
    """Return the key facts of a public sheet in `language`, in the order of the fields."""
    words = words_language(language)
    gettext = translator(words).gettext
    found = []
    for field in definition.fields:
        if field.fact and field.name in public and (value := field.show(public[field.name], words)):
            found.append(Fact(field.name, gettext(field.label), value))
    return found


def slug(public: Mapping[str, Any]) -> str:
    """Return the title in its primary language as the readable tail of an address; "" if nothing is left."""
    title = public["title"][languages_of(public)[0]]
    plain = unicodedata.normalize("NFKD", title).encode("ascii", "ignore").decode()
    return _NOT_SLUG.sub("-", plain.lower()).strip("-")[:SLUG_LIMIT].rstrip("-")


def content_map(
    definition: Definition, public: Mapping[str, Any], page: str, *, closed: bool
) -> dict[str, str]:
    """Return {language: safe HTML}, the primary language first; `page` is the address of the sheet."""
    languages = languages_of(public)
    return {
        language: _content(definition, public, language, languages, page, closed) for language in languages
    }


def _content(
    definition: Definition,
    public: Mapping[str, Any],
    language: str,
    languages: list[str],
    page: str,
    closed: bool,
) -> str:
    speech = translator(words_language(language))
    gettext = speech.gettext
    title = escape(pick(public["title"], language))
    if closed:
        title = f"[{escape(str(speech.pgettext(*definition.states['closed'])))}] {title}"
    kind = Fact("kind", gettext("Kind"), gettext(definition.title))
    lines = [kind, *facts(definition, public, language)]
    items = "".join(f"<li>{_line(fact, gettext(_FACT))}</li>" for fact in lines)
    return (
        f"<p><strong>{title}</strong></p>"
        f"{_summary(public, language)}"
        f"<ul>{items}</ul>"
        f"<p>{_link(page, gettext('Read the whole sheet'))}</p>"
        f"{_also_in(languages, language, page, gettext('Also in:'))}"
    )


def _line(fact: Fact, pattern: str) -> str:
    return escape(pattern % {"label": fact.label, "value": fact.value}, quote=False)


def _summary(public: Mapping[str, Any], language: str) -> str:
    summary = public.get("summary")
    if not summary:
        return ""
    mark = ""
    if language not in summary:
        other = next((tag for tag in languages_of(public) if tag in summary), next(iter(summary)))
        language, mark = other, f' lang="{escape(other)}"'
    lines = escape(summary[language], quote=False).replace("\n", "<br>")
    return f"<p{mark}>{lines}</p>"


def _link(address: str, text: str, language: str = "") -> str:
    mark = f' lang="{escape(language)}"' if language else ""
    return f'<a href="{escape(address)}"{mark} {_REL}>{escape(text, quote=False)}</a>'


def _also_in(languages: list[str], language: str, page: str, words: str) -> str:
    """A line for readers whose server shows one language only, as Mastodon shows `content` alone."""
    others = [tag for tag in languages if tag != language]
    if not others:
        return ""
    mark = "&" if "?" in page else "?"
    links = ", ".join(_link(f"{page}{mark}lang={tag}", own_name(tag), tag) for tag in others)
    return f"<p>{escape(words, quote=False)} {links}</p>"
