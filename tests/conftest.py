"""Shared fixtures: a runtime with a still clock, fresh databases on both back ends, a count of statements."""

from __future__ import annotations

import asyncio
import shutil
import sqlite3
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import AsyncExitStack
from dataclasses import dataclass, replace
from functools import partial
from itertools import count
from pathlib import Path
from random import Random
from typing import Any

import pytest
from pytest_socket import socket_allow_hosts
from sqlalchemy import event

from esnfed.bus import Bus
from esnfed.config import Config
from esnfed.context import Runtime
from esnfed.database import Database, Limits, database_path, migrate
from esnfed.ids import IdGenerator
from tests.doubles.clock import Clock
from tests.doubles.postgres import Cluster, cluster

LOOPBACK = ["127.0.0.1", "::1"]

MakeRuntime = Callable[..., Runtime]
"""`runtime(**fields of Config)`; each call without `data_dir` is another node with a folder of its own."""

Prepare = Callable[[Runtime], Awaitable[Runtime]]
"""Gives a runtime an empty database at head, on the back end of the test."""

Open = Callable[..., Awaitable[Database]]
"""`opened(runtime, bus, limits=None)`: an open database, closed at the end of the test."""


@pytest.hookimpl(trylast=True)
def pytest_runtest_setup(item: pytest.Item) -> None:
    """No test reaches farther than loopback and unix sockets."""
    socket_allow_hosts(LOOPBACK, allow_unix_socket=True)


@pytest.fixture
def clock() -> Clock:
    """The clock of every runtime of the test."""
    return Clock()


@pytest.fixture
def bus() -> Bus:
    """The bus of `database`."""
    return Bus()


@pytest.fixture
def runtime(tmp_path: Path, clock: Clock) -> MakeRuntime:
    """A factory of runtimes: test environment, still clock, seeded randomness."""
    numbers = count(1)

    def make(**settings: Any) -> Runtime:
        number = next(numbers)
        settings.setdefault("domain", f"node{number}.esn.test")
        settings.setdefault("data_dir", tmp_path / f"node{number}")
        settings.setdefault("environment", "test")
        random = Random(number)
        return Runtime(Config(**settings), clock, random, IdGenerator(clock, random))

    return make


@pytest.fixture(scope="session")
def sqlite_template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A migrated, empty SQLite file to copy."""
    config = Config(
        domain="template.esn.test", data_dir=tmp_path_factory.mktemp("template"), environment="test"
    )
    asyncio.run(migrate(config))
    path = database_path(config)
    raw = sqlite3.connect(path)
    raw.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    raw.close()
    return path


@pytest.fixture(scope="session")
def postgres_cluster() -> Iterator[Cluster]:
    """A PostgreSQL server of this test process."""
    with cluster() as found:
        yield found


@pytest.fixture(scope="session")
def postgres_template(postgres_cluster: Cluster, tmp_path_factory: pytest.TempPathFactory) -> str:
    """Name of a migrated, empty database to copy."""
    config = Config(
        domain="template.esn.test",
        data_dir=tmp_path_factory.mktemp("template"),
        environment="test",
        database=postgres_cluster.url("template_esnfed"),
    )

    async def prepare() -> None:
        await postgres_cluster.execute("CREATE DATABASE template_esnfed")
        await migrate(config)

    asyncio.run(prepare())
    return "template_esnfed"


@pytest.fixture
def prepare_sqlite(sqlite_template: Path) -> Prepare:
    """Gives a runtime a fresh SQLite file."""

    async def prepare(runtime: Runtime) -> Runtime:
        runtime.config.data_dir.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(sqlite_template, database_path(runtime.config))
        return runtime

    return prepare


@pytest.fixture
async def prepare_postgres(postgres_cluster: Cluster, postgres_template: str) -> AsyncIterator[Prepare]:
    """Gives a runtime a fresh PostgreSQL database, dropped at the end of the test."""
    names: list[str] = []

    async def prepare(runtime: Runtime) -> Runtime:
        name = f"esnfed_{len(names)}"
        await postgres_cluster.execute(f"CREATE DATABASE {name} TEMPLATE {postgres_template}")
        names.append(name)
        config = replace(runtime.config, database=postgres_cluster.url(name))
        return replace(runtime, config=config)

    yield prepare
    for name in names:
        await postgres_cluster.execute(f"DROP DATABASE {name} WITH (FORCE)")


@pytest.fixture(params=["sqlite", "postgresql"])
def prepare(request: pytest.FixtureRequest) -> Prepare:
    """`prepare_sqlite` and `prepare_postgres`: the test runs on both back ends."""
    name = "prepare_sqlite" if request.param == "sqlite" else "prepare_postgres"
    found: Prepare = request.getfixturevalue(name)
    return found


@pytest.fixture
async def opened() -> AsyncIterator[Open]:
    """Opens databases and closes them at the end of the test."""
    async with AsyncExitStack() as stack:

        async def open_one(runtime: Runtime, bus: Bus, limits: Limits | None = None) -> Database:
            database = await Database.open(runtime, bus, limits)
            stack.push_async_callback(database.close)
            return database

        yield open_one


@pytest.fixture
async def database(runtime: MakeRuntime, prepare: Prepare, opened: Open, bus: Bus) -> Database:
    """An open, empty database at head; the test runs on SQLite and on PostgreSQL."""
    return await opened(await prepare(runtime()), bus)


@pytest.fixture
async def sqlite_database(runtime: MakeRuntime, prepare_sqlite: Prepare, opened: Open, bus: Bus) -> Database:
    """An open, empty SQLite database at head."""
    return await opened(await prepare_sqlite(runtime()), bus)


@pytest.fixture
async def postgres_database(
    runtime: MakeRuntime, prepare_postgres: Prepare, opened: Open, bus: Bus
) -> Database:
    """An open, empty PostgreSQL database at head."""
    return await opened(await prepare_postgres(runtime()), bus)


@dataclass
class Counted:
    """What was run since `reset`: SAVEPOINT, RELEASE, BEGIN, COMMIT and PRAGMA are no statements."""

    statements: list[str]
    commits: int = 0

    def reset(self) -> None:
        """Begin to count anew."""
        self.statements.clear()
        self.commits = 0


@pytest.fixture
def statement_counter() -> Iterator[Callable[[Database], Counted]]:
    """`statement_counter(database)` counts from then on."""
    ends: list[Callable[[], None]] = []

    def count_in(database: Database) -> Counted:
        counted = Counted([])

        def on_statement(_c: Any, _cursor: Any, statement: str, _p: Any, _context: Any, _many: bool) -> None:
            counted.statements.append(statement)

        def on_commit(_connection: Any) -> None:
            counted.commits += 1

        for engine in database.engines:
            for name, listener in (("before_cursor_execute", on_statement), ("commit", on_commit)):
                event.listen(engine, name, listener)
                ends.append(partial(event.remove, engine, name, listener))
        return counted

    yield count_in
    for end in ends:
        end()
