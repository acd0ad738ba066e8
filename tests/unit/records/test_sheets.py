"""What a person may type into a sheet, and what is kept of what another node sent."""

from __future__ import annotations

from typing import Any

import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from esnfed.errors import Invalid
from esnfed.records.definition import Definition, kind, kind_named, languages_of
from esnfed.records.fields import Text
from esnfed.registry import kinds
from tests.unit.records.sheets import SECRETS, call, project


def definition(name: str) -> Definition:
    found = kind_named(name)
    assert found is not None
    return found


PROJECT, CALL = definition("project"), definition("call")


def test_a_complete_sheet_is_accepted_in_its_normal_form() -> None:
    sheet = CALL.validate(
        call(territories=["be-x-francophone".replace("be", "BE"), "bf"], sdg=[3, "03", "4.c"])
    )
    assert sheet["territories"] == ["BE-x-francophone", "BF"]
    assert sheet["sdg"] == ["3", "4.c"]
    assert sheet["languages"] == {"fr": "original", "es": "original"}


@pytest.mark.parametrize("name", ["title", "summary", "territories", "themes", "contacts", "status"])
def test_a_project_without_a_compulsory_field_is_refused_by_its_name(name: str) -> None:
    with pytest.raises(Invalid) as refused:
        PROJECT.validate(project(**{name: None}))
    assert refused.value.field == name


@pytest.mark.parametrize("name", ["wanted", "closes", "contacts"])
def test_a_call_without_a_compulsory_field_is_refused_by_its_name(name: str) -> None:
    with pytest.raises(Invalid) as refused:
        CALL.validate(call(**{name: None}))
    assert refused.value.field == name


@pytest.mark.parametrize(
    ("changes", "place"),
    [
        ({"nonsense": 1}, "nonsense"),
        ({"title": "Titre"}, "title"),
        ({"title": {"fr": "x" * 121}}, "title.fr"),
        ({"title": {"klingonese": "x"}}, "title.klingonese"),
        ({"title": {"fr": 3}}, "title.fr"),
        ({"summary": {"fr": "only French"}}, "summary"),
        ({"territories": ["BF", "XX"]}, "territories[1]"),
        ({"territories": "BF"}, "territories"),
        ({"themes": ["advocacy"] * 6}, "themes"),
        ({"sdg": ["18"]}, "sdg[0]"),
        ({"sdg": ["3.99"]}, "sdg[0]"),
        ({"status": "dreaming"}, "status"),
        ({"plannedStart": "2027-13-01"}, "plannedStart"),
        ({"plannedEnd": "2025-01-01"}, "plannedEnd"),
        ({"closes": "2027-06-30T10:00:00"}, "closes"),
        ({"closes": "tomorrow"}, "closes"),
        ({"beneficiaries": [{"group": "teachers", "number": -1}]}, "beneficiaries[0].number"),
        ({"beneficiaries": [{"group": "teachers", "number": True}]}, "beneficiaries[0].number"),
        ({"beneficiaries": [{"number": 3}]}, "beneficiaries[0].group"),
        ({"participants": [{"name": "A", "role": "lead", "colour": "red"}]}, "participants[0].colour"),
        ({"about": "javascript:alert(1)"}, "about"),
        ({"about": "https://user@a.example/"}, "about"),
        ({"seeksPartners": "yes"}, "seeksPartners"),
        ({"contacts": [{"role": "projects"}]}, "contacts[0]"),
        ({"contacts": [{"role": "projects", "email": "nobody"}]}, "contacts[0].email"),
        ({"indicators": [{"name": {"en": "n"}, "value": float("nan")}]}, "indicators[0].value"),
        ({"languages": {"fr": "dreamt"}}, "languages.fr"),
    ],
)
def test_a_wrong_value_is_refused_with_its_place(changes: dict[str, Any], place: str) -> None:
    with pytest.raises(Invalid) as refused:
        PROJECT.validate(project(**changes))
    assert refused.value.field == place


def test_text_loses_what_controls_or_turns_the_line() -> None:
    title = "  A\u202eevil\u2069 \x00 title\n here\ud800 "
    sheet = PROJECT.validate(project(title={"fr": title, "en": "x"}))
    assert sheet["title"]["fr"] == "Aevil title here"


def test_rich_text_is_sanitised() -> None:
    sheet = PROJECT.validate(project(body={"fr": "<p onclick=x>Oui<script>alert(1)</script></p>"}))
    assert sheet["body"]["fr"] == "<p>Oui</p>"


def test_the_primary_language_is_the_first_original() -> None:
    assert languages_of(
        {"title": {"en": "x", "fr": "y"}, "languages": {"en": "machine", "fr": "original"}}
    ) == [
        "fr",
        "en",
    ]
    assert languages_of({"title": {"es": "x", "fr": "y"}}) == ["es", "fr"]


def test_private_fields_stay_out_of_the_public_part_and_nothing_is_lost() -> None:
    sheet = PROJECT.validate(project())
    public, private = PROJECT.public(sheet), PROJECT.private(sheet)
    shown = orjson.dumps(public).decode()
    assert not [secret for secret in SECRETS if secret in shown]
    assert public["contacts"] == [
        {"role": "projects", "languages": ["fr"]},
        {"role": "general", "name": "Secretariat", "email": "office@sne.example"},
    ]
    assert {**public, **private} == sheet


def test_a_contact_is_for_the_network_unless_the_person_chose_otherwise() -> None:
    sheet = CALL.validate(call())
    assert sheet["contacts"][0]["audience"] == "network"
    assert CALL.public(sheet)["contacts"] == [{"role": "projects"}]


def test_what_leaves_a_node_arrives_unchanged() -> None:
    for kind_definition, sheet in ((PROJECT, project()), (CALL, call())):
        public = kind_definition.public(kind_definition.validate(sheet))
        assert kind_definition.receive(orjson.loads(orjson.dumps(public))) == public


def test_of_a_wrong_wire_sheet_the_right_parts_are_kept() -> None:
    received = PROJECT.receive(
        {
            "title": {"fr": "T" * 500, "xx-nonsense-language": "a", "en": 7},
            "summary": ["nothing"],
            "territories": ["BF", "nowhere", 3, {"a": 1}, "BF"],
            "sdg": ["3", "99"],
            "status": "dreaming",
            "plannedStart": "soon",
            "participants": [{"name": "A", "role": "lead"}, {"name": "B"}, "C"],
            "indicators": [{"name": {"en": "n"}, "value": 10**400}],
            "closes": "2027-06-30T10:00:00",
            "unheardOf": True,
        }
    )
    assert received == {
        "title": {"fr": "T" * 120},
        "languages": {"fr": "original"},
        "territories": ["BF"],
        "sdg": ["3"],
        "participants": [{"name": "A", "role": "lead"}],
        "closes": "2027-06-30T10:00:00Z",
    }


def test_a_private_field_that_another_node_let_out_is_not_kept() -> None:
    received = PROJECT.receive(
        {
            "title": {"fr": "T"},
            "budget": {"amount": 48750},
            "contacts": [{"role": "general", "email": "a@b.example", "audience": "network"}],
        }
    )
    assert received is not None
    assert "budget" not in received
    assert received["contacts"] == [{"role": "general"}]


def test_a_sheet_without_a_title_is_none() -> None:
    assert PROJECT.receive({"summary": {"fr": "x"}, "title": {"fr": "\u200b"}}) is None


def test_facets_hold_what_contains_them() -> None:
    public = PROJECT.public(PROJECT.validate(project()))
    assert PROJECT.facets(public) == [
        ("language", "en"),
        ("language", "fr"),
        ("sdg", "3"),
        ("sdg", "3.4"),
        ("sdg", "4"),
        ("territory", "BF"),
        ("territory", "CA"),
        ("territory", "CA-QC"),
        ("theme", "health-in-schools"),
        ("theme", "occupational-health"),
    ]


def test_a_deadline_of_a_day_lasts_until_its_midnight() -> None:
    assert CALL.closes_at({"closes": "1970-01-02"}) == 2 * 86_400_000
    assert CALL.closes_at({"closes": "1970-01-02T00:00:00Z"}) == 86_400_000
    assert PROJECT.closes_at({"closes": "1970-01-02"}) is None


def test_a_kind_is_registered_once_and_without_clashing_fields() -> None:
    with pytest.raises(ValueError, match="twice"):
        kind("call")(type("Again", (Definition,), {"fields": (), "title": "Again"}))
    with pytest.raises(ValueError, match="reserved"):
        kind("other")(
            type("Other", (Definition,), {"fields": (Text(name="kind", label="", limit=1),), "title": "O"})
        )
    assert "other" not in kinds


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=5) | st.dictionaries(st.text(max_size=12), inner, max_size=5),
    max_leaves=20,
)
NAMES = sorted({field.name for definition in (PROJECT, CALL) for field in definition.fields})
PARTS = st.sampled_from(
    ["fr", "en", "role", "name", "email", "group", "number", "value", "actor", "audience"]
)
WORDS = st.sampled_from(
    ["BF", "3", 3, "lead", "projects", "public", "teachers", "closed", "2027-06-30", "https://a.example/"]
)
SHAPED = st.recursive(
    JSON | WORDS,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(PARTS, inner, max_size=5),
    max_leaves=12,
)


@settings(max_examples=150, deadline=None)
@given(st.dictionaries(st.sampled_from(NAMES), SHAPED, max_size=12), st.sampled_from(["project", "call"]))
def test_whatever_arrives_is_dropped_or_kept_clean(wire: dict[str, Any], name: str) -> None:
    found = definition(name)
    sheet = found.receive({"title": {"fr": "Titre"}} | wire)
    if sheet is None:
        assert "title" in wire
        return
    kept = orjson.loads(orjson.dumps(sheet))
    assert kept == sheet, "what is kept is plain JSON that can be stored"
    assert found.receive(kept) == sheet, "reading again changes nothing"
    assert found.facets(sheet)


@settings(max_examples=100, deadline=None)
@given(st.dictionaries(st.sampled_from(NAMES), SHAPED, max_size=12), st.sampled_from(["project", "call"]))
def test_whatever_is_typed_is_accepted_or_refused_by_name(changes: dict[str, Any], name: str) -> None:
    found = definition(name)
    complete = project() if name == "project" else call()
    field: str | None = ""
    sheet: dict[str, Any] = {}
    try:
        sheet = found.validate(complete | changes)
    except Invalid as refused:
        field = refused.field
    assert field or found.validate(sheet) == sheet


def test_text_hidden_behind_many_blanks_is_too_long_rather_than_cut() -> None:
    with pytest.raises(Invalid) as refused:
        CALL.validate(call(title={"fr": "a" + " " * 1000 + "b", "es": "c"}))
    assert refused.value.field == "title.fr"
