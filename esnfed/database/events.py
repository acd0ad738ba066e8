"""Events of bus.py as text, so that processes sharing one PostgreSQL database can tell each other."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import fields, is_dataclass, replace
from typing import Any

import orjson

from esnfed import bus
from esnfed.errors import EsnfedError

PAYLOAD_BYTES = 7_900
"""NOTIFY takes less than 8,000 bytes."""


def encode(events: Iterable[object], origin: str) -> list[str]:
    """Return NOTIFY payloads `[origin, [[class name, {field: value}], ...]]`, each short enough.

    Events carry ids and host names only. One that is too long, such as thousands of hosts, is split along
    its tuple.
    """
    payloads: list[str] = []
    waiting: list[bytes] = []
    room = PAYLOAD_BYTES - len(origin) - 8
    for part in _parts(events, room):
        if waiting and sum(len(piece) + 1 for piece in waiting) + len(part) > room:
            payloads.append(_payload(origin, waiting))
            waiting = []
        waiting.append(part)
    if waiting:
        payloads.append(_payload(origin, waiting))
    return payloads


def decode(payload: str, origin: str) -> list[object]:
    """Return the events of one payload; none when it is of `origin` itself, which published them already.

    A class that is not known here is passed over: it comes from a process of another version.
    """
    sender, parts = orjson.loads(payload)
    if sender == origin:
        return []
    return [_event(name, values) for name, values in parts if hasattr(bus, name)]


def _payload(origin: str, parts: list[bytes]) -> str:
    return f'["{origin}",[{b",".join(parts).decode()}]]'


def _parts(events: Iterable[object], room: int) -> Iterator[bytes]:
    for event in events:
        if getattr(bus, type(event).__name__, None) is not type(event) or not is_dataclass(event):
            raise EsnfedError(f"{type(event).__name__} is no event of bus.py and cannot travel")
        name = type(event).__name__
        encoded = orjson.dumps([name, {item.name: getattr(event, item.name) for item in fields(event)}])
        if len(encoded) <= room:
            yield encoded
        else:
            yield from _parts(_halves(event), room)


def _halves(event: Any) -> list[object]:
    for item in fields(event):
        value = getattr(event, item.name)
        if isinstance(value, tuple) and len(value) > 1:
            middle = len(value) // 2
            return [replace(event, **{item.name: half}) for half in (value[:middle], value[middle:])]
    raise EsnfedError(f"{type(event).__name__} is too long to be told to other processes")


def _event(name: str, values: dict[str, Any]) -> object:
    kind = getattr(bus, name)
    return kind(**{key: tuple(value) if isinstance(value, list) else value for key, value in values.items()})
