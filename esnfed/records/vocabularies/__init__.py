"""The vocabularies of this room by name; fields, filters and the API all read them here."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from esnfed.records.vocabularies.goals import Goals
from esnfed.records.vocabularies.languages import Languages
from esnfed.records.vocabularies.scheme import ConceptScheme, Scheme
from esnfed.records.vocabularies.territories import GLOBAL, Territories

GOALS = Goals()
LANGUAGES = Languages()
TERRITORIES = Territories()
THEMES = ConceptScheme("themes")

_WRITTEN = (
    "audiences", "beneficiaries", "budget-bands", "call-subjects", "contact-audiences", "contact-roles",
    "licences", "methods", "organisation-types", "participant-roles", "participation-states",
    "project-statuses", "scopes", "sectors", "text-origins",
)  # fmt: skip

SCHEMES: Mapping[str, Scheme] = MappingProxyType(
    {scheme.name: scheme for scheme in (GOALS, LANGUAGES, TERRITORIES, THEMES)}
    | {name: ConceptScheme(name) for name in _WRITTEN}
)
"""Name of a scheme -> the scheme."""

__all__ = ["GLOBAL", "GOALS", "LANGUAGES", "SCHEMES", "TERRITORIES", "THEMES", "Scheme"]
