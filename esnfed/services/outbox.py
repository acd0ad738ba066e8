"""Sending: one activity row, composed once, and its deliveries, in the caller's transaction."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from sqlalchemy import RowMapping, bindparam, func, select

from esnfed.context import Context
from esnfed.federation.queueing import queue
from esnfed.models import activity, actor, delivery, follow, insert
from esnfed.vocab import parse, paths
from esnfed.vocab.parse import Document
from esnfed.vocab.terms import AS_CONTEXT, PUBLIC

_STORE = insert(activity)
_FOLLOWER_INBOXES = (
    select(func.coalesce(actor.c.shared_inbox, actor.c.inbox))
    .join(follow, follow.c.actor_id == actor.c.id)
    .where(
        follow.c.target_id == bindparam("actor_id"),
        follow.c.state == "accepted",
        actor.c.local.is_(False),
        actor.c.deleted_at.is_(None),
        actor.c.suspended_at.is_(None),
    )
    .distinct()
)

_BEGUN = (
    select(delivery.c.inbox)
    .where(delivery.c.object_uri == bindparam("object_uri"), delivery.c.begun_at.is_not(None))
    .distinct()
)


def follower_inboxes(context: Context, actor_id: int) -> list[str]:
    """Return the distinct inboxes of the remote followers of an actor: one shared inbox per server."""
    return list(context.connection.execute(_FOLLOWER_INBOXES, {"actor_id": actor_id}).scalars())


def begun_inboxes(context: Context, object_uri: str) -> list[str]:
    """Return the inboxes where an attempt to deliver the object was begun: their servers may have it.

    Known for as long as the rows of deliveries are kept (delivery_expiry.py).
    """
    return list(context.connection.execute(_BEGUN, {"object_uri": object_uri}).scalars())


def inboxes_of(rows: Iterable[RowMapping]) -> list[str]:
    """Return the distinct inboxes of remote actor rows, the shared one where there is one."""
    return list(dict.fromkeys(row["shared_inbox"] or row["inbox"] for row in rows if not row["local"]))


def send(
    context: Context,
    sender: RowMapping,
    as_type: str,
    content: Document | str | Sequence[str],
    *,
    to: Sequence[str],
    cc: Sequence[str] = (),
    inboxes: Iterable[str],
    extra: dict[str, Any] | None = None,
    activity_id: int | None = None,
    key_id: int | None = None,
) -> str:
    """Write an activity of a local actor and queue it for `inboxes`; return its id on the wire.

    `content` becomes `object`: an embedded document, whose context moves to the activity, an id, or several.
    The activity is in the public outbox when Public is in `to` or `cc`. `key_id` names the key that signs the
    first attempt where it is not the sender's newest.
    """
    activity_id = activity_id or context.new_id()
    uri = paths.activity(context.config.origin, activity_id)
    now = context.now()
    as_context: Any = AS_CONTEXT
    if isinstance(content, dict):
        as_context = content.get("@context", AS_CONTEXT)
        content = {key: value for key, value in content.items() if key != "@context"}
    body: Document = {
        "@context": as_context,
        "id": uri,
        "type": as_type,
        "actor": sender["uri"],
        "published": parse.iso(now),
        "to": list(to),
        "cc": list(cc),
        "object": content,
    } | (extra or {})
    object_uri = parse.reference(content) or uri
    context.connection.execute(
        _STORE,
        {
            "id": activity_id,
            "uri": uri,
            "actor_id": sender["id"],
            "as_type": as_type,
            "object_uri": object_uri,
            "public": PUBLIC in to or PUBLIC in cc,
            "body": parse.dump(body).decode(),
            "key_id": key_id,
            "created_at": now,
        },
    )
    queue(
        context,
        activity_id=activity_id,
        actor_id=sender["id"],
        as_type=as_type,
        object_uri=_subject(as_type, content) or uri,
        inboxes=inboxes,
    )
    return uri


def _subject(as_type: str, content: Document | str | Sequence[str]) -> str | None:
    """Return what a delivery is about: an Undo is about what the undone activity was, and stays behind it."""
    if as_type == "Undo" and isinstance(content, dict):
        return parse.reference(content.get("object"))
    return parse.reference(content)
