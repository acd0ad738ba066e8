"""What hangs on a status and travels inside its document: hashtags, mentions, attachments."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from sqlalchemy import RowMapping, bindparam, delete, or_, select

from esnfed.context import Context
from esnfed.models import (
    actor,
    favourite,
    insert,
    media_attachment,
    mention,
    notification,
    poll,
    poll_vote,
    status,
    status_tag,
    tag,
    timeline_entry,
)
from esnfed.objects.duration import duration
from esnfed.vocab import parse
from esnfed.vocab.parse import Document

MAX_TAGS = 64
MAX_MENTIONS = 256
MAX_ATTACHMENTS = 16
MEDIA_TYPES = frozenset({"Document", "Image", "Audio", "Video"})

_TAG_NAME = re.compile(r"[^\s#/?\x00-\x1f\x7f]+")

_TAG = insert(tag)
_STORE_TAGS = _TAG.on_conflict_do_update(
    index_elements=["name"],
    set_={"name": _TAG.excluded.name},  # a change of nothing, so that RETURNING gives the row
).returning(tag.c.id)
_LINK_TAGS = insert(status_tag).on_conflict_do_nothing()
_UNLINK_TAGS = delete(status_tag).where(status_tag.c.status_id == bindparam("status_id"))
_TAGS = (
    select(tag.c.name, tag.c.display_name)
    .join(status_tag, status_tag.c.tag_id == tag.c.id)
    .where(status_tag.c.status_id == bindparam("status_id"))
    .order_by(tag.c.name)
)

_KNOWN_ACTORS = select(actor.c.id, actor.c.uri, actor.c.local).where(
    actor.c.uri.in_(bindparam("uris", expanding=True)), actor.c.deleted_at.is_(None)
)
_STORE_MENTIONS = insert(mention).on_conflict_do_nothing()
_MENTIONED = (
    select(actor)
    .join(mention, mention.c.actor_id == actor.c.id)
    .where(mention.c.status_id == bindparam("status_id"))
    .order_by(actor.c.id)
)

_STORE_MEDIA = insert(media_attachment)
_REMOVE_MEDIA = delete(media_attachment).where(media_attachment.c.status_id == bindparam("status_id"))
_MEDIA = (
    select(media_attachment)
    .where(media_attachment.c.status_id == bindparam("status_id"))
    .order_by(media_attachment.c.position)
)


@dataclass(frozen=True, slots=True)
class Known:
    """An actor that a document mentions and that has a row here."""

    id: int
    uri: str
    local: bool


def hashtags_in(document: Document) -> list[str]:
    """Return the names of the Hashtag tags as written, without #, in order, 64 at most.

    What cannot be one word of a text and one part of an address is no hashtag (Mastodon drops it too).
    """
    names: dict[str, str] = {}
    for item in parse.items(document.get("tag"), 512):
        if isinstance(item, dict) and parse.type_of(item) == "Hashtag":
            name = parse.text(item, "name", 200).strip().lstrip("#")
            if _TAG_NAME.fullmatch(name):
                names.setdefault(name.casefold(), name)
    return list(names.values())[:MAX_TAGS]


def mentions_in(document: Document) -> list[str]:
    """Return the actor ids of the Mention tags, in order, 256 at most."""
    found = [
        parse.web_address(item.get("href"))
        for item in parse.items(document.get("tag"), 512)
        if isinstance(item, dict) and parse.type_of(item) == "Mention"
    ]
    return list(dict.fromkeys(uri for uri in found if uri))[:MAX_MENTIONS]


def addressees_in(document: Document) -> list[str]:
    """Return the ids under `to`, `cc` and `audience` (FEP-1b12: the group that a post is for)."""
    return [uri for key in ("to", "cc", "audience") for uri in parse.references(document.get(key))]


def merged(files: list[dict[str, Any]], more: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return the media of both lists, each address once, with their places in order."""
    by_url: dict[str, dict[str, Any]] = {}
    for file in (*files, *more):
        by_url.setdefault(file["url"], file)
    return [file | {"position": place} for place, file in enumerate(list(by_url.values())[:MAX_ATTACHMENTS])]


def attachments_in(document: Document) -> list[dict[str, Any]]:
    """Return column values of the media of a document; items that are no media are left out.

    Under `url` stands an address or Links, which have media type and size of their own: the first counts.
    Pleroma's older posts have the address under `href`.
    """
    found: list[dict[str, Any]] = []
    for item in parse.items(document.get("attachment"), 64):
        if not isinstance(item, dict) or parse.type_of(item) not in MEDIA_TYPES:
            continue
        url = parse.web_address(item.get("url")) or parse.web_address(item.get("href"))
        if url is not None and len(found) < MAX_ATTACHMENTS:
            found.append({"position": len(found), "url": url} | _file(_link(item) | item))
    return found


def _link(item: Document) -> Document:
    """Return what the first Link under `url` tells of the file."""
    link = parse.embedded(item.get("url")) or {}
    return {key: link[key] for key in ("mediaType", "width", "height") if key in link}


def _file(item: Document) -> dict[str, Any]:
    focus = item.get("focalPoint")
    focal: Any = focus if _is_focus(focus) else (None, None)
    return {
        "as_type": parse.type_of(item),
        "media_type": parse.text(item, "mediaType", 100),
        "description": parse.text(item, "summary", 10_000) or parse.text(item, "name", 10_000),
        "blurhash": parse.text(item, "blurhash", 128) or None,
        "width": parse.count(item.get("width")),
        "height": parse.count(item.get("height")),
        "focus_x": focal[0],
        "focus_y": focal[1],
        "duration": duration(item.get("duration")),
    }


def _is_focus(value: Any) -> bool:
    return (
        isinstance(value, list)
        and len(value) == 2
        and all(
            isinstance(part, int | float) and not isinstance(part, bool) and -1 <= part <= 1 for part in value
        )
    )


def store_tags(context: Context, status_id: int, names: Iterable[str], *, replace: bool = False) -> None:
    """Write the hashtags of a status; with `replace` those it had before are taken off."""
    if replace:
        context.connection.execute(_UNLINK_TAGS, {"status_id": status_id})
    rows = [
        {"id": context.new_id(), "name": name.casefold(), "display_name": name}
        for name in sorted(names, key=str.casefold)
    ]
    if not rows:
        return
    tag_ids = context.connection.execute(_STORE_TAGS, rows).scalars().all()
    context.connection.execute(_LINK_TAGS, [{"status_id": status_id, "tag_id": tag_id} for tag_id in tag_ids])


def known_actors(context: Context, uris: list[str]) -> list[Known]:
    """Return the actors among `uris` that have a row here."""
    if not uris:
        return []
    rows = context.connection.execute(_KNOWN_ACTORS, {"uris": uris})
    return [Known(row.id, row.uri, row.local) for row in rows]


def store_mentions(context: Context, status_id: int, actor_ids: Iterable[int]) -> None:
    """Write who is mentioned; a mention once made stays, as those people were told."""
    rows = [{"status_id": status_id, "actor_id": actor_id} for actor_id in sorted(set(actor_ids))]
    if rows:
        context.connection.execute(_STORE_MENTIONS, rows)


def store_attachments(
    context: Context, status_id: int, values: list[dict[str, Any]], *, replace: bool = False
) -> None:
    """Write the media of a status; with `replace` those it had before go."""
    if replace:
        context.connection.execute(_REMOVE_MEDIA, {"status_id": status_id})
    if values:
        context.connection.execute(
            _STORE_MEDIA, [{"id": context.new_id(), "status_id": status_id, **value} for value in values]
        )


def tags_of(context: Context, status_id: int) -> list[str]:
    """Return the hashtags of a status as written."""
    return [row.display_name for row in context.connection.execute(_TAGS, {"status_id": status_id})]


def mentioned_in(context: Context, status_id: int) -> list[RowMapping]:
    """Return the actor rows that a status mentions."""
    return list(context.connection.execute(_MENTIONED, {"status_id": status_id}).mappings())


def media_of(context: Context, status_id: int) -> list[RowMapping]:
    """Return the media rows of a status in their order."""
    return list(context.connection.execute(_MEDIA, {"status_id": status_id}).mappings())


def media_document(row: RowMapping) -> Document:
    """Return one media row as an attachment; the alternative text in `name` and `summary`: peers differ."""
    document: Document = {
        "type": row["as_type"],
        "mediaType": row["media_type"],
        "url": row["url"],
        "name": row["description"],
        "summary": row["description"],
    }
    optional = {"blurhash": row["blurhash"], "width": row["width"], "height": row["height"]}
    document |= {key: value for key, value in optional.items() if value is not None}
    if row["focus_x"] is not None:
        document["focalPoint"] = [row["focus_x"], row["focus_y"]]
    return document


_LEFTOVERS = (
    _UNLINK_TAGS,
    _REMOVE_MEDIA,
    delete(timeline_entry).where(
        timeline_entry.c.status_id.in_(
            select(status.c.id).where(
                or_(status.c.id == bindparam("status_id"), status.c.boost_of_id == bindparam("status_id"))
            )
        )
    ),
    delete(favourite).where(favourite.c.status_id == bindparam("status_id")),
    delete(notification).where(notification.c.status_id == bindparam("status_id")),
    delete(poll_vote).where(poll_vote.c.status_id == bindparam("status_id")),
    delete(poll).where(poll.c.status_id == bindparam("status_id")),
    delete(status).where(status.c.boost_of_id == bindparam("status_id")),
)


def clear(context: Context, status_id: int) -> None:
    """Remove what hangs on a status that is being deleted, its boosts and timeline entries included."""
    for statement in _LEFTOVERS:
        context.connection.execute(statement, {"status_id": status_id})
