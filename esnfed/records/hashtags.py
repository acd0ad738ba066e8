"""Hashtags of a record, from its kind, goals, themes and territories, in each of its languages."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from esnfed.i18n import SUPPORTED, translator
from esnfed.records.definition import Definition, languages_of
from esnfed.records.vocabularies import GLOBAL, GOALS, TERRITORIES, THEMES

MOST = 32
MOST_TERRITORIES = 10
_WORDS = re.compile(r"[^\W_]+")


def hashtags(definition: Definition, public: Mapping[str, Any]) -> list[str]:
    """Return names without #, the primary language's first, each once whatever its case, 32 at most."""
    found: dict[str, str] = {}
    for language in languages_of(public):
        for name in _in_language(definition, public, words_language(language)):
            found.setdefault(name.casefold(), name)
    return list(found.values())[:MOST]


def words_language(language: str) -> str:
    """Return the language of our own words beside a text: the same if we speak it, or English."""
    primary = language.split("-")[0]
    return primary if primary in SUPPORTED else "en"


def _in_language(definition: Definition, public: Mapping[str, Any], language: str) -> Iterator[str]:
    yield camel(translator(language).gettext(definition.title))
    for goal in public.get("sdg", ()):
        yield GOALS.hashtag(goal, language)
    for theme in public.get("themes", ()):
        yield camel(THEMES.label(theme, language))
    for territory in public.get("territories", ())[:MOST_TERRITORIES]:
        if territory != GLOBAL:
            yield camel(TERRITORIES.label(territory, language))


def camel(label: str) -> str:
    """Return a label as one word that screen readers take apart: "Burkina Faso" is BurkinaFaso."""
    return "".join(word[:1].upper() + word[1:] for word in _WORDS.findall(label))
