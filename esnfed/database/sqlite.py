"""SQLite: connections, pragmas and the back end made of one writer thread and three reader threads."""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Callable, Sequence
from contextlib import closing
from functools import partial
from pathlib import Path
from typing import Any, cast

from sqlalchemy import Connection, Engine, create_engine, event
from sqlalchemy.pool import NullPool

from esnfed.config import Config
from esnfed.context import Runtime, Viewer
from esnfed.database.readers import Readers
from esnfed.database.trouble import code_of, reason_of
from esnfed.database.units import Limits, Publish, Row, Work, log
from esnfed.database.writer import Writer
from esnfed.errors import ConfigError
from esnfed.i18n import N_

FAST_READERS = 2
SLOW_READERS = 1
BUSY_TIMEOUT_MS = 5_000
COMPILED_STATEMENTS = 2_000

EVERY_CONNECTION = (
    f"PRAGMA busy_timeout={BUSY_TIMEOUT_MS}",
    "PRAGMA foreign_keys=ON",
    "PRAGMA temp_store=MEMORY",
    "PRAGMA trusted_schema=OFF",
)
WRITER = (
    "PRAGMA cache_size=-65536",  # KiB
    f"PRAGMA journal_size_limit={64 * 1024 * 1024}",
)
MAY_WRITE = ("BEGIN IMMEDIATE", "PRAGMA user_version=0", "ROLLBACK")
"""SQLite opens a file that is read-only without a word: a node must find that out when it starts."""

READER = (
    "PRAGMA query_only=ON",
    "PRAGMA cache_size=-16384",
    f"PRAGMA mmap_size={256 * 1024 * 1024}",
)


def database_path(config: Config) -> Path:
    """The SQLite file of a node."""
    return config.data_dir / "esnfed.sqlite"


def open_file(path: Path) -> sqlite3.Connection:
    """Open an existing file, without any transaction of sqlite3's own making (`isolation_level` None)."""
    return sqlite3.connect(
        f"{path.absolute().as_uri()}?mode=rw", uri=True, isolation_level=None, cached_statements=512
    )


def create_file(path: Path) -> None:
    """Create an empty file that only its owner reads: it will hold private keys."""
    path.parent.mkdir(parents=True, exist_ok=True)
    os.close(os.open(path, os.O_CREAT | os.O_RDWR, 0o600))


def make_engine(path: Path) -> Engine:
    """An engine on the file whose `begin()` is BEGIN IMMEDIATE; readers begin by themselves."""
    engine = create_engine(
        "sqlite://",
        creator=partial(open_file, path),
        poolclass=NullPool,
        query_cache_size=COMPILED_STATEMENTS,
    )
    event.listen(engine, "begin", _begin)
    return engine


def _begin(connection: Connection) -> None:
    if not connection.get_execution_options().get("reader"):
        raw_of(connection).execute("BEGIN IMMEDIATE")


def raw_of(connection: Connection) -> sqlite3.Connection:
    """The sqlite3 connection below."""
    return cast(sqlite3.Connection, connection.connection.driver_connection)


def current_revision(path: Path) -> str | None:
    """Revision of the schema in the file; None when there is no file or no schema."""
    if not path.exists():
        return None
    try:
        with closing(open_file(path)) as raw:
            if not raw.execute("SELECT 1 FROM sqlite_master WHERE name = 'alembic_version'").fetchone():
                return None
            row = raw.execute("SELECT version_num FROM alembic_version").fetchone()
    except sqlite3.DatabaseError as error:
        raise _unusable(path, error) from error
    return None if row is None else str(row[0])


def _unusable(path: Path, error: sqlite3.DatabaseError) -> ConfigError:
    """Return the one sentence for a file that cannot be used, with what to do about it."""
    code = code_of(error) & 0xFF
    if code in (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB):
        text = N_("The database %(path)s is damaged (%(reason)s): put the last backup in its place.")
    elif code in (sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_READONLY):
        text = N_(
            "The database %(path)s cannot be opened for writing (%(reason)s): its folder and all files in it"
            " must belong to the user who runs the node."
        )
    else:
        text = N_("The database %(path)s cannot be used: %(reason)s.")
    return ConfigError(text, path=path, reason=error)


def upgrade(path: Path, migrate: Callable[[Connection], None]) -> None:
    """Create the file if needed and run `migrate(connection)` on it in one transaction."""
    create_file(path)
    raw = open_file(path)
    try:
        raw.execute("PRAGMA journal_mode=WAL")
    finally:
        raw.close()
    engine = make_engine(path)
    with engine.connect() as connection, connection.begin():
        migrate(connection)


class SqliteBackend:
    """One writer, two fast readers, one slow one; all on the file of `runtime.config`."""

    def __init__(self, runtime: Runtime, publish: Publish, limits: Limits) -> None:
        self._limits = limits
        self._synchronous = runtime.config.synchronous
        self._path = database_path(runtime.config)
        self._wal = self._path.with_name(self._path.name + "-wal")
        self._alarmed = False
        self._engine = make_engine(self._path)
        self._writer = Writer(runtime, limits, publish, self._open_writer, self._tidy, self._retire)
        self._fast = Readers(runtime, self._open_reader, FAST_READERS, limits.fast_read_ms)
        self._slow = Readers(runtime, self._open_reader, SLOW_READERS, None)

    @property
    def engines(self) -> tuple[Engine, ...]:
        """The one engine of all threads."""
        return (self._engine,)

    async def start(self) -> None:
        """Open every connection; ConfigError when the file cannot be used."""
        try:
            await self._writer.start()
            await self._fast.start()
            await self._slow.start()
        except sqlite3.DatabaseError as error:
            if reason_of(error) is None:
                raise
            raise _unusable(self._path, error) from error

    async def read(self, work: Work, viewer: Viewer | None, slow: bool) -> Any:
        """Run `work` on a reader thread."""
        return await (self._slow if slow else self._fast).submit(work, viewer)

    async def write(self, work: Work, viewer: Viewer | None, background: bool) -> Any:
        """Run `work` on the writer thread; return after COMMIT."""
        return await self._writer.submit(work, viewer, background)

    async def append(self, rows: Sequence[Row]) -> None:
        """Insert `rows` as a background job that may be merged with its neighbours."""
        await self._writer.submit(_nothing, None, True, list(rows))

    def admit(self) -> None:
        """Raise Busy when the background queue is full."""
        self._writer.admit()

    async def close(self) -> None:
        """Drain the writer, close the readers, then checkpoint (which needs the readers gone) and close."""
        await self._writer.drain()
        await self._fast.close()
        await self._slow.close()
        await self._writer.close()

    # ---- below: on the threads ----

    def _open_writer(self) -> Connection:
        synchronous = f"PRAGMA synchronous={self._synchronous}"
        pragmas = (*EVERY_CONNECTION, "PRAGMA journal_mode=WAL", *WRITER, synchronous)
        return self._open((*pragmas, *MAY_WRITE))

    def _open_reader(self) -> Connection:
        return self._open((*EVERY_CONNECTION, *READER)).execution_options(reader=True)

    def _open(self, pragmas: Sequence[str]) -> Connection:
        connection = self._engine.connect()
        try:
            for pragma in pragmas:
                raw_of(connection).execute(pragma)
        except BaseException:
            connection.close()  # here: only the thread that opened it may close it
            raise
        return connection

    def _tidy(self, connection: Connection, idle: bool) -> None:
        """Truncate a grown WAL when nobody writes or reads; report one that grows in spite of it."""
        try:
            self._watch_wal(connection, idle)
        except (sqlite3.Error, OSError):
            log.exception("the WAL of %s could not be looked after", self._path)

    def _watch_wal(self, connection: Connection, idle: bool) -> None:
        size = self._wal.stat().st_size if self._wal.exists() else 0
        quiet = idle and not (self._fast.active or self._slow.active)
        if quiet and size > self._limits.wal_checkpoint_bytes:
            self._checkpoint(raw_of(connection))
        elif size > self._limits.wal_alarm_bytes and not self._alarmed:
            self._alarmed = True
            log.warning("the WAL of %s has grown to %d bytes; a long read keeps it", self._path, size)

    def _checkpoint(self, raw: sqlite3.Connection) -> None:
        raw.execute("PRAGMA busy_timeout=0")  # a reader that begins just now must not stop the writer
        try:
            blocked = raw.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()[0]
            self._alarmed = self._alarmed and bool(blocked)
        finally:
            raw.execute(f"PRAGMA busy_timeout={BUSY_TIMEOUT_MS}")

    def _retire(self, connection: Connection) -> None:
        # No PRAGMA optimize: statistics taken of a young node call its tables tiny, and until the next close
        # the planner scans them (home timeline 1.9 ms instead of 0.5). Without any it takes the indexes.
        raw = raw_of(connection)
        try:
            self._checkpoint(raw)
        except sqlite3.Error:
            log.exception("the last checkpoint of %s failed; the next start makes it good", self._path)


def _nothing(_: object) -> None:
    """The work of an append is in its rows."""
