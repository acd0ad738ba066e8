"""How much may be fetched: per host, per registrable domain, and on behalf of one message.

Every state here expires and is bounded in number, so that an attacker with ten thousand host names costs
ten thousand requests' work and no lasting memory (CVE-2026-69132).
"""

from __future__ import annotations

import math
from collections import OrderedDict
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from esnfed.errors import RemoteRefused, RemoteUnreachable
from esnfed.federation import reasons

Clock = Callable[[], int]
Sleep = Callable[[float], Awaitable[object]]

_SECOND_LEVEL = frozenset({"ac", "asso", "co", "com", "edu", "gob", "gouv", "gov", "mil", "net", "or", "org"})


@dataclass(frozen=True, slots=True)
class Limits:
    """Every number of the outgoing side; the defaults are those of production."""

    body: int = 1_000_000
    """Bytes of one answer, as sent and again after decompression."""

    hops: int = 3
    """Redirects followed (Mastodon's value)."""

    rate: float = 2.0
    """Fetches per second and host, sustained."""

    burst: int = 10
    """Fetches that a quiet host takes at once."""

    patience: float = 5.0
    """Seconds that a fetch waits for its turn before it is given up."""

    hosts: int = 2_000
    """Hosts, and registrable domains, whose state is kept."""

    subdomains: int = 10
    """New hosts under one registrable domain per minute (Mastodon's value)."""

    negative_ms: int = 300_000
    """How long a failed address is not asked again."""

    negatives: int = 2_000
    """Failed addresses remembered."""

    connections: int = 150
    connections_per_host: int = 4
    """Delivery may have four in flight; fetches wait their turn among them."""


class Budget:
    """What one inbound activity, or one request of a client, may cause in fetches and discoveries.

    Give the same object to every fetch made on its behalf. A discovery is an actor or handle that was not
    known here; 400 is Mastodon's value, made for deep threads, hence `Budget(fetches=...)` for those.
    """

    __slots__ = ("discoveries", "fetches")

    def __init__(self, fetches: int = 25, discoveries: int = 400) -> None:
        self.fetches = fetches
        self.discoveries = discoveries

    def spend_fetch(self) -> None:
        """Count one fetch; raises RemoteRefused when none is left."""
        if self.fetches <= 0:
            raise RemoteRefused(reasons.BUDGET)
        self.fetches -= 1

    def spend_discovery(self) -> None:
        """Count one discovery; raises RemoteRefused when none is left."""
        if self.discoveries <= 0:
            raise RemoteRefused(reasons.DISCOVERIES)
        self.discoveries -= 1


@dataclass(slots=True)
class _Turn:
    """`free_at`: when the host has taken in all that was asked; `paused_until`: its own wish."""

    free_at: float = 0
    paused_until: int = 0


class Pacer:
    """Gives fetches their turn, host by host. Hosts are whatever text the caller counts by."""

    def __init__(self, clock: Clock, sleep: Sleep, limits: Limits) -> None:
        self._clock = clock
        self._sleep = sleep
        self._limits = limits
        self._turns: OrderedDict[str, _Turn] = OrderedDict()

    def __len__(self) -> int:
        """The number of hosts whose state is kept."""
        return len(self._turns)

    async def take_turn(self, host: str) -> None:
        """Wait until the host may be asked; raises RemoteUnreachable when that is too far away."""
        now = self._clock()
        turn = self._turn(host, now)
        if turn.paused_until > now:
            raise RemoteUnreachable(reasons.PAUSED, math.ceil((turn.paused_until - now) / 1000))
        step = 1000 / self._limits.rate
        free_at = max(turn.free_at, now)
        wait = max(0.0, free_at - now - (self._limits.burst - 1) * step) / 1000
        if wait > self._limits.patience:
            raise RemoteUnreachable(reasons.CROWDED, math.ceil(wait))
        turn.free_at = free_at + step
        if wait:
            await self._sleep(wait)

    def pause(self, host: str, seconds: int) -> None:
        """Ask the host nothing for so many seconds: what it said in Retry-After."""
        now = self._clock()
        turn = self._turn(host, now)
        turn.paused_until = max(turn.paused_until, now + seconds * 1000)

    def _turn(self, host: str, now: int) -> _Turn:
        turn = self._turns.pop(host, None) or _Turn()
        self._turns[host] = turn
        while self._turns:
            oldest = next(iter(self._turns))
            state = self._turns[oldest]
            spent = state is not turn and max(state.free_at, state.paused_until) <= now
            if not spent and len(self._turns) <= self._limits.hosts:
                break
            del self._turns[oldest]
        return turn


class Discoveries:
    """Counts new hosts under each registrable domain (Mastodon CVE-2022-46405: wildcard DNS names)."""

    def __init__(self, clock: Clock, limits: Limits) -> None:
        self._clock = clock
        self._limits = limits
        self._seen: OrderedDict[str, dict[str, int]] = OrderedDict()

    def __len__(self) -> int:
        """The number of registrable domains whose state is kept."""
        return len(self._seen)

    def admit(self, host: str) -> None:
        """Count a host that is not known here; raises RemoteRefused for the eleventh within a minute."""
        now = self._clock()
        domain = registrable_domain(host)
        seen = self._seen.pop(domain, {})
        fresh = {name: at for name, at in seen.items() if at > now - 60_000}
        self._seen[domain] = fresh
        while len(self._seen) > self._limits.hosts:
            self._seen.popitem(last=False)
        if host not in fresh and len(fresh) >= self._limits.subdomains:
            raise RemoteRefused(reasons.SUBDOMAINS)
        fresh.setdefault(host, now)


def registrable_domain(host: str) -> str:
    """Return, nearly, the part of a host name that somebody registered: `a.b.co.uk` gives `b.co.uk`.

    The public suffix list is not consulted: two labels, or three below a country's usual second level. Where
    this is wrong it joins the hosts of a hoster, or of a country's odd registry, into one count of ten *new*
    hosts per minute; that costs a delay, never a peer.
    """
    bare, _, port = host.rpartition(":")
    name = bare if bare and port.isdigit() and not host.endswith("]") else host
    labels = name.split(".")
    if host.startswith("[") or labels[-1].isdigit():
        return name
    wide = len(labels) > 2 and len(labels[-1]) == 2 and labels[-2] in _SECOND_LEVEL
    return ".".join(labels[-3:] if wide else labels[-2:])
