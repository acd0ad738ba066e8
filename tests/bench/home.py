"""Home timelines: a page of 20 read in one hop, as the client API reads it, by readers of every shape."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from random import Random
from typing import Any

from sqlalchemy import event

from esnfed.app import system_clock
from esnfed.bus import Bus
from esnfed.context import Context, Runtime
from esnfed.database import Database
from esnfed.ids import IdGenerator
from esnfed.services import timelines, views
from tests.bench.bare import selecting
from tests.bench.figures import Figure, Sample, best, quantiles
from tests.bench.rows import World
from tests.bench.site import Site

READERS = 8
PAGE = 20

Read = Callable[[Context, int], int]


def newest(context: Context, reader_id: int) -> int:
    """Read the first page as the client API does; return its length."""
    found = views.of_statuses(context, timelines.home(context, reader_id, timelines.Cursor(limit=PAGE)))
    return len(found)


def past_the_cap(context: Context, reader_id: int) -> int:
    """Read the page behind the written part of the timeline, where the join form goes on."""
    oldest = _oldest(context, reader_id)
    rows = timelines.home(context, reader_id, timelines.Cursor(max_id=oldest, limit=PAGE))
    return len(views.of_statuses(context, rows))


def _oldest(context: Context, reader_id: int) -> int:
    found = context.connection.exec_driver_sql(
        "SELECT min(status_id) FROM timeline_entry WHERE actor_id = ?", (reader_id,)
    )
    return int(found.scalar_one())


async def measure(site: Site, world: World, times: int, rounds: int) -> list[Figure]:
    """Return a line for each reader, then the same for the pages behind the written part."""
    runtime = Runtime(site.config, system_clock, Random(1), IdGenerator(system_clock, Random(1)))
    database = await Database.open(runtime, Bus())
    try:
        figures = []
        for name, read, share in (("home of 20", newest, 1), ("home past the cap", past_the_cap, 4)):
            before: float | None = None
            for follows, reader in world.readers.items():
                figure = await _line(database, site, read, reader["id"], times // share, rounds)
                label = f"{name}, {follows:,} follows, {world.posts:,} posts"
                growth = figure.cpu / before if figure.cpu and before else None
                figures.append(replace(figure, path=label, growth=growth))
                before = figure.cpu
        return figures
    finally:
        await database.close()


async def _line(
    database: Database, site: Site, read: Read, reader_id: int, times: int, rounds: int
) -> Figure:
    statements, length = await _statements(database, read, reader_id)
    samples: list[Sample] = []
    for _ in range(rounds):
        cpu, wall = time.process_time(), time.perf_counter()
        for _ in range(times):
            await database.read(read, reader_id)
        samples.append(Sample(time.process_time() - cpu, time.perf_counter() - wall, times))
    cpu_us, wall_us = best(samples)
    p50, p99 = quantiles(await _together(database, read, reader_id, times))
    bare = selecting(site.database, statements, times)
    note = f"{READERS} readers: p50 {p50 / 1000:.1f} ms, p99 {p99 / 1000:.1f} ms"
    if length != PAGE:
        note += f"; {length} posts"
    return Figure("", cpu_us, wall_us, bare, note=note)


async def _together(database: Database, read: Read, reader_id: int, times: int) -> Sequence[float]:
    waits: list[float] = []

    async def one() -> None:
        for _ in range(max(times // READERS, 2)):
            begun = time.perf_counter()
            await database.read(read, reader_id)
            waits.append(time.perf_counter() - begun)

    await asyncio.gather(*(one() for _ in range(READERS)))
    return waits


async def _statements(
    database: Database, read: Read, reader_id: int
) -> tuple[Sequence[tuple[str, Any]], int]:
    """Return what a read asks of SQLite, in its words, and how many statuses it found."""
    seen: list[tuple[str, Any]] = []

    def note(_c: Any, _cursor: Any, statement: str, parameters: Any, _context: Any, _many: bool) -> None:
        seen.append((statement, parameters))

    for engine in database.engines:
        event.listen(engine, "before_cursor_execute", note)
    try:
        length = await database.read(read, reader_id)
    finally:
        for engine in database.engines:
            event.remove(engine, "before_cursor_execute", note)
    return seen, length
