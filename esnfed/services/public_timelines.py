"""Public timelines: what everybody may see, of the node, of an actor, under a hashtag; newest first."""

from __future__ import annotations

from typing import Any

from sqlalchemy import ColumnElement, RowMapping, Select, bindparam, exists, select

from esnfed.context import Context
from esnfed.models import actor, peer, status, status_tag, tag
from esnfed.services.timelines import MAX_ID, Cursor

_SHOWN_AUTHOR = exists(
    select(1).where(
        actor.c.id == status.c.actor_id,
        actor.c.suspended_at.is_(None),
        ~exists(select(1).where(peer.c.host == actor.c.host, peer.c.standing.in_(("limited", "blocked")))),
    )
)
"""Limited servers are seen by those who follow or look for them, not by everybody."""


def _ordered(upwards: bool, *conditions: ColumnElement[bool]) -> Select[Any]:
    order = status.c.id.asc() if upwards else status.c.id.desc()
    return (
        select(status)
        .where(
            status.c.id < bindparam("max_id"),
            status.c.id > bindparam("since_id"),
            status.c.deleted_at.is_(None),
            *conditions,
        )
        .order_by(order)
        .limit(bindparam("page_size"))
    )


_OWN_TEXT = (status.c.visibility == "public", status.c.boost_of_id.is_(None), _SHOWN_AUTHOR)
_TAGGED = status.c.id.in_(
    select(status_tag.c.status_id)
    .join(tag, tag.c.id == status_tag.c.tag_id)
    .where(tag.c.name == bindparam("tag_name"))
)
_BOTH = (False, True)
_PUBLIC = {upwards: _ordered(upwards, *_OWN_TEXT) for upwards in _BOTH}
_LOCAL = {upwards: _ordered(upwards, *_OWN_TEXT, status.c.local) for upwards in _BOTH}
_OF_TAG = {upwards: _ordered(upwards, *_OWN_TEXT, _TAGGED) for upwards in _BOTH}
_OF_ACTOR = {
    upwards: _ordered(
        upwards,
        status.c.actor_id == bindparam("author_id"),
        status.c.visibility.in_(("public", "unlisted")),
    )
    for upwards in _BOTH
}


def _page(
    context: Context, statements: dict[bool, Select[Any]], cursor: Cursor, **more: Any
) -> list[RowMapping]:
    upwards = cursor.min_id is not None
    parameters = {
        "max_id": cursor.max_id or MAX_ID,
        "since_id": cursor.min_id or cursor.since_id or 0,
        "page_size": cursor.limit,
    }
    rows = list(context.connection.execute(statements[upwards], parameters | more).mappings().all())
    return rows[::-1] if upwards else rows


def public(context: Context, cursor: Cursor, *, local_only: bool = False) -> list[RowMapping]:
    """Return public statuses known here, without boosts, suspended authors and limited servers."""
    return _page(context, _LOCAL if local_only else _PUBLIC, cursor)


def of_actor(context: Context, actor_id: int, cursor: Cursor) -> list[RowMapping]:
    """Return what everybody may see of an actor's statuses and boosts."""
    return _page(context, _OF_ACTOR, cursor, author_id=actor_id)


def of_tag(context: Context, name: str, cursor: Cursor) -> list[RowMapping]:
    """Return the public statuses under a hashtag, named with or without #, in any case."""
    return _page(context, _OF_TAG, cursor, tag_name=name.removeprefix("#").casefold())
