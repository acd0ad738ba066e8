"""Deleting actors, ours and others': the row becomes a tombstone, and a job purges what it wrote."""

from __future__ import annotations

from typing import Any

from sqlalchemy import RowMapping, bindparam, delete, func, or_, select, update

from esnfed.bus import ActorChanged
from esnfed.context import Context
from esnfed.errors import Invalid
from esnfed.i18n import N_
from esnfed.jobs import enqueue, step
from esnfed.models import actor, favourite, follow, notification, status
from esnfed.objects.tombstone import bury
from esnfed.services import outbox
from esnfed.vocab.terms import PUBLIC

PURGE_STEP = 100

_MARK_DELETED = (
    update(actor)
    .where(actor.c.id == bindparam("row_id"), actor.c.deleted_at.is_(None))
    .values(
        deleted_at=bindparam("now"),
        name="",
        summary="",
        fields=None,
        icon_url=None,
        image_url=None,
        also_known_as=None,
        followers_count=0,
        following_count=0,
        statuses_count=0,
    )
)
_DELETE_FOLLOWS = delete(follow).where(
    or_(follow.c.actor_id == bindparam("actor_id"), follow.c.target_id == bindparam("actor_id"))
)
_FOLLOWED = (follow.c.actor_id == bindparam("gone_id")) & (follow.c.state == "accepted")
_FOLLOWING = (follow.c.target_id == bindparam("gone_id")) & (follow.c.state == "accepted")
_UNCOUNT_FOLLOWERS = (
    update(actor)
    .where(actor.c.id.in_(select(follow.c.target_id).where(_FOLLOWED)))
    .values(followers_count=actor.c.followers_count - 1)
)
_UNCOUNT_FOLLOWING = (
    update(actor)
    .where(actor.c.id.in_(select(follow.c.actor_id).where(_FOLLOWING)))
    .values(following_count=actor.c.following_count - 1)
)
_KNOWN_PEERS = (
    select(func.coalesce(actor.c.shared_inbox, actor.c.inbox))
    .join(follow, (follow.c.actor_id == actor.c.id) | (follow.c.target_id == actor.c.id))
    .where(
        (follow.c.target_id == bindparam("actor_id")) | (follow.c.actor_id == bindparam("actor_id")),
        actor.c.local.is_(False),
    )
    .distinct()
)
_HAS_STATUSES = select(status.c.id).where(status.c.actor_id == bindparam("actor_id")).limit(1)


def remove_local(context: Context, row: RowMapping) -> None:
    """Delete a local actor: Delete to every server it was tied to, tombstone, posts purged by a job.

    Its keys stay, so that the Delete can still be signed and fetched keys still verify it.
    """
    if row["as_type"] == "Application":
        raise Invalid(N_("The node's own actor cannot be deleted."), "handle")
    inboxes = list(context.connection.execute(_KNOWN_PEERS, {"actor_id": row["id"]}).scalars())
    outbox.send(context, row, "Delete", row["uri"], to=[PUBLIC], inboxes=inboxes)
    bury(context, row["uri"], row["as_type"], local=True)
    mark_deleted(context, row["id"])


def mark_deleted(context: Context, actor_id: int) -> None:
    """Empty an actor's row, cut its follows, and have a job purge what it wrote."""
    marked = context.connection.execute(_MARK_DELETED, {"row_id": actor_id, "now": context.now()})
    if not marked.rowcount:
        return
    for statement in (_UNCOUNT_FOLLOWERS, _UNCOUNT_FOLLOWING):
        context.connection.execute(statement, {"gone_id": actor_id})
    context.connection.execute(_DELETE_FOLLOWS, {"actor_id": actor_id})
    if context.connection.execute(_HAS_STATUSES, {"actor_id": actor_id}).first():
        enqueue(context, "purge-actor", {"actor_id": actor_id}, unique_key=f"purge-actor:{actor_id}")
    context.after_commit(ActorChanged(actor_id))


_SOME_STATUSES = (
    select(status.c.id)
    .where(status.c.actor_id == bindparam("actor_id"))
    .order_by(status.c.id)
    .limit(PURGE_STEP)
)
_PURGE_STATUSES = delete(status).where(status.c.id.in_(bindparam("status_ids", expanding=True)))
_PURGE_FAVOURITES = delete(favourite).where(favourite.c.actor_id == bindparam("actor_id"))
_PURGE_NOTIFICATIONS = delete(notification).where(
    or_(
        notification.c.actor_id == bindparam("actor_id"),
        notification.c.from_actor_id == bindparam("actor_id"),
    )
)


@step("purge-actor")
def purge(context: Context, arguments: dict[str, Any], cursor: Any) -> Any:
    """Remove a hundred posts of a deleted actor with all that hangs on them; at last what else it left."""
    parameters = {"actor_id": arguments["actor_id"]}
    status_ids = context.connection.execute(_SOME_STATUSES, parameters).scalars().all()
    if status_ids:
        context.connection.execute(_PURGE_STATUSES, {"status_ids": status_ids})
        return (cursor or 0) + len(status_ids)
    context.connection.execute(_PURGE_FAVOURITES, parameters)
    context.connection.execute(_PURGE_NOTIFICATIONS, parameters)
    return None
