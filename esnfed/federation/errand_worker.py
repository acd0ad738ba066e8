"""The worker of errands: fetches what a turn asked for, then lets the turn be taken as one unit of work."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable
from typing import Any, Final, TypeVar

from sqlalchemy import Row

from esnfed.bus import Bus, ErrandWaiting
from esnfed.database import Database
from esnfed.errors import Busy, Malformed, RemoteError, RemoteUnreachable
from esnfed.federation import errands, reasons
from esnfed.federation.discovery import Discovery
from esnfed.federation.errands import Found
from esnfed.federation.pacing import Budget
from esnfed.jobs import BUSY_SECONDS

log = logging.getLogger(__name__)

PARALLEL: Final = 4
FETCHES: Final = 25
"""Requests that one turn may make: redirects to the right id, authors and account names included."""

RETRY_MS: Final = 60_000
LOOK_SECONDS: Final = 0.2

_LATER = frozenset({reasons.PAUSED, reasons.CROWDED})
"""The other server, or our own pace, asks for patience: the same turn is taken again later."""

Wanted = TypeVar("Wanted")


class ErrandWorker:
    """Takes due errands one turn at a time; turned by hand in tests, by `run` in a node."""

    def __init__(self, database: Database, discovery: Discovery, bus: Bus) -> None:
        self._database = database
        self._discovery = discovery
        self._woken = asyncio.Event()
        bus.listen(ErrandWaiting, lambda _: self._woken.set())

    async def step(self, only: int = 0) -> bool:
        """Take one turn of the errand that is due longest, or of the one named; False when none is due."""
        try:
            return await self._step(only)
        except Busy as error:
            log.warning("errands wait: %s", error)
            return False

    async def _step(self, only: int = 0) -> bool:
        claimed = await self._database.write(errands.claim, only, background=True)
        if claimed is None:
            return False
        await self._take(claimed)
        return True

    async def run(self) -> None:
        """Take turns until cancelled, a few errands at once: a slow server holds up only its own."""
        async with asyncio.TaskGroup() as tasks:
            for _ in range(PARALLEL):
                tasks.create_task(self._work())

    async def finish(self, errand_id: int, seconds: float) -> bool:
        """Take an errand's turns until it is over; False when that takes longer than `seconds`."""
        try:
            async with asyncio.timeout(seconds):
                while await self._database.read(errands.state, errand_id) == "waiting":
                    if not await self.step(errand_id):
                        await asyncio.sleep(LOOK_SECONDS)
        except TimeoutError:
            return False
        return True

    async def _work(self) -> None:
        while True:
            self._woken.clear()
            try:
                while await self._step():
                    pass
                await self._rest(await self._database.read(errands.seconds_to_next))
            except Busy as error:
                log.debug("errands wait: %s", error)
                await asyncio.sleep(BUSY_SECONDS)

    async def _rest(self, seconds: float) -> None:
        try:
            async with asyncio.timeout(seconds):
                await self._woken.wait()
        except TimeoutError:
            return

    async def _take(self, claimed: Row[Any]) -> None:
        try:
            found = await self._fetch(claimed)
            await self._database.write(errands.advance, claimed, found, background=True)
        except RemoteUnreachable as error:
            pause = max(error.retry_after or 1, 1) * 1000
            await self._database.write(errands.put_off, claimed, pause, background=True)
        except Busy:
            raise
        except Exception as error:
            log.exception("a turn of the errand %s (%s) failed", claimed.id, claimed.kind)
            said = f"{type(error).__name__}: {error}"
            await self._database.write(errands.put_off, claimed, RETRY_MS, said, background=True)

    async def _fetch(self, claimed: Row[Any]) -> Found:
        """Fetch what the turn needs; raises RemoteUnreachable only when patience is asked for."""
        budget = Budget(FETCHES)
        posts = {uri: await _had(self._discovery.post, uri, budget) for uri in claimed.posts}
        pages = {uri: await _had(self._discovery.page, uri, budget) for uri in claimed.pages}
        return Found(posts, pages)


async def _had(fetch: Callable[[str, Budget], Awaitable[Wanted]], uri: str, budget: Budget) -> Wanted | None:
    try:
        return await fetch(uri, budget)
    except RemoteUnreachable as error:
        if str(error) in _LATER:
            raise
        log.info("wanted %s, not had: %s", uri, error)
    except (RemoteError, Malformed) as error:
        log.info("wanted %s, not had: %s", uri, error)
    return None
