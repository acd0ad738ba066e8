"""A small mutation fuzzer guided by coverage: inputs that reach new lines of ours become seeds of others."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from copy import deepcopy
from pathlib import Path
from random import Random
from types import CodeType, FrameType
from typing import Any

import esnfed

OURS = str(Path(esnfed.__file__).parent)
MAX_INPUT = 65_536
"""Bytes of one input: the caps on length have tests of their own."""

Line = tuple[CodeType, int]


class Coverage:
    """The lines of ours that were ever reached; `fresh` says whether a call reached one for the first time."""

    def __init__(self) -> None:
        self._reached: set[Line] = set()

    @contextmanager
    def watching(self) -> Iterator[None]:
        """Note every line of our modules that runs inside, in this thread; an outer tracer comes back after."""
        before = sys.gettrace()
        sys.settrace(self._call)
        try:
            yield
        finally:
            sys.settrace(before)

    def __len__(self) -> int:
        return len(self._reached)

    def _call(self, frame: FrameType, _event: str, _argument: Any) -> Any:
        return self._line if frame.f_code.co_filename.startswith(OURS) else None

    def _line(self, frame: FrameType, _event: str, _argument: Any) -> Any:
        self._reached.add((frame.f_code, frame.f_lineno))
        return self._line


class Mutator:
    """Changes bytes anywhere, and JSON values at any place, from a dictionary of what has hurt others."""

    def __init__(self, random: Random, words: Sequence[str], values: Sequence[Any]) -> None:
        self._random = random
        self._words = [word.encode("utf-8", "surrogatepass") for word in words]
        self._values = values
        self._changes = (self._flip, self._cut, self._double, self._word, self._splice_number)

    def mutate(self, seed: bytes, other: bytes) -> bytes:
        """Return a changed copy of a seed; `other` is what it may be crossed with."""
        random = self._random
        if seed[:1] == b"{" and random.random() < 0.7:
            return self._document(seed, other)
        changed = seed if random.random() < 0.9 else self._cross(seed, other)
        for _ in range(random.choice((1, 1, 2, 4, 8))):
            changed = random.choice(self._changes)(changed)
        return changed[:MAX_INPUT]

    def _flip(self, data: bytes) -> bytes:
        at = self._place(data)
        return data[:at] + bytes((self._random.randrange(256),)) + data[at + 1 :]

    def _cut(self, data: bytes) -> bytes:
        at = self._place(data)
        return data[:at] + data[at + self._random.choice((1, 2, 8, 64)) :]

    def _double(self, data: bytes) -> bytes:
        at, length = self._place(data), self._random.choice((1, 4, 16, 64))
        return data[:at] + data[at : at + length] * self._random.choice((2, 3, 50)) + data[at + length :]

    def _word(self, data: bytes) -> bytes:
        at = self._place(data)
        return data[:at] + self._random.choice(self._words) + data[at + self._random.choice((0, 0, 1, 8)) :]

    def _splice_number(self, data: bytes) -> bytes:
        at = self._place(data)
        number = self._random.choice((0, -1, 2**31, 2**63, 2**64, 10**30, 10**4400))
        sys.set_int_max_str_digits(0)
        try:
            return data[:at] + str(number).encode() + data[at:]
        finally:
            sys.set_int_max_str_digits(4300)

    def _cross(self, data: bytes, other: bytes) -> bytes:
        return data[: self._place(data)] + other[self._place(other) :]

    def _place(self, data: bytes) -> int:
        return self._random.randrange(len(data) + 1)

    def _document(self, seed: bytes, other: bytes) -> bytes:
        try:
            document, donor = json.loads(seed), json.loads(other) if other[:1] == b"{" else {}
        except (ValueError, RecursionError):
            return self._word(seed)
        for _ in range(self._random.choice((1, 1, 2, 3))):
            paths = [path for path in places(document) if path]
            if paths:
                document = put(document, self._random.choice(paths), self._value(document, donor))
        return json.dumps(document).encode()[:MAX_INPUT]

    def _value(self, document: Any, donor: Any) -> Any:
        random = self._random
        kind = random.randrange(4)
        if kind == 0:
            return random.choice(self._words).decode("utf-8", "surrogatepass")
        if kind == 1:
            return deepcopy(random.choice(self._values))
        taken = inside(
            donor if kind == 2 else document, random.choice(places(donor if kind == 2 else document))
        )
        wrapped = (taken, [taken, taken], {"id": taken, "type": taken}, [[taken]])
        return deepcopy(random.choice(wrapped))


def places(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """Return the path of every value inside a document, the document itself included, 400 at most."""
    found, waiting = [path], [(value, path)]
    while waiting and len(found) < 400:
        inner, at = waiting.pop()
        items = (
            inner.items() if isinstance(inner, dict) else enumerate(inner) if isinstance(inner, list) else ()
        )
        for key, below in items:
            found.append((*at, key))
            waiting.append((below, (*at, key)))
    return found


def inside(document: Any, path: tuple[Any, ...]) -> Any:
    """Return the value at a path."""
    for key in path:
        document = document[key]
    return document


def put(document: Any, path: tuple[Any, ...], value: Any) -> Any:
    """Replace the value at a path; return the document."""
    inside(document, path[:-1])[path[-1]] = value
    return document


Target = Callable[[bytes], object]


def run(target: Target, seeds: Sequence[bytes], mutator: Mutator, random: Random, inputs: int) -> Coverage:
    """Feed `inputs` inputs to a target, the seeds first; what the target raises comes out, with its input."""
    coverage, pool = Coverage(), list(seeds)
    for number in range(inputs):
        data = (
            seeds[number] if number < len(seeds) else mutator.mutate(random.choice(pool), random.choice(pool))
        )
        before = len(coverage)
        try:
            with coverage.watching():
                target(data)
        except Exception as error:
            error.add_note(f"input {number}: {data[:2000]!r}")
            raise
        if len(coverage) > before and number >= len(seeds):
            pool.append(data)
    return coverage
