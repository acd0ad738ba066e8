"""Rows of records and of their facets: the one place that writes them."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import RowMapping, bindparam, delete, select, update

from esnfed.context import Context
from esnfed.models import insert, record, record_facet
from esnfed.records.definition import Definition, Sheet

_INSERT = insert(record)
_UPSERT = _INSERT.on_conflict_do_update(
    index_elements=["status_id"],
    set_={
        name: _INSERT.excluded[name]
        for name in (
            "kind", "schema", "version", "sheet", "private",
            "closes_at", "closed_at", "updated_at", "deleted_at",
        )
    },
    # A message that was overtaken on its way never replaces what came after it.
    where=record.c.version <= _INSERT.excluded.version,
).returning(record.c.status_id)  # fmt: skip
_FACETS = insert(record_facet).on_conflict_do_nothing()
_NO_FACETS = delete(record_facet).where(record_facet.c.status_id == bindparam("status_id"))
_ROW = select(record).where(record.c.status_id == bindparam("status_id"))
_EMPTY = (
    update(record)
    .where(record.c.status_id == bindparam("row_id"), record.c.deleted_at.is_(None))
    .values(deleted_at=bindparam("now"), sheet=bindparam("empty", type_=record.c.sheet.type), private=None)
)


@dataclass(frozen=True, slots=True)
class Entry:
    """What is written of one record. `public` is its wire form; `private` never leaves the node."""

    status_id: int
    uri: str
    owner_id: int
    local: bool
    definition: Definition
    version: int
    public: Sheet
    private: Sheet | None
    closed_at: int | None
    published_at: int
    updated_at: int


def put(context: Context, entry: Entry) -> bool:
    """Write a record and its facets; False, without effect, when a newer version is there."""
    definition = entry.definition
    values = {
        "status_id": entry.status_id,
        "local": entry.local,
        "uri": entry.uri,
        "owner_id": entry.owner_id,
        "kind": definition.name,
        "schema": definition.schema,
        "version": entry.version,
        "sheet": entry.public,
        "private": entry.private or None,
        "closes_at": definition.closes_at(entry.public),
        "closed_at": entry.closed_at,
        "published_at": entry.published_at,
        "updated_at": entry.updated_at,
        "deleted_at": None,
    }
    if context.connection.execute(_UPSERT, values).scalar() is None:
        return False
    context.connection.execute(_NO_FACETS, {"status_id": entry.status_id})
    rows = [
        {"status_id": entry.status_id, "facet": facet, "value": value}
        for facet, value in definition.facets(entry.public)
    ]
    if rows:
        context.connection.execute(_FACETS, rows)
    return True


def row_of(context: Context, status_id: int) -> RowMapping | None:
    """Return the row of a record, deleted or not, or None."""
    return context.connection.execute(_ROW, {"status_id": status_id}).mappings().one_or_none()


def empty(context: Context, status_id: int) -> bool:
    """Mark a record as deleted, and forget its content; False when there is none or it was deleted before."""
    context.connection.execute(_NO_FACETS, {"status_id": status_id})
    marked = context.connection.execute(_EMPTY, {"row_id": status_id, "now": context.now(), "empty": {}})
    return marked.rowcount > 0


def whole_sheet(row: RowMapping) -> Sheet:
    """Return public and private fields together, as the owner edits them."""
    return {**row["sheet"], **(row["private"] or {})}
