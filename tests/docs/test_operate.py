"""docs/operate.md shows every command, and every command line of the documentation can be typed."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator
from pathlib import Path

import click
import pytest

from esnfed.cli import inbox
from esnfed.cli.frame import Invocation, load_commands, root
from esnfed.federation.delivery_desk import STATES
from esnfed.federation.inbox_worker import MAX_ATTEMPTS
from esnfed.federation.peers import STANDINGS
from esnfed.registry import commands
from tests.docs.pages import Page, first, page, pages

Words = tuple[str, ...]

_COMMAND_LINE = re.compile(r"(?:[A-Z_]+=\S+ )*(?:sudo -u esnfed )?(?:\S*/)?esnfed (.+)")


def _leaves(command: object, path: Words) -> Iterator[tuple[Words, click.Command]]:
    if isinstance(command, click.Group):
        for name, inner in command.commands.items():
            yield from _leaves(inner, (*path, name))
    elif isinstance(command, click.Command):
        yield path, command


def _known() -> dict[Words, click.Command]:
    load_commands()
    return dict(leaf for name, command in commands.items() for leaf in _leaves(command, (name,)))


def _typed(shown: Page) -> list[list[str]]:
    """Return the words after `esnfed` of every command line in the page."""
    lines = "\n".join(shown.fences("sh")).replace("\\\n", " ").splitlines()
    found = [_COMMAND_LINE.match(line.strip()) for line in lines]
    return [shlex.split(re.split(r" [<>|] ", each[1])[0]) for each in found if each]


def _split(given: list[str]) -> tuple[list[str], Words, list[str]]:
    """Return (options before the command, command, what follows it)."""
    known, before = _known(), []
    rest = list(given)
    while rest and rest[0].startswith("--"):
        before += [rest.pop(0), rest.pop(0)] if rest[0] in {"--config", "--lang"} else [rest.pop(0)]
    for length in (2, 1):
        if tuple(rest[:length]) in known:
            return before, tuple(rest[:length]), rest[length:]
    raise AssertionError(f"there is no such command: esnfed {' '.join(given)}")


COMMAND_LINES = [(each.name, given) for each in pages() for given in _typed(each)]


def test_every_command_has_an_example_here() -> None:
    assert {_split(given)[1] for name, given in COMMAND_LINES if name == "docs/operate.md"} == set(_known())


@pytest.mark.parametrize(
    "given",
    [given for _, given in COMMAND_LINES],
    ids=[f"{name} {' '.join(given)}" for name, given in COMMAND_LINES],
)
def test_every_command_line_can_be_typed(
    given: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "project.json").write_text("{}")
    before, path, rest = _split(given)
    root.make_context("esnfed", [*before, path[0]], obj=Invocation({}))
    _known()[path].make_context(" ".join(path), list(rest))


def test_the_standings_are_those_that_are_there() -> None:
    assert tuple(first(page("docs/operate.md").section("Other servers").table(), "Standing")) == STANDINGS


def test_the_states_of_deliveries_and_messages_are_those_that_are_there() -> None:
    told = page("docs/operate.md").section("Why did a post not arrive?").text
    assert set(re.findall(r"^\d\. \*\*`([a-z]+)`\*\*", told, re.MULTILINE)) == set(STATES)
    rows = page("docs/operate.md").section("What came in?").table()
    assert first(rows, "State") == list(inbox.STATES)


def test_parked_is_after_as_many_failures_as_it_says() -> None:
    assert MAX_ATTEMPTS == 8
    assert "failed eight times" in page("docs/operate.md").section("What came in?").text
