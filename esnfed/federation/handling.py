"""What an activity handler is: `needs`, `verify`, `receive`, and how it registers itself."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Protocol, TypeVar

from sqlalchemy import RowMapping

from esnfed import registry
from esnfed.context import Context
from esnfed.vocab.activity import Activity
from esnfed.vocab.parse import Document


@dataclass(frozen=True, slots=True)
class Resolved:
    """A document fetched from its origin. `domain` is the verified account domain of an actor, else ""."""

    document: Document
    domain: str = ""


@dataclass(frozen=True, slots=True)
class Incoming:
    """One authenticated activity on its way to its handler.

    `sender` is the actor row of who signed (and so of `activity.actor`); `fetched` maps each address that
    `needs` asked for to what its origin answered, or to None when it could not be had.
    """

    activity: Activity
    sender: RowMapping
    fetched: Mapping[str, Resolved | None]

    def document(self, uri: str) -> Document | None:
        """The fetched document at `uri`, or None."""
        resolved = self.fetched.get(uri)
        return resolved.document if resolved else None


class Handler(Protocol):
    """What happens when one type of activity arrives.

    `needs` (in a read) names what must be fetched first, and is asked again with the answers until it names
    nothing new; `verify` raises Refused, Malformed or Ignored without changing anything; `receive` does it.
    """

    def needs(self, context: Context, incoming: Incoming) -> list[str]:
        """Addresses to fetch before the unit of work begins."""

    def verify(self, context: Context, incoming: Incoming) -> None:
        """Raise unless the sender may do this."""

    def receive(self, context: Context, incoming: Incoming) -> None:
        """Apply the activity, as one unit of work, with one effect however often it arrives."""


HandlerClass = TypeVar("HandlerClass", bound=Callable[[], Handler])


def on(as_type: str) -> Callable[[HandlerClass], HandlerClass]:
    """Register a handler class for an activity type; it is created once."""

    def decorate(handler: HandlerClass) -> HandlerClass:
        registry.handlers.add(as_type, handler())
        return handler

    return decorate


Undoer = Callable[[Context, RowMapping, str | None, Document | None], bool]
"""function(context, sender, id of the undone activity, its document): True when something was undone."""

UndoFunction = TypeVar("UndoFunction", bound=Undoer)


def undoes(as_type: str) -> Callable[[UndoFunction], UndoFunction]:
    """Register the function that takes back an activity of this type."""
    return registry.undoers.register(as_type)


def receives(*as_types: str) -> Callable[[Any], Any]:
    """Register the receiver of object types: it maps a document to a row, always by upsert."""
    return registry.receivers.register(*as_types)
