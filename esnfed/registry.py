"""The generic registry and the named ones: upper rooms register, lower rooms read.

A file that adds something registers it when its folder is imported; a second registration under the same
name is an error at start, so that nothing is silently replaced.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, Generic, TypeVar

Value = TypeVar("Value")


class Registry(Generic[Value]):
    """Names to values, each name once. `title` appears in the error of a duplicate."""

    def __init__(self, title: str) -> None:
        self.title = title
        self._values: dict[str, Value] = {}

    def add(self, name: str, value: Value) -> None:
        """Register `value` under `name`; ValueError when the name is taken."""
        if name in self._values:
            raise ValueError(f"{self.title}: {name!r} is registered twice")
        self._values[name] = value

    def register(self, *names: str) -> Callable[[Value], Value]:
        """Return a decorator that registers one value under each of `names`."""

        def decorate(value: Value) -> Value:
            for name in names:
                self.add(name, value)
            return value

        return decorate

    def get(self, name: str) -> Value | None:
        """Return the value, or None for an unknown name."""
        return self._values.get(name)

    def __getitem__(self, name: str) -> Value:
        return self._values[name]

    def __contains__(self, name: object) -> bool:
        return name in self._values

    def __iter__(self) -> Iterator[str]:
        return iter(sorted(self._values))

    def items(self) -> list[tuple[str, Value]]:
        """Return (name, value) pairs sorted by name."""
        return sorted(self._values.items())


handlers: Registry[Any] = Registry("activity handlers")
"""ActivityStreams activity type -> handler object with `needs`, `verify`, `receive` (activities/)."""

undoers: Registry[Any] = Registry("undo handlers")
"""Type of the undone activity -> function(context, actor_row, inner activity) (activities/)."""

receivers: Registry[Any] = Registry("object receivers")
"""ActivityStreams object type -> receiver that maps a document to a row by upsert (objects/)."""

forms: Registry[Any] = Registry("forms of posts")
"""ActivityStreams object type -> Form, what posts of this type have more than a Note (objects/form.py)."""

senders: Registry[Any] = Registry("object senders")
"""Name of a row kind -> function(context, row) -> document (objects/, network rooms)."""

extensions: Registry[Any] = Registry("object extensions")
"""Namespaced property on an object -> Extension that reads and writes it (records/object.py)."""

kinds: Registry[Any] = Registry("record kinds")
"""Record kind -> its definition: fields, rules, hashtags (records/kinds/)."""

steps: Registry[Any] = Registry("job steps")
"""Job kind -> function(context, arguments, cursor) that does one bounded step of it (jobs.py)."""

errands: Registry[Any] = Registry("errands")
"""Errand kind -> function(context, arguments, cursor, found) that does one turn of it (federation/errands.py)."""

periodic: Registry[Any] = Registry("periodic work")
"""Name -> Periodic(seconds between turns, function(context, cursor)) (jobs.py)."""

panels: Registry[Any] = Registry("page panels")
"""Place on a page -> function(context, ...) that gives what the panel shows (web/, network rooms)."""

commands: Registry[Any] = Registry("commands")
"""Command name -> click command (cli/, a `cli.py` in a network room)."""

operations: Registry[Any] = Registry("operations")
"""Name -> function(context, **arguments) run as a client job, or async function(node, **arguments) (cli/)."""

readings: Registry[Any] = Registry("readings")
"""Name -> function(context, **arguments) run in a read transaction (cli/)."""

nav: Registry[Any] = Registry("main menu")
"""Place in the main menu, such as "10 home" -> (path, label marked with N_) (web/, network rooms)."""
