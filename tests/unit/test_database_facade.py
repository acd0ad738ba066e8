"""What both back ends promise: transactions, events, refusal of a foreign database, counted statements."""

from __future__ import annotations

import asyncio
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from sqlalchemy import insert, select
from sqlalchemy.exc import DBAPIError, IntegrityError

from esnfed.bus import Bus, StatusChanged
from esnfed.context import Context, Viewer
from esnfed.database import Database
from esnfed.errors import ConfigError
from esnfed.models import node, tag
from tests.conftest import Counted, MakeRuntime, Open, Prepare


def add(context: Context, name: str) -> int:
    identifier = context.new_id()
    context.connection.execute(insert(tag).values(id=identifier, name=name, display_name=name))
    context.after_commit(StatusChanged(identifier))
    return identifier


def names(context: Context) -> list[str]:
    return list(context.connection.execute(select(tag.c.name).order_by(tag.c.id)).scalars())


def initialise(context: Context) -> None:
    context.connection.execute(
        insert(node).values(
            id=1, domain=context.config.domain, account_domain=context.config.domain,
            environment=context.config.environment, created_at=context.now(),
        )
    )  # fmt: skip


async def test_a_read_sees_every_completed_write(database: Database) -> None:
    for number in range(5):
        await database.write(add, str(number))
        assert len(await database.read(names)) == number + 1
        assert len(await database.read(names, slow=True)) == number + 1


async def test_a_read_cannot_write(database: Database) -> None:
    for slow in (False, True):
        with pytest.raises(DBAPIError):
            await database.read(add, "forbidden", slow=slow)
    assert await database.read(names) == []


async def test_a_failed_write_leaves_neither_rows_nor_events(database: Database, bus: Bus) -> None:
    heard: list[StatusChanged] = []
    bus.listen(StatusChanged, heard.append)

    def twice(context: Context) -> None:
        add(context, "same")
        add(context, "same")

    with pytest.raises(IntegrityError):
        await database.write(twice)
    assert await database.read(names) == []
    assert heard == []
    identifier = await database.write(add, "once")
    assert heard == [StatusChanged(identifier)]


async def test_the_viewer_reaches_the_function(database: Database) -> None:
    viewer = Viewer(actor_id=7, scopes=frozenset({"read"}))

    def who(context: Context) -> Viewer | None:
        return context.viewer

    assert await database.read(who, viewer=viewer) == viewer
    assert await database.write(who, viewer=viewer) == viewer
    assert await database.write(who, viewer=viewer, background=True) == viewer
    assert await database.read(who) is None


async def test_statements_and_commits_can_be_counted(
    database: Database, statement_counter: Callable[[Database], Counted]
) -> None:
    counted = statement_counter(database)
    await database.write(add, "one")
    assert (len([text for text in counted.statements if "pg_notify" not in text]), counted.commits) == (1, 1)
    counted.reset()
    await database.read(names)
    await database.read(names, slow=True)
    assert (len(counted.statements), counted.commits) == (2, 0)


async def test_an_append_returns_after_the_commit(database: Database) -> None:
    statement = insert(tag)
    await asyncio.gather(
        *[database.append([(statement, {"id": n, "name": str(n), "display_name": ""})]) for n in range(250)]
    )
    assert len(await database.read(names)) == 250


async def test_closing_finishes_what_was_accepted(
    runtime: MakeRuntime, prepare: Prepare, opened: Open, bus: Bus
) -> None:
    ready = await prepare(runtime())
    database = await Database.open(ready, bus)
    statement = insert(tag)
    jobs = [asyncio.create_task(database.write(add, f"w{number}")) for number in range(20)]
    jobs += [asyncio.create_task(database.write(add, f"b{n}", background=True)) for n in range(20)]
    rows = [(statement, {"id": 1, "name": "appended", "display_name": ""})]
    jobs.append(asyncio.create_task(database.append(rows)))  # type: ignore[arg-type]
    await asyncio.sleep(0)
    await database.close()
    await asyncio.gather(*jobs)
    again = await opened(ready, bus)
    assert len(await again.read(names)) == 41


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"domain": "other.esn.test"}, "belongs to the domain node1.esn.test, not to other.esn.test"),
        ({"environment": "demo"}, "created for the environment test, not for demo"),
    ],
)
async def test_another_domain_or_environment_is_refused(
    runtime: MakeRuntime, prepare: Prepare, opened: Open, bus: Bus, change: dict[str, Any], words: str
) -> None:
    ready = await prepare(runtime())
    database = await opened(ready, bus)
    await database.write(initialise)
    await database.close()
    with pytest.raises(ConfigError, match=words):
        await opened(replace(ready, config=replace(ready.config, **change)), bus)
    await opened(ready, bus)


def test_a_node_on_sqlite_loads_neither_asyncpg_nor_alembic() -> None:
    code = (
        "import sys, esnfed.database, esnfed.jobs;"
        "heavy = ('asyncpg', 'alembic', 'aiosqlite', 'sqlalchemy.ext.asyncio', 'sqlalchemy.orm');"
        "print([name for name in heavy if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
