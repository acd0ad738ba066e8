"""Reads our Markdown pages: their sections, tables, fenced blocks, code words and links."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
TOP = ("README.md", "FEDERATION.md", "CHANGELOG.md", "CONTRIBUTING.md")

_FENCE = re.compile(r"^ *```([a-z]*)\n(.*?)^ *```$", re.DOTALL | re.MULTILINE)
_HEADING = re.compile(r"^(#+) (.+)$", re.MULTILINE)
_CODE = re.compile(r"`([^`\n]+)`")
_LINK = re.compile(r"\]\(([^)\s]+)\)")
_RULE = re.compile(r"\|[ :|-]+\|")

Row = dict[str, str]


@dataclass(frozen=True)
class Page:
    """One page of the documentation, or one section of it."""

    name: str
    text: str

    def section(self, heading: str) -> Page:
        """Return the section under a heading, the deeper ones included; AssertionError without it."""
        plain = _without_fences(self.text)
        for found in _HEADING.finditer(plain):
            if found[2].strip() == heading:
                deeper = re.compile(rf"^#{{1,{len(found[1])}}} ", re.MULTILINE)
                after = deeper.search(plain, found.end())
                return Page(f"{self.name}: {heading}", self.text[found.end() : after and after.start()])
        raise AssertionError(f"{self.name} has no section {heading!r}")

    def headings(self) -> list[str]:
        """Return the text of every heading."""
        return [found[2].strip() for found in _HEADING.finditer(_without_fences(self.text))]

    def table(self) -> list[Row]:
        """Return the rows of the first table, each by its column headings; AssertionError without one."""
        for block in _without_fences(self.text).split("\n\n"):
            lines = [line.strip() for line in block.strip().splitlines() if line.strip().startswith("|")]
            if len(lines) > 2 and _RULE.fullmatch(lines[1]):
                names = _cells(lines[0])
                return [dict(zip(names, _cells(line), strict=True)) for line in lines[2:]]
        raise AssertionError(f"{self.name} has no table")

    def fences(self, language: str) -> list[str]:
        """Return the content of the fenced blocks in one language."""
        return [found[2] for found in _FENCE.finditer(self.text) if found[1] == language]

    def links(self) -> list[str]:
        """Return the targets of all links and pictures."""
        return _LINK.findall(_without_fences(self.text))


def _cells(line: str) -> list[str]:
    return [cell.strip() for cell in line.strip("|").split("|")]


def _without_fences(text: str) -> str:
    """Return the text with its fenced blocks blanked, every other character in its place."""
    return _FENCE.sub(lambda found: re.sub(r"[^\n]", " ", found[0]), text)


def page(name: str) -> Page:
    """Return a page by its path from the top folder."""
    return Page(name, (ROOT / name).read_text("utf-8"))


def pages() -> Iterator[Page]:
    """Yield every page there is."""
    yield from map(page, TOP)
    for path in sorted((ROOT / "docs").rglob("*.md")):
        yield page(path.relative_to(ROOT).as_posix())


def words(cell: str) -> list[str]:
    """Return what stands between backticks in a cell, in order."""
    return _CODE.findall(cell)


def first(rows: list[Row], column: str) -> list[str]:
    """Return the first code word of a column, row by row; AssertionError for a row without one."""
    found = [words(row[column]) for row in rows]
    assert all(found), (
        f"a row without a code word in {column!r}: {rows[[bool(each) for each in found].index(False)]}"
    )
    return [each[0] for each in found]
