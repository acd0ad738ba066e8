"""Moves: an actor goes to another account, here or elsewhere, and its followers go along."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from sqlalchemy import RowMapping, bindparam, case, func, select, update

from esnfed.bus import ActorChanged
from esnfed.context import Context
from esnfed.errors import Conflict, Ignored, Invalid, Refused
from esnfed.i18n import N_
from esnfed.jobs import enqueue, step
from esnfed.models import activity, actor, delivery, follow
from esnfed.objects import actor as actor_object
from esnfed.services import actors, barriers, follows, outbox
from esnfed.vocab.terms import PUBLIC

COOLDOWN = 7 * 24 * 3600 * 1000
"""As Mastodon: who has just moved does not move again, which also ends moves in a circle."""

MAX_ALIASES = 10
STEP = 20

_NAME_ALIASES = (
    update(actor)
    .where(actor.c.id == bindparam("row_id"))
    .values(
        also_known_as=bindparam("aliases", type_=actor.c.also_known_as.type),
        updated_at=bindparam("now"),
    )
)
_DEPART = (
    update(actor)
    .where(
        actor.c.id == bindparam("row_id"),
        func.coalesce(actor.c.moved_at, 0) <= bindparam("cooled_by", type_=actor.c.moved_at.type),
    )
    .values(
        moved_to_uri=bindparam("new_uri"),
        moved_at=bindparam("now"),
        # Of an actor elsewhere it is what its document says: the Update that follows its Move is no older.
        updated_at=case((actor.c.local, bindparam("now")), else_=actor.c.updated_at),
    )
)
_LOCAL_FOLLOWERS = (
    select(follow.c.actor_id)
    .join(actor, actor.c.id == follow.c.actor_id)
    .where(
        follow.c.target_id == bindparam("old_id"),
        follow.c.state == "accepted",
        follow.c.actor_id > bindparam("after"),
        actor.c.local,
    )
    .order_by(follow.c.actor_id)
    .limit(bindparam("size"))
)
_LAST_MOVE = (
    select(activity.c.id)
    .where(activity.c.actor_id == bindparam("of_actor"), activity.c.as_type == "Move")
    .order_by(activity.c.id.desc())
    .limit(1)
)
_PROGRESS = (
    select(delivery.c.host, delivery.c.state, delivery.c.last_error)
    .where(delivery.c.activity_id == bindparam("move_id"))
    .order_by(delivery.c.host)
)
_LEFT = (
    select(actor.c.local, func.count().label("number"))
    .join(follow, follow.c.actor_id == actor.c.id)
    .where(follow.c.target_id == bindparam("old_id"), follow.c.state == "accepted")
    .group_by(actor.c.local)
)


def name_aliases(context: Context, row: RowMapping, uris: Iterable[str]) -> list[str]:
    """Say which other accounts a local actor is too, ten at most; return them. Followers get an Update.

    An account that moves here must be among them before it does: that is how others know it wanted to.
    """
    aliases = list(dict.fromkeys(uris))
    if len(aliases) > MAX_ALIASES:
        raise Invalid(N_("An actor has at most ten aliases."), "alias")
    if row["uri"] in aliases:
        raise Invalid(N_("Nobody is an alias of themselves."), "alias")
    values = {"row_id": row["id"], "aliases": aliases, "now": context.now()}
    context.connection.execute(_NAME_ALIASES, values)
    _send_profile(context, row["id"])
    return aliases


def _send_profile(context: Context, actor_id: int) -> None:
    fresh = actors.by_id(context, actor_id)
    outbox.send(
        context,
        fresh,
        "Update",
        actor_object.to_document(context, fresh),
        to=[PUBLIC],
        cc=[fresh["followers_uri"]],
        inboxes=outbox.follower_inboxes(context, actor_id),
    )
    context.after_commit(ActorChanged(actor_id))


def move(context: Context, row: RowMapping, target: RowMapping) -> None:
    """Let a local actor move to `target`, whose row was read from its origin just now.

    Its followers' servers get a Move, followers here follow the target by a job, and its profile says where
    it went. Raises Invalid for the actor itself, Refused when the target does not name it as an alias, has
    moved or is gone, Conflict less than seven days after its last move.
    """
    if target["id"] == row["id"]:
        raise Invalid(N_("Nobody moves to themselves."), "target")
    if target["deleted_at"] or target["suspended_at"] or target["moved_to_uri"]:
        raise Refused(N_("The account to move to is gone, or has moved itself."))
    if row["uri"] not in (target["also_known_as"] or []):
        raise Refused(N_("The account to move to must first name this one as its alias."))
    if not _depart(context, row["id"], target["uri"]):
        raise Conflict(N_("This actor moved less than seven days ago."))
    outbox.send(
        context,
        row,
        "Move",
        row["uri"],
        to=[row["followers_uri"]],
        inboxes=outbox.follower_inboxes(context, row["id"]),
        extra={"target": target["uri"]},
    )
    _send_profile(context, row["id"])
    _lead_followers(context, row["id"], target["id"])


def _depart(context: Context, actor_id: int, target_uri: str) -> bool:
    now = context.now()
    values = {"row_id": actor_id, "new_uri": target_uri, "now": now, "cooled_by": now - COOLDOWN}
    return bool(context.connection.execute(_DEPART, values).rowcount)


def _lead_followers(context: Context, old_id: int, target_id: int) -> None:
    if context.connection.execute(_LOCAL_FOLLOWERS, {"old_id": old_id, "after": 0, "size": 1}).first():
        arguments = {"old_id": old_id, "target_id": target_id}
        enqueue(context, "move-followers", arguments, unique_key=f"{old_id}:{target_id}")


def received(context: Context, old: RowMapping, target: RowMapping) -> None:
    """Honour the move of an actor elsewhere to `target`, both rows as their origins give them now.

    Raises Ignored when the target does not name it, has moved itself, or it moved less than seven days ago.
    """
    if target["id"] == old["id"]:
        raise Ignored(N_("Nobody moves to themselves."))
    if target["deleted_at"] or target["suspended_at"] or target["moved_to_uri"]:
        raise Ignored(N_("The account moved to is gone, or has moved itself."))
    if old["uri"] not in (target["also_known_as"] or []):
        raise Ignored(N_("The account moved to does not name the one that moves as its alias."))
    if not _depart(context, old["id"], target["uri"]):
        raise Ignored(N_("This actor moved less than seven days ago."))
    context.after_commit(ActorChanged(old["id"]))
    _lead_followers(context, old["id"], target["id"])


@step("move-followers")
def lead_followers(context: Context, arguments: dict[str, Any], cursor: Any) -> Any:
    """Let twenty followers here follow the new account instead; the cursor is the last one led.

    Whom a block keeps apart from it only leaves the old one. When it is gone, or has moved on meanwhile, all
    stays as it is: a Move of its own may bring them further.
    """
    old = actors.by_id(context, arguments["old_id"])
    target = actors.by_id(context, arguments["target_id"])
    if target["deleted_at"] or target["moved_to_uri"]:
        return None
    values = {"old_id": old["id"], "after": cursor or 0, "size": STEP}
    follower_ids = context.connection.execute(_LOCAL_FOLLOWERS, values).scalars().all()
    apart = barriers.among(context, target["id"], follower_ids) | {target["id"]}
    for follower_id in follower_ids:
        follower = actors.by_id(context, follower_id)
        if follower_id not in apart:
            follows.follow_actor(context, follower, target)
        follows.unfollow(context, follower, old)
    return follower_ids[-1] if len(follower_ids) == STEP else None


def progress(context: Context, row: RowMapping) -> dict[str, Any]:
    """Return how far the last move of a local actor is.

    `to` is where it went, None when it never did; `at` when (milliseconds); `local_left` and `remote_left`
    are followers that still follow the old account; `servers` are (host, state of the delivery, error) of
    each server that was told; it is forgotten with its deliveries after a week.
    """
    left = {found.local: found.number for found in context.connection.execute(_LEFT, {"old_id": row["id"]})}
    move_id = context.connection.execute(_LAST_MOVE, {"of_actor": row["id"]}).scalar()
    told = context.connection.execute(_PROGRESS, {"move_id": move_id or 0}).all()
    return {
        "to": row["moved_to_uri"],
        "at": row["moved_at"],
        "local_left": left.get(True, 0),
        "remote_left": left.get(False, 0),
        "servers": [(found.host, found.state, found.last_error) for found in told],
    }
