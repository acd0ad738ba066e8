"""What just happened between the nodes, read from their databases: arrivals, and deliveries in trouble."""

from __future__ import annotations

import re
from dataclasses import dataclass
from html import unescape
from typing import Any

from sqlalchemy import bindparam, select

from esnfed.cli.texts import _
from esnfed.context import Context
from esnfed.errors import Malformed
from esnfed.models import activity, actor, delivery, inbox_message, status
from esnfed.vocab import parse
from esnfed.vocab.activity import Activity, read_activity
from esnfed.vocab.parse import Document

TROUBLED = 20
_TAGS = re.compile(r"<[^>]*>")

_MESSAGE = (
    select(inbox_message, actor.c.handle)
    .outerjoin(actor, actor.c.uri == inbox_message.c.actor_uri)
    .where(inbox_message.c.id == bindparam("message_id"))
)
_HANDLE = select(actor.c.handle).where(actor.c.uri == bindparam("uri"))
_STATUS = select(status.c.content).where(status.c.uri == bindparam("uri"))
_QUEUED_AT = select(activity.c.created_at).where(activity.c.uri == bindparam("uri"))
_TROUBLED = (
    select(
        delivery.c.id,
        delivery.c.host,
        delivery.c.as_type,
        delivery.c.state,
        delivery.c.attempts,
        delivery.c.last_error,
        actor.c.handle,
    )
    .outerjoin(actor, actor.c.id == delivery.c.actor_id)
    .where(
        ((delivery.c.state == "queued") & (delivery.c.attempts > 0))
        | ((delivery.c.state == "failed") & (delivery.c.done_at >= bindparam("since")))
    )
    .order_by(delivery.c.id.desc())
    .limit(TROUBLED)
)


@dataclass(frozen=True, slots=True)
class Arrival:
    """An activity that met its handler on the node that received it. Times are milliseconds since 1970."""

    uri: str
    who: str
    what: str
    text: str
    host: str
    scheme: str
    state: str
    note: str
    received_at: int
    done_at: int


@dataclass(frozen=True, slots=True)
class Trouble:
    """A delivery that was not taken: it goes again while its state is `queued`."""

    delivery_id: int
    who: str
    what: str
    host: str
    state: str
    attempts: int
    error: str


def arrival(context: Context, message_id: int) -> Arrival | None:
    """Return what an inbox message says, in the words of the node that received it; None when it is gone."""
    row = context.connection.execute(_MESSAGE, {"message_id": message_id}).mappings().one_or_none()
    if row is None:
        return None
    what, text = _said(context, bytes(row["body"]), row["as_type"])
    return Arrival(
        uri=row["uri"],
        who=row["handle"] or row["actor_uri"],
        what=what,
        text=text,
        host=row["host"],
        scheme=row["scheme"],
        state=row["state"],
        note=row["note"],
        received_at=row["received_at"],
        done_at=row["done_at"] or context.now(),
    )


def queued_at(context: Context, uri: str) -> int | None:
    """Return when one of our activities was written and queued, None for an unknown one."""
    found: int | None = context.connection.execute(_QUEUED_AT, {"uri": uri}).scalar()
    return found


def troubles(context: Context, since: int) -> list[Trouble]:
    """Return the newest deliveries that go again, or failed since a time; at most twenty, oldest first."""
    rows = context.connection.execute(_TROUBLED, {"since": since}).all()
    return [
        Trouble(
            row.id, row.handle or "", row.as_type, row.host, row.state, row.attempts, row.last_error or ""
        )
        for row in reversed(rows)
    ]


def _said(context: Context, body: bytes, as_type: str) -> tuple[str, str]:
    """Return (what, text): "Create Note" and its words, "Undo Like" and the words of the liked post."""
    try:
        found = read_activity(parse.load(body))
    except Malformed:
        return as_type, ""
    document = found.object_document
    if found.as_type in ("Create", "Update", "Delete") and document is not None:
        return _object(found, document)
    if document is not None:
        inner = parse.type_of(document)
        # Of an Accept the follower is the news, of an Undo what had been done it to.
        named = document.get("actor" if found.as_type in ("Accept", "Reject") else "object")
        return f"{found.as_type} {inner}", _named(context, parse.reference(named))
    return found.as_type, _named(context, found.object_uri)


def _object(found: Activity, document: Document) -> tuple[str, str]:
    sheet: Any = document.get("esn:record")
    if isinstance(sheet, dict):
        titles = sheet.get("title")
        title = next(iter(titles.values()), "") if isinstance(titles, dict) else ""
        closed = " (" + _("closed") + ")" if sheet.get("state") == "closed" else ""
        return f"{found.as_type} {sheet.get('kind')}", f"{title}{closed}"
    words = parse.text(document, "content", 2_000) or parse.text(document, "name", 200)
    # Of a Delete, the type of what is gone says more than that a tombstone is left.
    as_type = parse.text(document, "formerType", 50) or parse.type_of(document) or ""
    return f"{found.as_type} {as_type}".strip(), plain_words(words)


def _named(context: Context, uri: str | None) -> str:
    """Return who or what an address is, as far as this node knows: a handle, or the words of a post."""
    handle = context.connection.execute(_HANDLE, {"uri": uri}).scalar()
    if handle is not None:
        return f"@{handle}"
    return plain_words(context.connection.execute(_STATUS, {"uri": uri}).scalar() or "")


def plain_words(html: str) -> str:
    """Return the words of sanitised HTML on one line."""
    return " ".join(unescape(_TAGS.sub("", html.replace("</p>", " ").replace("<br>", " "))).split())
