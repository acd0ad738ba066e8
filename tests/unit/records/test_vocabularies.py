"""Vocabularies: ids, labels in three languages, and what contains what."""

from __future__ import annotations

import pytest

from esnfed.i18n import SUPPORTED
from esnfed.records.composite import ListOf, Struct
from esnfed.records.fields import Field
from esnfed.records.vocabularies import GOALS, LANGUAGES, SCHEMES, TERRITORIES, THEMES
from esnfed.registry import kinds


@pytest.mark.parametrize("name", sorted(SCHEMES))
def test_every_concept_has_a_label_in_each_language_and_a_known_broader_one(name: str) -> None:
    scheme = SCHEMES[name]
    for concept in scheme.members():
        assert scheme.is_valid(concept)
        assert all(scheme.label(concept, locale) for locale in SUPPORTED)
        broader = scheme.broader(concept)
        assert broader is None or scheme.is_valid(broader)
    assert set(scheme.labels) == set(SUPPORTED)


def test_there_are_seventeen_goals_and_169_targets() -> None:
    assert [int(goal) for goal in GOALS.members()] == list(range(1, 18))
    assert sum(len(GOALS.members(goal)) for goal in GOALS.members()) == 169
    assert GOALS.with_broader("3.a") == ["3.a", "3"]


def test_goals_have_the_hashtag_of_their_language() -> None:
    assert [GOALS.hashtag("3.4", language) for language in ("fr", "en", "es", "ja")] == [
        "ODD3",
        "SDG3",
        "ODS3",
        "SDG3",
    ]


@pytest.mark.parametrize(
    ("code", "names"),
    [
        ("BF", ("Burkina Faso", "Burkina Faso", "Burkina Faso")),
        ("CA-QC", ("Québec", "Quebec", "Quebec")),
        ("BE-x-francophone", ("Belgique francophone", "French-speaking Belgium", "Bélgica francófona")),
        ("global", ("Monde entier", "Worldwide", "Todo el mundo")),
    ],
)
def test_territories_have_names(code: str, names: tuple[str, str, str]) -> None:
    found = tuple(TERRITORIES.label(code, locale) for locale in SUPPORTED)
    assert found[:2] == names[:2]
    assert all(found)


def test_a_territory_of_our_own_lies_in_its_country_and_is_no_iso_code() -> None:
    assert TERRITORIES.broader("BE-x-francophone") == "BE"
    assert "BE-x-francophone" in TERRITORIES.members("BE")
    assert "BE-BRU" in TERRITORIES.members("BE")
    assert TERRITORIES.normalise("be-bru") == "BE-BRU"
    assert TERRITORIES.normalise("BE-FRANCO") is None


def test_languages_are_bcp_47_tags_in_one_spelling() -> None:
    assert LANGUAGES.normalise("FR_ca") == "fr-CA"
    assert LANGUAGES.normalise("zh-hant-tw") == "zh-Hant-TW"
    assert LANGUAGES.normalise("mos") == "mos"
    assert LANGUAGES.normalise("xx") is None
    assert LANGUAGES.normalise("und-nonsense") is None
    assert LANGUAGES.members()[:3] == list(SUPPORTED)


def test_a_theme_is_found_under_what_contains_it() -> None:
    assert THEMES.with_broader("pupils-health") == ["pupils-health", "health-in-schools"]
    assert THEMES.label("pupils-health", "pt") == "Pupils' health"


def _within(field: Field) -> list[Field]:
    if isinstance(field, Struct):
        return [field, *(inner for part in field.fields for inner in _within(part))]
    return [field, *_within(field.item)] if isinstance(field, ListOf) else [field]


def test_every_field_names_a_vocabulary_that_exists() -> None:
    named = {
        getattr(inner, "scheme", None)
        for _, definition in kinds.items()
        for field in definition.fields
        for inner in _within(field)
    } - {None}
    assert named
    assert named <= set(SCHEMES)
