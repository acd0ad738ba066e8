"""Telling local actors what concerns them; once per cause, however often it arrives."""

from __future__ import annotations

from typing import Any, Literal

from sqlalchemy import BindParameter, bindparam, delete, select

from esnfed.context import Context
from esnfed.models import insert, notification
from esnfed.services import barriers

Kind = Literal["mention", "follow", "follow_request", "favourite", "reblog", "update", "poll"]

_COLUMNS = ("id", "actor_id", "kind", "from_actor_id", "status_id", "created_at")
_GIVEN: list[BindParameter[Any]] = [
    bindparam(f"new_{name}", type_=notification.c[name].type) for name in _COLUMNS
]
_STORE = (
    insert(notification)
    .from_select(_COLUMNS, select(*_GIVEN).where(~barriers.either_way(_GIVEN[1], _GIVEN[3])))
    # The index is named: a clash of two ids is no repeat, and is tried again.
    .on_conflict_do_nothing(index_elements=["actor_id", "kind", "from_actor_id", "status_id"])
)
_WITHDRAW = delete(notification).where(
    notification.c.actor_id == bindparam("recipient_id"),
    notification.c.kind == bindparam("of_kind"),
    notification.c.from_actor_id == bindparam("sender_id"),
    notification.c.status_id == bindparam("about_id"),
)


def notify(context: Context, recipient_id: int, kind: Kind, from_actor_id: int, status_id: int = 0) -> None:
    """Tell a local actor; nobody is told about their own deeds. `status_id` 0 means no status.

    A block between the two, whoever made it, keeps them silent.
    """
    if recipient_id == from_actor_id:
        return
    context.connection.execute(
        _STORE,
        {
            "new_id": context.new_id(),
            "new_actor_id": recipient_id,
            "new_kind": kind,
            "new_from_actor_id": from_actor_id,
            "new_status_id": status_id,
            "new_created_at": context.now(),
        },
    )


def withdraw(context: Context, recipient_id: int, kind: Kind, from_actor_id: int, status_id: int = 0) -> None:
    """Take a notification back when its cause was undone."""
    context.connection.execute(
        _WITHDRAW,
        {
            "recipient_id": recipient_id,
            "of_kind": kind,
            "sender_id": from_actor_id,
            "about_id": status_id,
        },
    )
