"""PostgreSQL: the same synchronous functions through `run_sync` on asyncpg; the only user of asyncpg."""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import AsyncIterator, Callable, Coroutine, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager
from typing import Any, TypeVar

import asyncpg  # type: ignore[import-untyped]  # it ships no types
from sqlalchemy import Connection, Engine, make_url, text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine
from sqlalchemy.pool import NullPool

from esnfed.context import Context, Runtime, Viewer
from esnfed.database.events import encode
from esnfed.database.lanes import Appends, Lane
from esnfed.database.listener import Listener
from esnfed.database.rows import insert_merged
from esnfed.database.units import Limits, Publish, Row, Work, perform
from esnfed.errors import Busy, ConfigError
from esnfed.i18n import N_

T = TypeVar("T")

CLIENT_WRITES = 5
BACKGROUND_WRITES = 3
FAST_READS = 6
SLOW_READS = 2
ATTEMPTS = 6
COMPILED_STATEMENTS = 2_000

TRY_AGAIN = frozenset({"40001", "40P01"})
"""serialization_failure and deadlock_detected: the unit of work runs again from its beginning."""

UNIQUE_VIOLATION = "23505"
QUERY_CANCELED = "57014"
SERVER_TROUBLE = ("53", "57", "58")
"""Classes of SQLSTATE: insufficient resources (a full disk), operator intervention, system error."""

MIGRATION_LOCK = 0x65736E666564  # "esnfed"

UNREACHABLE = (OSError, asyncpg.PostgresError, asyncpg.InterfaceError)
"""What opening a connection raises; SQLAlchemy wraps only what happens later."""

NOTIFY = text("SELECT pg_notify('esnfed', :payload)")
SNAPSHOT = {"isolation_level": "REPEATABLE READ", "postgresql_readonly": True}
"""A read sees one state of the database, as on SQLite."""


def make_engine(url: str, **options: Any) -> AsyncEngine:
    """An engine for a URL as an operator writes it (`postgresql://...`)."""
    return create_async_engine(
        make_url(url).set(drivername="postgresql+asyncpg"), query_cache_size=COMPILED_STATEMENTS, **options
    )


@asynccontextmanager
async def _once(url: str) -> AsyncIterator[AsyncEngine]:
    engine = make_engine(url, poolclass=NullPool)
    try:
        yield engine
    except UNREACHABLE as error:
        closed = N_("The PostgreSQL database cannot be opened: %(reason)s.")
        raise ConfigError(closed, reason=error) from error
    finally:
        await engine.dispose()


async def current_revision(url: str) -> str | None:
    """Revision of the schema; None when there is none. ConfigError when the server cannot be reached."""
    async with _once(url) as engine, engine.connect() as connection:
        if await connection.scalar(text("SELECT to_regclass('alembic_version')")) is None:
            return None
        found = await connection.scalar(text("SELECT version_num FROM alembic_version"))
        return None if found is None else str(found)


async def upgrade(url: str, migrate: Callable[[Connection], None]) -> None:
    """Run `migrate(connection)` in one transaction, one process at a time."""
    async with _once(url) as engine, engine.begin() as connection:
        await connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": MIGRATION_LOCK})
        await connection.run_sync(migrate)


class PostgresBackend:
    """Three kinds of lanes over two pools; a listener brings the events of other processes."""

    def __init__(self, runtime: Runtime, publish: Publish, limits: Limits) -> None:
        url = runtime.config.database
        self._runtime = runtime
        self._publish = publish
        self._limits = limits
        self._origin = secrets.token_hex(8)
        writes = CLIENT_WRITES + BACKGROUND_WRITES + SLOW_READS
        self._writing = make_engine(url, pool_size=writes, max_overflow=0)
        self._reading = make_engine(
            url,
            pool_size=FAST_READS,
            max_overflow=0,
            connect_args={"server_settings": {"statement_timeout": str(limits.fast_statement_ms)}},
        ).execution_options(**SNAPSHOT)
        self._client = Lane(CLIENT_WRITES, limits.client_wait_ms)
        self._background = Lane(BACKGROUND_WRITES, None)
        self._fast = Lane(FAST_READS, limits.client_wait_ms)
        self._slow = Lane(SLOW_READS, None)
        self._listener = Listener(make_engine(url, poolclass=NullPool), self._origin, publish, UNREACHABLE)
        self._running: set[asyncio.Task[Any]] = set()
        self._appends = Appends(self._insert, limits)
        self._closing = False

    @property
    def engines(self) -> tuple[Engine, ...]:
        """The engine of writes and slow reads, and that of fast reads."""
        return self._writing.sync_engine, self._reading.sync_engine

    async def start(self) -> None:
        """Begin to listen to other processes."""
        await self._listener.start()

    async def read(self, work: Work, viewer: Viewer | None, slow: bool) -> Any:
        """Run `work` in one read-only transaction over one snapshot."""
        engine = self._writing.execution_options(**SNAPSHOT) if slow else self._reading
        lane = self._slow if slow else self._fast
        await lane.enter()
        try:
            with _trouble_is_busy():
                async with engine.connect() as connection:
                    return await connection.run_sync(self._look, work, viewer)
        finally:
            lane.leave()

    async def write(self, work: Work, viewer: Viewer | None, background: bool) -> Any:
        """Run `work` in one transaction, again from its beginning when PostgreSQL asks for it."""
        self._accept(background)
        return await self._in_lane(self._background if background else self._client, work, viewer)

    async def append(self, rows: Sequence[Row]) -> None:
        """Insert `rows`; what gathers while one transaction runs becomes the next one."""
        self._accept(background=True)
        future, first = self._appends.put(rows)
        if first:
            self._start(self._appends.flush())
        await future

    def admit(self) -> None:
        """Raise Busy when too much waits in the background."""
        if self._background.waiting + self._appends.waiting >= self._limits.background_jobs:
            raise Busy(retry_after=10)

    async def close(self) -> None:
        """Finish what was begun, stop listening, close the pools."""
        self._closing = True
        while self._running or self._client.waiting or self._background.waiting:
            await asyncio.sleep(0)
            await asyncio.gather(*self._running, return_exceptions=True)
        await self._listener.close()
        await self._writing.dispose()
        await self._reading.dispose()

    def _accept(self, background: bool) -> None:
        if self._closing:
            raise Busy(N_("The server is shutting down."))
        if background:
            self.admit()

    def _start(self, coroutine: Coroutine[Any, Any, T]) -> asyncio.Task[T]:
        task = asyncio.get_running_loop().create_task(coroutine)
        self._running.add(task)
        task.add_done_callback(self._running.discard)
        return task

    async def _in_lane(self, lane: Lane, work: Work, viewer: Viewer | None) -> Any:
        """Wait for a place, then run to the end: who waits may be cancelled, a unit that has begun is not."""
        await lane.enter()
        task = self._start(self._unit(work, viewer))
        task.add_done_callback(lambda _: lane.leave())
        return await asyncio.shield(task)

    async def _insert(self, appends: Sequence[Sequence[Row]]) -> None:
        def insert(context: Context) -> None:
            insert_merged(context.connection, appends)

        await self._in_lane(self._background, insert, None)

    async def _unit(self, work: Work, viewer: Viewer | None) -> Any:
        for left in reversed(range(ATTEMPTS)):
            events: list[object] = []  # those of a failed attempt are thrown away
            try:
                with _trouble_is_busy():
                    async with self._writing.connect() as connection:
                        value = await connection.run_sync(self._change, work, viewer, events)
            except DBAPIError as error:
                if left and _worth_another_attempt(error):
                    continue
                raise
            self._publish(events)
            return value
        raise AssertionError("unreachable: the last attempt returns or raises")

    def _change(self, connection: Connection, work: Work, viewer: Viewer | None, events: list[object]) -> Any:
        with connection.begin():
            value = perform(work, Context(self._runtime, connection, viewer, events))
            for payload in encode(events, self._origin):
                connection.execute(NOTIFY, {"payload": payload})
        return value

    def _look(self, connection: Connection, work: Work, viewer: Viewer | None) -> Any:
        with connection.begin() as transaction:
            value = perform(work, Context(self._runtime, connection, viewer))
            transaction.rollback()
        return value


@contextmanager
def _trouble_is_busy() -> Iterator[None]:
    """A server that is away, full or broken, or that cancelled a long statement, is 503 for who asks."""
    try:
        yield
    except UNREACHABLE as error:
        raise Busy(N_("The database does not answer just now."), retry_after=60) from error
    except DBAPIError as error:
        state = _state(error)
        if state == QUERY_CANCELED:
            raise Busy(N_("This would take too long just now."), retry_after=5) from error
        if error.connection_invalidated or state.startswith(SERVER_TROUBLE) or _cut_off(error):
            raise Busy(N_("The database cannot be used just now."), retry_after=60) from error
        raise


def _cut_off(error: DBAPIError) -> bool:
    """True when the server ended while a connection was being opened, which SQLAlchemy does not count."""
    cause = error.orig.__cause__ if error.orig is not None else None
    return isinstance(cause, OSError | asyncpg.InterfaceError | asyncpg.PostgresConnectionError)


def _state(error: DBAPIError) -> str:
    return str(getattr(error.orig, "sqlstate", ""))


def _worth_another_attempt(error: DBAPIError) -> bool:
    """True for a deadlock, a serialisation failure, and two processes that drew the same id (ids.py)."""
    if _state(error) == UNIQUE_VIOLATION:
        cause = error.orig.__cause__ if error.orig is not None else None
        return str(getattr(cause, "constraint_name", "")).startswith("pk_")
    return _state(error) in TRY_AGAIN
