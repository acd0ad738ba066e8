"""docs/api.md lists every address that is answered, every filter and every vocabulary."""

from __future__ import annotations

import re

import orjson
import pytest

from esnfed.cli.routes import served
from esnfed.records.filters import NAMES
from esnfed.records.presentation import vocabulary
from esnfed.records.query import MAX_LIMIT
from esnfed.records.vocabularies import SCHEMES
from tests.docs import example
from tests.docs.pages import Page, first, page, words

SECTIONS = ("The board", "Pages", "For other servers")


@pytest.fixture(scope="module")
def api() -> Page:
    """The page."""
    return page("docs/api.md")


async def test_the_addresses_are_those_that_are_answered(api: Page) -> None:
    rows = [row for name in SECTIONS for row in api.section(name).table()]
    listed = [(row["Method"], words(row["Path"])[0]) for row in rows]
    assert len(listed) == len(set(listed))
    assert set(listed) == {(each["method"], each["path"]) for each in await served()}


def test_the_filters_are_those_that_are_taken(api: Page) -> None:
    rows = api.section("Filters").table()
    assert sorted(first(rows, "Filter")) == sorted(NAMES)
    assert f"1 to {MAX_LIMIT};" in next(row["Values"] for row in rows if "`limit`" in row["Filter"])


def test_the_vocabularies_are_those_that_are_there(api: Page) -> None:
    named = re.findall(r"`([a-z-]+)`", api.section("Vocabularies").text.split("`?broader")[0])
    assert set(named) == set(SCHEMES)


def test_the_example_of_a_vocabulary_is_one(api: Page) -> None:
    shown = orjson.loads(api.section("Vocabularies").fences("json")[0])
    real = vocabulary(shown["scheme"])
    assert {**real, "concepts": real["concepts"][:1]} == shown


async def test_the_example_of_an_entry_has_the_keys_of_one(api: Page) -> None:
    shown = orjson.loads(api.section("The board").fences("json")[0])[0]
    made = await example.make_entry()
    assert list(shown) == list(made)
    assert list(shown["owner"]) == list(made["owner"])


async def test_one_record_has_besides_what_the_page_says() -> None:
    assert set(await example.make_entry(whole=True)) - set(await example.make_entry()) == {"schema", "sheet"}
