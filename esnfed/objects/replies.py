"""Replies and what they answer, tied together whichever of the two came first."""

from __future__ import annotations

from typing import Any

from sqlalchemy import RowMapping, bindparam, select, update

from esnfed.context import Context
from esnfed.models import status

_PARENT = select(
    status.c.id, status.c.uri, status.c.actor_id, status.c.thread_id, status.c.local, status.c.visibility
).where(status.c.uri == bindparam("uri"), status.c.deleted_at.is_(None))
_ADOPT = (
    update(status)
    .where(status.c.in_reply_to_uri == bindparam("parent_uri"), status.c.in_reply_to_id.is_(None))
    .values(in_reply_to_id=bindparam("parent_id"), in_reply_to_actor_id=bindparam("parent_actor_id"))
)
_COUNT_REPLY = (
    update(status)
    .where(status.c.id == bindparam("row_id"))
    .values(replies_count=status.c.replies_count + bindparam("number"))
)
_JOIN_THREAD = (
    update(status)
    .where(
        status.c.thread_id.in_(
            select(status.c.thread_id).where(status.c.in_reply_to_id == bindparam("parent_id"))
        )
    )
    .values(thread_id=bindparam("new_thread_id"))
)


def adopt(context: Context, values: dict[str, Any]) -> None:
    """Tie replies that were here before their parent to it, and their threads to its thread."""
    tied = context.connection.execute(
        _ADOPT,
        {"parent_uri": values["uri"], "parent_id": values["id"], "parent_actor_id": values["actor_id"]},
    )
    context.connection.execute(
        _JOIN_THREAD, {"parent_id": values["id"], "new_thread_id": values["thread_id"]}
    )
    count(context, values["id"], tied.rowcount)


def count(context: Context, status_id: int, number: int) -> None:
    """Add to the number of replies of a status."""
    context.connection.execute(_COUNT_REPLY, {"row_id": status_id, "number": number})


def find_parent(context: Context, uri: str | None) -> RowMapping | None:
    """Return the row of the status that is replied to, when it is here."""
    if uri is None:
        return None
    return context.connection.execute(_PARENT, {"uri": uri}).mappings().one_or_none()
