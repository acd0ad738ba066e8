"""Resumable and periodic jobs, turned by hand."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from random import Random
from typing import Any

import pytest
from sqlalchemy import Row, insert, select

from esnfed import jobs, registry
from esnfed.bus import Bus, JobWaiting
from esnfed.context import Context
from esnfed.database import Database
from esnfed.errors import Conflict
from esnfed.jobs import MAX_ATTEMPTS, JobWorker, claim, enqueue, every, retry_delay, step
from esnfed.models import job, tag
from esnfed.registry import Registry
from tests.doubles.clock import Clock

SECONDS = 30


def rows(context: Context) -> list[Row[Any]]:
    return list(context.connection.execute(select(job).order_by(job.c.id)))


def tags(context: Context) -> list[str]:
    return list(context.connection.execute(select(tag.c.name).order_by(tag.c.id)).scalars())


def put(
    context: Context,
    kind: str,
    arguments: Any = "none",
    unique_key: str | None = None,
    run_at: int | None = None,
) -> int | None:
    return enqueue(context, kind, arguments, run_at=run_at, unique_key=unique_key)


def add(context: Context, name: str) -> None:
    context.connection.execute(insert(tag).values(id=context.new_id(), name=name, display_name=""))


@pytest.fixture(autouse=True)
def registries(monkeypatch: pytest.MonkeyPatch) -> None:
    """Empty registries for each test."""
    monkeypatch.setattr(registry, "steps", Registry("job steps"))
    monkeypatch.setattr(registry, "periodic", Registry("periodic work"))


@pytest.fixture
def worker(database: Database, bus: Bus) -> Iterator[JobWorker]:
    """A worker on the database of the test."""
    found = JobWorker(database, bus)
    yield found
    found.close()


async def test_a_job_runs_step_by_step_and_keeps_its_cursor(database: Database, worker: JobWorker) -> None:
    @step("count")
    def count(context: Context, arguments: dict[str, int], cursor: int | None) -> int | None:
        done = (cursor or 0) + 1
        add(context, str(done))
        return done if done < arguments["to"] else None

    assert not await worker.step()
    identifier = await database.write(put, "count", {"to": 3})
    cursors = []
    while await worker.step():
        (row,) = await database.read(rows)
        cursors.append((row.state, row.cursor))
    assert cursors == [("waiting", 1), ("waiting", 2), ("done", None)]
    assert (row.id, row.lease_until, row.done_at is not None) == (identifier, 0, True)
    assert await database.read(tags) == ["1", "2", "3"]


async def test_a_step_that_fails_leaves_nothing_and_comes_back_later(
    database: Database, worker: JobWorker, clock: Clock
) -> None:
    broken = [True]

    @step("fragile")
    def fragile(context: Context, _arguments: Any, _cursor: Any) -> None:
        add(context, "x")
        if broken[0]:
            raise Conflict("not yet")

    await database.write(put, "fragile")
    assert await worker.step()
    assert not await worker.step()
    (row,) = await database.read(rows)
    assert (row.state, row.attempts, row.error, row.lease_until) == ("waiting", 1, "Conflict: not yet", 0)
    assert 27_000 <= row.run_at - clock() <= 33_000
    assert await database.read(tags) == []
    broken[0] = False
    clock.advance(33_000)
    assert await worker.step()
    (row,) = await database.read(rows)
    assert (row.state, row.attempts, row.error) == ("done", 0, "")
    assert await database.read(tags) == ["x"]


async def test_a_job_fails_for_good_after_eight_tries(
    database: Database, worker: JobWorker, clock: Clock
) -> None:
    tries: list[int] = []

    @step("hopeless")
    def hopeless(_context: Context, _arguments: Any, _cursor: Any) -> None:
        tries.append(1)
        raise Conflict("never")

    await database.write(put, "hopeless")
    for _ in range(MAX_ATTEMPTS + 3):
        await worker.step()
        clock.advance(24 * 3_600_000)
    (row,) = await database.read(rows)
    assert (row.state, row.attempts, row.error) == ("failed", 8, "Conflict: never")
    assert len(tries) == 8


async def test_an_unknown_kind_is_an_error_of_the_job(database: Database, worker: JobWorker) -> None:
    await database.write(put, "unheard-of")
    assert await worker.step()
    (row,) = await database.read(rows)
    assert row.error == "EsnfedError: No step is registered for jobs of the kind unheard-of."


async def test_a_job_is_not_run_before_its_time(database: Database, worker: JobWorker, clock: Clock) -> None:
    @step("later")
    def later(context: Context, _arguments: Any, _cursor: Any) -> None:
        add(context, "later")

    await database.write(put, "later", "none", None, clock() + 1_000)
    assert not await worker.step()
    clock.advance(1_000)
    assert await worker.step()
    assert await database.read(tags) == ["later"]


async def test_a_job_whose_worker_died_is_taken_up_after_its_lease(
    database: Database, worker: JobWorker, clock: Clock
) -> None:
    @step("work")
    def work(context: Context, _arguments: Any, _cursor: Any) -> None:
        add(context, "work")

    await database.write(put, "work")
    dead = await database.write(claim)
    assert dead is not None
    assert not await worker.step()
    clock.advance(jobs.LEASE_MS)
    assert await worker.step()
    assert await database.read(tags) == ["work"]


async def test_a_worker_that_lost_its_lease_changes_nothing(database: Database, clock: Clock) -> None:
    @step("work")
    def work(context: Context, _arguments: Any, _cursor: Any) -> None:
        add(context, str(context.new_id()))

    await database.write(put, "work")
    slow = await database.write(claim)
    clock.advance(jobs.LEASE_MS)
    quick = await database.write(claim)
    assert slow is not None
    assert quick is not None
    with pytest.raises(Conflict):
        await database.write(jobs.advance, slow)
    await database.write(jobs.fail, slow, "too late")
    await database.write(jobs.advance, quick)
    (row,) = await database.read(rows)
    assert (row.state, row.attempts, row.error) == ("done", 0, "")
    assert len(await database.read(tags)) == 1


async def test_two_workers_never_hold_the_same_job(database: Database) -> None:
    for _ in range(6):
        await database.write(put, "work")
    claimed = await asyncio.gather(*[database.write(claim) for _ in range(12)])
    held = [row.id for row in claimed if row is not None]
    assert len(held) == len(set(held))
    while (row := await database.write(claim)) is not None:
        held.append(row.id)
    assert len(held) == len(set(held)) == 6


async def test_a_unique_key_means_one_waiting_job_and_a_new_run_once_it_is_done(
    database: Database, worker: JobWorker, bus: Bus
) -> None:
    heard: list[str] = []
    bus.listen(JobWaiting, lambda event: heard.append(event.kind))

    @step("purge")
    def purge(context: Context, arguments: str, _cursor: Any) -> None:
        add(context, arguments)

    first = await database.write(put, "purge", "one", "k")
    assert await database.write(put, "purge", "ignored", "k") is None
    assert await database.write(put, "purge", "other", "l") is not None
    assert await worker.step()
    assert await database.write(put, "purge", "again", "k") == first
    while await worker.step():
        pass
    assert sorted(await database.read(tags)) == ["again", "one", "other"]
    assert heard == ["purge"] * 3


async def test_periodic_work_comes_back_in_bounded_steps(
    database: Database, worker: JobWorker, clock: Clock
) -> None:
    @every(600, "sweep")
    def sweep(context: Context, cursor: int | None) -> int | None:
        add(context, str(context.new_id()))
        return 1 if cursor is None else None

    await worker.schedule()
    await worker.schedule()
    (row,) = await database.read(rows)
    assert 0 <= row.run_at - clock() <= 60_000
    for turn in (1, 2, 3):
        clock.advance(660_000)
        assert [await worker.step() for _ in range(3)] == [True, True, False]
        (row,) = await database.read(rows)
        assert (row.state, row.cursor) == ("waiting", None)
        assert 540_000 <= row.run_at - clock() <= 660_000
        assert len(await database.read(tags)) == 2 * turn


async def test_periodic_work_that_keeps_failing_waits_for_its_next_turn(
    database: Database, worker: JobWorker, clock: Clock
) -> None:
    @every(3_600, "broken")
    def broken(_context: Context, _cursor: Any) -> None:
        raise Conflict("no")

    await worker.schedule()
    for _ in range(MAX_ATTEMPTS):
        clock.advance(24 * 3_600_000)
        assert await worker.step()
    (row,) = await database.read(rows)
    assert (row.state, row.attempts, row.error) == ("waiting", 0, "Conflict: no")
    assert 0.9 * 3_600_000 <= row.run_at - clock() <= 1.1 * 3_600_000


async def test_the_loop_wakes_when_a_job_is_written(database: Database, worker: JobWorker, bus: Bus) -> None:
    done = asyncio.Event()
    bus.listen(JobWaiting, lambda event: done.set() if event.kind == "finished" else None)

    @step("work")
    def work(context: Context, _arguments: Any, _cursor: Any) -> None:
        context.after_commit(JobWaiting("finished"))

    running = asyncio.create_task(worker.run())
    try:
        await asyncio.sleep(0)
        await database.write(put, "work")
        async with asyncio.timeout(SECONDS):
            await done.wait()
    finally:
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)


async def test_the_time_to_the_next_job_is_bounded(database: Database, clock: Clock) -> None:
    assert await database.read(jobs.seconds_to_next) == 60
    await database.write(put, "far", "none", None, clock() + 3_600_000)
    assert await database.read(jobs.seconds_to_next) == 60
    await database.write(put, "near", "none", None, clock() + 5_000)
    assert await database.read(jobs.seconds_to_next) == 5
    clock.advance(10_000)
    assert await database.read(jobs.seconds_to_next) == 0


def test_two_steps_of_one_kind_are_an_error_at_start() -> None:
    step("twice")(lambda _context, _arguments, _cursor: None)
    with pytest.raises(ValueError, match="registered twice"):
        step("twice")(lambda _context, _arguments, _cursor: None)


def test_the_delay_doubles_up_to_six_hours() -> None:
    delays = [retry_delay(attempts, Random(1)) for attempts in (1, 2, 3, 30)]
    assert delays[0] < delays[1] < delays[2] < delays[3] <= 1.1 * 6 * 3_600_000
    assert 27_000 <= delays[0] <= 33_000
