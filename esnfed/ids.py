"""Time-ordered 64-bit ids: milliseconds since 1970 in the upper 48 bits, a sequence in the lower 16."""

from __future__ import annotations

import threading
from collections.abc import Callable
from random import Random

SEQUENCE_BITS = 16
SEQUENCE_MASK = (1 << SEQUENCE_BITS) - 1


class IdGenerator:
    """Gives strictly rising ids for "now", and ids that sort at a given time for back-dated things.

    `clock` returns milliseconds since 1970. Safe to call from several threads. Two processes that share a
    PostgreSQL database start their sequences at random places, so that a clash needs the same millisecond
    and the same of 65,536 places; the primary key refuses it and the unit of work is tried again.
    """

    def __init__(self, clock: Callable[[], int], random: Random) -> None:
        self._clock = clock
        self._random = random
        self._lock = threading.Lock()
        self._last = 0

    def next(self) -> int:
        """Return an id greater than every id this generator returned before."""
        with self._lock:
            fresh = self._clock() << SEQUENCE_BITS | self._random.getrandbits(SEQUENCE_BITS - 4)
            self._last = fresh if fresh > self._last else self._last + 1
            return self._last

    def rise_above(self, identifier: int) -> None:
        """Give only ids above this one from here on: that of the newest row, when the clock was put back.

        An id of this or an earlier millisecond changes nothing, so that two processes do not begin alike.
        """
        with self._lock:
            if milliseconds_of(identifier) > self._clock():
                self._last = max(self._last, identifier)

    def at(self, milliseconds: int) -> int:
        """Return an id that sorts at `milliseconds` (clamped to 0..now), with a random tail."""
        moment = min(max(milliseconds, 0), self._clock())
        return moment << SEQUENCE_BITS | self._random.getrandbits(SEQUENCE_BITS)


def milliseconds_of(identifier: int) -> int:
    """Return the time, in milliseconds since 1970, that an id carries."""
    return identifier >> SEQUENCE_BITS
