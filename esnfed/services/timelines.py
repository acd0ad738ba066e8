"""Timelines: home is written when a status arrives, capped in rows; past the cap the join form continues."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from sqlalchemy import (
    ColumnElement,
    RowMapping,
    bindparam,
    delete,
    exists,
    literal,
    or_,
    select,
    union,
)

from esnfed.context import Context
from esnfed.jobs import enqueue, every, step
from esnfed.models import actor, follow, insert, status, timeline_entry
from esnfed.services import barriers

HOME_CAP = 800
FAN_OUT_STEP = 500
BACKFILL = 40

_SECOND = follow.alias("second")


def _wanted(reply_to: ColumnElement[Any]) -> ColumnElement[bool]:
    """Replies reach home only when the reader also follows, or is, the person replied to (as Mastodon)."""
    return or_(
        reply_to == 0,
        reply_to == follow.c.target_id,
        reply_to == follow.c.actor_id,
        exists(
            select(1).where(
                _SECOND.c.actor_id == follow.c.actor_id,
                _SECOND.c.target_id == reply_to,
                _SECOND.c.state == "accepted",
            )
        ),
    )


_REPLY_TO: ColumnElement[Any] = bindparam("reply_to", type_=actor.c.id.type)
_BOOSTED: ColumnElement[Any] = bindparam("boosted_author_id", type_=actor.c.id.type)
_LOCAL_FOLLOWERS = (
    select(follow.c.actor_id)
    .join(actor, actor.c.id == follow.c.actor_id)
    .where(
        follow.c.target_id == bindparam("author_id"),
        follow.c.state == "accepted",
        follow.c.actor_id > bindparam("after"),
        actor.c.local,
        _wanted(_REPLY_TO),
        # Author and reader cannot be apart: a block ends the follow. Whom the author boosts may be.
        or_(_BOOSTED == 0, ~barriers.either_way(follow.c.actor_id, _BOOSTED)),
    )
    .order_by(follow.c.actor_id)
    .limit(FAN_OUT_STEP)
)
_FOLLOWER_PAGE = _LOCAL_FOLLOWERS.subquery()
_FAN_OUT = (
    insert(timeline_entry)
    .from_select(
        ["actor_id", "status_id"],
        # SQLite reads "ON" after a bare FROM as the start of a join: hence a WHERE that says nothing.
        select(_FOLLOWER_PAGE.c.actor_id, bindparam("status_id", type_=status.c.id.type)).where(
            literal(1) == 1
        ),
    )
    .on_conflict_do_nothing()
)
_LAST_OF_PAGE = select(_FOLLOWER_PAGE.c.actor_id).order_by(_FOLLOWER_PAGE.c.actor_id.desc()).limit(1)
_ADD = insert(timeline_entry).on_conflict_do_nothing()


def fan_out(
    context: Context,
    status_id: int,
    author: RowMapping,
    visibility: str,
    reply_to_actor_id: int | None,
    *,
    boosted_author_id: int = 0,
) -> int:
    """Put a status on the home timelines of the author's local followers; return how many got it now.

    Direct statuses go to nobody's home but the local author's; a boost of `boosted_author_id` not to those
    whom a block keeps apart from that author. Beyond 500 readers a job continues.
    """
    if author["local"]:
        add(context, author["id"], status_id)
    if visibility == "direct":
        return 0
    parameters = {
        "status_id": status_id,
        "author_id": author["id"],
        "reply_to": reply_to_actor_id or 0,
        "boosted_author_id": boosted_author_id,
        "after": 0,
    }
    written = context.connection.execute(_FAN_OUT, parameters).rowcount
    if written >= FAN_OUT_STEP:
        enqueue(context, "fan-out", parameters, unique_key=f"fan-out:{status_id}")
    return written


@step("fan-out")
def continue_fan_out(context: Context, arguments: dict[str, Any], cursor: Any) -> Any:
    """Serve the next 500 readers; the cursor is the last reader served."""
    parameters = {**arguments, "after": cursor or 0}
    context.connection.execute(_FAN_OUT, parameters)
    lookup = {key: parameters[key] for key in ("author_id", "reply_to", "boosted_author_id", "after")}
    return context.connection.execute(_LAST_OF_PAGE, lookup).scalar()


def add(context: Context, actor_id: int, status_id: int) -> None:
    """Put one status on one home timeline."""
    context.connection.execute(_ADD, {"actor_id": actor_id, "status_id": status_id})


_ORIGINAL = status.alias("original")


def _unbarred(reader: ColumnElement[Any]) -> ColumnElement[bool]:
    """What is no boost, or the boost of somebody whom no block keeps apart from the reader."""
    return or_(
        status.c.boost_of_id.is_(None),
        ~exists(
            select(1).where(
                _ORIGINAL.c.id == status.c.boost_of_id, barriers.either_way(reader, _ORIGINAL.c.actor_id)
            )
        ),
    )


_READER: ColumnElement[Any] = bindparam("reader_id", type_=actor.c.id.type)
_RECENT = (
    select(status.c.id)
    .where(
        _unbarred(_READER),
        status.c.actor_id == bindparam("author_id"),
        status.c.deleted_at.is_(None),
        status.c.visibility != "direct",
        or_(status.c.in_reply_to_id.is_(None), status.c.in_reply_to_actor_id == status.c.actor_id),
    )
    .order_by(status.c.id.desc())
    .limit(BACKFILL)
    .subquery()
)
_BACKFILL = (
    insert(timeline_entry)
    .from_select(
        ["actor_id", "status_id"],
        select(bindparam("reader_id", type_=actor.c.id.type), _RECENT.c.id).where(
            exists(select(1).where(actor.c.id == bindparam("reader_id"), actor.c.local))
        ),
    )
    .on_conflict_do_nothing()
)
_FORGET = delete(timeline_entry).where(
    timeline_entry.c.actor_id == bindparam("reader_id"),
    timeline_entry.c.status_id.in_(select(status.c.id).where(status.c.actor_id == bindparam("author_id"))),
)
_FORGET_BOOSTS = delete(timeline_entry).where(
    timeline_entry.c.actor_id == bindparam("reader_id"),
    timeline_entry.c.status_id.in_(
        select(status.c.id)
        .join(_ORIGINAL, _ORIGINAL.c.id == status.c.boost_of_id)
        .where(_ORIGINAL.c.actor_id == bindparam("author_id"))
    ),
)


def backfill(context: Context, reader_id: int, author_id: int) -> None:
    """After a new follow, put the author's last 40 statuses known here on a local reader's home."""
    context.connection.execute(_BACKFILL, {"reader_id": reader_id, "author_id": author_id})


def forget_author(context: Context, reader_id: int, author_id: int) -> None:
    """After an unfollow, take the author's statuses off the reader's home."""
    context.connection.execute(_FORGET, {"reader_id": reader_id, "author_id": author_id})


def forget_boosts_of(context: Context, reader_id: int, author_id: int) -> None:
    """After a block, take the author's statuses that others boosted off the reader's home."""
    context.connection.execute(_FORGET_BOOSTS, {"reader_id": reader_id, "author_id": author_id})


@dataclass(frozen=True, slots=True)
class Cursor:
    """Where a page of a timeline begins: statuses before `max_id` and after `since_id`, newest first.

    `min_id` asks for those just after it instead of the newest; `public` and `of_actor` know it.
    """

    max_id: int | None = None
    since_id: int | None = None
    limit: int = 20
    min_id: int | None = None


MAX_ID = (1 << 63) - 1

_HOME_IDS = (
    select(timeline_entry.c.status_id)
    .where(
        timeline_entry.c.actor_id == bindparam("reader_id"),
        timeline_entry.c.status_id < bindparam("max_id"),
        timeline_entry.c.status_id > bindparam("since_id"),
    )
    .order_by(timeline_entry.c.status_id.desc())
    .limit(bindparam("page_size"))
)
_HOME = (
    select(status)
    .where(status.c.id.in_(_HOME_IDS.subquery().select()), status.c.deleted_at.is_(None))
    .order_by(status.c.id.desc())
)
# What the join form also shows: the reader's own statuses.
_SOURCES = union(
    select(follow.c.target_id).where(
        follow.c.actor_id == bindparam("reader_id"), follow.c.state == "accepted"
    ),
    select(literal(0) + bindparam("reader_id", type_=actor.c.id.type)),
)
_HOME_JOINED = (
    select(status)
    .where(
        status.c.actor_id.in_(_SOURCES),
        status.c.id < bindparam("max_id"),
        status.c.id > bindparam("since_id"),
        status.c.deleted_at.is_(None),
        or_(status.c.visibility != "direct", status.c.actor_id == bindparam("reader_id")),
        or_(
            status.c.in_reply_to_actor_id.is_(None),
            status.c.in_reply_to_actor_id.in_(_SOURCES),
        ),
        _unbarred(_READER),
    )
    .order_by(status.c.id.desc())
    .limit(bindparam("page_size"))
)


def home(context: Context, reader_id: int, cursor: Cursor) -> list[RowMapping]:
    """Return one page of a home timeline, newest first: status rows, boosts as their own rows.

    One statement while the written part of the timeline lasts; when it ends before the page is full, the
    join form goes on from there, so that paging reaches the end.
    """
    parameters = {
        "reader_id": reader_id,
        "max_id": cursor.max_id or MAX_ID,
        "since_id": cursor.since_id or 0,
        "page_size": cursor.limit,
    }
    rows = list(context.connection.execute(_HOME, parameters).mappings().all())
    if len(rows) < cursor.limit and cursor.since_id is None:
        rest = {
            **parameters,
            "max_id": rows[-1]["id"] if rows else parameters["max_id"],
            "page_size": cursor.limit - len(rows),
        }
        rows += context.connection.execute(_HOME_JOINED, rest).mappings().all()
    return rows


_OVERFULL = (
    select(timeline_entry.c.actor_id, timeline_entry.c.status_id)
    .where(timeline_entry.c.actor_id == bindparam("reader_id"))
    .order_by(timeline_entry.c.status_id.desc())
    .offset(HOME_CAP)
    .limit(1)
)
_TRIM = delete(timeline_entry).where(
    timeline_entry.c.actor_id == bindparam("reader_id"), timeline_entry.c.status_id <= bindparam("last_id")
)
_READERS = (
    select(actor.c.id)
    .where(actor.c.local, actor.c.deleted_at.is_(None), actor.c.id > bindparam("after"))
    .order_by(actor.c.id)
    .limit(50)
)


@every(6 * 3600, "trim-timelines")
def trim(context: Context, cursor: Any) -> Any:
    """Cut fifty home timelines to 800 rows a step; the cursor is the last reader looked at."""
    reader_ids = context.connection.execute(_READERS, {"after": cursor or 0}).scalars().all()
    for reader_id in reader_ids:
        over = context.connection.execute(_OVERFULL, {"reader_id": reader_id}).first()
        if over is not None:
            context.connection.execute(_TRIM, {"reader_id": reader_id, "last_id": over.status_id})
    return reader_ids[-1] if reader_ids else None
