"""A clock that stands still until a test moves it."""

from __future__ import annotations

START = 1_767_225_600_000
"""2026-01-01T00:00:00Z in milliseconds."""


class Clock:
    """Callable like the clock of a Runtime: milliseconds since 1970."""

    def __init__(self, now: int = START) -> None:
        self.now = now

    def __call__(self) -> int:
        """The time."""
        return self.now

    def advance(self, milliseconds: int) -> None:
        """Move forward."""
        self.now += milliseconds
