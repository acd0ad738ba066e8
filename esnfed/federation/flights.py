"""One request for all who ask the same at the same time, and none for what failed a moment ago."""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Hashable
from dataclasses import dataclass
from typing import Generic, TypeVar

from esnfed.errors import RemoteError, RemoteUnreachable
from esnfed.federation.pacing import Clock, Limits
from esnfed.federation.reasons import PASSING

Landed = TypeVar("Landed")


@dataclass(frozen=True, slots=True)
class _Failure:
    """A failure without its traceback, from which each waiter gets an error of its own."""

    kind: type[RemoteError]
    message: str
    retry_after: int | None

    @classmethod
    def of(cls, error: RemoteError) -> _Failure:
        return cls(
            type(error), str(error), error.retry_after if isinstance(error, RemoteUnreachable) else None
        )

    def error(self) -> RemoteError:
        if issubclass(self.kind, RemoteUnreachable):
            return self.kind(self.message, self.retry_after)
        return self.kind(self.message)


class Flights(Generic[Landed]):
    """Single flight with a memory of failures, bounded in time and number."""

    def __init__(self, clock: Clock, limits: Limits) -> None:
        self._clock = clock
        self._limits = limits
        self._aloft: dict[Hashable, asyncio.Future[tuple[Landed] | _Failure | None]] = {}
        self._failed: OrderedDict[Hashable, tuple[int, str, _Failure]] = OrderedDict()

    def __len__(self) -> int:
        """The number of failures remembered."""
        return len(self._failed)

    async def join(self, key: Hashable, group: str, start: Callable[[], Awaitable[Landed]]) -> Landed:
        """Return what `start()` gives, or what it gives to somebody who asked for `key` before.

        Raises the RemoteError that `start` raised, each time a new one. `group` is what `forget` names.
        When the one who started is cancelled, the next who waits starts again.
        """
        while (aloft := self._aloft.get(key)) is not None:
            landed = await asyncio.shield(aloft)
            if isinstance(landed, _Failure):
                raise landed.error()
            if landed is not None:
                return landed[0]
        failure = self._remembered(key)
        if failure is not None:
            raise failure.error()
        return await self._lead(key, group, start)

    async def _lead(self, key: Hashable, group: str, start: Callable[[], Awaitable[Landed]]) -> Landed:
        aloft: asyncio.Future[tuple[Landed] | _Failure | None] = asyncio.get_running_loop().create_future()
        self._aloft[key] = aloft
        outcome: tuple[Landed] | _Failure | None = None
        try:
            result = await start()
            outcome = (result,)
            return result
        except RemoteError as error:
            outcome = _Failure.of(error)
            self._remember(key, group, outcome)
            raise
        finally:
            del self._aloft[key]
            aloft.set_result(outcome)

    def forget(self, group: str) -> None:
        """Forget the failures of one group (a host that has just shown that it lives)."""
        for key in [key for key, (_, of, _) in self._failed.items() if of == group]:
            del self._failed[key]

    def _remembered(self, key: Hashable) -> _Failure | None:
        until, _, failure = self._failed.get(key, (0, "", None))
        if failure is not None and until <= self._clock():
            del self._failed[key]
            return None
        return failure

    def _remember(self, key: Hashable, group: str, failure: _Failure) -> None:
        if failure.message in PASSING:
            return
        keep = self._limits.negative_ms
        if failure.retry_after is not None:
            keep = min(keep, failure.retry_after * 1000)
        self._failed[key] = (self._clock() + keep, group, failure)
        self._failed.move_to_end(key)
        while len(self._failed) > self._limits.negatives:
            self._failed.popitem(last=False)
