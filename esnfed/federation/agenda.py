"""Which server is due next: an in-memory order of host names, rebuilt from rows at any time."""

from __future__ import annotations

from collections.abc import Iterable
from heapq import heapify, heappop, heappush


class Agenda:
    """Hosts with something queued, each with the time (milliseconds) at which it is worth a look.

    One entry per host, so its size is bounded by the rows of `peer`. Hosts that are due at the same time
    come in the order in which they were put, which makes the scheduler a round robin.
    """

    def __init__(self) -> None:
        self._due: dict[str, tuple[int, int]] = {}
        self._heap: list[tuple[int, int, str]] = []
        self._order = 0

    def __len__(self) -> int:
        return len(self._due)

    def put(self, host: str, due: int) -> None:
        """Set the time of a host, in place of the one it had."""
        self._order += 1
        self._due[host] = (due, self._order)
        heappush(self._heap, (due, self._order, host))
        if len(self._heap) > 2 * len(self._due) + 64:
            self._heap = [(due, order, host) for host, (due, order) in self._due.items()]
            heapify(self._heap)

    def wake(self, hosts: Iterable[str], now: int) -> None:
        """Make hosts due now; one that is due already keeps its place."""
        for host in hosts:
            known = self._due.get(host)
            if known is None or known[0] > now:
                self.put(host, now)

    def take(self, now: int, room: int) -> list[str]:
        """Remove and return up to `room` hosts that are due, the earliest first."""
        taken: list[str] = []
        while len(taken) < room:
            due = self.next_due()
            if due is None or due > now:
                break
            host = heappop(self._heap)[2]
            del self._due[host]
            taken.append(host)
        return taken

    def next_due(self) -> int | None:
        """Return the time of the earliest entry, or None when there is none."""
        while self._heap:
            due, order, host = self._heap[0]
            if self._due.get(host) == (due, order):
                return due
            heappop(self._heap)
        return None
