"""The terminal of the demonstration: one line for each activity that travelled, readable without colours."""

from __future__ import annotations

import asyncio
import os
from datetime import datetime
from functools import partial
from shutil import get_terminal_size
from typing import TextIO

import click

from esnfed.bus import MessageHandled
from esnfed.cli.demonstration import telling
from esnfed.cli.demonstration.stage import Stage
from esnfed.cli.demonstration.telling import Arrival, Trouble
from esnfed.cli.output import Progress, ProgressLine, plain
from esnfed.cli.texts import _

LOOK_SECONDS = 2.0
TEXT_WIDTH = 56
"""Columns for the words of a post, where the width of the terminal is not known."""

_AROUND_TEXT = 86  # columns of everything else in a line
_LEAST_TEXT, _MOST_TEXT = 16, 90

_SCHEMES = {"cavage": "cavage", "rfc9421": "RFC 9421"}
_COLOURS = {
    "Create": "green", "Update": "yellow", "Delete": "magenta", "Undo": "magenta", "Follow": "cyan",
    "Accept": "cyan", "Reject": "magenta", "Like": "blue", "Announce": "blue",
}  # fmt: skip


class Console:
    """Writes lines above a progress line. Colours only on a terminal, and not where NO_COLOR is set."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream
        self._live = stream.isatty()
        self._colours = self._live and not os.environ.get("NO_COLOR")
        self._progress = ProgressLine(stream)

    def text_width(self) -> int:
        """Return how many columns the words of a post get, so that a line fits the terminal if it can."""
        if not self._live:
            return TEXT_WIDTH
        columns = get_terminal_size().columns
        return min(max(columns - _AROUND_TEXT, _LEAST_TEXT), _MOST_TEXT)

    def line(self, text: str) -> None:
        """Write one line."""
        shown = text if self._colours else click.unstyle(text)
        self._stream.write(f"\r\x1b[K{shown}\n" if self._live else f"{shown}\n")
        self._stream.flush()

    def progress(self, progress: Progress) -> None:
        """Show how far long work is."""
        self._progress.show(progress)

    def end_progress(self) -> None:
        """Leave the progress line as it is."""
        self._progress.end()


class Watch:
    """Follows the nodes of a stage and tells a console of every activity as it is applied, or is not.

    `quiet` leaves out what went well.
    """

    def __init__(self, stage: Stage, console: Console, *, quiet: bool = False) -> None:
        self._stage = stage
        self._console = console
        self._quiet = quiet
        self._handled: asyncio.Queue[tuple[str, int]] = asyncio.Queue()
        self._told: dict[tuple[str, int], int] = {}
        self._since = {key: node.runtime.clock() for key, node in stage.nodes.items()}
        for key, node in stage.nodes.items():
            node.bus.listen(MessageHandled, partial(self._note, key))

    def _note(self, key: str, event: MessageHandled) -> None:
        self._handled.put_nowait((key, event.message_id))

    async def run(self) -> None:
        """Tell until cancelled."""
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self._tell_arrivals())
            tasks.create_task(self._tell_troubles())

    async def _tell_arrivals(self) -> None:
        while True:
            await self._tell(*await self._handled.get())

    async def _tell_troubles(self) -> None:
        while True:
            await self.look()
            await asyncio.sleep(LOOK_SECONDS)

    async def catch_up(self) -> None:
        """Tell what has happened so far."""
        while not self._handled.empty():
            await self._tell(*self._handled.get_nowait())
        await self.look()

    async def _tell(self, key: str, message_id: int) -> None:
        found = await self._stage.nodes[key].database.read(telling.arrival, message_id)
        if found is None or (self._quiet and found.state == "done"):
            return
        origin = self._stage.key_of(found.host)
        begun = None
        if origin is not None:
            begun = await self._stage.nodes[origin].database.read(telling.queued_at, found.uri)
        width = self._console.text_width()
        line = arrival_line(found, origin or found.host, key, begun or found.received_at, width)
        self._console.line(line)

    async def look(self) -> None:
        """Tell of deliveries that were not taken, each attempt once."""
        for key, node in self._stage.nodes.items():
            for found in await node.database.read(telling.troubles, self._since[key]):
                place = (key, found.delivery_id)
                if self._told.get(place) != found.attempts:
                    self._told[place] = found.attempts
                    self._console.line(trouble_line(found, key, self._stage.key_of(found.host) or found.host))


def arrival_line(found: Arrival, origin: str, receiver: str, begun_at: int, width: int = TEXT_WIDTH) -> str:
    """Return the line of an activity: when, from where to where, who, what, verified how, how long.

    `begun_at` is when it was queued on its own node, in milliseconds; `width` the columns of its words.
    """
    head = _head(found.done_at, origin, receiver, found.who, found.what)
    return f"{head} {_quoted(found.text, width)}  {_outcome(found, found.done_at - begun_at)}"


def _outcome(found: Arrival, took: int) -> str:
    said = {
        "scheme": _SCHEMES.get(found.scheme, plain(found.scheme)),
        "ms": max(took, 0),
        "reason": plain(_(found.note)),
    }
    verified = _("verified (%(scheme)s)") % said
    if found.state == "done":
        time = _("%(ms)d ms") % said
        return f"{click.style(verified, dim=True)}  {time}"
    if found.state == "ignored":
        text, colour = _("IGNORED: %(reason)s"), "yellow"
    elif found.state == "parked":
        text, colour = _("FAILED, set aside: %(reason)s"), "red"
    else:
        text, colour = _("PUT OFF: %(reason)s"), "yellow"
    return f"{verified}  {click.style(text % said, fg=colour)}"


def trouble_line(found: Trouble, origin: str, receiver: str) -> str:
    """Return the line of a delivery that was not taken."""
    said = {"reason": plain(_(found.error)), "attempts": found.attempts}
    if found.state == "queued":
        text = _("NOT DELIVERED (attempt %(attempts)d, goes again): %(reason)s") % said
    else:
        text = _("NOT DELIVERED (attempt %(attempts)d, given up): %(reason)s") % said
    return f"{_head(None, origin, receiver, found.who, found.what)} {click.style(text, fg='red')}"


def _head(at: int | None, origin: str, receiver: str, who: str, what: str) -> str:
    time = datetime.fromtimestamp(at / 1000).astimezone().strftime("%H:%M:%S") if at else " " * 8
    colour = _COLOURS.get(what.partition(" ")[0])
    way = f"{plain(origin):>6} → {plain(receiver):<6}"
    name = f"@{plain(who)}" if "/" not in who else plain(who)
    return f"{click.style(time, dim=True)}  {way}  {name:<9} {click.style(f'{plain(what):<15}', fg=colour)}"


def _quoted(text: str, width: int) -> str:
    shown = plain(text)
    if len(shown) > width:
        shown = f"{shown[: width - 1].rstrip()}…"
    mark = shown if not shown or shown.startswith("@") else f"“{shown}”"
    return f"{mark:<{width + 2}}"
