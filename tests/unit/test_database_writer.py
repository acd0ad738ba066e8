"""The writer's nine rules, each by its number."""

from __future__ import annotations

import asyncio
import logging
import sqlite3
import threading
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import insert, select, text
from sqlalchemy.exc import IntegrityError

from esnfed.bus import Bus, JobWaiting
from esnfed.context import Context
from esnfed.database import Database, Limits, database_path
from esnfed.errors import Busy, Conflict, EsnfedError
from esnfed.models import counter, peer, tag
from tests.conftest import Counted, MakeRuntime, Open, Prepare
from tests.doubles.clock import Clock

ADD = insert(tag)
SECONDS = 30
"""How long a thread of a test waits for another before it fails; nothing here waits so long."""


def add(context: Context, name: str) -> str:
    context.connection.execute(ADD, {"id": context.new_id(), "name": name, "display_name": name})
    context.after_commit(JobWaiting(name))
    return name


def names(context: Context) -> list[str]:
    return [row.name for row in context.connection.execute(select(tag.c.name).order_by(tag.c.id))]


def row(number: int, name: str) -> tuple[Any, dict[str, Any]]:
    return ADD, {"id": number, "name": name, "display_name": name}


def fail(_: Context) -> None:
    raise Conflict


class Gate:
    """A job that holds the writer until the test lets it go."""

    def __init__(self) -> None:
        self.entered = threading.Event()
        self.released = threading.Event()

    def __call__(self, _: Context) -> None:
        self.entered.set()
        assert self.released.wait(SECONDS)


async def arrived() -> None:
    """Let what was just started reach the queues: one turn to be written, one to be delivered."""
    await asyncio.sleep(0)
    await asyncio.sleep(0)


async def hold(database: Database, *, background: bool = False) -> tuple[Gate, asyncio.Task[None]]:
    """Occupy the writer; what is written from now on waits in the queues."""
    gate = Gate()
    task = asyncio.create_task(database.write(gate, background=background))
    assert await asyncio.to_thread(gate.entered.wait, SECONDS)
    return gate, task


@pytest.fixture
def heard(bus: Bus) -> list[str]:
    """Names of the events that were published, in their order."""
    found: list[str] = []
    bus.listen(JobWaiting, lambda event: found.append(event.kind))
    return found


@pytest.fixture
async def small(runtime: MakeRuntime, prepare_sqlite: Prepare, opened: Open, bus: Bus) -> Database:
    """A SQLite database with a batch of four jobs and a background queue of three."""
    return await opened(await prepare_sqlite(runtime()), bus, Limits(batch_jobs=4, background_jobs=3))


async def test_rule_1_clients_first_and_one_background_job_in_each_batch(
    small: Database, statement_counter: Callable[[Database], Counted]
) -> None:
    counted = statement_counter(small)
    gate, held = await hold(small)
    jobs = [asyncio.create_task(small.write(add, f"background {n}", background=True)) for n in (1, 2)]
    jobs += [asyncio.create_task(small.write(add, f"client {n}")) for n in range(1, 5)]
    await arrived()
    gate.released.set()
    await asyncio.gather(held, *jobs)
    assert await small.read(names) == [
        "client 1", "client 2", "background 1",  # the fourth place of the first batch is the background's
        "client 3", "client 4", "background 2",
    ]  # fmt: skip
    assert counted.commits == 2


async def test_rule_1_a_batch_ends_after_ten_milliseconds(
    sqlite_database: Database, clock: Clock, statement_counter: Callable[[Database], Counted]
) -> None:
    def slow(context: Context, name: str) -> None:
        clock.advance(4)
        add(context, name)

    counted = statement_counter(sqlite_database)
    await asyncio.gather(*[sqlite_database.write(slow, str(number)) for number in range(7)])
    assert counted.commits == 3  # 0, 4 and 8 ms may begin; 12 ms may not


async def test_rule_1_a_hundred_jobs_share_one_commit_while_the_clock_stands(
    sqlite_database: Database, statement_counter: Callable[[Database], Counted]
) -> None:
    counted = statement_counter(sqlite_database)
    await asyncio.gather(*[sqlite_database.write(add, str(number), background=True) for number in range(100)])
    assert counted.commits == 1
    await asyncio.gather(*[sqlite_database.write(add, f"more {number}") for number in range(101)])
    assert counted.commits == 3


async def test_rule_2_a_full_background_queue_is_busy_and_clients_still_pass(small: Database) -> None:
    gate, held = await hold(small)
    waiting = [asyncio.create_task(small.write(add, str(number), background=True)) for number in range(3)]
    await arrived()
    with pytest.raises(Busy) as caught:
        small.admit()
    assert caught.value.retry_after > 0
    with pytest.raises(Busy):
        await small.write(add, "too much", background=True)
    with pytest.raises(Busy):
        await small.append([row(1, "too much")])
    client = asyncio.create_task(small.write(add, "client"))
    gate.released.set()
    assert await client == "client"
    await asyncio.gather(held, *waiting)
    small.admit()
    assert "too much" not in await small.read(names)


async def test_rule_2_a_client_waits_five_seconds_at_most(sqlite_database: Database, clock: Clock) -> None:
    gate, held = await hold(sqlite_database)
    late = asyncio.create_task(sqlite_database.write(add, "late"))
    patient = asyncio.create_task(sqlite_database.write(add, "patient", background=True))
    await arrived()
    clock.advance(5_000)
    fresh = asyncio.create_task(sqlite_database.write(add, "fresh"))
    await arrived()
    gate.released.set()
    with pytest.raises(Busy):
        await late
    await asyncio.gather(held, patient, fresh)
    assert sorted(await sqlite_database.read(names)) == ["fresh", "patient"]


async def test_rule_2_a_client_is_answered_while_the_writer_is_stuck(
    sqlite_database: Database, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("esnfed.database.writer.WATCH_SECONDS", 0.0)
    gate, held = await hold(sqlite_database)
    late = asyncio.create_task(sqlite_database.write(add, "late"))
    await arrived()
    clock.advance(4_999)
    await arrived()
    await arrived()
    assert not late.done()
    clock.advance(1)
    async with asyncio.timeout(SECONDS):
        with pytest.raises(Busy):
            await late
    assert not held.done()
    gate.released.set()
    await held
    assert await sqlite_database.read(names) == []


async def test_rule_3_a_job_over_20_milliseconds_or_500_rows_is_reported(
    sqlite_database: Database, clock: Clock, caplog: pytest.LogCaptureFixture
) -> None:
    def long_job(_: Context) -> None:
        clock.advance(21)

    def wide_job(context: Context, rows: int) -> None:
        parameters = [{"name": "x", "key": str(number), "count": 1, "last_at": 0} for number in range(rows)]
        context.connection.execute(insert(counter), parameters)
        context.connection.execute(counter.delete())

    with caplog.at_level(logging.INFO, "esnfed.database"):
        await sqlite_database.write(wide_job, 250)
        assert caplog.messages == []
        await sqlite_database.write(long_job)
        await sqlite_database.write(wide_job, 251)
    assert ["long_job" in message or "wide_job" in message for message in caplog.messages] == [True, True]
    assert "21 ms" in caplog.messages[0]
    assert "502 rows" in caplog.messages[1]


async def test_rule_3_the_line_about_a_long_job_never_holds_what_it_was_given(
    sqlite_database: Database, clock: Clock, caplog: pytest.LogCaptureFixture
) -> None:
    def long_job(_: Context, text: str) -> None:
        clock.advance(len(text))

    with caplog.at_level(logging.INFO, "esnfed.database"):
        await sqlite_database.write(partial(partial(long_job), text="a secret between two people"))
    assert ["long_job" in message and "secret" not in message for message in caplog.messages] == [True]


async def test_rule_4_a_job_cancelled_before_it_starts_is_skipped_and_strands_no_other(
    sqlite_database: Database, heard: list[str]
) -> None:
    gate, held = await hold(sqlite_database)
    cancelled = asyncio.create_task(sqlite_database.write(add, "cancelled"))
    appended = asyncio.create_task(sqlite_database.append([row(1, "cancelled append")]))
    other = asyncio.create_task(sqlite_database.write(add, "other"))
    await arrived()
    cancelled.cancel()
    appended.cancel()
    gate.released.set()
    assert await other == "other"
    await held
    assert cancelled.cancelled()
    assert await sqlite_database.read(names) == ["other"]
    assert heard == ["other"]


async def test_rule_4_a_job_that_has_started_runs_to_its_end(
    sqlite_database: Database, heard: list[str]
) -> None:
    gate = Gate()

    def begun(context: Context) -> None:
        gate(context)
        add(context, "begun")

    first = asyncio.create_task(sqlite_database.write(begun))
    second = asyncio.create_task(sqlite_database.write(add, "second"))
    assert await asyncio.to_thread(gate.entered.wait, SECONDS)
    first.cancel()
    await asyncio.gather(first, return_exceptions=True)
    gate.released.set()
    await second
    assert first.cancelled()
    assert await sqlite_database.read(names) == ["begun", "second"]
    assert heard == ["begun", "second"]


@pytest.mark.parametrize("verb", ["read", "write"])
async def test_rule_5_a_unit_of_work_inside_a_unit_of_work_raises_at_once(
    database: Database, verb: str
) -> None:
    def nested(_: Context) -> None:
        getattr(database, verb)(names)

    with pytest.raises(EsnfedError, match=f"database.{verb} was called from inside a unit of work"):
        await database.write(nested)
    with pytest.raises(EsnfedError, match="inside a unit of work"):
        await database.read(nested)
    assert await database.write(add, "afterwards") == "afterwards"


async def test_rule_6_a_full_disk_fails_every_job_of_the_batch(
    sqlite_database: Database, heard: list[str]
) -> None:
    def fill(context: Context) -> None:
        raw: Any = context.connection.connection.driver_connection
        pages = raw.execute("PRAGMA page_count").fetchone()[0]
        raw.execute(f"PRAGMA max_page_count={pages}")
        add(context, "x" * 1_000_000)

    def empty(context: Context) -> None:
        raw: Any = context.connection.connection.driver_connection
        raw.execute("PRAGMA max_page_count=1000000")

    outcomes = await asyncio.gather(
        sqlite_database.write(add, "before"),
        sqlite_database.write(fill),
        sqlite_database.write(add, "after"),
        return_exceptions=True,
    )
    assert [type(outcome) for outcome in outcomes[:2]] == [Busy, Busy]
    assert isinstance(outcomes[0].__cause__, Exception)
    assert "full" in str(outcomes[0].__cause__)
    assert "before" not in await sqlite_database.read(names)
    assert "before" not in heard
    await sqlite_database.write(empty)
    assert await sqlite_database.write(add, "room again") == "room again"


async def test_rule_6_when_commit_fails_no_job_succeeds(sqlite_database: Database, heard: list[str]) -> None:
    def poison(context: Context) -> None:
        context.connection.execute(text("PRAGMA defer_foreign_keys=ON"))
        context.connection.execute(text("INSERT INTO status_tag (status_id, tag_id) VALUES (1, 1)"))

    outcomes = await asyncio.gather(
        sqlite_database.write(add, "before"), sqlite_database.write(poison), return_exceptions=True
    )
    assert [type(outcome) for outcome in outcomes] == [Busy, Busy]
    assert await sqlite_database.read(names) == []
    assert heard == []
    assert await sqlite_database.write(add, "next") == "next"


async def test_rule_6_a_file_locked_by_another_program_is_an_error_and_not_silence(
    runtime: MakeRuntime, prepare_sqlite: Prepare, opened: Open, bus: Bus, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("esnfed.database.sqlite.EVERY_CONNECTION", ("PRAGMA busy_timeout=0",))
    ready = await prepare_sqlite(runtime())
    database = await opened(ready, bus)
    other = sqlite3.connect(database_path(ready.config), isolation_level=None)
    try:
        other.execute("BEGIN IMMEDIATE")
        with pytest.raises(Busy):
            await database.write(add, "locked out")
        other.execute("ROLLBACK")
    finally:
        other.close()
    assert await database.write(add, "free") == "free"
    assert await database.read(names) == ["free"]


async def test_rule_7_a_failing_job_takes_back_only_itself(database: Database, heard: list[str]) -> None:
    def half(context: Context) -> None:
        add(context, "half")
        raise Conflict("no")

    outcomes = await asyncio.gather(
        database.write(add, "one"), database.write(half), database.write(add, "two"), return_exceptions=True
    )
    assert [outcomes[0], outcomes[2]] == ["one", "two"]
    assert isinstance(outcomes[1], Conflict)
    assert sorted(await database.read(names)) == ["one", "two"]
    assert sorted(heard) == ["one", "two"]


async def test_rule_7_appends_are_merged_into_one_statement(
    sqlite_database: Database, statement_counter: Callable[[Database], Counted]
) -> None:
    counted = statement_counter(sqlite_database)
    await asyncio.gather(*[sqlite_database.append([row(n, f"tag {n}")]) for n in range(1, 101)])
    assert counted.commits == 1
    assert len(counted.statements) == 1
    assert len(await sqlite_database.read(names)) == 100


async def test_rule_7_a_wrong_append_fails_alone(database: Database) -> None:
    outcomes = await asyncio.gather(
        database.append([row(1, "one")]),
        database.append([row(2, "two"), row(3, "one")]),
        database.append([row(4, "four")]),
        return_exceptions=True,
    )
    assert [type(outcome) for outcome in outcomes] == [type(None), IntegrityError, type(None)]
    assert await database.read(names) == ["one", "four"]


async def test_rule_7_rows_with_other_columns_are_not_merged(database: Database) -> None:
    statement = insert(counter)
    plain = {"name": "a", "key": "", "count": 1, "last_at": 1}
    await asyncio.gather(
        database.append([(statement, plain)]),
        database.append([(ADD, {"id": 1, "name": "x", "display_name": "X"})]),
        database.append(
            [(statement, {**plain, "key": "b"}), (ADD, {"id": 2, "name": "y", "display_name": "Y"})]
        ),
    )
    assert await database.read(names) == ["x", "y"]

    peers = insert(peer)
    await asyncio.gather(
        database.append([(peers, {"host": "a", "first_seen_at": 1})]),
        database.append([(peers, {"host": "b", "first_seen_at": 1, "health": "dormant"})]),
    )

    def health(context: Context) -> list[str]:
        return list(context.connection.execute(text("SELECT health FROM peer ORDER BY host")).scalars())

    assert await database.read(health) == ["well", "dormant"]


async def test_rule_8_a_plan_prepared_in_a_read_is_checked_again_by_the_job(database: Database) -> None:
    def prepare(context: Context, name: str) -> str:
        if name in names(context):
            raise Conflict
        return name

    def apply(context: Context, plan: str) -> dict[str, str]:
        if plan in names(context):
            raise Conflict
        return {"name": add(context, plan)}

    plans = [await database.read(prepare, "wanted"), await database.read(prepare, "wanted")]
    assert await database.write(apply, plans[0]) == {"name": "wanted"}
    with pytest.raises(Conflict):
        await database.write(apply, plans[1])
    assert await database.read(names) == ["wanted"]


async def test_rule_9_closing_drains_the_writer_and_leaves_one_file(
    runtime: MakeRuntime, prepare_sqlite: Prepare, bus: Bus
) -> None:
    ready = await prepare_sqlite(runtime())
    database = await Database.open(ready, bus)
    gate, held = await hold(database)
    jobs = [asyncio.create_task(database.write(add, str(number))) for number in range(3)]
    jobs += [asyncio.create_task(database.write(add, str(number), background=True)) for number in range(3, 6)]
    reading = asyncio.create_task(database.read(names))
    await arrived()
    closing = asyncio.create_task(database.close())
    await arrived()
    with pytest.raises(Busy):
        await database.write(add, "too late")
    gate.released.set()
    await closing
    await asyncio.gather(held, reading, *jobs)
    folder = ready.config.data_dir
    assert [path.name for path in folder.iterdir()] == [database_path(ready.config).name]
    raw = sqlite3.connect(database_path(ready.config))
    assert [found[0] for found in raw.execute("SELECT name FROM tag ORDER BY id")] == list("012345")
    raw.close()
    assert [thread.name for thread in threading.enumerate() if thread.name.startswith("esnfed")] == []
    with pytest.raises(Busy):
        await database.read(names)


async def test_events_are_published_after_the_commit_in_the_order_of_the_jobs(
    sqlite_database: Database, bus: Bus, tmp_path: Path
) -> None:
    seen: list[tuple[str, int]] = []
    path = next(tmp_path.glob("node1/*.sqlite"))

    def look(event: JobWaiting) -> None:
        raw = sqlite3.connect(path)
        seen.append((event.kind, raw.execute("SELECT count(*) FROM tag").fetchone()[0]))
        raw.close()

    bus.listen(JobWaiting, look)
    await asyncio.gather(*[sqlite_database.write(add, name) for name in ("a", "b", "c")])
    assert seen == [("a", 3), ("b", 3), ("c", 3)]
