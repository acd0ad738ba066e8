"""Follows: a state machine of statements, the same for both directions and safe to repeat."""

from __future__ import annotations

from typing import Any

from sqlalchemy import RowMapping, bindparam, delete, select, update

from esnfed.context import Context
from esnfed.errors import Invalid, NotFound, Refused
from esnfed.i18n import N_
from esnfed.models import actor, follow, insert
from esnfed.services import actors, barriers, notifications, outbox, timelines, wanted
from esnfed.vocab import parse, paths
from esnfed.vocab.parse import Document

_BY_PAIR = select(follow).where(
    follow.c.actor_id == bindparam("follower_id"), follow.c.target_id == bindparam("followed_id")
)
_URIS = select(actor.c.id, actor.c.uri).where(actor.c.id.in_(bindparam("ids", expanding=True)))
_BY_URI = select(follow).where(follow.c.uri == bindparam("follow_uri"))
_INSERT = insert(follow)
_ASK = _INSERT.on_conflict_do_update(
    index_elements=["actor_id", "target_id"],
    set_={"uri": _INSERT.excluded.uri, "state": "pending", "answered_at": None},
    where=follow.c.state == "rejected",
).returning(follow.c.id)
_RENEW = update(follow).where(follow.c.id == bindparam("follow_id")).values(uri=bindparam("new_uri"))
_ACCEPT = (
    update(follow)
    .where(follow.c.id == bindparam("follow_id"), follow.c.state == "pending")
    .values(state="accepted", answered_at=bindparam("now"))
)
_REJECT = (
    update(follow)
    .where(follow.c.id == bindparam("follow_id"), follow.c.state == bindparam("was"))
    .values(state="rejected", answered_at=bindparam("now"))
)
_REMOVE = delete(follow).where(follow.c.id == bindparam("follow_id")).returning(follow.c.state)
_COUNT_FOLLOWING = (
    update(actor)
    .where(actor.c.id == bindparam("row_id"))
    .values(following_count=actor.c.following_count + bindparam("number"))
)
_COUNT_FOLLOWERS = (
    update(actor)
    .where(actor.c.id == bindparam("row_id"))
    .values(followers_count=actor.c.followers_count + bindparam("number"))
)


def between(context: Context, follower_id: int, target_id: int) -> RowMapping | None:
    """Return the follow of one actor to another, in whatever state, or None."""
    parameters = {"follower_id": follower_id, "followed_id": target_id}
    return context.connection.execute(_BY_PAIR, parameters).mappings().one_or_none()


def document_of(context: Context, row: RowMapping) -> Document:
    """Return the Follow activity that a row stands for, as embedded in Accept, Reject and Undo."""
    pair = {"ids": [row["actor_id"], row["target_id"]]}
    uris = {found.id: found.uri for found in context.connection.execute(_URIS, pair)}
    return {
        "id": row["uri"],
        "type": "Follow",
        "actor": uris[row["actor_id"]],
        "object": uris[row["target_id"]],
    }


def _count(context: Context, row: RowMapping, number: int) -> None:
    # In id order, so that two units of work never lock the two rows crosswise.
    pairs = [(row["actor_id"], _COUNT_FOLLOWING), (row["target_id"], _COUNT_FOLLOWERS)]
    for actor_id, statement in sorted(pairs, key=lambda pair: pair[0]):
        context.connection.execute(statement, {"row_id": actor_id, "number": number})


def _ask(context: Context, follower: RowMapping, target: RowMapping, uri: str) -> bool:
    values: dict[str, Any] = {
        "id": context.new_id(),
        "actor_id": follower["id"],
        "target_id": target["id"],
        "state": "pending",
        "uri": uri,
        "created_at": context.now(),
    }
    return context.connection.execute(_ASK, values).scalar() is not None


def follow_actor(context: Context, follower: RowMapping, target: RowMapping) -> str:
    """Let a local actor follow another, here or elsewhere; return the state: pending or accepted.

    Asking twice changes nothing; after a rejection it asks anew. Raises Refused for an actor that has moved
    and when a block keeps the two apart.
    """
    if follower["id"] == target["id"]:
        raise Invalid(N_("Nobody follows themselves."), "target")
    if target["deleted_at"]:
        raise NotFound
    if target["moved_to_uri"]:
        raise Refused(N_("This actor has moved; its profile says where to."))
    if barriers.stands(context, follower["id"], target["id"]):
        raise Refused(N_("A block keeps these two apart."))
    activity_id = context.new_id()
    uri = paths.activity(context.config.origin, activity_id)
    asked = _ask(context, follower, target, uri)
    row = between(context, follower["id"], target["id"])
    if row is None:
        raise NotFound
    if not asked:
        return str(row["state"])
    if target["local"]:
        _arrived(context, follower, target, row)
        return "pending" if target["locked"] else "accepted"
    outbox.send(
        context,
        follower,
        "Follow",
        target["uri"],
        to=[target["uri"]],
        inboxes=outbox.inboxes_of([target]),
        activity_id=activity_id,
    )
    return "pending"


def _arrived(context: Context, follower: RowMapping, target: RowMapping, row: RowMapping) -> None:
    if target["locked"]:
        notifications.notify(context, target["id"], "follow_request", follower["id"])
        return
    accept(context, target, row)
    notifications.notify(context, target["id"], "follow", follower["id"])


def received(context: Context, follower: RowMapping, target: RowMapping, uri: str) -> None:
    """Handle a Follow from elsewhere: a request when the target is locked, else accepted at once.

    A repeated Follow on an accepted relation is answered by Accept again, with the new id (federation.md A4).
    """
    if _closed(context, follower, target):
        _refuse(context, follower, target, uri)
        return
    asked = _ask(context, follower, target, uri)
    row = between(context, follower["id"], target["id"])
    if row is None:
        return
    if asked:
        _arrived(context, follower, target, row)
        return
    context.connection.execute(_RENEW, {"follow_id": row["id"], "new_uri": uri})
    if row["state"] == "accepted":
        renewed = between(context, follower["id"], target["id"])
        if renewed is not None:
            _answer(context, "Accept", target, follower, document_of(context, renewed))


def _closed(context: Context, follower: RowMapping, target: RowMapping) -> bool:
    """Nobody follows the node's own actor (relays are a later feature), one that moved, one that blocks."""
    if target["as_type"] == "Application" or target["moved_to_uri"]:
        return True
    return barriers.made_by(context, target["id"], follower["id"])


def _refuse(context: Context, follower: RowMapping, target: RowMapping, uri: str) -> None:
    follow_document = {"id": uri, "type": "Follow", "actor": follower["uri"], "object": target["uri"]}
    _answer(context, "Reject", target, follower, follow_document)


def _answer(
    context: Context, as_type: str, target: RowMapping, follower: RowMapping, follow_document: Document
) -> None:
    outbox.send(
        context,
        target,
        as_type,
        follow_document,
        to=[follower["uri"]],
        inboxes=outbox.inboxes_of([follower]),
    )


def _follower(context: Context, row: RowMapping) -> RowMapping:
    return context.connection.execute(select(actor).where(actor.c.id == row["actor_id"])).mappings().one()


def accept(context: Context, target: RowMapping, row: RowMapping) -> bool:
    """Let a local actor accept a pending follow; False when it was not pending any more."""
    if not accepted(context, row):
        return False
    follower = _follower(context, row)
    if not follower["local"]:
        _answer(context, "Accept", target, follower, document_of(context, row))
    notifications.withdraw(context, target["id"], "follow_request", follower["id"])
    return True


def reject(context: Context, target: RowMapping, row: RowMapping) -> bool:
    """Let a local actor refuse a follow, or remove a follower; False when it was rejected already."""
    if not rejected(context, row):
        return False
    follower = _follower(context, row)
    if not follower["local"]:
        _answer(context, "Reject", target, follower, document_of(context, row))
    notifications.withdraw(context, target["id"], "follow_request", follower["id"])
    return True


def accepted(context: Context, row: RowMapping) -> bool:
    """Move a follow from pending to accepted and count it; False when it was not pending."""
    changed = context.connection.execute(_ACCEPT, {"follow_id": row["id"], "now": context.now()})
    if not changed.rowcount:
        return False
    _count(context, row, 1)
    timelines.backfill(context, row["actor_id"], row["target_id"])
    wanted.outbox(context, row["target_id"])
    return True


def rejected(context: Context, row: RowMapping) -> bool:
    """Move a follow to rejected; what an accepted one had given is taken back."""
    # The row may have been accepted since it was read. In this order no change of another unit of work
    # slips between the two statements: what is pending can become accepted, never the reverse.
    for was in ("pending", "accepted"):
        values = {"follow_id": row["id"], "was": was, "now": context.now()}
        if context.connection.execute(_REJECT, values).rowcount:
            _forget(context, row, was)
            return True
    return False


def removed(context: Context, row: RowMapping) -> None:
    """Remove a follow after its Undo; a second time changes nothing."""
    was = context.connection.execute(_REMOVE, {"follow_id": row["id"]}).scalar()
    if was is not None:
        _forget(context, row, was)
        notifications.withdraw(context, row["target_id"], "follow_request", row["actor_id"])
        notifications.withdraw(context, row["target_id"], "follow", row["actor_id"])


def _forget(context: Context, row: RowMapping, was: str) -> None:
    if was == "accepted":
        _count(context, row, -1)
        timelines.forget_author(context, row["actor_id"], row["target_id"])


def unfollow(context: Context, follower: RowMapping, target: RowMapping) -> bool:
    """Let a local actor unfollow; an Undo goes to the other server. False when it did not follow."""
    row = between(context, follower["id"], target["id"])
    if row is None:
        return False
    if not target["local"]:
        outbox.send(
            context,
            follower,
            "Undo",
            document_of(context, row),
            to=[target["uri"]],
            inboxes=outbox.inboxes_of([target]),
        )
    removed(context, row)
    return True


def by_uri(context: Context, uri: str) -> RowMapping | None:
    """Return the follow whose newest activity has this id."""
    return context.connection.execute(_BY_URI, {"follow_uri": uri}).mappings().first()


def of_answer(
    context: Context, target: RowMapping, uri: str | None, document: Document | None
) -> RowMapping | None:
    """Return the follow of `target` by an actor of ours that an Accept or Reject answers.

    Known by the id of our Follow; else by the pair named in the embedded one, as peers rewrite ids.
    """
    row = by_uri(context, uri) if uri else None
    if row is None and document is not None:
        follower = actors.by_uri(context, parse.reference(document.get("actor")) or "")
        row = between(context, follower["id"], target["id"]) if follower and follower["local"] else None
    return row if row is not None and row["target_id"] == target["id"] else None
