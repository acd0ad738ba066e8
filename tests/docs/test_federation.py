"""FEDERATION.md says what is registered and sent: no more, no less."""

from __future__ import annotations

import re
from collections.abc import Callable
from importlib import import_module
from typing import Any

import orjson
import pytest

from esnfed import registry
from esnfed.cli.handlers import registered
from esnfed.federation.retry import KNOCKS, Outcome, judge
from esnfed.services.actors import LOCAL_TYPES
from esnfed.vocab.addressing import addressing
from esnfed.vocab.terms import PUBLIC
from tests.docs import example, sources
from tests.docs.pages import Page, Row, first, page, words


@pytest.fixture(scope="module")
def federation() -> Page:
    """The page; every room is imported, and so registered."""
    assert registered()
    return page("FEDERATION.md")


def _said(rows: list[Row], key: str, column: str) -> set[str]:
    return {words(row[key])[0] for row in rows if row[column].startswith("yes")}


def test_the_activities_received_are_those_with_a_handler(federation: Page) -> None:
    rows = federation.section("Activities").table()
    assert _said(rows, "Activity", "In") == set(registry.handlers)


def test_the_activities_sent_are_those_that_services_send(federation: Page) -> None:
    rows = federation.section("Activities").table()
    assert _said(rows, "Activity", "Out") == sources.sent_activities()


def test_the_search_for_sent_activities_finds_some() -> None:
    assert {"Create", "Follow", "Accept", "Undo"} <= sources.sent_activities()


def test_what_can_be_undone_has_an_undo_handler(federation: Page) -> None:
    row = next(row for row in federation.section("Activities").table() if words(row["Activity"]) == ["Undo"])
    assert set(words(row["Object"])) == set(registry.undoers)


def test_the_objects_received_are_those_with_a_receiver(federation: Page) -> None:
    rows = federation.section("Objects").table()
    assert _said(rows, "Object", "In") == set(registry.receivers)


def test_the_objects_sent_are_actors_that_can_be_made_here_and_types_that_are_written(
    federation: Page,
) -> None:
    objects = _said(federation.section("Objects").table(), "Object", "Out")
    parts = set(first(federation.section("Parts of objects").table(), "Part"))
    assert objects | parts == (sources.sent_types() - sources.ACTIVITY_TYPES) | set(LOCAL_TYPES)
    assert not objects & parts


@pytest.mark.parametrize(
    ("heading", "column", "found"),
    [("Extensions", "Property", registry.extensions), ("Kinds of records", "Kind", registry.kinds)],
    ids=["extensions", "kinds"],
)
def test_extensions_and_kinds_are_those_registered(
    federation: Page, heading: str, column: str, found: registry.Registry[Any]
) -> None:
    assert first(federation.section(heading).table(), column) == list(found)


def test_each_field_of_a_kind_is_listed_with_what_is_compulsory(federation: Page) -> None:
    for row in federation.section("Kinds of records").table():
        definition = registry.kinds[words(row["Kind"])[0]]
        private = {field.name for field in definition.fields if field.audience == "private"}
        public = {field.name for field in definition.fields} - private
        required = {field.name for field in definition.fields if field.required}
        assert set(words(row["Compulsory"])) == required
        assert set(words(row["Optional"])) == public - required
        assert set(words(row["Stays at home"])) == private


def test_every_proposal_claimed_is_named_where_it_is_implemented(federation: Page) -> None:
    claimed = set(re.findall(r"FEP-[0-9a-f]{4}", federation.section("Supported FEPs").text))
    assert claimed - {"FEP-67ff"} <= sources.proposals(), "FEP-67ff is this page itself"


def test_each_visibility_is_addressed_as_shown(federation: Page) -> None:
    short = {PUBLIC: "Public"}
    for row in federation.section("Visibility").table():
        to, cc = addressing(row["Word"], "followers", ["mentioned"])  # type: ignore[arg-type]  # a word of the page
        assert row["`to`"] == ", ".join(short.get(each, each) for each in to)
        assert row["`cc`"] == ", ".join(short.get(each, each) for each in cc)


def test_each_answer_to_a_delivery_has_the_fate_that_is_told(federation: Page) -> None:
    fates = {
        "done": Outcome.DELIVERED,
        "given up": Outcome.FINAL,
        "tried three times": Outcome.KNOCK,
        "later": Outcome.RETRY,
    }
    assert KNOCKS == 3
    for row in federation.section("Delivery").table():
        codes = re.findall(r"\b[2-5](?:xx|[0-9]{2})\b", row["Answer"])
        assert codes
        fate = fates[row["What we do"].partition(":")[0]]
        assert {judge(int(code.replace("xx", "22"))) for code in codes} == {fate}, row


def test_every_limit_has_the_value_of_the_code(federation: Page) -> None:
    for row in federation.section("Limits").table():
        module, name = words(row["In the code"])[0].rsplit(".", 1)
        value = getattr(import_module(f"esnfed.{module}"), name)
        said = re.match(r"[0-9,]+", row["Value"])
        assert said, row
        assert int(said[0].replace(",", "")) == value, row


async def test_the_example_is_what_the_program_sends(federation: Page) -> None:
    shown = orjson.loads(federation.section("esn:record").fences("json")[0])
    made = example.abridged(await example.make())
    assert shown == made, "python -m tests.docs.example prints the new one"


async def test_the_example_keeps_what_is_private_at_home() -> None:
    sent = orjson.dumps(await example.make()).decode()
    assert "projets@union.example.org" in sent
    assert "Awa" not in sent


def test_the_example_comes_back_whole_on_another_node(federation: Page) -> None:
    wire = orjson.loads(federation.section("esn:record").fences("json")[0])["esn:record"]
    receive: Callable[[Any], Any] = registry.kinds["call"].receive
    envelope = {"kind", "schema", "version", "state"}
    assert receive(wire) == {name: value for name, value in wire.items() if name not in envelope}
