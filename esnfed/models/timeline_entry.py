"""Home timelines, written when a status arrives (fan-out on write), capped in rows."""

from __future__ import annotations

from sqlalchemy import Column, ForeignKey, Table

from esnfed.models.types import Id, metadata

timeline_entry = Table(
    "timeline_entry",
    metadata,
    Column("actor_id", Id, ForeignKey("actor.id", ondelete="CASCADE"), primary_key=True),  # the reader
    Column("status_id", Id, ForeignKey("status.id", ondelete="CASCADE"), primary_key=True, index=True),
    sqlite_with_rowid=False,
)
