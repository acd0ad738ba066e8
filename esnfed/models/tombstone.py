"""What was deleted, for ever: ids of our own things, and of remote ones that must not come back."""

from __future__ import annotations

from sqlalchemy import Boolean, Column, Table, Text

from esnfed.models.types import Millis, metadata

tombstone = Table(
    "tombstone",
    metadata,
    Column("uri", Text, primary_key=True),
    Column("local", Boolean, nullable=False),
    Column("former_type", Text, nullable=False),
    Column("deleted_at", Millis, nullable=False),
)
