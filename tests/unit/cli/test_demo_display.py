"""What the terminal of the demonstration shows, with and without a terminal."""

from __future__ import annotations

import io

import click
import pytest

from esnfed.cli.demonstration.display import Console, arrival_line, trouble_line
from esnfed.cli.demonstration.telling import Arrival, Trouble, plain_words
from esnfed.cli.output import Progress
from esnfed.cli.texts import speaking
from tests.doubles.clock import START


class Terminal(io.StringIO):
    """A stream that is a terminal."""

    def isatty(self) -> bool:
        """Yes."""
        return True


def arrived(**changes: object) -> Arrival:
    values: dict[str, object] = {
        "uri": "http://union.localhost:8002/ap/activities/1", "who": "amina", "what": "Create Note",
        "text": "Bonjour à toutes", "host": "union.localhost:8002", "scheme": "cavage", "state": "done",
        "note": "", "received_at": START + 5, "done_at": START + 12,
    }  # fmt: skip
    return Arrival(**(values | changes))  # type: ignore[arg-type]


def shown(found: Arrival) -> str:
    return click.unstyle(arrival_line(found, "union", "hub", START))


def test_a_line_says_who_what_from_where_to_where_how_verified_and_how_long() -> None:
    line = shown(arrived())
    assert line.split("  ", 1)[0].count(":") == 2
    for part in ("union → hub", "@amina", "Create Note", "“Bonjour à toutes”", "verified (cavage)", "12 ms"):
        assert part in line
    assert "verified (RFC 9421)" in shown(arrived(scheme="rfc9421"))


@pytest.mark.parametrize(
    ("state", "words"),
    [
        ("ignored", "IGNORED: Nobody here."),
        ("parked", "FAILED, set aside: Nobody here."),
        ("waiting", "PUT OFF: Nobody here."),
    ],
)
def test_what_had_no_effect_is_said_in_words(state: str, words: str) -> None:
    line = shown(arrived(state=state, note="Nobody here."))
    assert words in line
    assert " ms" not in line


def test_long_texts_are_cut_and_nothing_from_the_wire_commands_the_terminal() -> None:
    line = shown(arrived(text="x" * 200 + "\x1b[2J", who="a\x1b[31m", what="Create\nNote"))
    assert "…" in line
    assert "x" * 60 not in line
    assert line.isprintable()


@pytest.mark.parametrize(("columns", "width"), [(40, 16), (120, 34), (400, 90)])
def test_a_line_fits_the_terminal_if_it_can(
    monkeypatch: pytest.MonkeyPatch, columns: int, width: int
) -> None:
    monkeypatch.setenv("COLUMNS", str(columns))
    assert Console(Terminal()).text_width() == width
    assert Console(io.StringIO()).text_width() == 56
    line = click.unstyle(
        arrival_line(arrived(text="x" * 500, scheme="rfc9421"), "union", "hub", START, width)
    )
    assert len(line) <= max(columns, 102)


def test_a_delivery_in_trouble_says_whether_it_goes_again() -> None:
    found = Trouble(1, "amina", "Create", "hub.localhost:8001", "queued", 2, "no answer\x1b")
    line = click.unstyle(trouble_line(found, "union", "hub"))
    assert "union → hub" in line
    assert "NOT DELIVERED (attempt 2, goes again): no answer" in line
    assert line.isprintable()
    given_up = Trouble(1, "amina", "Create", "hub.localhost:8001", "failed", 9, "410")
    assert "given up" in trouble_line(given_up, "union", "hub")


def test_texts_are_translated() -> None:
    with speaking("fr"):
        assert "12 ms" in shown(arrived())


def test_colours_are_for_terminals_only(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("NO_COLOR", raising=False)
    line = arrival_line(arrived(), "union", "hub", START)
    plain, terminal = io.StringIO(), Terminal()
    Console(plain).line(line)
    Console(terminal).line(line)
    assert "\x1b[" not in plain.getvalue()
    assert "\x1b[32m" in terminal.getvalue()
    monkeypatch.setenv("NO_COLOR", "1")
    modest = Terminal()
    Console(modest).line(line)
    assert "\x1b[32m" not in modest.getvalue()


def test_lines_are_written_above_the_progress() -> None:
    terminal = Terminal()
    console = Console(terminal)
    console.progress(Progress("People", 1, 14))
    console.line("hello")
    console.progress(Progress("People", 2, 14))
    console.end_progress()
    assert terminal.getvalue() == "\r\x1b[KPeople 1/14\r\x1b[Khello\n\r\x1b[KPeople 2/14\n"


def test_html_becomes_words_on_one_line() -> None:
    html = '<p>Aïe &amp; <a href="https://a.example/">#<span>Santé</span></a></p><p>fin<br>là</p>'
    assert plain_words(html) == "Aïe & #Santé fin là"
