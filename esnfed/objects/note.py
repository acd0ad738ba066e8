"""Posts of all types: status rows to documents, and documents to status rows (federation.md A4, B1)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeVar

from sqlalchemy import RowMapping, bindparam, exists, select, update

from esnfed import registry
from esnfed.context import Context
from esnfed.errors import Ignored
from esnfed.federation.handling import receives
from esnfed.i18n import N_
from esnfed.models import actor, insert, status, tombstone
from esnfed.objects import parts, replies
from esnfed.objects.extension import extensions
from esnfed.objects.form import Form, form_of
from esnfed.objects.reading import read
from esnfed.vocab import contexts, parse, paths
from esnfed.vocab.addressing import addressing
from esnfed.vocab.parse import Document

FormClass = TypeVar("FormClass", bound=type[Form])

_AUTHOR = select(actor).where(actor.c.id == bindparam("actor_id"))


def arriving(*as_types: str) -> Callable[[FormClass], FormClass]:
    """Register the form of object types that become posts here: `store` receives them."""

    def decorate(form: FormClass) -> FormClass:
        registry.forms.register(*as_types)(form())
        receives(*as_types)(store)
        return form

    return decorate


def to_document(context: Context, row: RowMapping) -> Document:
    """Return the document of a local status, complete, with what its type and its extensions add."""
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
        "replies": paths.replies(origin, row["id"]),
        "tag": [_mention_tag(context, other) for other in mentioned]
        + [_hashtag(origin, name) for name in parts.tags_of(context, row["id"])],
        "attachment": [parts.media_document(media) for media in parts.media_of(context, row["id"])],
    }
    if row["summary"]:
        document["summary"] = row["summary"]
    if row["edited_at"]:
        document["updated"] = parse.iso(row["edited_at"])
    if row["context_uri"]:
        document["conversation"] = row["context_uri"]
        if parse.web_address(row["context_uri"]):  # not the tag: address of an OStatus conversation
            document["context"] = row["context_uri"]
    if row["in_reply_to_uri"]:
        document["inReplyTo"] = row["in_reply_to_uri"]
    document |= form_of(row["as_type"]).write(context, row)
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
    return {"type": "Hashtag", "href": paths.tag_page(origin, name), "name": f"#{name}"}


@dataclass(frozen=True, slots=True)
class Stored:
    """What writing a remote post did. `mentioned` holds the actors with a row here.

    `addressed` holds those of them who are ours, with those it is addressed to without a mention (FEP-1b12).
    """

    status_id: int
    created: bool
    visibility: str
    parent: RowMapping | None
    mentioned: tuple[parts.Known, ...]
    published_at: int
    addressed: tuple[parts.Known, ...] = ()
    missing_parent: str | None = None
    """The address of what it answers, when that is not here."""


_GATE = select(
    exists(
        select(1).where(
            tombstone.c.uri == bindparam("uri"), tombstone.c.actor_uri.in_(("", bindparam("author_uri")))
        )
    ).label("tombstone"),
    exists(
        select(1).where(status.c.in_reply_to_uri == bindparam("uri"), status.c.in_reply_to_id.is_(None))
    ).label("orphans"),
)
_INSERT = insert(status).on_conflict_do_nothing(index_elements=["uri"]).returning(status.c.id)


def store(context: Context, document: Document, author: RowMapping) -> Stored | None:
    """Write a remote post; None when it is known already. Raises Malformed, or Ignored for a deleted one."""
    now = context.now()
    values = read(document, author, now)
    gate = context.connection.execute(_GATE, {"uri": values["uri"], "author_uri": author["uri"]}).one()
    if gate.tombstone:
        raise Ignored(N_("This post was deleted before it arrived."))
    parent = replies.find_parent(context, values["in_reply_to_uri"])
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
        replies.adopt(context, values)
    if parent and values["visibility"] in ("public", "unlisted"):
        replies.count(context, parent["id"], 1)
    mentioned, addressed = _hang(context, status_id, author, document)
    return Stored(
        status_id,
        True,
        values["visibility"],
        parent,
        mentioned,
        values["published_at"],
        addressed,
        None if parent else values["in_reply_to_uri"],
    )


def _hang(
    context: Context, status_id: int, author: RowMapping, document: Document, *, replace: bool = False
) -> tuple[tuple[parts.Known, ...], tuple[parts.Known, ...]]:
    """Write what hangs on a post; return whom it mentions, and our own actors whom it names in any way."""
    mentions = parts.mentions_in(document)
    ours = [uri for uri in parts.addressees_in(document) if uri.startswith(f"{context.config.origin}/")]
    known = parts.known_actors(context, list(dict.fromkeys(mentions + ours)))
    mentioned = tuple(other for other in known if other.uri in mentions)
    parts.store_mentions(context, status_id, (other.id for other in mentioned))
    parts.store_tags(context, status_id, parts.hashtags_in(document), replace=replace)
    form = form_of(parse.type_of(document))
    media = parts.merged(parts.attachments_in(document), form.attachments(document))
    parts.store_attachments(context, status_id, media, replace=replace)
    form.store(context, status_id, document)
    _extend(context, status_id, author, document)
    return mentioned, tuple(other for other in known if other.local)


def _extend(context: Context, status_id: int, author: RowMapping, document: Document) -> None:
    for name, extension in extensions():
        if name in document:
            extension.receive(context, status_id, author, document)


_REVISED = (
    "as_type",
    "url",
    "title",
    "facts",
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
    """Apply an Update to a known remote post; None when it is older than what is here, or only counts votes.

    Visibility never widens by an edit, and who was mentioned stays mentioned. A Question without a newer
    `updated` tells the votes of a poll and is no edit (as Mastodon).
    """
    now = context.now()
    values = read(document, author, now)
    if not _is_edit(row, values):
        form_of(values["as_type"]).recount(context, row["id"], document)
        return None
    values["edited_at"] = values["edited_at"] or now
    context.connection.execute(
        _REVISE, {"row_id": row["id"]} | {f"new_{name}": values[name] for name in _REVISED}
    )
    if row["as_type"] != values["as_type"]:
        form_of(row["as_type"]).forget(context, row["id"])
    mentioned, _ = _hang(context, row["id"], author, document, replace=True)
    return Stored(row["id"], False, row["visibility"], None, mentioned, row["published_at"])


def _is_edit(row: RowMapping, values: dict[str, Any]) -> bool:
    edited = values["edited_at"]
    if edited is None:
        return bool(values["as_type"] != "Question" or row["as_type"] != "Question")
    return row["edited_at"] is None or edited > row["edited_at"]


def row_of(context: Context, uri: str) -> RowMapping | None:
    """Return the status row with this id on the wire, deleted or not."""
    return context.connection.execute(_ROW, {"uri": uri}).mappings().one_or_none()


_ROW_BY_ID = select(status).where(status.c.id == bindparam("status_id"))


def row_by_id(context: Context, status_id: int) -> RowMapping | None:
    """Return the status row with this id, deleted or not."""
    return context.connection.execute(_ROW_BY_ID, {"status_id": status_id}).mappings().one_or_none()


@arriving("Note")
class Note(Form):
    """The plain post."""
