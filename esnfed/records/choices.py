"""Fields whose values are concepts of a vocabulary."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from itertools import islice
from typing import Any

from esnfed.i18n import N_
from esnfed.records.fields import Field, Reading
from esnfed.records.vocabularies import SCHEMES

SHOWN = 8
"""Concepts that a fact line names before it says that there are more."""


@dataclass(frozen=True, kw_only=True)
class Choice(Field):
    """One concept of the vocabulary `scheme`."""

    scheme: str

    def parse(self, value: object, reading: Reading) -> str | None:
        """Accept an id of the vocabulary, in any of its spellings."""
        return None if value is None or value == "" else _concept(self.scheme, value, reading)

    def show(self, value: Any, language: str) -> str:
        """Return the label of the concept."""
        return SCHEMES[self.scheme].label(value, language)

    def facet_values(self, value: Any) -> Iterable[str]:
        """Return the concept and all that contain it."""
        return SCHEMES[self.scheme].with_broader(value)


@dataclass(frozen=True, kw_only=True)
class Choices(Field):
    """Several concepts of the vocabulary `scheme`, each once, in the order given, `most` at most."""

    scheme: str
    most: int = 10

    def parse(self, value: object, reading: Reading) -> list[str] | None:
        """Accept a list of ids; on the wire unknown ones fall away and what is over the limit is cut."""
        if value is None:
            return None
        if not isinstance(value, list | tuple):
            raise reading.wrong(N_("This must be a list."))
        if len(value) > self.most and not reading.lenient:
            raise reading.wrong(N_("There are too many entries."))
        if reading.lenient:
            scheme = SCHEMES[self.scheme]
            concepts = [scheme.normalise(item) for item in islice(value, self.most * 4)]
        else:
            concepts = [_concept(self.scheme, item, reading.index(n)) for n, item in enumerate(value)]
        return list(dict.fromkeys(concept for concept in concepts if concept))[: self.most] or None

    def show(self, value: Any, language: str) -> str:
        """Return the labels, the first eight when there are more."""
        scheme = SCHEMES[self.scheme]
        labels = [scheme.label(concept, language) for concept in value[:SHOWN]]
        return ", ".join(labels) + (" …" if len(value) > SHOWN else "")

    def facet_values(self, value: Any) -> Iterable[str]:
        """Return the concepts and all that contain them: a country filter finds its regions."""
        scheme = SCHEMES[self.scheme]
        return [found for concept in value for found in scheme.with_broader(concept)]


def _concept(scheme: str, value: object, reading: Reading) -> str:
    concept = SCHEMES[scheme].normalise(value)
    if concept is None:
        raise reading.wrong(N_("This value is not in the vocabulary."))
    return concept
