"""Records: structured sheets; each is also a status, with the same id."""

from __future__ import annotations

from sqlalchemy import Boolean, Column, ForeignKey, Index, Integer, Table, Text, text

from esnfed.models.types import Id, Json, Millis, metadata

record = Table(
    "record",
    metadata,
    Column(
        "status_id", Id, ForeignKey("status.id", ondelete="CASCADE"), primary_key=True, autoincrement=False
    ),
    Column("local", Boolean, nullable=False),
    Column("uri", Text, nullable=False, unique=True),  # the object's id
    Column("owner_id", Id, ForeignKey("actor.id", ondelete="CASCADE"), nullable=False),
    Column("kind", Text, nullable=False),
    Column("schema", Integer, nullable=False),
    Column("version", Integer, nullable=False),
    Column("sheet", Json, nullable=False),  # the structured fields, unprefixed keys as on the wire
    Column("private", Json),  # fields that never leave the node: contact addresses, budget
    Column("closes_at", Millis),
    Column("closed_at", Millis),
    Column("published_at", Millis, nullable=False),
    Column("updated_at", Millis, nullable=False),
    Column("deleted_at", Millis),
)

Index(
    "ix_record_board",
    record.c.kind,
    record.c.status_id,
    sqlite_where=text("deleted_at IS NULL"),
    postgresql_where=text("deleted_at IS NULL"),
)
Index("ix_record_owner", record.c.owner_id, record.c.status_id)

record_facet = Table(
    "record_facet",
    metadata,
    Column("status_id", Id, ForeignKey("record.status_id", ondelete="CASCADE"), primary_key=True),
    Column("facet", Text, primary_key=True),  # territory, theme, sdg, language
    Column("value", Text, primary_key=True),
)

Index("ix_record_facet_value", record_facet.c.facet, record_facet.c.value, record_facet.c.status_id)
