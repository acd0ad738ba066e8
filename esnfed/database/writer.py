"""The one writer of a SQLite file: a thread that commits in groups and answers the event loop."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from functools import partial
from typing import Any

from sqlalchemy import Connection

from esnfed.context import Runtime, Viewer
from esnfed.database.commit import GroupCommit, Settled
from esnfed.database.queues import Job, Queues
from esnfed.database.units import Limits, Outcome, Publish, Row, Work
from esnfed.errors import Busy

WATCH_SECONDS = 1.0
"""How often waiting client jobs are looked at, while there are any; their age is told by the clock."""


class Writer:
    """Runs jobs on a thread of its own and settles their futures after COMMIT, in one call to the loop.

    `connect` opens the only writing connection and `retire` says good-bye to it, both on the thread; `tidy`
    is called after each batch with the connection, and whether nothing waits. Everything public belongs to
    the event loop's thread.
    """

    def __init__(
        self,
        runtime: Runtime,
        limits: Limits,
        publish: Publish,
        connect: Callable[[], Connection],
        tidy: Callable[[Connection, bool], None],
        retire: Callable[[Connection], None],
    ) -> None:
        self._runtime = runtime
        self._limits = limits
        self._publish = publish
        self._connect = connect
        self._tidy = tidy
        self._retire = retire
        self._loop = asyncio.get_running_loop()
        self._queues = Queues(runtime.clock, limits)
        self._watch: asyncio.TimerHandle | None = None
        self._thread = threading.Thread(target=self._run, name="esnfed-writer", daemon=True)
        self._opened: asyncio.Future[None] = self._loop.create_future()
        self._released = threading.Event()
        self._drained: asyncio.Future[None] = self._loop.create_future()
        self._ended: asyncio.Future[None] = self._loop.create_future()

    async def start(self) -> None:
        """Open the connection; raises what the opening raised."""
        self._thread.start()
        await self._opened

    async def drain(self) -> None:
        """Accept nothing more and finish everything that was accepted."""
        self._queues.close()
        await self._drained

    async def close(self) -> None:
        """Retire the connection and end the thread; `drain` comes first."""
        self._released.set()
        await self._ended
        self._thread.join()
        if self._watch is not None:
            self._watch.cancel()

    def admit(self) -> None:
        """Raise Busy when the background queue is full."""
        self._queues.admit()

    def submit(
        self, work: Work, viewer: Viewer | None, background: bool, rows: list[Row] | None = None
    ) -> asyncio.Future[Any]:
        """Queue a unit of work, or an append when `rows` is given; the future is done after COMMIT."""
        future: asyncio.Future[Any] = self._loop.create_future()
        job = Job(future, self._runtime.clock(), work, viewer, rows)
        if self._queues.put(job, background):
            self._loop.call_soon(self._deliver)
        return future

    def _deliver(self) -> None:
        self._queues.deliver()
        if self._watch is None and self._queues.clients_wait:
            self._watch = self._loop.call_later(WATCH_SECONDS, self._look)

    def _look(self) -> None:
        self._watch = None
        self._settle(self._expire())
        self._deliver()

    def _expire(self) -> list[Settled]:
        return [(job, Outcome(error=Busy(retry_after=5))) for job in self._queues.expired()]

    def _settle(self, settled: list[Settled]) -> None:
        for _, outcome in settled:
            self._publish(outcome.events)
        for job, outcome in settled:
            if job.future.done():
                continue  # cancelled by who waited; the job itself ran to its end
            if outcome.error is None:
                job.future.set_result(outcome.value)
            else:
                job.future.set_exception(outcome.error)

    def _finish(self) -> None:
        for future in (self._drained, self._ended):
            if not future.done():  # the first is done already, unless the thread ended before its time
                future.set_result(None)

    # ---- below: the writer's thread ----

    def _run(self) -> None:
        try:
            connection = self._connect()
        except Exception as error:  # noqa: BLE001 - carried to who opens the database
            self._call(self._finish)
            self._call(self._opened.set_exception, error)
            return
        self._call(self._opened.set_result, None)
        commit = GroupCommit(connection, self._queues, self._runtime, self._limits)
        try:
            while self._queues.wait():
                self._call(self._settle, self._expire() + commit.run())
                self._tidy(connection, self._queues.idle)
            self._call(self._drained.set_result, None)
            self._released.wait()
            self._retire(connection)
        finally:
            connection.close()
            self._call(self._finish)

    def _call(self, function: Callable[..., None], *args: Any) -> None:
        self._loop.call_soon_threadsafe(partial(function, *args))
