"""Statuses of local actors: publishing, revising and deleting them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import RowMapping, bindparam, delete, select, update

from esnfed.bus import StatusChanged
from esnfed.context import Context
from esnfed.errors import Conflict, Invalid, NotFound, Refused
from esnfed.i18n import N_
from esnfed.models import actor, insert, pin, status
from esnfed.objects import note, parts
from esnfed.objects.extension import extensions
from esnfed.objects.tombstone import bury, to_document
from esnfed.services import actors, barriers, group_queue, notifications, outbox, timelines
from esnfed.vocab import paths
from esnfed.vocab.addressing import READABLE_BY_ALL, Visibility, addressing

MAX_CONTENT = 100_000


@dataclass(frozen=True, slots=True)
class Draft:
    """A post ready to be written. `content_map` holds sanitised HTML per language, the primary first.

    `status_id`, when given, is the id that was prepared for it (its address may stand in its own content).
    """

    actor_id: int
    visibility: Visibility
    content_map: dict[str, str]
    tags: Sequence[str] = ()
    mentions: Sequence[int] = ()
    summary: str = ""
    source: str | None = None
    in_reply_to_id: int | None = None
    status_id: int | None = None
    url: str | None = None
    as_type: str = "Note"


_INSERT = insert(status)
_BY_ID = select(status).where(status.c.id == bindparam("status_id"))
_COUNT_STATUS = (
    update(actor)
    .where(actor.c.id == bindparam("row_id"))
    .values(statuses_count=actor.c.statuses_count + bindparam("number"), last_status_at=bindparam("now"))
)
_COUNT_REPLY = (
    update(status)
    .where(status.c.id == bindparam("row_id"))
    .values(replies_count=status.c.replies_count + bindparam("number"))
)


def by_id(context: Context, status_id: int) -> RowMapping:
    """Return the living status row; raises NotFound."""
    row = context.connection.execute(_BY_ID, {"status_id": status_id}).mappings().one_or_none()
    if row is None or row["deleted_at"]:
        raise NotFound
    return row


def _check(draft: Draft) -> None:
    if not any(draft.content_map.values()):
        raise Invalid(N_("A post needs some text."), "text")
    if sum(len(content) for content in draft.content_map.values()) > MAX_CONTENT:
        raise Invalid(N_("The post is too long."), "text")


def count_status(context: Context, actor_id: int, number: int, at: int) -> None:
    """Add to an actor's number of statuses, and note when the last one came."""
    context.connection.execute(_COUNT_STATUS, {"row_id": actor_id, "number": number, "now": at})


def publish(context: Context, draft: Draft) -> int:
    """Write a local post, put it on home timelines and queue its Create; return its id.

    Raises Invalid for an empty or too long post, NotFound when the author or the parent is gone, Refused when
    a block keeps the author apart from whom it answers.
    """
    _check(draft)
    author = actors.by_id(context, draft.actor_id)
    if not author["local"] or author["deleted_at"]:
        raise NotFound
    parent = by_id(context, draft.in_reply_to_id) if draft.in_reply_to_id else None
    if parent is not None and barriers.stands(context, author["id"], parent["actor_id"]):
        raise Refused(N_("A block keeps these two apart."))
    status_id = draft.status_id or context.new_id()
    row = _values(context, draft, author, parent, status_id)
    context.connection.execute(_INSERT, row)
    mentioned = set(draft.mentions) | ({parent["actor_id"]} if parent else set())
    parts.store_mentions(context, status_id, mentioned - {author["id"]})
    parts.store_tags(context, status_id, draft.tags)
    if parent is not None and draft.visibility in READABLE_BY_ALL:
        context.connection.execute(_COUNT_REPLY, {"row_id": parent["id"], "number": 1})
    count_status(context, author["id"], 1, context.now())
    context.after_commit(StatusChanged(status_id))
    return status_id


def _values(
    context: Context, draft: Draft, author: RowMapping, parent: RowMapping | None, status_id: int
) -> dict[str, Any]:
    origin = context.config.origin
    language = next(iter(draft.content_map))
    return {
        "id": status_id,
        "local": True,
        "uri": paths.object_(origin, status_id),
        "url": draft.url or paths.status_page(origin, author["handle"], status_id),
        "actor_id": author["id"],
        "as_type": draft.as_type,
        "in_reply_to_id": parent["id"] if parent else None,
        "in_reply_to_uri": parent["uri"] if parent else None,
        "in_reply_to_actor_id": parent["actor_id"] if parent else None,
        "thread_id": parent["thread_id"] if parent else status_id,
        "context_uri": parent["context_uri"] if parent else paths.context(origin, status_id),
        "visibility": draft.visibility,
        "summary": draft.summary,
        "sensitive": bool(draft.summary),
        "content": draft.content_map[language],
        "content_map": draft.content_map if len(draft.content_map) > 1 else None,
        "source": draft.source,
        "language": language,
        "published_at": context.now(),
    }


def announce_creation(context: Context, status_id: int) -> None:
    """Fan a new local post out: home timelines, notifications of those mentioned, and its Create.

    Apart from `publish`, so that a network room can write its rows beside the status in between.
    """
    row = by_id(context, status_id)
    author = actors.by_id(context, row["actor_id"])
    timelines.fan_out(context, status_id, author, row["visibility"], row["in_reply_to_actor_id"])
    mentioned = parts.mentioned_in(context, status_id)
    for other in mentioned:
        if other["local"]:
            notifications.notify(context, other["id"], "mention", author["id"], status_id)
            if other["as_type"] == "Group" and row["visibility"] == "public":
                group_queue.pass_on(context, other["id"], status_id)
    _send(context, "Create", row, author, mentioned)


def _inboxes(
    context: Context, row: RowMapping, author: RowMapping, mentioned: Sequence[RowMapping]
) -> list[str]:
    followers = [] if row["visibility"] == "direct" else outbox.follower_inboxes(context, author["id"])
    apart = barriers.among(context, author["id"], (other["id"] for other in mentioned))
    told = [other for other in mentioned if other["id"] not in apart]
    return list(dict.fromkeys([*outbox.inboxes_of(told), *followers]))


def _send(
    context: Context, as_type: str, row: RowMapping, author: RowMapping, mentioned: Sequence[RowMapping]
) -> None:
    document = note.to_document(context, row)
    outbox.send(
        context,
        author,
        as_type,
        document,
        to=document["to"],
        cc=document["cc"],
        inboxes=_inboxes(context, row, author, mentioned),
    )


def post(context: Context, draft: Draft) -> int:
    """Write a local post and fan it out; return its id."""
    status_id = publish(context, draft)
    announce_creation(context, status_id)
    return status_id


_REVISE = (
    update(status)
    .where(status.c.id == bindparam("row_id"), status.c.deleted_at.is_(None))
    .values(
        content=bindparam("new_content"),
        content_map=bindparam("new_content_map", type_=status.c.content_map.type),
        summary=bindparam("new_summary"),
        sensitive=bindparam("new_sensitive"),
        source=bindparam("new_source"),
        language=bindparam("new_language"),
        edited_at=bindparam("now"),
        version=status.c.version + 1,
    )
)


def revise(context: Context, status_id: int, draft: Draft) -> None:
    """Replace the text of a local post and send its Update to everybody who may have it."""
    _check(draft)
    row = by_id(context, status_id)
    if not row["local"] or row["actor_id"] != draft.actor_id:
        raise Refused(N_("Only its author can change a post."))
    language = next(iter(draft.content_map))
    changed = context.connection.execute(
        _REVISE,
        {
            "row_id": status_id,
            "new_content": draft.content_map[language],
            "new_content_map": draft.content_map if len(draft.content_map) > 1 else None,
            "new_summary": draft.summary,
            "new_sensitive": bool(draft.summary),
            "new_source": draft.source,
            "new_language": language,
            "now": context.now(),
        },
    )
    if not changed.rowcount:
        raise Conflict
    parts.store_mentions(context, status_id, set(draft.mentions) - {row["actor_id"]})
    parts.store_tags(context, status_id, draft.tags, replace=True)
    announce_revision(context, status_id)


def announce_revision(context: Context, status_id: int) -> None:
    """Send the Update of a local post as it stands now."""
    row = by_id(context, status_id)
    author = actors.by_id(context, row["actor_id"])
    _send(context, "Update", row, author, parts.mentioned_in(context, status_id))
    context.after_commit(StatusChanged(status_id))


_CLEAR = (
    update(status)
    .where(status.c.id == bindparam("row_id"), status.c.deleted_at.is_(None))
    .values(
        deleted_at=bindparam("now"),
        content="",
        content_map=None,
        summary="",
        source=None,
        title="",
        facts=None,
        emojis=None,
        version=status.c.version + 1,
    )
)
_UNPIN = delete(pin).where(pin.c.status_id == bindparam("status_id"))
_BOOSTERS = (
    select(actor)
    .join(status, status.c.actor_id == actor.c.id)
    .where(status.c.boost_of_id == bindparam("status_id"), actor.c.local.is_(False))
)


def clear(context: Context, row: RowMapping) -> bool:
    """Empty a status, ours or another's, with what hangs on it; False when that was done before.

    The row stays, so that replies keep their place; its boosts and timeline entries go.
    """
    if not context.connection.execute(_CLEAR, {"row_id": row["id"], "now": context.now()}).rowcount:
        return False
    parts.clear(context, row["id"])
    context.connection.execute(_UNPIN, {"status_id": row["id"]})
    for _, extension in extensions():
        extension.deleted(context, row["id"])
    if row["in_reply_to_id"] and row["visibility"] in READABLE_BY_ALL:
        context.connection.execute(_COUNT_REPLY, {"row_id": row["in_reply_to_id"], "number": -1})
    count_status(context, row["actor_id"], -1, context.now())
    bury(context, row["uri"], row["as_type"], local=row["local"])
    context.after_commit(StatusChanged(row["id"]))
    return True


def remove(context: Context, status_id: int, actor_id: int) -> None:
    """Delete a local post for good; a Delete goes to every server that may have it.

    That is whom it named, also those behind a block since, followers of now, boosters, and wherever an attempt
    to deliver it was begun, also to followers of then.
    """
    row = by_id(context, status_id)
    if not row["local"] or row["actor_id"] != actor_id or row["boost_of_id"]:
        raise Refused(N_("Only its author can delete a post."))
    author = actors.by_id(context, actor_id)
    mentioned = parts.mentioned_in(context, status_id)
    boosters = list(context.connection.execute(_BOOSTERS, {"status_id": status_id}).mappings())
    inboxes = [
        *_inboxes(context, row, author, mentioned),
        *outbox.inboxes_of([*mentioned, *boosters]),
        *outbox.begun_inboxes(context, row["uri"]),
    ]
    to, cc = addressing(row["visibility"], author["followers_uri"], [other["uri"] for other in mentioned])
    clear(context, row)
    outbox.send(
        context,
        author,
        "Delete",
        to_document(row["uri"], row["as_type"], context.now()),
        to=to,
        cc=cc,
        inboxes=dict.fromkeys(inboxes),
    )
