"""What commands print: JSON or text, tables that cannot command a terminal, progress."""

from __future__ import annotations

import io
import json

import pytest

from esnfed.cli.output import Progress, ProgressLine, answer, plain, progress_line, report, reporting, table


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_an_answer_is_json_or_lines(capsys: pytest.CaptureFixture[str]) -> None:
    value = {"handle": "léa", "posts": 3}
    answer(value, True, lambda _value: [])
    assert json.loads(capsys.readouterr().out) == value
    answer(value, False, lambda found: [f"@{found['handle']}", "end"])
    assert capsys.readouterr().out == "@léa\nend\n"


def test_a_table_is_as_wide_as_its_widest_values() -> None:
    assert list(table(("Host", "State"), [("a.example", 1), ("b", None)])) == [
        "Host       State",
        "a.example  1",
        "b",
    ]
    assert list(table(("Host",), [])) == ["There is nothing to show."]


@pytest.mark.parametrize("hostile", ["\x1b[2Jx", "a\nb", "a\x07", "a\u202eb", "\x9b31m"])
def test_what_a_peer_wrote_cannot_command_the_terminal(hostile: str) -> None:
    shown = plain(hostile)
    assert shown.isprintable()
    assert len(shown) == len(hostile)


def test_progress_renews_one_line_on_a_terminal() -> None:
    stream = Terminal()
    with progress_line(stream):
        report("Copying", 1, 3)
        report("Copying", 3, 3)
    assert stream.getvalue() == "\r\x1b[KCopying 1/3\r\x1b[KCopying 3/3\n"


def test_progress_is_a_line_at_each_tenth_elsewhere() -> None:
    stream = io.StringIO()
    with progress_line(stream):
        for done in range(101):
            report("Copying", done, 100)
        report("Reading", 7)
    lines = stream.getvalue().splitlines()
    assert lines == [f"Copying {done}/100" for done in range(0, 101, 10)] + ["Reading 7"]


def test_progress_goes_to_the_innermost_watcher_and_nowhere_without_one() -> None:
    outer: list[Progress] = []
    inner: list[Progress] = []
    report("Nobody", 1)
    with reporting(outer.append):
        with reporting(inner.append):
            report("Inside", 1)
        report("Outside", 2)
    assert (inner, outer) == ([Progress("Inside", 1)], [Progress("Outside", 2)])


def test_an_unused_progress_line_leaves_nothing() -> None:
    stream = Terminal()
    ProgressLine(stream).end()
    assert stream.getvalue() == ""
