"""Threads: what stands before and after a status, as everybody may see it."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass

from sqlalchemy import RowMapping, bindparam, select

from esnfed.context import Context
from esnfed.models import status

LIMIT = 400
ANCESTORS = 40

_THREAD = (
    select(status)
    .where(
        status.c.thread_id == bindparam("of_thread"),
        status.c.visibility.in_(("public", "unlisted")),
        status.c.deleted_at.is_(None),
        status.c.boost_of_id.is_(None),
    )
    .order_by(status.c.id)
    .limit(LIMIT)
)


@dataclass(frozen=True, slots=True)
class Thread:
    """Rows before a status, the root first, and rows after it, in the order of reading."""

    ancestors: list[RowMapping]
    descendants: list[RowMapping]


def around(context: Context, row: RowMapping) -> Thread:
    """Return the public part of the thread of a status: 40 ancestors, 400 statuses in all, one statement."""
    rows = context.connection.execute(_THREAD, {"of_thread": row["thread_id"]}).mappings().all()
    by_id = {other["id"]: other for other in rows}
    children: defaultdict[int | None, list[RowMapping]] = defaultdict(list)
    for other in rows:
        children[other["in_reply_to_id"]].append(other)
    return Thread(_before(row, by_id), _after(row, children))


def _before(row: RowMapping, by_id: dict[int, RowMapping]) -> list[RowMapping]:
    found: list[RowMapping] = []
    parent = by_id.get(row["in_reply_to_id"] or 0)
    while parent is not None and len(found) < ANCESTORS and parent not in found:
        found.append(parent)
        parent = by_id.get(parent["in_reply_to_id"] or 0)
    return found[::-1]


def _after(row: RowMapping, children: defaultdict[int | None, list[RowMapping]]) -> list[RowMapping]:
    found: list[RowMapping] = []
    waiting = children[row["id"]][::-1]
    seen = {row["id"]}
    while waiting:
        other = waiting.pop()
        if other["id"] not in seen:
            seen.add(other["id"])
            found.append(other)
            waiting.extend(children[other["id"]][::-1])
    return found
