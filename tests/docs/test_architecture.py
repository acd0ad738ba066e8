"""docs/architecture.md describes the code that is there."""

from __future__ import annotations

import re
import tomllib

import pytest

from esnfed import registry
from tests.docs.pages import ROOT, Page, first, page
from tests.docs.sources import exists

MOST_FILES = 6
NOT_ROOMS = {"__init__.py", "__main__.py", "__pycache__"}


@pytest.fixture(scope="module")
def architecture() -> Page:
    """The page."""
    return page("docs/architecture.md")


def test_every_room_is_described_and_every_described_room_is_there(architecture: Page) -> None:
    there = {path.name for path in (ROOT / "esnfed").iterdir()} - NOT_ROOMS
    assert set(first(architecture.section("Rooms").table(), "Room")) == there


def test_the_layers_are_those_that_are_checked(architecture: Page) -> None:
    settings = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))
    checked = settings["tool"]["importlinter"]["contracts"][0]["layers"]
    assert architecture.section("Layers").fences("text")[0].splitlines() == checked


def test_the_registries_are_those_that_are_there(architecture: Page) -> None:
    there = {name for name, value in vars(registry).items() if isinstance(value, registry.Registry)}
    assert set(first(architecture.section("Registries").table(), "Registry")) == there


def test_each_flow_has_at_most_six_files_and_all_are_there(architecture: Page) -> None:
    flows = architecture.section("Flows")
    assert len(flows.headings()) > 3
    for heading in flows.headings():
        files = re.findall(r"^\d\. `([^`]+)`", flows.section(heading).text, re.MULTILINE)
        assert 2 < len(files) <= MOST_FILES, heading
        assert not [path for path in files if not exists(path)], heading


def test_every_named_file_is_there(architecture: Page) -> None:
    paths = set(re.findall(r"`((?:esnfed|tests|tools|migrations|templates)/[\w/.]+)`", architecture.text))
    assert len(paths) > 20
    assert not [path for path in paths if not exists(path)]


def test_each_rule_of_the_writer_has_a_test_of_its_number(architecture: Page) -> None:
    rules = re.findall(r"^(\d)\. ", architecture.section("The writer's rules").text, re.MULTILINE)
    tests = (ROOT / "tests/unit/test_database_writer.py").read_text("utf-8")
    assert rules == [str(number) for number in range(1, 10)]
    assert not [rule for rule in rules if f"test_rule_{rule}_" not in tests]
