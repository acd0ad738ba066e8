"""Token buckets for what arrives: bounded in number, forgotten when full again, on the node's own clock."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from math import ceil

from aiohttp import web

from esnfed.errors import TooMany

MAX_BUCKETS = 10_000


@dataclass(frozen=True, slots=True)
class Rate:
    """How fast a bucket fills (`per_second`) and how much it holds (`burst`)."""

    per_second: float
    burst: int


class Buckets:
    """One token bucket per key. `clock` gives milliseconds since 1970.

    At most `capacity` keys are kept, the longest unused is forgotten first (CVE-2026-69132: state per host
    must not grow without bound). A key that is forgotten starts full, which is what it was about to be.
    """

    def __init__(self, clock: Callable[[], int], rate: Rate, capacity: int = MAX_BUCKETS) -> None:
        self._clock = clock
        self._rate = rate
        self._capacity = capacity
        self._buckets: OrderedDict[str, tuple[float, int]] = OrderedDict()

    def __len__(self) -> int:
        return len(self._buckets)

    def take(self, key: str) -> None:
        """Take one token of `key`; raises TooMany, with the seconds until the next one, when it has none."""
        tokens = self._level(key)
        if tokens < 1:
            raise TooMany(retry_after=max(1, ceil((1 - tokens) / self._rate.per_second)))
        self._buckets[key] = (tokens - 1, self._clock())
        self._buckets.move_to_end(key)
        self._forget()

    def _level(self, key: str) -> float:
        tokens, at = self._buckets.get(key, (float(self._rate.burst), self._clock()))
        elapsed = max(0, self._clock() - at) / 1000
        return min(float(self._rate.burst), tokens + elapsed * self._rate.per_second)

    def _forget(self) -> None:
        while self._buckets:
            oldest = next(iter(self._buckets))
            if len(self._buckets) <= self._capacity and self._level(oldest) < self._rate.burst:
                return
            del self._buckets[oldest]


class InboxLimits:
    """The two limits of the inbox: per address before anything is read, and per server at an address.

    The name of a server is not proven yet when it is counted: counting it together with the address keeps
    strangers from using up the share of a server by naming it.
    """

    def __init__(
        self,
        clock: Callable[[], int],
        address: Rate = Rate(per_second=100, burst=2000),
        host: Rate = Rate(per_second=50, burst=2000),
    ) -> None:
        self.addresses = Buckets(clock, address)
        self.hosts = Buckets(clock, host)

    def take(self, address: str, host: str) -> None:
        """Take one token of a server at an address; raises TooMany."""
        self.hosts.take(f"{host} {address}")


INBOX_LIMITS: web.AppKey[InboxLimits] = web.AppKey("inbox_limits", InboxLimits)
