"""Boosts and favourites, made here or arriving from elsewhere; each counts once."""

from __future__ import annotations

from typing import Any

from sqlalchemy import RowMapping, bindparam, delete, select, update

from esnfed.bus import StatusChanged
from esnfed.context import Context
from esnfed.errors import Conflict, Refused
from esnfed.i18n import N_
from esnfed.models import actor, favourite, insert, status
from esnfed.objects import note
from esnfed.services import barriers, notifications, outbox, statuses, timelines
from esnfed.vocab import paths
from esnfed.vocab.addressing import READABLE_BY_ALL, addressing
from esnfed.vocab.parse import Document
from esnfed.vocab.terms import PUBLIC

_FAVOURITE = (
    insert(favourite)
    .on_conflict_do_nothing(index_elements=["actor_id", "status_id"])
    .returning(favourite.c.id)
)
_UNFAVOURITE = (
    delete(favourite)
    .where(favourite.c.actor_id == bindparam("by_id"), favourite.c.status_id == bindparam("liked_id"))
    .returning(favourite.c.uri)
)
_BY_FAVOURITE_URI = select(favourite).where(favourite.c.uri == bindparam("like_uri"))
_COUNT_FAVOURITE = (
    update(status)
    .where(status.c.id == bindparam("row_id"))
    .values(favourites_count=status.c.favourites_count + bindparam("number"))
)
_COUNT_BOOST = (
    update(status)
    .where(status.c.id == bindparam("row_id"))
    .values(boosts_count=status.c.boosts_count + bindparam("number"))
)
_STORE_BOOST = insert(status).on_conflict_do_nothing().returning(status.c.id)
_BOOST_BY = select(status).where(
    status.c.actor_id == bindparam("by_id"),
    status.c.boost_of_id == bindparam("boosted_id"),
    status.c.deleted_at.is_(None),
)
_REMOVE_BOOST = delete(status).where(status.c.id == bindparam("row_id"))
_AUTHOR = select(actor).where(actor.c.id == bindparam("author_id"))


def _author(context: Context, row: RowMapping) -> RowMapping:
    return context.connection.execute(_AUTHOR, {"author_id": row["actor_id"]}).mappings().one()


def _check(context: Context, by: RowMapping, row: RowMapping) -> None:
    if barriers.stands(context, by["id"], row["actor_id"]):
        raise Refused(N_("A block keeps these two apart."))


def store_favourite(context: Context, by: RowMapping, row: RowMapping, uri: str) -> bool:
    """Write a favourite, count it and tell the author; False when it was there already.

    Raises Refused when a block keeps the two apart.
    """
    _check(context, by, row)
    values = {
        "id": context.new_id(),
        "actor_id": by["id"],
        "status_id": row["id"],
        "uri": uri,
        "created_at": context.now(),
    }
    if context.connection.execute(_FAVOURITE, values).scalar() is None:
        return False
    context.connection.execute(_COUNT_FAVOURITE, {"row_id": row["id"], "number": 1})
    if _author(context, row)["local"]:
        notifications.notify(context, row["actor_id"], "favourite", by["id"], row["id"])
    return True


def remove_favourite(context: Context, by: RowMapping, row: RowMapping) -> str | None:
    """Take a favourite back; return the id of its Like, or None when there was none."""
    uri = context.connection.execute(_UNFAVOURITE, {"by_id": by["id"], "liked_id": row["id"]}).scalar()
    if uri is None:
        return None
    context.connection.execute(_COUNT_FAVOURITE, {"row_id": row["id"], "number": -1})
    notifications.withdraw(context, row["actor_id"], "favourite", by["id"], row["id"])
    return str(uri)


def favourite_by_uri(context: Context, uri: str) -> RowMapping | None:
    """Return the favourite whose Like has this id."""
    return context.connection.execute(_BY_FAVOURITE_URI, {"like_uri": uri}).mappings().first()


def like(context: Context, by: RowMapping, row: RowMapping) -> bool:
    """Let a local actor favourite a status; a Like goes to its author. False when it did so before."""
    activity_id = context.new_id()
    if not store_favourite(context, by, row, paths.activity(context.config.origin, activity_id)):
        return False
    author = _author(context, row)
    if not author["local"]:
        outbox.send(
            context,
            by,
            "Like",
            row["uri"],
            to=[author["uri"]],
            inboxes=outbox.inboxes_of([author]),
            activity_id=activity_id,
        )
    return True


def _undo(context: Context, by: RowMapping, document: Document, **addressed: Any) -> None:
    outbox.send(context, by, "Undo", document, **addressed)


def unlike(context: Context, by: RowMapping, row: RowMapping) -> bool:
    """Let a local actor take a favourite back; False when there was none."""
    uri = remove_favourite(context, by, row)
    if uri is None:
        return False
    author = _author(context, row)
    if not author["local"]:
        document = {"id": uri, "type": "Like", "actor": by["uri"], "object": row["uri"]}
        _undo(context, by, document, to=[author["uri"]], inboxes=outbox.inboxes_of([author]))
    return True


def store_boost(
    context: Context, by: RowMapping, row: RowMapping, *, uri: str, visibility: str, published_at: int
) -> int | None:
    """Write a boost as a status of its own; None when the actor boosts it already. Tells the author.

    Raises Refused when a block keeps the two apart.
    """
    _check(context, by, row)
    boost_id = context.new_id(at=None if by["local"] else published_at)
    values = {
        "id": boost_id,
        "local": by["local"],
        "uri": uri,
        "url": row["url"],
        "actor_id": by["id"],
        "as_type": "Announce",
        "boost_of_id": row["id"],
        "thread_id": boost_id,
        "visibility": visibility,
        "published_at": published_at,
    }
    if context.connection.execute(_STORE_BOOST, values).scalar() is None:
        if boost_by(context, by["id"], row["id"]) is None and note.row_of(context, uri) is None:
            raise Conflict  # only the id that was drawn is taken: the message is tried again
        return None
    context.connection.execute(_COUNT_BOOST, {"row_id": row["id"], "number": 1})
    statuses.count_status(context, by["id"], 1, context.now())
    timelines.fan_out(context, boost_id, by, visibility, None, boosted_author_id=row["actor_id"])
    if _author(context, row)["local"]:
        notifications.notify(context, row["actor_id"], "reblog", by["id"], row["id"])
    context.after_commit(StatusChanged(row["id"]))
    return boost_id


def boost_by(context: Context, by_id: int, status_id: int) -> RowMapping | None:
    """Return the boost of a status by an actor, or None."""
    parameters = {"by_id": by_id, "boosted_id": status_id}
    return context.connection.execute(_BOOST_BY, parameters).mappings().one_or_none()


def remove_boost(context: Context, boost: RowMapping) -> bool:
    """Take a boost back; False when it was gone already."""
    if not context.connection.execute(_REMOVE_BOOST, {"row_id": boost["id"]}).rowcount:
        return False
    context.connection.execute(_COUNT_BOOST, {"row_id": boost["boost_of_id"], "number": -1})
    statuses.count_status(context, boost["actor_id"], -1, context.now())
    boosted = context.connection.execute(
        select(status.c.actor_id).where(status.c.id == boost["boost_of_id"])
    ).scalar()
    if boosted is not None:
        notifications.withdraw(context, boosted, "reblog", boost["actor_id"], boost["boost_of_id"])
    context.after_commit(StatusChanged(boost["boost_of_id"]))
    return True


def boost(context: Context, by: RowMapping, row: RowMapping) -> int:
    """Let a local actor boost a public or unlisted status, or one of its own followers-only ones.

    Return the id of the boost; a second time gives the first one's. Raises Refused for what is private.
    """
    if row["boost_of_id"]:
        row = statuses.by_id(context, row["boost_of_id"])
    own_private = row["visibility"] == "followers" and row["actor_id"] == by["id"]
    if row["visibility"] not in READABLE_BY_ALL and not own_private:
        raise Refused(N_("Only public posts can be boosted."))
    activity_id = context.new_id()
    uri = paths.activity(context.config.origin, activity_id)
    visibility = "followers" if own_private else "public"
    boost_id = store_boost(context, by, row, uri=uri, visibility=visibility, published_at=context.now())
    if boost_id is None:
        known = boost_by(context, by["id"], row["id"])
        return int(known["id"]) if known else 0
    author = _author(context, row)
    to, cc = addressing(visibility, by["followers_uri"], [author["uri"]])  # type: ignore[arg-type]
    outbox.send(
        context,
        by,
        "Announce",
        row["uri"],
        to=to,
        cc=cc,
        inboxes=dict.fromkeys([*outbox.inboxes_of([author]), *outbox.follower_inboxes(context, by["id"])]),
        activity_id=activity_id,
    )
    return boost_id


def unboost(context: Context, by: RowMapping, row: RowMapping) -> bool:
    """Let a local actor take a boost back; an Undo goes to everybody who got it. False without one."""
    known = boost_by(context, by["id"], row["id"])
    if known is None or not remove_boost(context, known):
        return False
    author = _author(context, row)
    document = {"id": known["uri"], "type": "Announce", "actor": by["uri"], "object": row["uri"]}
    inboxes = [*outbox.inboxes_of([author]), *outbox.follower_inboxes(context, by["id"])]
    public = [PUBLIC] if known["visibility"] == "public" else []
    _undo(
        context,
        by,
        document,
        to=[*public, by["followers_uri"]],
        cc=[author["uri"]],
        inboxes=dict.fromkeys(inboxes),
    )
    return True
