"""How many people use this node, as NodeInfo may tell it: no count below ten (decisions.md 6)."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import Case, and_, bindparam, case, func, select

from esnfed.context import Context
from esnfed.models import actor, user

SMALLEST_COUNT = 10
"""Below it a count could point at a person: membership is private."""

_DAY_MS = 24 * 60 * 60 * 1000
_MONTH_MS = 30 * _DAY_MS
_HALF_YEAR_MS = 180 * _DAY_MS


@dataclass(frozen=True, slots=True)
class Usage:
    """Counts that are large enough to be told; None for the others."""

    users: int | None
    active_month: int | None
    active_half_year: int | None
    posts: int | None


def _since(name: str) -> Case[int]:
    return case((actor.c.last_status_at >= bindparam(name), 1), else_=None)


_USERS = (
    select(func.count(), func.count(_since("month")), func.count(_since("half_year")))
    .select_from(user.join(actor, actor.c.id == user.c.actor_id))
    .where(and_(user.c.disabled_at.is_(None), actor.c.deleted_at.is_(None), actor.c.suspended_at.is_(None)))
)
_POSTS = select(func.coalesce(func.sum(actor.c.statuses_count), 0)).where(
    actor.c.local, actor.c.deleted_at.is_(None)
)


def usage(context: Context) -> Usage:
    """Count the users, those who wrote within 30 and 180 days, and the posts of local actors."""
    now = context.now()
    users, month, half_year = context.connection.execute(
        _USERS, {"month": now - _MONTH_MS, "half_year": now - _HALF_YEAR_MS}
    ).one()
    posts = context.connection.execute(_POSTS).scalar_one()
    return Usage(_told(users), _told(month), _told(half_year), _told(int(posts)))


def _told(count: int) -> int | None:
    return count if count >= SMALLEST_COUNT else None
