"""docs/dependencies.md lists what pyproject.toml and the oracles ask for, with the same ranges."""

from __future__ import annotations

import json
import re
import tomllib
from typing import Any

import pytest

from tests.docs.pages import ROOT, Page, Row, page, words


@pytest.fixture(scope="module")
def project() -> dict[str, Any]:
    """The project table."""
    found: dict[str, Any] = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    return found


@pytest.fixture(scope="module")
def dependencies() -> Page:
    """The page."""
    return page("docs/dependencies.md")


def _parts(pattern: str, text: str) -> tuple[str, str]:
    found = re.fullmatch(pattern, text)
    assert found, text
    return found[1], found[2]


def _asked(lines: list[str]) -> dict[str, str]:
    found = {}
    for line in lines:
        name, range_ = _parts(r"([A-Za-z0-9_-]+(?:\[[a-z,]+\])?)(.*)", line)
        if not name.startswith("esnfed["):
            found[name] = range_
    return found


def _listed(rows: list[Row]) -> dict[str, str]:
    assert all(row["Licence"] for row in rows)
    return {words(row["Library"])[0]: words(row["Range"])[0] for row in rows}


def test_the_runtime_dependencies_are_listed(dependencies: Page, project: dict[str, Any]) -> None:
    assert _listed(dependencies.section("Runtime").table()) == _asked(project["dependencies"])


def test_the_development_dependencies_are_listed(dependencies: Page, project: dict[str, Any]) -> None:
    assert _listed(dependencies.section("Development").table()) == _asked(
        project["optional-dependencies"]["dev"]
    )


def test_the_extras_are_listed(dependencies: Page, project: dict[str, Any]) -> None:
    rows = dependencies.section("Extras").table()
    extras = {name: lines for name, lines in project["optional-dependencies"].items() if name != "dev"}
    assert {words(row["Extra"])[0] for row in rows} == set(extras)
    for name, lines in extras.items():
        assert _listed([row for row in rows if words(row["Extra"])[0] == name]) == _asked(lines)


def test_the_oracles_are_locked_as_listed(dependencies: Page) -> None:
    rows = dependencies.section("Oracles").table()
    folders = {path.parent.relative_to(ROOT).as_posix() for path in ROOT.glob("tests/**/*.lock")}
    assert {words(row["Folder"])[0] for row in rows} == folders
    for row in rows:
        locked = words(row["Locked"])[0]
        if row["Locked"] == f"`{locked}`":
            lock = (ROOT / words(row["Folder"])[0] / "requirements.lock").read_text("utf-8")
            assert f"\n{locked}" in lock


def test_the_oracles_in_javascript_are_locked_as_listed(dependencies: Page) -> None:
    cells = [row["Locked"] for row in dependencies.section("Oracles").table()]
    listed = dict(_parts(r"`(.+)` (.+)", cell) for cell in cells if not cell.endswith("`"))
    asked = [json.loads(path.read_text("utf-8")) for path in ROOT.glob("tests/oracles/*/package.json")]
    assert listed == {name: version for each in asked for name, version in each["dependencies"].items()}
