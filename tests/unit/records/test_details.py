"""Every public field of a sheet has its place on the page, and nothing else has."""

from __future__ import annotations

from typing import Any

from esnfed.records import details
from esnfed.records.definition import kind_named
from esnfed.records.details import Detail, Part, Value
from tests.unit.records.sheets import SECRETS, call, project


def parts_of(kind: str, sheet: dict[str, Any], locale: str = "en", spoken: str = "fr") -> dict[str, Part]:
    """The parts of a sheet as its page gets them, by field."""
    definition = kind_named(kind)
    assert definition is not None
    public = definition.public(definition.validate(sheet))
    return {part.name: part for part in details.parts(definition, public, locale, spoken)}


def test_all_public_fields_but_those_of_the_head_are_shown() -> None:
    definition = kind_named("project")
    assert definition is not None
    public = definition.public(definition.validate(project()))
    assert set(parts_of("project", project())) == set(public) - details.ABOVE


def test_nothing_private_is_shown() -> None:
    shown = repr(parts_of("project", project()))
    assert "office@sne.example" in shown
    assert not [secret for secret in SECRETS if secret in shown]


def test_a_contact_is_the_person_who_chose_to_be_seen_or_else_a_role() -> None:
    hidden, seen = parts_of("project", project())["contacts"].values
    assert hidden == Value("Projects", details=(Detail("Languages", "French"),))
    assert seen.text == "Secretariat"
    assert seen.details == (
        Detail("Role", "General"),
        Detail("E-mail", "office@sne.example", "mailto:office@sne.example"),
    )


def test_words_of_a_vocabulary_lead_to_the_board_in_the_language_of_the_reader() -> None:
    found = parts_of("project", project(), locale="es")
    assert found["territories"].values[0] == Value("Burkina Faso", href="/records?territory=BF")
    assert found["themes"].values[0].text == "Salud laboral"
    assert found["status"].values[0].href is None, "the board has no such filter"
    assert found["territories"].label == "Territorios"


def test_texts_are_in_the_language_shown_or_marked_as_the_other_one() -> None:
    sheet = project(results={"fr": "Douze écoles."}, lessons={"en": "Start small.", "fr": "Petit."})
    found = parts_of("project", sheet, spoken="en")
    assert found["lessons"].values == (Value("Start small.", "en"),)
    assert found["results"].values == (Value("Douze écoles.", "fr"),)
    assert found["results"].is_long


def test_dates_say_their_day_or_their_instant_with_its_zone() -> None:
    found = parts_of("call", call(opens="2026-01-05", closes="2026-06-30T18:00:00+02:00"))
    assert found["opens"].values == (Value("January 5, 2026", when="2026-01-05"),)
    assert found["closes"].values == (Value("June 30, 2026, 16:00 (UTC)", when="2026-06-30T16:00:00Z"),)


def test_entries_are_named_by_their_first_part_and_lead_to_their_actor() -> None:
    participants = [
        {"name": "Mutuelle", "actor": "https://m.example/a", "role": "funder", "state": "accepted"}
    ]
    (value,) = parts_of("project", project(participants=participants))["participants"].values
    assert (value.text, value.href) == ("Mutuelle", "https://m.example/a")
    assert value.details == (Detail("Role", "Funder"), Detail("State", "Accepted"))


def test_a_group_of_fields_names_each_of_them() -> None:
    profile = {"orgTypes": ["ngo", "university"], "contribution": {"fr": "Du temps"}}
    assert parts_of("call", call(profile=profile))["profile"].values == (
        Value("NGO, University", label="Types of organisation"),
        Value("Du temps", "fr", label="Contribution"),
    )


def test_who_translated_is_told_and_the_sheet_itself_comes_last() -> None:
    found = parts_of("project", project())
    assert [(value.text, value.details[0].text) for value in found["languages"].values] == [
        ("French", "Original"),
        ("English", "Human translation"),
    ]
    assert list(found)[-2:] == ["languages", "license"]


def test_the_long_text_is_html_in_the_best_language() -> None:
    definition = kind_named("project")
    assert definition is not None
    sheet = definition.validate(project(body={"fr": "<p>Corps<script>x</script></p>"}))
    assert details.body(definition, sheet, "en") == Value("<p>Corps</p>", "fr")
    assert details.body(definition, definition.validate(project()), "en") is None
