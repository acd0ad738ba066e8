"""What other servers may read of ours: actors, objects, activities, and the collections around them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, Literal

import orjson
from sqlalchemy import RowMapping, Select, and_, bindparam, exists, func, or_, select

from esnfed.context import Context
from esnfed.errors import Gone, NotFound, Refused
from esnfed.federation import proving
from esnfed.i18n import N_
from esnfed.models import activity, actor, follow, mention, node, status, tombstone
from esnfed.services import pins
from esnfed.vocab import paths
from esnfed.vocab.addressing import READABLE_BY_ALL

PAGE_SIZE = 20
START = 0
"""The cursor of the first page of every collection."""

ActorCollection = Literal["outbox", "followers", "following", "featured"]
ObjectCollection = Literal["replies", "context"]

NETWORK: frozenset[str] = frozenset({"followers", "following"})
"""Collections that say who knows whom."""

_NEWEST = (1 << 63) - 1
_ADDRESS = {
    "outbox": "outbox",
    "followers": "followers_uri",
    "following": "following_uri",
    "featured": "featured_uri",
}

_ACTOR = select(actor).where(actor.c.id == bindparam("actor_id"), actor.c.local)
# What was written over by an Update is told by nobody any more: the newest version alone stands.
_newer = activity.alias("newer")
_UP_TO_DATE = or_(
    activity.c.as_type.not_in(("Create", "Update")),
    ~exists(
        select(1).where(
            _newer.c.object_uri == activity.c.object_uri,
            _newer.c.actor_id == activity.c.actor_id,
            _newer.c.as_type == "Update",
            _newer.c.id > activity.c.id,
        )
    ),
)
_NODE_ACTOR = select(actor).join(node, node.c.actor_id == actor.c.id)
_STATUS = (
    select(status, actor.c.suspended_at.label("author_suspended_at"))
    .join(actor, actor.c.id == status.c.actor_id)
    .where(status.c.id == bindparam("status_id"), status.c.local, status.c.boost_of_id.is_(None))
)
_TOMBSTONE = select(tombstone).where(tombstone.c.uri == bindparam("uri"), tombstone.c.local)
_ACTIVITY = (
    select(activity, actor.c.deleted_at.label("author_deleted_at"))
    .join(actor, actor.c.id == activity.c.actor_id)
    .where(
        activity.c.id == bindparam("activity_id"),
        activity.c.public,
        actor.c.suspended_at.is_(None),
        _UP_TO_DATE,
    )
)

_READERS = select(
    exists(
        select(1)
        .select_from(mention.join(actor, actor.c.id == mention.c.actor_id))
        .where(mention.c.status_id == bindparam("status_id"), actor.c.host == bindparam("host"))
    ).label("addressed"),
    exists(
        select(1)
        .select_from(follow.join(actor, actor.c.id == follow.c.actor_id))
        .where(
            follow.c.target_id == bindparam("author_id"),
            follow.c.state == "accepted",
            actor.c.host == bindparam("host"),
            actor.c.deleted_at.is_(None),
        )
    ).label("follows"),
)

# What was deleted is no longer told by the activity that once carried it; the Delete itself stays.
_IN_OUTBOX = and_(
    activity.c.actor_id == bindparam("actor_id"),
    activity.c.public,
    or_(
        activity.c.as_type == "Delete",
        ~exists(select(1).where(tombstone.c.uri == activity.c.object_uri, tombstone.c.local)),
    ),
    _UP_TO_DATE,
)
_OUTBOX_COUNT = select(func.count()).select_from(activity).where(_IN_OUTBOX)
_OUTBOX_PAGE = (
    select(activity.c.id.label("key"), activity.c.id.label("item"))
    .where(_IN_OUTBOX, activity.c.id < bindparam("cursor"))
    .order_by(activity.c.id.desc())
    .limit(bindparam("size"))
)


def _network_page(of: Any, listed: Any) -> Select[Any]:
    """Page of the accepted follows of one side, keyed by the listed actor's id (both have an index)."""
    return (
        select(listed.label("key"), actor.c.uri.label("item"))
        .join(actor, actor.c.id == listed)
        .where(
            of == bindparam("actor_id"),
            follow.c.state == "accepted",
            actor.c.deleted_at.is_(None),
            listed < bindparam("cursor"),
        )
        .order_by(listed.desc())
        .limit(bindparam("size"))
    )


_NETWORK_PAGE = {
    "followers": _network_page(follow.c.target_id, follow.c.actor_id),
    "following": _network_page(follow.c.actor_id, follow.c.target_id),
}


def _posts(condition: Any) -> tuple[Select[Any], Select[Any]]:
    """Count and page, oldest first, of the posts under a condition that anybody may read."""
    readable = and_(
        condition,
        status.c.visibility.in_(sorted(READABLE_BY_ALL)),
        status.c.deleted_at.is_(None),
        status.c.boost_of_id.is_(None),
        actor.c.suspended_at.is_(None),
    )
    source = status.join(actor, actor.c.id == status.c.actor_id)
    page = (
        select(status.c.id.label("key"), status.c.uri.label("item"))
        .select_from(source)
        .where(readable, status.c.id > bindparam("cursor"))
        .order_by(status.c.id)
        .limit(bindparam("size"))
    )
    return select(func.count()).select_from(source).where(readable), page


_POSTS: dict[ObjectCollection, tuple[Select[Any], Select[Any]]] = {
    "replies": _posts(status.c.in_reply_to_id == bindparam("status_id")),
    "context": _posts(status.c.thread_id == bindparam("thread_id")),
}


@dataclass(frozen=True, slots=True)
class Collection:
    """A collection, mostly without its items. `hidden` says that its owner shows no page of it to anybody."""

    uri: str
    owner_uri: str
    total: int
    hidden: bool = False
    items: list[Any] | None = None
    """Of a short collection all there is: such a one has no pages that must be asked for."""


@dataclass(frozen=True, slots=True)
class Page:
    """One page of a collection: at most 20 items, and the cursor of the next page when there is one."""

    uri: str
    items: list[Any]
    next_cursor: int | None


def owned_actor(context: Context, actor_id: int | None) -> RowMapping:
    """Return a local actor, or the node actor for None.

    Raises NotFound; Gone with its tombstone for a deleted one; Refused for a suspended one, whose return
    must stay possible (410 would make peers forget it).
    """
    if actor_id is None:
        row = context.connection.execute(_NODE_ACTOR).mappings().one_or_none()
    else:
        row = context.connection.execute(_ACTOR, {"actor_id": actor_id}).mappings().one_or_none()
    if row is None:
        raise NotFound
    if row["deleted_at"] is not None:
        raise Gone(uri=row["uri"], former_type=row["as_type"], deleted_at=row["deleted_at"])
    if row["suspended_at"] is not None:
        raise Refused(N_("This actor is suspended."))
    return row


def public_status(context: Context, status_id: int) -> RowMapping | None:
    """Return a local post that anybody may read; None when it is not for anybody, or was never there.

    Raises Gone with its tombstone for a deleted one that anybody could read.
    """
    row = _status(context, status_id)
    if row is None:
        _raise_tombstone(context, status_id)
        return None
    if row["visibility"] not in READABLE_BY_ALL or row["author_suspended_at"] is not None:
        return None
    return _unless_deleted(row)


def status_for_host(context: Context, status_id: int, host: str) -> RowMapping:
    """Return a local post that the server `host` may read: one of its actors is addressed or follows.

    Raises NotFound both for a hidden post and for one that never was (GHSA-gwhw-gcjx-72v8); Gone.
    """
    row = _status(context, status_id)
    author_id = row["actor_id"] if row is not None else 0
    found = context.connection.execute(
        _READERS, {"status_id": status_id, "author_id": author_id, "host": host}
    ).one()
    if row is None or row["author_suspended_at"] is not None:
        raise NotFound
    visibility = row["visibility"]
    if visibility in READABLE_BY_ALL or found.addressed or (visibility == "followers" and found.follows):
        return _unless_deleted(row)
    raise NotFound


def _status(context: Context, status_id: int) -> RowMapping | None:
    return context.connection.execute(_STATUS, {"status_id": status_id}).mappings().one_or_none()


def _unless_deleted(row: RowMapping) -> RowMapping:
    if row["deleted_at"] is not None:
        raise Gone(uri=row["uri"], former_type=row["as_type"], deleted_at=row["deleted_at"])
    return row


def _raise_tombstone(context: Context, status_id: int) -> None:
    """A post whose row is gone altogether is still known by its tombstone."""
    uri = paths.object_(context.config.origin, status_id)
    row = context.connection.execute(_TOMBSTONE, {"uri": uri}).mappings().one_or_none()
    if row is not None:
        raise Gone(uri=uri, former_type=row["former_type"], deleted_at=row["deleted_at"])


def public_activity(context: Context, activity_id: int) -> bytes:
    """Return a public activity as it was sent; raises NotFound, also for a version written over since.

    Gone when its object or its actor was deleted; only the Delete itself stays.
    """
    row = context.connection.execute(_ACTIVITY, {"activity_id": activity_id}).mappings().one_or_none()
    if row is None:
        raise NotFound
    if row["as_type"] != "Delete":
        buried = context.connection.execute(_TOMBSTONE, {"uri": row["object_uri"]}).first()
        if buried is not None or row["author_deleted_at"]:
            raise Gone
    return proving.bodies(context, [activity_id])[activity_id].data


def actor_collection(context: Context, actor_id: int | None, kind: ActorCollection) -> Collection:
    """Return a collection of a local actor (None: the node actor); raises like `owned_actor`."""
    row = owned_actor(context, actor_id)
    if kind == "outbox":
        total = int(context.connection.execute(_OUTBOX_COUNT, {"actor_id": row["id"]}).scalar_one())
    elif kind == "featured":
        pinned = [status["uri"] for status in pins.of(context, row["id"])]
        return Collection(row["featured_uri"], row["uri"], len(pinned), items=pinned)
    else:
        total = row[f"{kind}_count"]
    hidden = kind in NETWORK and row["hides_network"]
    return Collection(row[_ADDRESS[kind]], row["uri"], total, hidden)


def actor_page(context: Context, actor_id: int | None, kind: ActorCollection, cursor: int) -> Page:
    """Return one page, newest first, of what comes after `cursor`; NotFound when the owner hides it."""
    row = owned_actor(context, actor_id)
    if kind in NETWORK and row["hides_network"]:
        raise NotFound
    uri = row[_ADDRESS[kind]]
    if kind == "featured":
        pinned = [status["uri"] for status in pins.of(context, row["id"])] if cursor == START else []
        return Page(uri, pinned, None)
    values = {"actor_id": row["id"], "cursor": _NEWEST if cursor == START else cursor}
    if kind == "outbox":
        return _with_bodies(context, _page(context, uri, _OUTBOX_PAGE, values))
    return _page(context, uri, _NETWORK_PAGE[kind], values)


def object_collection(context: Context, status_id: int, kind: ObjectCollection) -> Collection:
    """Return a collection of a local post that anybody may read; raises NotFound, Gone."""
    row, uri, values = _thread(context, status_id, kind)
    owner = owned_actor(context, row["actor_id"])
    total = int(context.connection.execute(_POSTS[kind][0], values).scalar_one())
    return Collection(uri, owner["uri"], total)


def object_page(context: Context, status_id: int, kind: ObjectCollection, cursor: int) -> Page:
    """Return one page, oldest first, of the public posts after `cursor`, remote ones included."""
    _, uri, values = _thread(context, status_id, kind)
    return _page(context, uri, _POSTS[kind][1], values | {"cursor": cursor})


def _thread(
    context: Context, status_id: int, kind: ObjectCollection
) -> tuple[RowMapping, str, dict[str, int]]:
    row = public_status(context, status_id)
    if row is None:
        raise NotFound
    origin = context.config.origin
    if kind == "replies":
        return row, paths.replies(origin, status_id), {"status_id": status_id}
    return row, paths.context(origin, status_id), {"thread_id": row["thread_id"] or status_id}


def _page(context: Context, uri: str, statement: Select[Any], values: Mapping[str, int]) -> Page:
    rows = context.connection.execute(statement, dict(values) | {"size": PAGE_SIZE + 1}).all()
    shown = rows[:PAGE_SIZE]
    return Page(uri, [row.item for row in shown], shown[-1].key if len(rows) > PAGE_SIZE else None)


def _with_bodies(context: Context, page: Page) -> Page:
    """Put the activities in the place of their ids. They are JSON already, and embedded as they were sent."""
    found = proving.bodies(context, page.items)
    return replace(page, items=[orjson.Fragment(found[number].data) for number in page.items])
