"""The end of deliveries: what waited too long is given up, and old rows are removed, in bounded steps."""

from __future__ import annotations

from typing import Any, Final

from sqlalchemy import bindparam, delete, select, update

from esnfed.context import Context
from esnfed.federation import delivery_notes as notes
from esnfed.federation import retry
from esnfed.ids import SEQUENCE_BITS
from esnfed.models.delivery import delivery
from esnfed.models.types import Id

KEEP_WAITING: Final = retry.HORIZON
KEEP_DELETES_WAITING: Final = 30 * retry.DAY
"""A Delete is never given up before this (federation.md F3): a server that returns must not keep the post."""

KEEP_DELIVERED: Final = 7 * retry.DAY
KEEP_FAILED: Final = 30 * retry.DAY
"""Also of dropped ones: the time in which somebody may ask why nothing arrived."""

CHUNK: Final = 500

_older: Any = delivery.c.id < bindparam("before", type_=Id)


def _expire(*conditions: Any) -> Any:
    oldest = select(delivery.c.id).where(delivery.c.state == "queued", _older, *conditions)
    return (
        update(delivery)
        .where(delivery.c.id.in_(oldest.order_by(delivery.c.id).limit(CHUNK)), delivery.c.state == "queued")
        .values(state="failed", done_at=bindparam("now"), last_error=bindparam("note"))
    )


def _prune(state: str) -> Any:
    oldest = select(delivery.c.id).where(delivery.c.state == state, _older)
    return delete(delivery).where(delivery.c.id.in_(oldest.order_by(delivery.c.id).limit(CHUNK)))


_EXPIRE: Final = ((KEEP_WAITING, _expire(delivery.c.as_type != "Delete")), (KEEP_DELETES_WAITING, _expire()))
_PRUNE: Final = (
    (KEEP_DELIVERED, _prune("delivered")),
    (KEEP_FAILED, _prune("dropped")),
    (KEEP_FAILED, _prune("failed")),
)


def expire(context: Context) -> bool:
    """Give up deliveries that waited 7 days, Deletes after 30; True when more remain. At most 500 rows."""
    for age, statement in _EXPIRE:
        values = _before(context, age) | {"now": context.now(), "note": notes.EXPIRED}
        if context.connection.execute(statement, values).rowcount:
            return True
    return False


def prune(context: Context) -> bool:
    """Remove rows delivered 7 days ago, failed or dropped 30 days ago; True when more remain. At most 500."""
    return any(
        context.connection.execute(statement, _before(context, age)).rowcount for age, statement in _PRUNE
    )


def _before(context: Context, age: int) -> dict[str, int]:
    """Ids are time-ordered, so that the index on (state, id) finds the old ones."""
    return {"before": max(context.now() - age, 0) << SEQUENCE_BITS}
