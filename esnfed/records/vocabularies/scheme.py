"""Concept schemes: controlled words with labels in several languages, read once from data/*.json."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from importlib.resources import files
from typing import Any

import orjson

FALLBACK = "en"
"""The language whose label stands in where a concept has none in the language asked for."""


class Scheme(ABC):
    """A list of concepts. Ids are stable for ever; a concept may be narrower than another (`broader`)."""

    name: str
    version: int
    labels: Mapping[str, str]

    @abstractmethod
    def normalise(self, value: object) -> str | None:
        """Return the one spelling of a concept's id, or None when `value` names no concept here."""

    @abstractmethod
    def label(self, value: str, locale: str) -> str:
        """Return the name of a concept in `locale`, in English, or as its id, whichever exists first."""

    @abstractmethod
    def broader(self, value: str) -> str | None:
        """Return the concept that contains this one, or None at the top."""

    @abstractmethod
    def members(self, broader: str | None = None) -> list[str]:
        """Return the ids directly below `broader`; without it, what a first list offers."""

    def is_valid(self, value: object) -> bool:
        """Say whether `value` is exactly the id of a concept."""
        return isinstance(value, str) and self.normalise(value) == value

    def with_broader(self, value: str) -> list[str]:
        """Return a concept and all that contain it, narrowest first."""
        found: list[str] = []
        step: str | None = value
        while step is not None and step not in found:
            found.append(step)
            step = self.broader(step)
        return found

    def describe(self, value: str, locales: tuple[str, ...]) -> dict[str, Any]:
        """Return {"id", "broader"?, "labels": {locale: label}} for one concept."""
        described: dict[str, Any] = {"id": value}
        if (above := self.broader(value)) is not None:
            described["broader"] = above
        described["labels"] = {locale: self.label(value, locale) for locale in locales}
        return described


class ConceptScheme(Scheme):
    """A scheme that is wholly written in its file: data/<name>.json."""

    def __init__(self, name: str) -> None:
        content = read_data(name)
        self.name = name
        self.version = int(content["version"])
        self.labels = content["labels"]
        self._concepts: dict[str, dict[str, Any]] = {row["id"]: row for row in content["concepts"]}

    def normalise(self, value: object) -> str | None:
        """Return the id itself when it is one of this scheme."""
        return value if isinstance(value, str) and value in self._concepts else None

    def label(self, value: str, locale: str) -> str:
        """Return the name of a concept in `locale`, in English, or as its id."""
        row = self._concepts.get(value)
        return pick(row["labels"], locale) if row else value

    def broader(self, value: str) -> str | None:
        """Return the concept that the file names as broader."""
        return self._concepts.get(value, {}).get("broader")

    def members(self, broader: str | None = None) -> list[str]:
        """Return all ids, or those directly below `broader`, in the order of the file."""
        return [
            key for key, row in self._concepts.items() if broader is None or row.get("broader") == broader
        ]

    def describe(self, value: str, locales: tuple[str, ...]) -> dict[str, Any]:
        """Add the code in the outside standard (IATI), where the concept has one."""
        described = super().describe(value, locales)
        if (notation := self._concepts[value].get("notation")) is not None:
            described["notation"] = notation
        return described


def read_data(name: str) -> dict[str, Any]:
    """Return the content of data/<name>.json of this room."""
    content: dict[str, Any] = orjson.loads((files("esnfed.records") / "data" / f"{name}.json").read_bytes())
    return content


def pick(labels: Mapping[str, str], locale: str) -> str:
    """Return the label in `locale`, in its language, in English, or else the first there is."""
    language = locale.split("-")[0].lower()
    return labels.get(locale) or labels.get(language) or labels.get(FALLBACK) or next(iter(labels.values()))
