"""Territories: ISO 3166-1 countries, ISO 3166-2 subdivisions, a few of our own, and "global"."""

from __future__ import annotations

import gettext
from functools import cache
from typing import Any

import pycountry

from esnfed.i18n import territory_name
from esnfed.records.vocabularies.scheme import Scheme, pick, read_data

GLOBAL = "global"


class Territories(Scheme):
    """Codes BF and CA-QC. Our own (BE-x-francophone) sit within a country and can never be an ISO code."""

    name = "territories"

    def __init__(self) -> None:
        content = read_data(self.name)
        self.version = int(content["version"])
        self.labels = content["labels"]
        self._own: dict[str, dict[str, Any]] = {row["id"]: row for row in content["concepts"]}

    def normalise(self, value: object) -> str | None:
        """Return the code in its one spelling: "bf" is BF, "ca-qc" CA-QC; None for what is no territory."""
        if not isinstance(value, str) or not 2 <= len(value) <= 32 or not value.isascii():
            return None
        if value in self._own:
            return value
        code = value.upper()
        return code if code in _countries() or code in _subdivisions() else None

    def label(self, value: str, locale: str) -> str:
        """Return the name of the territory; a subdivision in the words of ISO, translated where possible."""
        if (row := self._own.get(value)) is not None:
            return pick(row["labels"], locale)
        if (name := _subdivisions().get(value)) is not None:
            return _plain(_names(locale.split("-")[0].lower()).gettext(name))
        return territory_name(value, locale)

    def broader(self, value: str) -> str | None:
        """Return the country of a subdivision or of a territory of our own."""
        country, dash, _ = value.partition("-")
        return country if dash else None

    def members(self, broader: str | None = None) -> list[str]:
        """Return "global" and the countries, or what lies within one country."""
        if broader is None:
            return [GLOBAL, *_countries()]
        own = [code for code, row in self._own.items() if row.get("broader") == broader]
        return own + [code for code in _subdivisions() if code.startswith(f"{broader}-")]


@cache
def _countries() -> dict[str, str]:
    return {row.alpha_2: row.name for row in sorted(pycountry.countries, key=lambda row: row.alpha_2)}


@cache
def _subdivisions() -> dict[str, str]:
    return {row.code: row.name for row in sorted(pycountry.subdivisions, key=lambda row: row.code)}


@cache
def _names(language: str) -> gettext.NullTranslations:
    return gettext.translation("iso3166-2", pycountry.LOCALES_DIR, languages=[language], fallback=True)


def _plain(name: str) -> str:
    # ISO sorts by the proper name ("Bruxelles-Capitale, Région de"): put the generic part first for reading.
    proper, comma, generic = name.partition(", ")
    if not comma or "," in generic:
        return name
    return f"{generic}{'' if generic.endswith(chr(39)) else ' '}{proper}"
