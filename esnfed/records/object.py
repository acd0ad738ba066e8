"""`esn:record`: the sheet of a record on its Note, written and read (decisions.md 8, federation.md B2)."""

from __future__ import annotations

from typing import Any

from sqlalchemy import RowMapping, bindparam, select, update

from esnfed import registry
from esnfed.context import Context
from esnfed.federation import counters
from esnfed.models import record, status
from esnfed.records import rendering, storage
from esnfed.records.definition import Definition, Sheet, kind_named
from esnfed.vocab import parse
from esnfed.vocab.contexts import ESN
from esnfed.vocab.parse import Document

PROPERTY = "esn:record"
UNSUPPORTED = "unsupported-record"
"""Name of the counter of records that were kept out; its key is the kind, or why."""

_WRITTEN = select(record).where(record.c.status_id == bindparam("status_id"), record.c.deleted_at.is_(None))
_STATUS = select(status.c.uri, status.c.url, status.c.published_at).where(
    status.c.id == bindparam("status_id")
)
_RENDER = (
    update(status)
    .where(status.c.id == bindparam("row_id"))
    .values(
        content=bindparam("new_content"),
        content_map=bindparam("new_map", type_=status.c.content_map.type),
        language=bindparam("new_language"),
    )
)


class RecordExtension:
    """Registered under `esn:record`; the Note stays a plain post for everybody who does not know it."""

    def __init__(self) -> None:
        self.terms: dict[str, Any] = {"esn": ESN, PROPERTY: {"@id": f"{ESN}record", "@type": "@json"}}

    def write(self, context: Context, status: RowMapping) -> Document:
        """Return the sheet, its page as one Link, and `endTime` for a deadline; {} without a record."""
        row = context.connection.execute(_WRITTEN, {"status_id": status["id"]}).mappings().one_or_none()
        if row is None:
            return {}
        document: Document = {
            PROPERTY: wire_record(row),
            "attachment": [{"type": "Link", "href": status["url"], "mediaType": "text/html"}],
        }
        if row["closes_at"] is not None:
            document["endTime"] = parse.iso(row["closes_at"])
        return document

    def receive(self, context: Context, status_id: int, author: RowMapping, document: Document) -> None:
        """Store what can be used of the sheet, and replace the post's text by our own rendering.

        Kept out and counted: an unknown kind, a version that is none, a sheet without a title. A record that
        was there before then stays as it was.
        """
        value = document.get(PROPERTY)
        wire: Document = value if isinstance(value, dict) else {}
        definition, version = kind_named(wire.get("kind")), _version(wire)
        if definition is None:
            counters.count(context, UNSUPPORTED, parse.text(wire, "kind", 100) or "(none)")
            return
        sheet = definition.receive(wire)
        if sheet is None or version is None:
            counters.count(context, UNSUPPORTED, f"{definition.name} (unusable)")
            return
        post = context.connection.execute(_STATUS, {"status_id": status_id}).one()
        now = context.now()
        entry = storage.Entry(
            status_id=status_id,
            uri=post.uri,
            owner_id=author["id"],
            local=False,
            definition=definition,
            version=version,
            public=sheet,
            private=None,
            closed_at=_closed_at(definition, wire, sheet, now),
            published_at=post.published_at,
            updated_at=min(parse.timestamp(document.get("updated")) or post.published_at, now),
        )
        page = post.url or post.uri
        if storage.put(context, entry):
            _render(context, status_id, definition, sheet, page, closed=entry.closed_at is not None)
        else:
            self._put_text_back(context, status_id, page)

    def _put_text_back(self, context: Context, status_id: int, page: str) -> None:
        """Give the status the text of the newer sheet: that of the overtaken message is in it by now."""
        row = storage.row_of(context, status_id)
        definition = kind_named(row["kind"]) if row else None
        if row is not None and definition is not None and row["deleted_at"] is None:
            _render(context, status_id, definition, row["sheet"], page, closed=row["closed_at"] is not None)

    def deleted(self, context: Context, status_id: int) -> None:
        """Forget the sheet of a deleted status."""
        storage.empty(context, status_id)


registry.extensions.add(PROPERTY, RecordExtension())


def wire_record(row: RowMapping) -> Document:
    """Return a record as it travels: the public sheet between its envelope; inner keys have no prefix."""
    wire: Document = {"kind": row["kind"], "schema": row["schema"], "version": row["version"], **row["sheet"]}
    wire["state"] = "closed" if row["closed_at"] is not None else "open"
    if row["closed_at"] is not None:
        wire["closed"] = parse.iso(row["closed_at"])
    return wire


def _version(wire: Document) -> int | None:
    """Return the version that orders the states of a record, None when it is missing or no whole number."""
    return parse.count(wire.get("version")) or None


def _closed_at(definition: Definition, wire: Document, sheet: Sheet, now: int) -> int | None:
    if wire.get("state") != "closed" and not definition.is_over(sheet):
        return None
    return min(parse.timestamp(wire.get("closed")) or now, now)


def _render(
    context: Context, status_id: int, definition: Definition, sheet: Sheet, page: str, *, closed: bool
) -> None:
    contents = rendering.content_map(definition, sheet, page, closed=closed)
    primary = next(iter(contents))
    context.connection.execute(
        _RENDER,
        {
            "row_id": status_id,
            "new_content": contents[primary],
            "new_map": contents if len(contents) > 1 else None,
            "new_language": primary,
        },
    )
