"""Languages as BCP 47 tags: language, script and region, named by Babel."""

from __future__ import annotations

import re
from functools import cache
from types import MappingProxyType

import pycountry
from babel import Locale

from esnfed.i18n import SUPPORTED, language_name
from esnfed.records.vocabularies.scheme import Scheme

_TAG = re.compile(r"([A-Za-z]{2,3})(?:[-_]([A-Za-z]{4}))?(?:[-_]([A-Za-z]{2}|[0-9]{3}))?")


class Languages(Scheme):
    """Every language that ISO 639 or CLDR knows; the list offered first is CLDR's."""

    name = "languages"
    version = 1
    labels = MappingProxyType({"fr": "Langues", "en": "Languages", "es": "Idiomas"})

    def normalise(self, value: object) -> str | None:
        """Return "fr", "pt-BR" or "zh-Hant" in the spelling of BCP 47; None for an unknown language."""
        match = _TAG.fullmatch(value) if isinstance(value, str) and len(value) <= 16 else None
        if match is None or not _known(language := match[1].lower()):
            return None
        parts = [language]
        if match[2]:
            parts.append(match[2].title())
        if match[3]:
            parts.append(match[3].upper())
        return "-".join(parts)

    def label(self, value: str, locale: str) -> str:
        """Return the name of the language in `locale`."""
        return language_name(value, locale)

    def broader(self, value: str) -> str | None:
        """Return the plain language of a regional or scripted form: pt-BR is within pt."""
        language, dash, _ = value.partition("-")
        return language if dash else None

    def members(self, broader: str | None = None) -> list[str]:
        """Return the plain languages that CLDR names; nothing is listed below a language."""
        return [] if broader else _listed()


@cache
def _listed() -> list[str]:
    return [*SUPPORTED, *sorted(tag for tag in _cldr() if 2 <= len(tag) <= 3 and tag not in SUPPORTED)]


@cache
def _cldr() -> frozenset[str]:
    return frozenset(str(tag) for tag in Locale.parse("en").languages)


def _known(language: str) -> bool:
    if language in _cldr():
        return True
    found = pycountry.languages.get(alpha_3=language) if len(language) == 3 else None
    return found is not None
