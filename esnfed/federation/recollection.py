"""What was lately read from the database, bounded in number and age, and never older than its last change."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Iterator
from typing import Generic, TypeVar

LIFETIME = 60_000
"""Milliseconds: an event of another process may be lost, and then this is how long it goes unnoticed."""

Key = TypeVar("Key")
Value = TypeVar("Value")


class Recollection(Generic[Key, Value]):
    """At most `limit` answers, none used for longer than `lifetime` milliseconds of `clock`.

    Whoever reads takes a `mark` before and gives it to `keep`: an answer that was on its way while something
    was forgotten may be from before that change, so it is not kept, and the next who asks reads anew.
    """

    def __init__(self, clock: Callable[[], int], limit: int, lifetime: int = LIFETIME) -> None:
        self._clock = clock
        self._limit = limit
        self._lifetime = lifetime
        self._kept: OrderedDict[Key, tuple[int, Value]] = OrderedDict()
        self._changes = 0

    def __len__(self) -> int:
        """The number of answers kept."""
        return len(self._kept)

    def __iter__(self) -> Iterator[tuple[Key, Value]]:
        """Every key with its answer, the one needed longest ago first."""
        return iter([(key, value) for key, (_, value) in self._kept.items()])

    @property
    def mark(self) -> int:
        """The moment before a read, for `keep` and `holds`."""
        return self._changes

    def holds(self, mark: int) -> bool:
        """Say whether nothing was forgotten since `mark`."""
        return mark == self._changes

    def get(self, key: Key) -> Value | None:
        """Return the answer while it is fresh, else None."""
        until, value = self._kept.get(key, (0, None))
        if value is None or until <= self._clock():
            return None
        self._kept.move_to_end(key)
        return value

    def last(self, key: Key) -> Value | None:
        """Return the last answer, fresh or not: for who cannot wait for a read."""
        return self._kept.get(key, (0, None))[1]

    def keep(self, key: Key, value: Value, mark: int) -> None:
        """Keep an answer whose read began at `mark`, unless it may be out of date already."""
        if not self.holds(mark):
            self._kept.pop(key, None)
            return
        self._kept[key] = (self._clock() + self._lifetime, value)
        self._kept.move_to_end(key)
        while len(self._kept) > self._limit:
            self._kept.popitem(last=False)

    def forget(self, key: Key) -> None:
        """Note that the answer changed, whether it is kept or still on its way."""
        self._changes += 1
        self._kept.pop(key, None)

    def note_change(self) -> None:
        """Note that some answer on its way may have changed, when its key is not known."""
        self._changes += 1
