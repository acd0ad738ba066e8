"""SQLite: pragmas, readers and their limit, the care of the WAL."""

from __future__ import annotations

import asyncio
import logging
import sqlite3
import threading
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import insert, text

from esnfed.bus import Bus
from esnfed.context import Context
from esnfed.database import Database, Limits, database_path
from esnfed.errors import Busy
from esnfed.models import tag
from tests.conftest import MakeRuntime, Open, Prepare

SECONDS = 30


def add(context: Context, size: int) -> None:
    number = context.new_id()
    context.connection.execute(insert(tag).values(id=number, name=str(number), display_name="x" * size))


def count(context: Context) -> int:
    return int(context.connection.execute(text("SELECT count(*) FROM tag")).scalar_one())


def endless(context: Context) -> int:
    counting = "WITH RECURSIVE n(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM n) SELECT count(*) FROM n"
    return int(context.connection.execute(text(counting)).scalar_one())


def looked_up(context: Context) -> int:
    """A query for which statistics could matter, which is when SQLite would take them."""
    query = "SELECT count(*) FROM status JOIN actor ON actor.id = status.actor_id WHERE actor.uri > 'a'"
    return int(context.connection.execute(text(query)).scalar_one()) + count(context)


def statistics(context: Context) -> int:
    query = "SELECT count(*) FROM sqlite_master WHERE name LIKE 'sqlite_stat%'"
    return int(context.connection.execute(text(query)).scalar_one())


async def test_closing_a_young_node_leaves_the_planner_no_statistics(
    runtime: MakeRuntime, prepare_sqlite: Prepare, opened: Open, bus: Bus
) -> None:
    ready = await prepare_sqlite(runtime())
    for _ in range(2):
        database = await opened(ready, bus)
        await database.write(add, 1)
        await database.write(looked_up)
        await database.close()
    assert await (await opened(ready, bus)).read(statistics) == 0


def pragma(context: Context, name: str) -> Any:
    raw: Any = context.connection.connection.driver_connection
    return raw.execute(f"PRAGMA {name}").fetchone()[0]


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("synchronous", 2), ("journal_mode", "wal"), ("foreign_keys", 1), ("busy_timeout", 5_000),
        ("temp_store", 2), ("cache_size", -65_536), ("query_only", 0), ("trusted_schema", 0),
        ("journal_size_limit", 64 * 1024 * 1024),
    ],
)  # fmt: skip
async def test_pragmas_of_the_writer(sqlite_database: Database, name: str, value: object) -> None:
    assert await sqlite_database.write(pragma, name) == value


@pytest.mark.parametrize("slow", [False, True])
@pytest.mark.parametrize(("name", "value"), [("query_only", 1), ("foreign_keys", 1), ("mmap_size", 1 << 28)])
async def test_pragmas_of_the_readers(
    sqlite_database: Database, slow: bool, name: str, value: object
) -> None:
    assert await sqlite_database.read(pragma, name, slow=slow) == value


async def test_synchronous_normal_is_an_opt_in(
    runtime: MakeRuntime, prepare_sqlite: Prepare, opened: Open, bus: Bus
) -> None:
    database = await opened(await prepare_sqlite(runtime(synchronous="NORMAL")), bus)
    assert await database.write(pragma, "synchronous") == 1


async def test_a_read_over_its_limit_of_cpu_time_is_busy_and_the_reader_lives_on(
    runtime: MakeRuntime, prepare_sqlite: Prepare, opened: Open, bus: Bus
) -> None:
    database = await opened(await prepare_sqlite(runtime()), bus, Limits(fast_read_ms=5))
    for _ in range(4):
        with pytest.raises(Busy) as caught:
            await database.read(endless)
        assert caught.value.retry_after > 0
    assert await asyncio.gather(*[database.read(count) for _ in range(8)]) == [0] * 8


async def test_the_slow_reader_has_no_limit(
    runtime: MakeRuntime, prepare_sqlite: Prepare, opened: Open, bus: Bus
) -> None:
    long_read = (
        "WITH RECURSIVE n(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM n LIMIT 200000) SELECT count(*) FROM n"
    )

    def long(context: Context) -> int:
        return int(context.connection.execute(text(long_read)).scalar_one())

    database = await opened(await prepare_sqlite(runtime()), bus, Limits(fast_read_ms=1))
    with pytest.raises(Busy):
        await database.read(long)
    assert await database.read(long, slow=True) == 200_000


async def test_a_read_sees_one_state_of_the_database(sqlite_database: Database) -> None:
    begun, go_on = threading.Event(), threading.Event()

    def twice(context: Context) -> tuple[int, int]:
        first = count(context)
        begun.set()
        assert go_on.wait(SECONDS)
        return first, count(context)

    reading = asyncio.create_task(sqlite_database.read(twice))
    assert await asyncio.to_thread(begun.wait, SECONDS)
    await sqlite_database.write(add, 1)
    go_on.set()
    assert await reading == (0, 0)
    assert await sqlite_database.read(count) == 1


async def test_two_fast_reads_and_a_slow_one_run_side_by_side(sqlite_database: Database) -> None:
    together = threading.Barrier(3, timeout=SECONDS)

    def meet(_: Context) -> int:
        return together.wait()

    met = await asyncio.gather(
        sqlite_database.read(meet), sqlite_database.read(meet), sqlite_database.read(meet, slow=True)
    )
    assert sorted(met) == [0, 1, 2]


async def test_a_cancelled_read_strands_no_other(sqlite_database: Database) -> None:
    begun, go_on = threading.Barrier(3, timeout=SECONDS), threading.Event()
    ran: list[str] = []

    def wait(_: Context) -> None:
        begun.wait()
        assert go_on.wait(SECONDS)

    def note(_: Context, name: str) -> None:
        ran.append(name)

    held = [asyncio.create_task(sqlite_database.read(wait)) for _ in range(2)]
    await asyncio.to_thread(begun.wait)
    cancelled = asyncio.create_task(sqlite_database.read(note, "cancelled"))
    other = asyncio.create_task(sqlite_database.read(note, "other"))
    await asyncio.sleep(0)
    cancelled.cancel()
    held[0].cancel()
    await asyncio.gather(held[0], cancelled, return_exceptions=True)
    go_on.set()
    await asyncio.gather(held[1], other)
    assert ran == ["other"]


async def test_the_wal_is_truncated_when_the_writer_is_idle_and_nobody_reads(
    runtime: MakeRuntime, prepare_sqlite: Prepare, opened: Open, bus: Bus, caplog: pytest.LogCaptureFixture
) -> None:
    ready = await prepare_sqlite(runtime())
    wal = Path(f"{database_path(ready.config)}-wal")
    limits = Limits(wal_checkpoint_bytes=50_000, wal_alarm_bytes=100_000)
    database = await opened(ready, bus, limits)
    begun, go_on = threading.Event(), threading.Event()

    def read_long(context: Context) -> None:
        count(context)
        begun.set()
        assert go_on.wait(SECONDS)

    reading = asyncio.create_task(database.read(read_long, slow=True))
    assert await asyncio.to_thread(begun.wait, SECONDS)
    with caplog.at_level(logging.WARNING, "esnfed.database"):
        await database.write(add, 200_000)
        await database.write(add, 1)
        await database.write(add, 1)
    assert wal.stat().st_size > 100_000
    assert ["the WAL of" in message for message in caplog.messages] == [True]
    go_on.set()
    await reading
    await database.write(add, 1)
    async with asyncio.timeout(SECONDS):
        while wal.stat().st_size >= 50_000:  # the writer tidies after it has answered
            await asyncio.sleep(0)
    assert await database.read(count) == 4


async def test_a_file_that_cannot_be_opened_raises_and_leaves_no_thread(
    runtime: MakeRuntime, prepare_sqlite: Prepare, bus: Bus, monkeypatch: pytest.MonkeyPatch
) -> None:
    ready = await prepare_sqlite(runtime())
    monkeypatch.setattr("esnfed.database.sqlite.READER", ("PRAGMA query_only=ON", "no SQL"))
    with pytest.raises(sqlite3.OperationalError):
        await Database.open(ready, bus)
    monkeypatch.setattr("esnfed.database.sqlite.WRITER", ("no SQL",))
    with pytest.raises(sqlite3.OperationalError):
        await Database.open(ready, bus)
    assert [thread.name for thread in threading.enumerate() if thread.name.startswith("esnfed")] == []
