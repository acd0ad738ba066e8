"""PostgreSQL: retries, lanes, events between processes, concurrency decided by statements."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from sqlalchemy import insert, select, text, update
from sqlalchemy.dialects.postgresql import insert as upsert

from esnfed.bus import Bus, DeliveriesQueued, JobWaiting, StatusChanged
from esnfed.context import Context
from esnfed.database import Database, Limits
from esnfed.errors import Busy, EsnfedError
from esnfed.models import actor, follow, tag
from tests.conftest import MakeRuntime, Open, Prepare
from tests.doubles.postgres import Cluster

SECONDS = 30

FOLLOW = (
    upsert(follow).on_conflict_do_nothing(index_elements=["actor_id", "target_id"]).returning(follow.c.id)
)


def add(context: Context, identifier: int, name: str) -> None:
    context.connection.execute(insert(tag).values(id=identifier, name=name, display_name=""))


def rename(context: Context, identifier: int, name: str) -> None:
    context.connection.execute(update(tag).where(tag.c.id == identifier).values(display_name=name))


def names(context: Context) -> list[str]:
    return list(context.connection.execute(select(tag.c.name).order_by(tag.c.id)).scalars())


def add_actors(context: Context) -> tuple[int, int]:
    found = (context.new_id(), context.new_id())
    for identifier in found:
        context.connection.execute(
            insert(actor).values(
                id=identifier, as_type="Person", local=True, handle=str(identifier), domain="x", host="x",
                uri=f"https://x/{identifier}", inbox="https://x/inbox", created_at=0, updated_at=0,
            )
        )  # fmt: skip
    return found


def do_follow(context: Context, actor_id: int, target_id: int) -> int | None:
    identifier = context.new_id()
    written: int | None = context.connection.execute(
        FOLLOW,
        {
            "id": identifier, "actor_id": actor_id, "target_id": target_id, "state": "pending",
            "uri": f"https://x/{identifier}", "created_at": context.now(),
        },
    ).scalar_one_or_none()  # fmt: skip
    if written is not None:
        context.after_commit(StatusChanged(1))
    return written


async def test_the_same_follow_fifty_times_at_once_is_one_row(database: Database, bus: Bus) -> None:
    heard: list[object] = []
    bus.listen(StatusChanged, heard.append)
    pair = await database.write(add_actors)
    written = await asyncio.gather(*[database.write(do_follow, *pair) for _ in range(50)])
    assert len([identifier for identifier in written if identifier is not None]) == 1
    assert len(heard) == 1

    def count(context: Context) -> int:
        return len(context.connection.execute(select(follow.c.id)).all())

    assert await database.read(count) == 1


async def test_a_deadlock_is_tried_again_and_its_events_are_thrown_away(
    postgres_database: Database, bus: Bus
) -> None:
    heard: list[str] = []
    bus.listen(JobWaiting, lambda event: heard.append(event.kind))
    await postgres_database.write(add, 1, "one")
    await postgres_database.write(add, 2, "two")
    attempts: list[str] = []
    holding: set[str] = set()

    def lock_both(context: Context, first: int, second: int, name: str) -> None:
        attempts.append(name)
        context.after_commit(JobWaiting(name))
        rename(context, first, name)
        holding.add(name)
        while len(holding) < 2:  # until the other holds its first row too: then they must deadlock
            context.connection.execute(text("SELECT 1"))
        rename(context, second, name)

    await asyncio.gather(
        postgres_database.write(lock_both, 1, 2, "a"), postgres_database.write(lock_both, 2, 1, "b")
    )
    assert sorted(attempts) in (["a", "a", "b"], ["a", "b", "b"])
    assert sorted(heard) == ["a", "b"]


async def test_a_serialisation_failure_is_tried_again(postgres_database: Database) -> None:
    tries: list[int] = []

    def fail_twice(context: Context) -> str:
        tries.append(1)
        if len(tries) < 3:
            context.connection.execute(text("DO $$ BEGIN RAISE EXCEPTION USING ERRCODE = '40001'; END $$"))
        add(context, 1, "third")
        return "done"

    assert await postgres_database.write(fail_twice) == "done"
    assert len(tries) == 3
    assert await postgres_database.read(names) == ["third"]


async def test_an_id_drawn_by_two_processes_is_drawn_again(postgres_database: Database) -> None:
    await postgres_database.write(add, 1, "other process")
    drawn = iter([1, 2])

    def draw(context: Context) -> None:
        add(context, next(drawn), "ours")

    await postgres_database.write(draw)
    assert await postgres_database.read(names) == ["other process", "ours"]


async def test_a_full_server_is_busy(postgres_database: Database) -> None:
    def no_room(context: Context) -> None:
        context.connection.execute(text("DO $$ BEGIN RAISE EXCEPTION USING ERRCODE = '53100'; END $$"))

    with pytest.raises(Busy):
        await postgres_database.write(no_room)


async def test_a_long_statement_of_a_fast_read_is_busy(
    runtime: MakeRuntime, prepare_postgres: Prepare, opened: Open, bus: Bus
) -> None:
    database = await opened(await prepare_postgres(runtime()), bus, Limits(fast_statement_ms=20))

    def sleep(context: Context) -> str:
        context.connection.execute(text("SELECT pg_sleep(0.1)"))
        return "slept"

    with pytest.raises(Busy):
        await database.read(sleep)
    assert await database.read(sleep, slow=True) == "slept"
    assert await database.read(names) == []


async def test_a_client_that_finds_no_place_in_time_is_busy(
    runtime: MakeRuntime, prepare_postgres: Prepare, opened: Open, bus: Bus, postgres_cluster: Cluster
) -> None:
    ready = await prepare_postgres(runtime())
    database = await opened(ready, bus, Limits(client_wait_ms=20))
    await database.write(add, 1, "held")
    other = await postgres_cluster.connect(ready.config.database.partition("@/")[2].partition("?")[0])
    try:
        transaction = other.transaction()
        await transaction.start()
        await other.execute("LOCK TABLE tag")
        held = [asyncio.create_task(database.write(rename, 1, str(number))) for number in range(5)]
        await asyncio.sleep(0)
        with pytest.raises(Busy):
            await database.write(add, 2, "late")
        await transaction.rollback()
    finally:
        await other.close()
    await asyncio.gather(*held)
    assert await database.read(names) == ["held"]


async def test_the_background_is_bounded(
    runtime: MakeRuntime, prepare_postgres: Prepare, opened: Open, bus: Bus
) -> None:
    database = await opened(await prepare_postgres(runtime()), bus, Limits(background_jobs=2))
    tasks = [asyncio.create_task(database.write(add, n, str(n), background=True)) for n in range(5)]
    await asyncio.sleep(0)
    with pytest.raises(Busy):
        database.admit()
    with pytest.raises(Busy):
        await database.append([(insert(tag), {"id": 9, "name": "9", "display_name": ""})])
    await asyncio.gather(*tasks)
    database.admit()
    assert len(await database.read(names)) == 5


async def test_a_write_whose_caller_is_cancelled_runs_to_its_end(
    postgres_database: Database, bus: Bus
) -> None:
    committed = asyncio.Event()
    bus.listen(JobWaiting, lambda _: committed.set())
    begun = asyncio.Event()

    def slow(context: Context) -> None:
        begun.set()
        add(context, 1, "kept")
        context.after_commit(JobWaiting("x"))

    task = asyncio.create_task(postgres_database.write(slow))
    async with asyncio.timeout(SECONDS):
        await begun.wait()
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        await committed.wait()
    assert task.cancelled()
    assert await postgres_database.read(names) == ["kept"]


async def test_events_reach_other_processes_once_and_their_own_only_once(
    runtime: MakeRuntime, prepare_postgres: Prepare, opened: Open
) -> None:
    ready = await prepare_postgres(runtime())
    buses = [Bus(), Bus()]
    heard: list[list[object]] = [[], []]
    for bus, found in zip(buses, heard, strict=True):
        bus.listen(StatusChanged, found.append)
        bus.listen(DeliveriesQueued, found.append)
    databases = [await opened(ready, bus) for bus in buses]
    arrived = asyncio.Event()
    buses[1].listen(JobWaiting, lambda _: arrived.set())
    hosts = tuple(f"host{number}.example" for number in range(2_000))

    def announce(context: Context) -> None:
        context.after_commit(StatusChanged(5))
        context.after_commit(DeliveriesQueued(hosts))
        context.after_commit(JobWaiting("last"))

    def fail(context: Context) -> None:
        context.after_commit(StatusChanged(6))
        raise EsnfedError

    with pytest.raises(EsnfedError):
        await databases[0].write(fail)
    await databases[0].write(announce)
    async with asyncio.timeout(SECONDS):
        await arrived.wait()
    await databases[0].read(names)  # whatever was sent to ourselves has arrived by now
    assert heard[0] == [StatusChanged(5), DeliveriesQueued(hosts)]
    assert heard[1][0] == StatusChanged(5)
    told: list[Any] = heard[1][1:]
    assert [host for event in told for host in event.hosts] == list(hosts)


async def test_a_lost_listener_listens_again(
    runtime: MakeRuntime, prepare_postgres: Prepare, opened: Open, postgres_cluster: Cluster
) -> None:
    ready = await prepare_postgres(runtime())
    speaker, hearer = await opened(ready, Bus()), Bus()
    arrived = asyncio.Event()
    hearer.listen(StatusChanged, lambda _: arrived.set())
    await opened(ready, hearer)
    await postgres_cluster.execute(
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE query LIKE 'LISTEN%'"
    )

    def announce(context: Context) -> None:
        context.after_commit(StatusChanged(5))

    async with asyncio.timeout(SECONDS):
        while not arrived.is_set():
            await speaker.write(announce)


async def test_an_event_that_is_not_of_bus_py_is_refused(postgres_database: Database) -> None:
    def announce(context: Context) -> None:
        add(context, 1, "x")
        context.after_commit("a text")

    with pytest.raises(EsnfedError, match="str is no event"):
        await postgres_database.write(announce)
    assert await postgres_database.read(names) == []
