"""All pages: links lead somewhere, commands of make exist, nothing of this machine is told."""

from __future__ import annotations

import re

import pytest

from esnfed import __version__
from esnfed.cli.demo import PORTS
from tests.docs.pages import ROOT, Page, first, page, pages, words

PAGES = list(pages())
ADRS = sorted((ROOT / "docs/adr").glob("*.md"))
TARGETS = set(re.findall(r"^([a-z]+):", (ROOT / "Makefile").read_text("utf-8"), re.MULTILINE))


def _anchor(heading: str) -> str:
    return re.sub(r"[^\w -]", "", heading.lower()).replace(" ", "-")


@pytest.mark.parametrize("shown", PAGES, ids=lambda each: each.name)
def test_every_link_leads_somewhere(shown: Page) -> None:
    for link in shown.links():
        if re.match(r"https?://", link):
            continue
        path, _, anchor = link.partition("#")
        target = (ROOT / shown.name).parent / path if path else ROOT / shown.name
        assert target.exists(), link
        if anchor:
            name = target.resolve().relative_to(ROOT).as_posix()
            assert anchor in map(_anchor, page(name).headings()), link


@pytest.mark.parametrize("shown", PAGES, ids=lambda each: each.name)
def test_every_command_of_make_exists(shown: Page) -> None:
    typed = re.findall(r"(?:^|`)(?:[A-Z]+=\S+ )*make ([a-z]+)", shown.text, re.MULTILINE)
    assert set(typed) <= TARGETS


def test_contributing_lists_every_command_of_make() -> None:
    rows = page("CONTRIBUTING.md").section("Commands").table()
    assert sorted(first(rows, "Command")) == sorted(f"make {target}" for target in TARGETS)


def test_contributing_describes_every_folder_of_tests() -> None:
    there = {path.name for path in (ROOT / "tests").iterdir() if path.is_dir()} - {"__pycache__"}
    assert set(first(page("CONTRIBUTING.md").section("Tests").table(), "Folder")) == there


@pytest.mark.parametrize("shown", PAGES, ids=lambda each: each.name)
def test_no_page_is_unfinished_or_tells_of_one_machine(shown: Page) -> None:
    assert not re.search(r"TODO|FIXME|/work/|/root/|\bpypi\.|registry\.npm", shown.text)


def test_the_readme_shows_the_ports_of_the_demonstration() -> None:
    text = page("README.md").text
    assert re.findall(r"http://[a-z]+\.localhost:(\d+)/", text) == [str(port) for port in PORTS]
    assert f"demo-data/{'-'.join(map(str, PORTS))}/" in text


def test_the_version_has_a_section_in_the_changelog() -> None:
    assert any(heading.startswith(f"[{__version__}]") for heading in page("CHANGELOG.md").headings())


def test_the_decisions_are_numbered_without_gaps() -> None:
    assert [path.name[:5] for path in ADRS] == [f"{number:04d}-" for number in range(1, len(ADRS) + 1)]


@pytest.mark.parametrize("path", ADRS, ids=lambda path: path.stem)
def test_each_decision_says_why_what_follows_and_what_else_there_was(path: object) -> None:
    found = page(str(path)[len(str(ROOT)) + 1 :])
    assert found.headings()[1:] == ["Context", "Decision", "Consequences", "Alternatives"]
    assert int(found.headings()[0].split(".")[0]) == int(found.name.rsplit("/", 1)[-1][:4])


def test_words_are_taken_from_between_backticks() -> None:
    assert words("a `b` and `c d`") == ["b", "c d"]


def test_the_table_of_a_page_is_read_by_its_headings() -> None:
    text = "# A\n\n| X | Y |\n|---|---|\n| `1` | two |\n\n```text\n# B\n```\n"
    assert Page("p", text).table() == [{"X": "`1`", "Y": "two"}]
    assert Page("p", text).headings() == ["A"]
