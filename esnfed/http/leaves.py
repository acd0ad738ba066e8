"""Turning the pages of a list in both directions, by the ids of their first and last entries."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from aiohttp import web

from esnfed.http import language, paging

Row = TypeVar("Row")
CURSORS = ("max_id", "min_id")


@dataclass(frozen=True, slots=True)
class Turn:
    """Where a page begins: just below `max_id`, just above `min_id`, or at the newest entry."""

    max_id: int | None = None
    min_id: int | None = None


@dataclass(frozen=True, slots=True)
class Leaf(Generic[Row]):
    """One page of rows, newest first; `newer` and `older` are the cursors that turn it, None at an end."""

    rows: list[Row]
    newer: int | None = None
    older: int | None = None
    is_beginning: bool = False
    """Turning back met the newest entry: the first page shows the same, and more."""


def asked(request: web.Request) -> Turn:
    """Return where the address says that the page begins; raises Malformed for what is no id."""
    return Turn(paging.identifier(request, "max_id"), paging.identifier(request, "min_id"))


def cut(rows: Sequence[Row], turn: Turn, size: int, key: Callable[[Row], int]) -> Leaf[Row]:
    """Return a page of `size` out of up to `size + 1` rows, newest first: a surplus means more."""
    more = len(rows) > size
    if turn.min_id is not None:
        kept = list(rows[-size:])
        newer = key(kept[0]) if more else None
        return Leaf(kept, newer, key(kept[-1]) if kept else None, is_beginning=not more)
    kept = list(rows[:size])
    newer = None
    if turn.max_id is not None:
        newer = key(kept[0]) if kept else turn.max_id - 1
    return Leaf(kept, newer, key(kept[-1]) if more else None)


def links(request: web.Request, leaf: Leaf[Row]) -> dict[str, Any]:
    """Return the addresses `newer` and `older`, filters kept; HTTPSeeOther leads to the first page."""
    first = request.rel_url.without_query_params(*CURSORS, language.PARAMETER)
    if leaf.is_beginning:
        raise web.HTTPSeeOther(str(first))
    return {
        "newer": None if leaf.newer is None else str(first.update_query(min_id=leaf.newer)),
        "older": None if leaf.older is None else str(first.update_query(max_id=leaf.older)),
    }
