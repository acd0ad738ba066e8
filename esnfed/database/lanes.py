"""Order among units of work on PostgreSQL: lanes with few places, and appends that gather."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence

from esnfed.database.units import Limits, Row
from esnfed.errors import Busy

Insert = Callable[[Sequence[Sequence[Row]]], Awaitable[None]]
"""Inserts the rows of several appends in one transaction."""


class Lane:
    """A bounded number of units at a time; who waits longer than `wait_ms` for a place gets Busy."""

    def __init__(self, places: int, wait_ms: int | None) -> None:
        self._places = asyncio.Semaphore(places)
        self._seconds = None if wait_ms is None else wait_ms / 1000
        self.waiting = 0

    async def enter(self) -> None:
        """Wait for a place and take it."""
        self.waiting += 1
        try:
            async with asyncio.timeout(self._seconds):
                await self._places.acquire()
        except TimeoutError as error:
            raise Busy(retry_after=5) from error
        finally:
            self.waiting -= 1

    def leave(self) -> None:
        """Give the place back."""
        self._places.release()


class Appends:
    """Rows that wait for the next transaction; those of many callers share it."""

    def __init__(self, insert: Insert, limits: Limits) -> None:
        self._insert = insert
        self._limits = limits
        self._items: list[tuple[Sequence[Row], asyncio.Future[None]]] = []
        self._flushing = False

    @property
    def waiting(self) -> int:
        """Number of appends that wait."""
        return len(self._items)

    def put(self, rows: Sequence[Row]) -> tuple[asyncio.Future[None], bool]:
        """Note `rows`; return what is done when they are committed, and whether `flush` must be started."""
        future: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._items.append((rows, future))
        first = not self._flushing
        self._flushing = True
        return future, first

    async def flush(self) -> None:
        """Insert until nothing waits."""
        try:
            while self._items:
                await self._together(self._take())
        finally:
            self._flushing = False

    def _take(self) -> list[tuple[Sequence[Row], asyncio.Future[None]]]:
        taken: list[tuple[Sequence[Row], asyncio.Future[None]]] = []
        rows = 0
        while self._items and len(taken) < self._limits.batch_jobs:
            rows += len(self._items[0][0])
            if taken and rows > self._limits.job_rows:
                break
            item = self._items.pop(0)
            if not item[1].cancelled():
                taken.append(item)
        return taken

    async def _together(self, items: list[tuple[Sequence[Row], asyncio.Future[None]]]) -> None:
        if not items:
            return
        error = await self._error([rows for rows, _ in items])
        if error is None or len(items) == 1:
            _settle(items[0][1], error)
            for _, future in items[1:]:
                _settle(future, None)
            return
        for rows, future in items:  # only the wrong one fails
            _settle(future, await self._error([rows]))

    async def _error(self, appends: Sequence[Sequence[Row]]) -> BaseException | None:
        (outcome,) = await asyncio.gather(self._insert(appends), return_exceptions=True)
        return outcome if isinstance(outcome, BaseException) else None


def _settle(future: asyncio.Future[None], error: BaseException | None) -> None:
    if future.done():
        return
    if error is None:
        future.set_result(None)
    else:
        future.set_exception(error)
