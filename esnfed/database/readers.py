"""Reader threads of a SQLite file: two fast ones with a limit of CPU time, one slow one."""

from __future__ import annotations

import asyncio
import queue
import sqlite3
import threading
import time
from collections.abc import Callable
from functools import partial
from typing import Any, cast

from sqlalchemy import Connection
from sqlalchemy.exc import OperationalError

from esnfed.context import Context, Runtime, Viewer
from esnfed.database.trouble import Trouble, code_of, reason_of
from esnfed.database.units import Outcome, Work, attempt
from esnfed.errors import Busy
from esnfed.i18n import N_

INSTRUCTIONS = 2_000
"""SQLite's virtual machine runs this many instructions (some 20 us) between two looks at the CPU time."""

Item = tuple[asyncio.Future[Any], Work, Viewer | None]


class Readers:
    """A few threads on one queue, each with its own connection; a read is one explicit transaction.

    `limit_ms` is CPU time of the thread per read, None for no limit. CPU time and not wall time, so that a
    node on a busy machine is slow instead of refusing.
    """

    def __init__(
        self, runtime: Runtime, connect: Callable[[], Connection], count: int, limit_ms: int | None
    ) -> None:
        self._runtime = runtime
        self._connect = connect
        self._limit = None if limit_ms is None else limit_ms / 1000
        self._trouble = Trouble(runtime.clock, "read")
        self._loop = asyncio.get_running_loop()
        self._items: queue.SimpleQueue[Item | None] = queue.SimpleQueue()
        self._active = [False] * count
        self._closed = False
        self._ended: list[asyncio.Future[None]] = []
        self._threads: list[threading.Thread] = []

    async def start(self) -> None:
        """Open the connections; raises what the opening raised."""
        for number in range(len(self._active)):
            started: asyncio.Future[None] = self._loop.create_future()
            ended: asyncio.Future[None] = self._loop.create_future()
            thread = threading.Thread(
                target=self._run, args=(number, started, ended), name=f"esnfed-reader-{number}", daemon=True
            )
            thread.start()
            self._threads.append(thread)
            self._ended.append(ended)
            await started

    @property
    def active(self) -> bool:
        """True while a read runs; may be asked from any thread."""
        return any(self._active)

    def submit(self, work: Work, viewer: Viewer | None) -> asyncio.Future[Any]:
        """Queue one read."""
        if self._closed:
            raise Busy(N_("The server is shutting down."))
        future: asyncio.Future[Any] = self._loop.create_future()
        self._items.put((future, work, viewer))
        return future

    async def close(self) -> None:
        """Finish the waiting reads, then close the connections and end the threads."""
        self._closed = True
        for _ in self._threads:
            self._items.put(None)
        await asyncio.gather(*self._ended)
        for thread in self._threads:
            thread.join()

    # ---- below: the readers' threads ----

    def _run(self, number: int, started: asyncio.Future[None], ended: asyncio.Future[None]) -> None:
        try:
            connection = self._connect()
        except Exception as error:  # noqa: BLE001 - carried to who opens the database
            self._loop.call_soon_threadsafe(started.set_exception, error)
            self._loop.call_soon_threadsafe(ended.set_result, None)
            return
        self._loop.call_soon_threadsafe(started.set_result, None)
        try:
            while (item := self._items.get()) is not None:
                future, work, viewer = item
                if future.cancelled():
                    continue
                self._active[number] = True
                outcome = self._read(connection, work, viewer)
                self._active[number] = False
                self._loop.call_soon_threadsafe(partial(_settle, future, outcome))
        finally:
            connection.close()
            self._loop.call_soon_threadsafe(ended.set_result, None)

    def _read(self, connection: Connection, work: Work, viewer: Viewer | None) -> Outcome:
        raw = cast(sqlite3.Connection, connection.connection.driver_connection)
        if self._limit is not None:
            end = time.thread_time() + self._limit
            raw.set_progress_handler(lambda: time.thread_time() > end, INSTRUCTIONS)

        def transaction(context: Context) -> Any:
            raw.execute("BEGIN")
            return work(context)

        try:
            outcome = attempt(transaction, Context(self._runtime, connection, viewer))
        finally:
            raw.set_progress_handler(None, INSTRUCTIONS)
            raw.rollback()
        return self._judged(outcome)

    def _judged(self, outcome: Outcome) -> Outcome:
        """A read that took too long, and a file that cannot be read just now, are 503 for who asks."""
        error = outcome.error
        if error is None:
            self._trouble.over()
            return outcome
        if _interrupted(error):
            busy = Busy(N_("This would take too long just now."), retry_after=5)
        elif reason_of(error) is not None and not _wrote(error):
            self._trouble.failed(error)
            busy = Busy(N_("The server cannot read its database just now."), retry_after=60)
        else:
            return outcome
        busy.__cause__ = error
        return Outcome(error=busy)


def _wrote(error: Exception) -> bool:
    """A reader's connection is read-only by our own will: this is a fault of the program."""
    return code_of(error) & 0xFF == sqlite3.SQLITE_READONLY


def _interrupted(error: Exception) -> bool:
    code = getattr(error.orig, "sqlite_errorcode", None) if isinstance(error, OperationalError) else None
    return code == sqlite3.SQLITE_INTERRUPT


def _settle(future: asyncio.Future[Any], outcome: Outcome) -> None:
    if future.done():
        return
    if outcome.error is None:
        future.set_result(outcome.value)
    else:
        future.set_exception(outcome.error)
