"""What is told of a poll: its counts every few minutes while votes come in, and once at its end."""

from __future__ import annotations

from typing import Any

from sqlalchemy import RowMapping, bindparam, func, select, update

from esnfed.bus import StatusChanged
from esnfed.context import Context
from esnfed.jobs import enqueue, step
from esnfed.models import actor, poll, poll_vote
from esnfed.objects import note, parts, question
from esnfed.services import actors, notifications, outbox

TALLY_DELAY = 3 * 60 * 1000
"""Counts travel at most this often while votes come in, as Mastodon's."""

GRACE = 5 * 60 * 1000
"""Voters in a poll elsewhere are told of its end this much later: its last counts are on their way."""

PAGE = 200

_CLOSE = (
    update(poll)
    .where(poll.c.status_id == bindparam("of_status"), poll.c.closed_at.is_(None))
    .values(closed_at=bindparam("now"))
)
_VOTER_INBOXES = (
    select(func.coalesce(actor.c.shared_inbox, actor.c.inbox))
    .join(poll_vote, poll_vote.c.actor_id == actor.c.id)
    .where(
        poll_vote.c.status_id == bindparam("of_status"),
        actor.c.local.is_(False),
        actor.c.deleted_at.is_(None),
        actor.c.suspended_at.is_(None),
    )
    .distinct()
)
_OUR_VOTERS = (
    select(poll_vote.c.actor_id)
    .join(actor, actor.c.id == poll_vote.c.actor_id)
    .where(
        poll_vote.c.status_id == bindparam("of_status"),
        poll_vote.c.actor_id > bindparam("after"),
        actor.c.local,
        actor.c.deleted_at.is_(None),
    )
    .distinct()
    .order_by(poll_vote.c.actor_id)
    .limit(PAGE)
)


def watch(context: Context, status_id: int, at: int) -> None:
    """Have the end of a poll dealt with at that time (milliseconds); once for each time."""
    enqueue(context, "poll-end", {"status_id": status_id}, run_at=at, unique_key=f"{status_id}:{at}")


def tell_soon(context: Context, status_id: int) -> None:
    """Have the new counts of our poll told, with those of the next minutes."""
    at = context.now() + TALLY_DELAY
    enqueue(context, "poll-tally", {"status_id": status_id}, run_at=at, unique_key=str(status_id))
    context.after_commit(StatusChanged(status_id))


@step("poll-tally")
def tell_counts(context: Context, arguments: dict[str, Any], cursor: Any) -> None:
    """Send the counts of a poll of ours as they are now; nothing once it is over or deleted."""
    row = note.row_by_id(context, arguments["status_id"])
    found = question.of(context, arguments["status_id"])
    if row is None or row["deleted_at"] or found is None or found["closed_at"] is not None:
        return
    _tell(context, row)


@step("poll-end")
def end(context: Context, arguments: dict[str, Any], cursor: Any) -> Any:
    """Close a poll, send the last counts of one of ours, and tell our voters, 200 a step.

    The cursor is the last voter told. A poll that was prolonged is left to the job of its new end.
    """
    status_id, now = arguments["status_id"], context.now()
    row, found = note.row_by_id(context, status_id), question.of(context, status_id)
    if row is None or row["deleted_at"] or found is None or not question.is_over(found, now):
        return None
    if found["closed_at"] is None:
        context.connection.execute(_CLOSE, {"of_status": status_id, "now": found["expires_at"]})
        if row["local"]:
            _tell(context, row)
        context.after_commit(StatusChanged(status_id))
    page = {"of_status": status_id, "after": cursor or 0}
    voters = context.connection.execute(_OUR_VOTERS, page).scalars().all()
    for voter_id in voters:
        notifications.notify(context, voter_id, "poll", row["actor_id"], status_id)
    return voters[-1] if voters else None


def _tell(context: Context, row: RowMapping) -> None:
    """Send an Update to followers and voters. It is addressed as the post is: voters are not named in it."""
    author = actors.by_id(context, row["actor_id"])
    document = note.to_document(context, row)
    followers = [] if row["visibility"] == "direct" else outbox.follower_inboxes(context, author["id"])
    voters = context.connection.execute(_VOTER_INBOXES, {"of_status": row["id"]}).scalars()
    outbox.send(
        context,
        author,
        "Update",
        document,
        to=document["to"],
        cc=document["cc"],
        inboxes=dict.fromkeys(
            [*outbox.inboxes_of(parts.mentioned_in(context, row["id"])), *followers, *voters]
        ),
    )
