"""Blocks: made by our own actors, or received from elsewhere; they cut what ties two actors together."""

from __future__ import annotations

from sqlalchemy import RowMapping, bindparam, delete, or_, select

from esnfed.context import Context
from esnfed.errors import Invalid, NotFound
from esnfed.i18n import N_
from esnfed.models import actor, block, insert, notification
from esnfed.services import follows, outbox, timelines
from esnfed.vocab import paths

_INSERT = insert(block)
_STORE = _INSERT.on_conflict_do_nothing(index_elements=["actor_id", "target_id"]).returning(block.c.id)
_BETWEEN = select(block).where(
    block.c.actor_id == bindparam("blocker_id"), block.c.target_id == bindparam("blocked_id")
)
_BY_URI = select(block).where(block.c.uri == bindparam("block_uri"))
_REMOVE = delete(block).where(block.c.id == bindparam("block_id"))
_SILENCE = delete(notification).where(
    or_(
        (notification.c.actor_id == bindparam("one_id"))
        & (notification.c.from_actor_id == bindparam("other_id")),
        (notification.c.actor_id == bindparam("other_id"))
        & (notification.c.from_actor_id == bindparam("one_id")),
    )
)
_MADE = (
    select(actor.c.id, actor.c.handle, actor.c.domain, actor.c.uri, block.c.uri.label("block_uri"))
    .add_columns(block.c.created_at)
    .join(block, block.c.target_id == actor.c.id)
    .where(block.c.actor_id == bindparam("blocker_id"))
    .order_by(block.c.id.desc())
)


def block_actor(context: Context, by: RowMapping, target: RowMapping, *, tell: bool = False) -> bool:
    """Let a local actor block another; False when it did so before.

    The follows between them end, and the other server is told of that. The Block itself is sent only with
    `tell`: peers differ in what they show of it (federation.md A4), so it stays at home otherwise.
    """
    if by["id"] == target["id"]:
        raise Invalid(N_("Nobody blocks themselves."), "target")
    activity_id = context.new_id()
    tells = tell and not target["local"]
    uri = paths.activity(context.config.origin, activity_id) if tells else None
    if not _store(context, by, target, uri):
        return False
    _part(context, by, target)
    if tells:
        outbox.send(
            context,
            by,
            "Block",
            target["uri"],
            to=[target["uri"]],
            inboxes=outbox.inboxes_of([target]),
            activity_id=activity_id,
        )
    return True


def _store(context: Context, by: RowMapping, target: RowMapping, uri: str | None) -> bool:
    values = {
        "id": context.new_id(),
        "actor_id": by["id"],
        "target_id": target["id"],
        "uri": uri,
        "created_at": context.now(),
    }
    return context.connection.execute(_STORE, values).scalar() is not None


def _part(context: Context, by: RowMapping, target: RowMapping) -> None:
    """End the follows that a local actor has with `target`, and take each off the other's home."""
    follows.unfollow(context, by, target)
    row = follows.between(context, target["id"], by["id"])
    if row is not None:
        follows.reject(context, by, row)
        follows.removed(context, row)
    _forget(context, by["id"], target["id"])


def _forget(context: Context, one_id: int, other_id: int) -> None:
    for reader_id, author_id in ((one_id, other_id), (other_id, one_id)):
        timelines.forget_author(context, reader_id, author_id)
        timelines.forget_boosts_of(context, reader_id, author_id)
    context.connection.execute(_SILENCE, {"one_id": one_id, "other_id": other_id})


def unblock(context: Context, by: RowMapping, target: RowMapping) -> None:
    """Let a local actor end its block, with an Undo where the Block was sent; NotFound without one."""
    row = between(context, by["id"], target["id"])
    if row is None:
        raise NotFound(N_("There is no such block."))
    context.connection.execute(_REMOVE, {"block_id": row["id"]})
    if row["uri"] is not None:
        document = {"id": row["uri"], "type": "Block", "actor": by["uri"], "object": target["uri"]}
        outbox.send(context, by, "Undo", document, to=[target["uri"]], inboxes=outbox.inboxes_of([target]))


def received(context: Context, blocker: RowMapping, target: RowMapping, uri: str) -> bool:
    """Honour the Block of one of our actors by somebody elsewhere; False when it was here before.

    The follows between them end without a word: who blocks has ended them too (as Mastodon).
    """
    if not _store(context, blocker, target, uri or None):
        return False
    for one, other in ((blocker, target), (target, blocker)):
        row = follows.between(context, one["id"], other["id"])
        if row is not None:
            follows.removed(context, row)
    _forget(context, blocker["id"], target["id"])
    return True


def undone(context: Context, row: RowMapping) -> None:
    """Forget a block that its maker elsewhere took back; what it ended does not come back."""
    context.connection.execute(_REMOVE, {"block_id": row["id"]})


def between(context: Context, blocker_id: int, blocked_id: int) -> RowMapping | None:
    """Return the block of the second actor by the first, or None."""
    values = {"blocker_id": blocker_id, "blocked_id": blocked_id}
    return context.connection.execute(_BETWEEN, values).mappings().one_or_none()


def by_uri(context: Context, uri: str) -> RowMapping | None:
    """Return the block whose activity has this id."""
    return context.connection.execute(_BY_URI, {"block_uri": uri}).mappings().first()


def made_by(context: Context, blocker_id: int) -> list[RowMapping]:
    """Return whom an actor blocks, the newest first: actor columns, `block_uri` when it was sent, time."""
    return list(context.connection.execute(_MADE, {"blocker_id": blocker_id}).mappings())
