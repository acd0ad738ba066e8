"""What is worth fetching in the background: said here, done by the errands of services/backfill.py."""

from __future__ import annotations

from typing import Literal

from sqlalchemy import RowMapping, bindparam, exists, select

from esnfed.context import Context
from esnfed.federation import errands
from esnfed.models import actor, status
from esnfed.objects import note
from esnfed.vocab.authority import authority_of, same_origin

ANCESTORS = "ancestors"
THREAD = "thread"
OUTBOX = "outbox"

THREAD_COOL_DOWN = 15 * 60 * 1000
"""A thread is not asked for again within a quarter of an hour (Mastodon's value)."""

OUTBOX_COOL_DOWN = 24 * 3600 * 1000

_FOLLOWED = select(actor.c.id, actor.c.uri, actor.c.host).where(
    actor.c.id == bindparam("actor_id"),
    actor.c.local.is_(False),
    actor.c.deleted_at.is_(None),
    actor.c.outbox.is_not(None),
)
_ELSEWHERE = select(
    exists(
        select(1).where(
            status.c.thread_id == bindparam("of_thread"),
            status.c.local.is_(False),
            status.c.boost_of_id.is_(None),
            status.c.deleted_at.is_(None),
        )
    )
)

Hope = Literal["nothing", "due", "waiting"]
"""Whether more of a thread may come: not now, when it is asked for, or it is being fetched."""


def ancestors(context: Context, parent_uri: str) -> int | None:
    """Ask for the posts above one that arrived without its parent; return the errand's id if it is sent."""
    if same_origin(parent_uri, context.config.origin):
        return None
    return errands.send(
        context,
        ANCESTORS,
        parent_uri,
        {"uri": parent_uri},
        host=authority_of(parent_uri),
        cool_down=THREAD_COOL_DOWN,
    )


def root_of(context: Context, row: RowMapping) -> RowMapping:
    """Return the oldest post of a thread that is here."""
    return note.row_by_id(context, row["thread_id"] or row["id"]) or row


def missing_parent(root: RowMapping) -> str | None:
    """Return the address of what a thread's oldest post here answers, when that is not here."""
    uri: str | None = root["in_reply_to_uri"]
    return uri if uri and root["in_reply_to_id"] is None else None


def thread(context: Context, row: RowMapping) -> int | None:
    """Ask for the rest of a thread: what is above its oldest post here first, which then asks for the rest.

    Returns the errand's id, None when it waits, was done just before, or nobody elsewhere is in the thread.
    """
    root = root_of(context, row)
    above = missing_parent(root)
    if above is not None and not root["local"]:
        sent = ancestors(context, above)
        if sent is not None:
            return sent
    return descendants(context, root)


def descendants(context: Context, root: RowMapping) -> int | None:
    """Ask for the replies under the oldest post of a thread."""
    if not is_elsewhere(context, root):
        return None
    host = authority_of(root["uri"])
    return errands.send(
        context, THREAD, root["uri"], {"uri": root["uri"]}, host=host, cool_down=THREAD_COOL_DOWN
    )


def is_elsewhere(context: Context, root: RowMapping) -> bool:
    """Say whether another server has a part in a thread; only then can it know more."""
    found = context.connection.execute(_ELSEWHERE, {"of_thread": root["thread_id"] or root["id"]})
    return bool(found.scalar())


def hope(context: Context, row: RowMapping) -> Hope:
    """Say whether more of a thread may come."""
    root = root_of(context, row)
    if not is_elsewhere(context, root):
        return "nothing"
    above = missing_parent(root)
    states = [errands.state_of(context, THREAD, root["uri"], THREAD_COOL_DOWN)]
    if above is not None and not same_origin(above, context.config.origin):
        states.append(errands.state_of(context, ANCESTORS, above, THREAD_COOL_DOWN))
    if "waiting" in states:
        return "waiting"
    return "due" if "due" in states else "nothing"


def next_errand(context: Context, row: RowMapping) -> int | None:
    """Ask for the rest of a thread, and return the errand that brings it, also one that waits already."""
    sent = thread(context, row)
    if sent is not None:
        return sent
    root = root_of(context, row)
    above = missing_parent(root)
    found = errands.waiting_id(context, ANCESTORS, above) if above else None
    return found or errands.waiting_id(context, THREAD, root["uri"])


def outbox(context: Context, actor_id: int) -> int | None:
    """Ask for the newest public posts of a remote actor whom somebody here has begun to follow."""
    row = context.connection.execute(_FOLLOWED, {"actor_id": actor_id}).one_or_none()
    if row is None:
        return None
    arguments = {"actor_id": row.id}
    return errands.send(context, OUTBOX, row.uri, arguments, host=row.host, cool_down=OUTBOX_COOL_DOWN)
