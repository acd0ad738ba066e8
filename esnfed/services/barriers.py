"""Who has shut out whom: the questions that every other service asks; blocks.py does the deeds."""

from __future__ import annotations

from collections.abc import Iterable

from sqlalchemy import ColumnElement, Exists, and_, bindparam, exists, or_, select

from esnfed.context import Context
from esnfed.models import block

_BY = select(
    exists(
        select(1).where(
            block.c.actor_id == bindparam("blocker_id"), block.c.target_id == bindparam("blocked_id")
        )
    )
)


def either_way(one: ColumnElement[int], other: ColumnElement[int]) -> Exists:
    """Return the condition that one of two actors blocks the other, for use inside another statement."""
    return exists(
        select(1).where(
            or_(
                and_(block.c.actor_id == one, block.c.target_id == other),
                and_(block.c.actor_id == other, block.c.target_id == one),
            )
        )
    )


_STANDS = select(
    either_way(
        bindparam("one_id", type_=block.c.actor_id.type), bindparam("other_id", type_=block.c.actor_id.type)
    )
)
_AMONG = (
    select(block.c.target_id)
    .where(block.c.actor_id == bindparam("of_id"), block.c.target_id.in_(bindparam("ids", expanding=True)))
    .union(
        select(block.c.actor_id).where(
            block.c.target_id == bindparam("of_id"), block.c.actor_id.in_(bindparam("ids", expanding=True))
        )
    )
)


def made_by(context: Context, blocker_id: int, blocked_id: int) -> bool:
    """Say whether the first actor blocks the second."""
    values = {"blocker_id": blocker_id, "blocked_id": blocked_id}
    return bool(context.connection.execute(_BY, values).scalar())


def stands(context: Context, one_id: int, other_id: int) -> bool:
    """Say whether one of two actors blocks the other."""
    return bool(context.connection.execute(_STANDS, {"one_id": one_id, "other_id": other_id}).scalar())


def among(context: Context, actor_id: int, other_ids: Iterable[int]) -> set[int]:
    """Return those of `other_ids` who block the actor or are blocked by it."""
    wanted = list(other_ids)
    if not wanted:
        return set()
    return set(context.connection.execute(_AMONG, {"of_id": actor_id, "ids": wanted}).scalars())
