"""Events published after a commit: plain frozen values, handed to whoever listens on this node.

Nothing here touches the database. Services collect events with `Context.after_commit`; `database.write`
publishes them once COMMIT has succeeded, on the event loop's thread.
"""

from __future__ import annotations

import logging
from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeVar

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class DeliveriesQueued:
    """Deliveries were queued for these hosts."""

    hosts: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class InboxWaiting:
    """Inbox messages wait for their handler."""


@dataclass(frozen=True, slots=True)
class MessageHandled:
    """An inbox message met its handler; `state` is what became of it."""

    message_id: int
    state: str


@dataclass(frozen=True, slots=True)
class JobWaiting:
    """A job row was written."""

    kind: str


@dataclass(frozen=True, slots=True)
class ErrandWaiting:
    """An errand was written."""


@dataclass(frozen=True, slots=True)
class ActorChanged:
    """An actor's row or keys changed: forget what was cached about it."""

    actor_id: int


@dataclass(frozen=True, slots=True)
class StatusChanged:
    """A status was written, edited or deleted."""

    status_id: int


@dataclass(frozen=True, slots=True)
class PeerChanged:
    """A peer's standing or health was changed by hand."""

    host: str


Event = TypeVar("Event")


class Bus:
    """Calls listeners by event class. A listener that fails is logged and does not stop the others."""

    def __init__(self) -> None:
        self._listeners: dict[type[Any], list[Callable[[Any], None]]] = defaultdict(list)

    def listen(self, kind: type[Event], listener: Callable[[Event], None]) -> Callable[[], None]:
        """Call `listener(event)` for each event of class `kind`; return a function that ends this."""
        self._listeners[kind].append(listener)

        def stop() -> None:
            self._listeners[kind].remove(listener)

        return stop

    def publish(self, event: object) -> None:
        """Hand one event to its listeners, in the order in which they began to listen."""
        for listener in tuple(self._listeners.get(type(event), ())):
            try:
                listener(event)
            except Exception:
                log.exception("a listener of %s failed", type(event).__name__)
