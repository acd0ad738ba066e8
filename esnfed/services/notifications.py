"""Telling local actors what concerns them; once per cause, however often it arrives."""

from __future__ import annotations

from typing import Literal

from sqlalchemy import bindparam, delete

from esnfed.context import Context
from esnfed.models import insert, notification

Kind = Literal["mention", "follow", "follow_request", "favourite", "reblog", "update"]

_STORE = insert(notification).on_conflict_do_nothing()
_WITHDRAW = delete(notification).where(
    notification.c.actor_id == bindparam("recipient_id"),
    notification.c.kind == bindparam("of_kind"),
    notification.c.from_actor_id == bindparam("sender_id"),
    notification.c.status_id == bindparam("about_id"),
)


def notify(context: Context, recipient_id: int, kind: Kind, from_actor_id: int, status_id: int = 0) -> None:
    """Tell a local actor; nobody is told about their own deeds. `status_id` 0 means no status."""
    if recipient_id == from_actor_id:
        return
    context.connection.execute(
        _STORE,
        {
            "id": context.new_id(),
            "actor_id": recipient_id,
            "kind": kind,
            "from_actor_id": from_actor_id,
            "status_id": status_id,
            "created_at": context.now(),
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
