"""What commands print: an answer as text or JSON, tables, and the progress of long work."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar, copy_context
from dataclasses import dataclass
from typing import TextIO, TypeVar

import click
import orjson

from esnfed.cli.texts import _

Answer = TypeVar("Answer")


def answer(value: Answer, as_json: bool, lines: Callable[[Answer], Iterable[str]]) -> None:
    """Print a JSON-able value: as JSON, or as the lines that `lines(value)` gives."""
    if as_json:
        click.echo(orjson.dumps(value, option=orjson.OPT_INDENT_2).decode())
        return
    for each in lines(value):
        click.echo(each)


def plain(value: object) -> str:
    """Return a value as one line that cannot command the terminal: control characters become blanks."""
    text = "" if value is None else str(value)
    return text if text.isprintable() else "".join(c if c.isprintable() else " " for c in text)


def table(headings: Sequence[str], rows: Iterable[Sequence[object]]) -> Iterator[str]:
    """Give the lines of a table, columns as wide as their widest value; one sentence when there is no row."""
    body = [[plain(value) for value in row] for row in rows]
    if not body:
        yield _("There is nothing to show.")
        return
    widths = [max(map(len, column)) for column in zip(headings, *body, strict=True)]
    for row in ([*headings], *body):
        yield "  ".join(value.ljust(width) for value, width in zip(row, widths, strict=True)).rstrip()


@dataclass(frozen=True, slots=True)
class Progress:
    """How far long work is: `text` is a constant marked for translation; `total` is None while unknown."""

    text: str
    done: int
    total: int | None = None


class ProgressLine:
    """Shows progress on a stream: one line that renews itself on a terminal, else a line at each tenth."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream
        self._live = stream.isatty()
        self._last = ("", -1)
        self._open = False

    def show(self, progress: Progress) -> None:
        """Print how far the work is, if that is news."""
        share = 0 if not progress.total else min(progress.done * 10 // progress.total, 10)
        if not self._live and (progress.text, share) == self._last:
            return
        self._last = (progress.text, share)
        counted = f"{progress.done}/{progress.total}" if progress.total else f"{progress.done}"
        line = f"{_(progress.text)} {counted}"
        self._stream.write(f"\r\x1b[K{line}" if self._live else f"{line}\n")
        self._stream.flush()
        self._open = self._live

    def end(self) -> None:
        """Leave the last state on a line of its own."""
        if self._open:
            self._stream.write("\n")
            self._open = False


_sink: ContextVar[Callable[[Progress], None] | None] = ContextVar("progress", default=None)


def report(text: str, done: int, total: int | None = None) -> None:
    """Say how far long work is to whoever watches: a terminal, or a command at the control socket."""
    sink = _sink.get()
    if sink is not None:
        sink(Progress(text, done, total))


def reporter(text: str) -> Callable[[int, int | None], None]:
    """Return `tell(done, total)`, which reports to today's watcher from any thread."""
    context = copy_context()
    return lambda done, total: context.run(report, text, done, total)


@contextmanager
def reporting(sink: Callable[[Progress], None]) -> Iterator[None]:
    """Hand what is reported inside the block to `sink`."""
    token = _sink.set(sink)
    try:
        yield
    finally:
        _sink.reset(token)


@contextmanager
def progress_line(stream: TextIO | None = None) -> Iterator[ProgressLine]:
    """Show what is reported inside the block on a stream, standard error unless another is given."""
    line = ProgressLine(stream or sys.stderr)
    with reporting(line.show):
        try:
            yield line
        finally:
            line.end()
