"""What a service is given: one frozen Context per unit of work."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from random import Random

from sqlalchemy import Connection

from esnfed.config import Config
from esnfed.ids import IdGenerator


@dataclass(frozen=True, slots=True)
class Viewer:
    """Who reads or acts: ids and scopes, no row. `actor_id` is the actor acted as."""

    actor_id: int
    user_id: int | None = None
    scopes: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Runtime:
    """What a node gives to every unit of work, the same for its whole life."""

    config: Config
    clock: Callable[[], int]
    """Milliseconds since 1970, UTC."""

    random: Random
    ids: IdGenerator


@dataclass(frozen=True, slots=True)
class Context:
    """One unit of work: a connection inside a transaction, and everything a service may ask."""

    runtime: Runtime
    connection: Connection
    viewer: Viewer | None = None
    events: list[object] = field(default_factory=list)

    @property
    def config(self) -> Config:
        """The node's configuration."""
        return self.runtime.config

    def now(self) -> int:
        """Milliseconds since 1970, UTC."""
        return self.runtime.clock()

    def new_id(self, at: int | None = None) -> int:
        """A fresh time-ordered id; with `at` (milliseconds) one that sorts at that time."""
        return self.runtime.ids.next() if at is None else self.runtime.ids.at(at)

    def after_commit(self, event: object) -> None:
        """Publish `event` (a plain value of bus.py) once this unit of work is committed; else never."""
        self.events.append(event)
