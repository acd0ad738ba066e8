"""Deleting actors, ours and others': the row becomes a tombstone, and a job purges what it wrote."""

from __future__ import annotations

from typing import Any

from sqlalchemy import RowMapping, bindparam, delete, exists, func, or_, select, update

from esnfed.bus import ActorChanged
from esnfed.context import Context
from esnfed.errors import Invalid
from esnfed.federation.delivery_notes import ANNIHILATED
from esnfed.i18n import N_
from esnfed.jobs import enqueue, every, step
from esnfed.models import activity, actor, delivery, favourite, follow, notification, status, tombstone
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
_BEGUN = (
    select(delivery.c.inbox)
    .where(delivery.c.actor_id == bindparam("sender_id"), delivery.c.begun_at.is_not(None))
    .distinct()
)
_DROP_QUEUED = (
    update(delivery)
    .where(
        delivery.c.actor_id == bindparam("sender_id"),
        delivery.c.state == "queued",
        delivery.c.as_type != "Delete",
    )
    .values(state="dropped", done_at=bindparam("now"), last_error=ANNIHILATED)
)


def remove_local(context: Context, row: RowMapping) -> None:
    """Delete a local actor: Delete to every server it was tied to or wrote to, tombstone, posts purged by a job.

    What else it had queued is not sent any more.

    Its keys stay, so that the Delete can still be signed and fetched keys still verify it.
    """
    if row["as_type"] == "Application":
        raise Invalid(N_("The node's own actor cannot be deleted."), "handle")
    known = context.connection.execute(_KNOWN_PEERS, {"actor_id": row["id"]}).scalars()
    told = context.connection.execute(_BEGUN, {"sender_id": row["id"]}).scalars()
    inboxes = dict.fromkeys([*known, *told])
    context.connection.execute(_DROP_QUEUED, {"sender_id": row["id"], "now": context.now()})
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
    enqueue(context, "purge-actor", {"actor_id": actor_id}, unique_key=f"purge-actor:{actor_id}")
    context.after_commit(ActorChanged(actor_id))


_SOME_STATUSES = (
    select(status.c.id, status.c.uri, status.c.as_type, status.c.local)
    .where(status.c.actor_id == bindparam("actor_id"))
    .order_by(status.c.id)
    .limit(PURGE_STEP)
)
_PURGE_STATUSES = delete(status).where(status.c.id.in_(bindparam("status_ids", expanding=True)))
_PURGE_ACTIVITIES = delete(activity).where(
    activity.c.id.in_(
        select(activity.c.id)
        .where(activity.c.actor_id == bindparam("actor_id"), activity.c.as_type != "Delete")
        .limit(PURGE_STEP)
    )
)
_PURGE_FAVOURITES = delete(favourite).where(favourite.c.actor_id == bindparam("actor_id"))
_PURGE_NOTIFICATIONS = delete(notification).where(
    or_(
        notification.c.actor_id == bindparam("actor_id"),
        notification.c.from_actor_id == bindparam("actor_id"),
    )
)


@step("purge-actor")
def purge(context: Context, arguments: dict[str, Any], cursor: Any) -> Any:
    """Remove a hundred posts of a deleted actor with all that hangs on them; at last what else it left.

    Our own leave a tombstone each, and what was sent of them goes too; only the Delete of the actor stays.
    """
    parameters = {"actor_id": arguments["actor_id"]}
    rows = context.connection.execute(_SOME_STATUSES, parameters).all()
    for row in rows:
        if row.local:
            bury(context, row.uri, row.as_type, local=True)
    if rows:
        context.connection.execute(_PURGE_STATUSES, {"status_ids": [row.id for row in rows]})
        return (cursor or 0) + len(rows)
    purged = context.connection.execute(_PURGE_ACTIVITIES, parameters).rowcount
    if purged:
        return (cursor or 0) + purged
    context.connection.execute(_PURGE_FAVOURITES, parameters)
    context.connection.execute(_PURGE_NOTIFICATIONS, parameters)
    return None


_FORGET_SENT = delete(activity).where(
    activity.c.id.in_(
        select(activity.c.id)
        .join(tombstone, tombstone.c.uri == activity.c.object_uri)
        .where(
            tombstone.c.local,
            activity.c.as_type.in_(("Create", "Update")),
            ~exists(select(1).where(delivery.c.activity_id == activity.c.id, delivery.c.state == "queued")),
        )
        .limit(PURGE_STEP)
    )
)


@every(3600, "forget-deleted-texts")
def forget_deleted_texts(context: Context, cursor: Any) -> Any:
    """Remove what was sent of deleted posts once nothing of it waits: its text is kept nowhere then."""
    return True if context.connection.execute(_FORGET_SENT).rowcount >= PURGE_STEP else None
