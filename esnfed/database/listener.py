"""LISTEN on PostgreSQL: events that other processes of this node have committed."""

from __future__ import annotations

import asyncio
import logging
from typing import Any

from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from esnfed.database.events import decode
from esnfed.database.units import Publish

log = logging.getLogger("esnfed.database")

CHANNEL = "esnfed"
RETRY_SECONDS = 5.0


class Listener:
    """Holds one connection that listens, and opens another when it is lost.

    `troubles` are the errors of a server that cannot be reached. What other processes say while nobody
    listens is lost: the rows are the truth, and workers look at them from time to time.
    """

    def __init__(
        self, engine: AsyncEngine, origin: str, publish: Publish, troubles: tuple[type[Exception], ...]
    ) -> None:
        self._troubles = troubles
        self._engine = engine
        self._origin = origin
        self._publish = publish
        self._connection: AsyncConnection | None = None
        self._again: asyncio.Task[None] | None = None
        self._closing = False

    async def start(self) -> None:
        """Listen; raises when the server cannot be reached."""
        connection = await self._engine.connect()
        raw: Any = (await connection.get_raw_connection()).driver_connection
        await raw.add_listener(CHANNEL, self._heard)
        raw.add_termination_listener(self._lost)
        self._connection = connection

    async def close(self) -> None:
        """Stop listening."""
        self._closing = True
        if self._again is not None:
            self._again.cancel()
            await asyncio.gather(self._again, return_exceptions=True)
        if self._connection is not None:
            await self._connection.close()
        await self._engine.dispose()

    def _heard(self, _connection: Any, _process: int, _channel: str, payload: Any) -> None:
        self._publish(decode(payload, self._origin))

    def _lost(self, _connection: Any) -> None:
        if not self._closing:
            log.warning("the listening connection to PostgreSQL was lost")
            self._again = asyncio.get_running_loop().create_task(self._reconnect())

    async def _reconnect(self) -> None:
        lost, self._connection = self._connection, None
        if lost is not None:
            await lost.invalidate()
            await lost.close()
        while True:
            try:
                return await self.start()
            except self._troubles as error:
                log.warning("PostgreSQL cannot be listened to yet: %s", error)
                await asyncio.sleep(RETRY_SECONDS)
