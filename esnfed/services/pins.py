"""Pinned posts: what an actor shows first, ours and others'; the `featured` collection (federation.md A5)."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import RowMapping, and_, bindparam, delete, func, select

from esnfed.bus import StatusChanged
from esnfed.context import Context
from esnfed.errors import Conflict, Refused
from esnfed.i18n import N_
from esnfed.models import insert, pin, status
from esnfed.services import outbox
from esnfed.vocab.addressing import READABLE_BY_ALL

MAX_PINS = 5
"""As Mastodon; what another server lists beyond it is not kept."""

_SHOWN = and_(
    pin.c.actor_id == bindparam("of_actor"),
    status.c.actor_id == pin.c.actor_id,
    status.c.deleted_at.is_(None),
    status.c.visibility.in_(sorted(READABLE_BY_ALL)),
)
_OF = (
    select(status)
    .join(pin, pin.c.status_id == status.c.id)
    .where(_SHOWN)
    .order_by(pin.c.id.desc())
    .limit(MAX_PINS)
)
_COUNT = select(func.count()).select_from(pin).join(status, pin.c.status_id == status.c.id).where(_SHOWN)
_STORE = insert(pin).on_conflict_do_nothing(index_elements=["actor_id", "status_id"]).returning(pin.c.id)
_REMOVE = delete(pin).where(
    pin.c.actor_id == bindparam("of_actor"), pin.c.status_id == bindparam("pinned_id")
)
_REMOVE_OTHERS = delete(pin).where(
    pin.c.actor_id == bindparam("of_actor"), pin.c.status_id.not_in(bindparam("kept", expanding=True))
)


def of(context: Context, actor_id: int) -> list[RowMapping]:
    """Return the pinned posts of an actor that anybody may read, the newest pin first, at most five."""
    return list(context.connection.execute(_OF, {"of_actor": actor_id}).mappings())


def usable(row: RowMapping, actor_id: int) -> bool:
    """Say whether an actor can pin this post: its own, alive, no boost, for everybody."""
    return (
        row["actor_id"] == actor_id
        and row["deleted_at"] is None
        and row["boost_of_id"] is None
        and row["visibility"] in READABLE_BY_ALL
    )


def store(context: Context, actor_id: int, row: RowMapping) -> bool:
    """Write a pin; False when it was there, the post is not one that can be pinned, or five are."""
    if not usable(row, actor_id):
        return False
    if context.connection.execute(_COUNT, {"of_actor": actor_id}).scalar_one() >= MAX_PINS:
        return False
    values = {
        "id": context.new_id(),
        "actor_id": actor_id,
        "status_id": row["id"],
        "created_at": context.now(),
    }
    if context.connection.execute(_STORE, values).scalar() is None:
        return False
    context.after_commit(StatusChanged(row["id"]))
    return True


def remove(context: Context, actor_id: int, status_id: int) -> bool:
    """Take a pin away; False when there was none."""
    values = {"of_actor": actor_id, "pinned_id": status_id}
    if not context.connection.execute(_REMOVE, values).rowcount:
        return False
    context.after_commit(StatusChanged(status_id))
    return True


def replace(context: Context, actor_id: int, rows: Sequence[RowMapping]) -> None:
    """Make the pins of an actor elsewhere those of its `featured` collection, first things first."""
    kept = [row["id"] for row in rows if usable(row, actor_id)][:MAX_PINS]
    context.connection.execute(_REMOVE_OTHERS, {"of_actor": actor_id, "kept": kept or [0]})
    known = {row["id"] for row in of(context, actor_id)}
    for row in reversed(rows):
        if row["id"] in kept and row["id"] not in known:
            store(context, actor_id, row)


def pin_status(context: Context, by: RowMapping, row: RowMapping) -> bool:
    """Let a local actor pin one of its posts; followers' servers get an Add. False when it was pinned.

    Raises Refused for what is not its own public post, Conflict when five are pinned.
    """
    if not usable(row, by["id"]):
        raise Refused(N_("Only your own public posts can be pinned."))
    if row["id"] in {pinned["id"] for pinned in of(context, by["id"])}:
        return False
    if not store(context, by["id"], row):
        raise Conflict(N_("Five posts are pinned already."))
    _send(context, "Add", by, row)
    return True


def unpin_status(context: Context, by: RowMapping, row: RowMapping) -> bool:
    """Let a local actor take a pin away; followers' servers get a Remove. False when it was not pinned."""
    if not remove(context, by["id"], row["id"]):
        return False
    _send(context, "Remove", by, row)
    return True


def _send(context: Context, as_type: str, by: RowMapping, row: RowMapping) -> None:
    outbox.send(
        context,
        by,
        as_type,
        row["uri"],
        to=[by["followers_uri"]],
        inboxes=outbox.follower_inboxes(context, by["id"]),
        extra={"target": by["featured_uri"]},
    )
