"""Notes: status rows to documents, and documents to status rows (federation.md A4, B1)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from sqlalchemy import RowMapping, bindparam, exists, select, update

from esnfed.context import Context
from esnfed.errors import Ignored, Malformed
from esnfed.federation.handling import receives
from esnfed.models import actor, insert, status, tombstone
from esnfed.objects import parts
from esnfed.objects.actor import emojis_of
from esnfed.objects.extension import extensions
from esnfed.text.language import normalise
from esnfed.text.sanitise import sanitise
from esnfed.vocab import contexts, parse, paths
from esnfed.vocab.addressing import addressing, visibility
from esnfed.vocab.authority import same_origin
from esnfed.vocab.parse import Document

MAX_CONTENT = 100_000
MAX_SUMMARY = 5_000

_AUTHOR = select(actor).where(actor.c.id == bindparam("actor_id"))


def to_document(context: Context, row: RowMapping) -> Document:
    """Return the Note of a local status, complete, with what its extensions add."""
    author = context.connection.execute(_AUTHOR, {"actor_id": row["actor_id"]}).mappings().one()
    mentioned = parts.mentioned_in(context, row["id"])
    to, cc = addressing(row["visibility"], author["followers_uri"], [other["uri"] for other in mentioned])
    origin = context.config.origin
    terms: dict[str, Any] = {}
    document: Document = {
        "id": row["uri"],
        "type": "Note",
        "url": row["url"],
        "attributedTo": author["uri"],
        "published": parse.iso(row["published_at"]),
        "to": to,
        "cc": cc,
        "sensitive": row["sensitive"],
        "content": row["content"],
        "contentMap": row["content_map"] or {row["language"] or "und": row["content"]},
        "context": row["context_uri"],
        "conversation": row["context_uri"],
        "replies": paths.replies(origin, row["id"]),
        "tag": [_mention_tag(context, other) for other in mentioned]
        + [_hashtag(origin, name) for name in parts.tags_of(context, row["id"])],
        "attachment": [parts.media_document(media) for media in parts.media_of(context, row["id"])],
    }
    if row["summary"]:
        document["summary"] = row["summary"]
    if row["edited_at"]:
        document["updated"] = parse.iso(row["edited_at"])
    if row["in_reply_to_uri"]:
        document["inReplyTo"] = row["in_reply_to_uri"]
    for _, extension in extensions():
        added = extension.write(context, row)
        if added:
            terms |= extension.terms
            _merge(document, added)
    return {"@context": contexts.of_object(terms), **document}


def _merge(document: Document, added: Document) -> None:
    for key, value in added.items():
        if key in ("attachment", "tag"):
            document[key] = document[key] + value
        else:
            document[key] = value


def _mention_tag(context: Context, row: RowMapping) -> Document:
    return {"type": "Mention", "href": row["uri"], "name": f"@{row['handle']}@{row['domain']}"}


def _hashtag(origin: str, name: str) -> Document:
    return {"type": "Hashtag", "href": f"{origin}/tags/{name.casefold()}", "name": f"#{name}"}


@dataclass(frozen=True, slots=True)
class Stored:
    """What writing a remote note did. `mentioned` holds the actors with a row here."""

    status_id: int
    created: bool
    visibility: str
    parent: RowMapping | None
    mentioned: tuple[parts.Known, ...]
    published_at: int


def author_of(document: Document) -> list[str]:
    """Return the ids that `attributedTo` names; PeerTube and WordPress send several."""
    return parse.references(document.get("attributedTo"), 8)


def read(document: Document, author: RowMapping, now: int) -> dict[str, Any]:
    """Return the column values of a remote note by `author`; raises Malformed or Ignored.

    The id, the author and the sender share one origin (FEP-fe34); `published` in the future is clamped.
    """
    uri = parse.identifier(document)
    if not same_origin(uri, author["uri"]) or author["uri"] not in author_of(document):
        raise Malformed("The note does not belong to the actor who sent it.")
    content = parse.text(document, "content", MAX_CONTENT)
    if parse.text(document, "name", 10) and not content:
        raise Ignored("A poll vote for a poll that is not here.")
    clean = sanitise(content)
    content_map = {
        tag: clean if value == content else sanitise(value)
        for key, value in parse.language_map(document.get("contentMap"), MAX_CONTENT).items()
        if (tag := normalise(key))
    }
    language = _language(document, content_map)
    published = min(parse.timestamp(document.get("published")) or now, now)
    updated = parse.timestamp(document.get("updated"))
    page = parse.html_address(document.get("url"))
    warning = parse.text(document, "summary", MAX_SUMMARY)
    return {
        "local": False,
        "uri": uri,
        "url": page if page and same_origin(page, uri) else uri,
        "actor_id": author["id"],
        "as_type": "Note",
        "in_reply_to_uri": parse.web_address(document.get("inReplyTo")),
        "context_uri": parse.web_address(document.get("context")) or _conversation(document),
        "visibility": visibility(
            parse.references(document.get("to")),
            parse.references(document.get("cc")),
            author["followers_uri"],
        ),
        "summary": warning,
        "sensitive": parse.boolean(document, "sensitive") or bool(warning),
        "content": clean if content else content_map.get(language or "", ""),
        "content_map": _primary_first(content_map, language) if len(content_map) > 1 else None,
        "language": language,
        "emojis": emojis_of(document) or None,
        "published_at": published,
        "edited_at": min(updated, now) if updated and updated > published else None,
    }


def _conversation(document: Document) -> str | None:
    """OStatus conversations are tag: addresses; kept as opaque text to keep a thread together."""
    return parse.text(document, "conversation", 500) or None


def _language(document: Document, content_map: dict[str, str]) -> str | None:
    """Mastodon takes the first key of contentMap, GoToSocial the key whose text equals `content`."""
    raw = parse.language_map(document.get("contentMap"), MAX_CONTENT)
    content = document.get("content")
    equal = next((key for key, value in raw.items() if value == content), None)
    chosen = equal or next(iter(raw), None)
    return normalise(chosen) if chosen and content_map else None


def _primary_first(content_map: dict[str, str], language: str | None) -> dict[str, str]:
    first = {language: content_map[language]} if language in content_map else {}
    return first | content_map


_GATE = select(
    exists(select(1).where(tombstone.c.uri == bindparam("uri"))).label("tombstone"),
    exists(
        select(1).where(status.c.in_reply_to_uri == bindparam("uri"), status.c.in_reply_to_id.is_(None))
    ).label("orphans"),
)
_PARENT = select(
    status.c.id, status.c.uri, status.c.actor_id, status.c.thread_id, status.c.local, status.c.visibility
).where(status.c.uri == bindparam("uri"), status.c.deleted_at.is_(None))
_INSERT = insert(status).on_conflict_do_nothing(index_elements=["uri"]).returning(status.c.id)
_ADOPT = (
    update(status)
    .where(status.c.in_reply_to_uri == bindparam("parent_uri"), status.c.in_reply_to_id.is_(None))
    .values(in_reply_to_id=bindparam("parent_id"), in_reply_to_actor_id=bindparam("parent_actor_id"))
)
_COUNT_REPLY = (
    update(status)
    .where(status.c.id == bindparam("row_id"))
    .values(replies_count=status.c.replies_count + bindparam("number"))
)


_JOIN_THREAD = (
    update(status)
    .where(
        status.c.thread_id.in_(
            select(status.c.thread_id).where(status.c.in_reply_to_id == bindparam("parent_id"))
        )
    )
    .values(thread_id=bindparam("new_thread_id"))
)


def _adopt(context: Context, values: dict[str, Any]) -> None:
    """Tie replies that were here before their parent to it, and their threads to its thread."""
    tied = context.connection.execute(
        _ADOPT,
        {"parent_uri": values["uri"], "parent_id": values["id"], "parent_actor_id": values["actor_id"]},
    )
    context.connection.execute(
        _JOIN_THREAD, {"parent_id": values["id"], "new_thread_id": values["thread_id"]}
    )
    context.connection.execute(_COUNT_REPLY, {"row_id": values["id"], "number": tied.rowcount})


def find_parent(context: Context, uri: str | None) -> RowMapping | None:
    """Return the row of the status that is replied to, when it is here."""
    if uri is None:
        return None
    return context.connection.execute(_PARENT, {"uri": uri}).mappings().one_or_none()


@receives("Note")
def store(context: Context, document: Document, author: RowMapping) -> Stored | None:
    """Write a remote note; None when it is known already. Raises Malformed, or Ignored for a deleted one."""
    now = context.now()
    values = read(document, author, now)
    gate = context.connection.execute(_GATE, {"uri": values["uri"]}).one()
    if gate.tombstone:
        raise Ignored("This note was deleted before it arrived.")
    parent = find_parent(context, values["in_reply_to_uri"])
    status_id = context.new_id(at=values["published_at"])
    values |= {
        "id": status_id,
        "in_reply_to_id": parent["id"] if parent else None,
        "in_reply_to_actor_id": parent["actor_id"] if parent else None,
        "thread_id": parent["thread_id"] if parent else status_id,
    }
    if context.connection.execute(_INSERT, values).scalar() is None:
        return None
    if gate.orphans:
        _adopt(context, values)
    if parent and values["visibility"] in ("public", "unlisted"):
        context.connection.execute(_COUNT_REPLY, {"row_id": parent["id"], "number": 1})
    known = parts.known_actors(context, parts.mentions_in(document))
    parts.store_mentions(context, status_id, (other.id for other in known))
    parts.store_tags(context, status_id, parts.hashtags_in(document))
    parts.store_attachments(context, status_id, parts.attachments_in(document))
    _extend(context, status_id, author, document)
    return Stored(status_id, True, values["visibility"], parent, tuple(known), values["published_at"])


def _extend(context: Context, status_id: int, author: RowMapping, document: Document) -> None:
    for name, extension in extensions():
        if name in document:
            extension.receive(context, status_id, author, document)


_REVISED = (
    "url",
    "summary",
    "sensitive",
    "content",
    "content_map",
    "language",
    "emojis",
    "edited_at",
    "context_uri",
)
_REVISE = (
    update(status)
    .where(status.c.id == bindparam("row_id"), status.c.deleted_at.is_(None))
    .values(
        version=status.c.version + 1,
        **{name: bindparam(f"new_{name}") for name in _REVISED},
    )
)
_ROW = select(status).where(status.c.uri == bindparam("uri"))


def revise(context: Context, document: Document, author: RowMapping, row: RowMapping) -> Stored | None:
    """Apply an Update to a known remote note; None when it is older than what is here.

    Visibility never widens by an edit, and who was mentioned stays mentioned.
    """
    now = context.now()
    values = read(document, author, now)
    edited = values["edited_at"] or now
    if row["edited_at"] and edited <= row["edited_at"] and values["edited_at"]:
        return None
    values["edited_at"] = edited
    context.connection.execute(
        _REVISE, {"row_id": row["id"]} | {f"new_{name}": values[name] for name in _REVISED}
    )
    known = parts.known_actors(context, parts.mentions_in(document))
    parts.store_mentions(context, row["id"], (other.id for other in known))
    parts.store_tags(context, row["id"], parts.hashtags_in(document), replace=True)
    parts.store_attachments(context, row["id"], parts.attachments_in(document), replace=True)
    _extend(context, row["id"], author, document)
    return Stored(row["id"], False, row["visibility"], None, tuple(known), row["published_at"])


def row_of(context: Context, uri: str) -> RowMapping | None:
    """Return the status row with this id on the wire, deleted or not."""
    return context.connection.execute(_ROW, {"uri": uri}).mappings().one_or_none()


_ROW_BY_ID = select(status).where(status.c.id == bindparam("status_id"))


def row_by_id(context: Context, status_id: int) -> RowMapping | None:
    """Return the status row with this id, deleted or not."""
    return context.connection.execute(_ROW_BY_ID, {"status_id": status_id}).mappings().one_or_none()
