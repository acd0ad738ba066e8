"""Blocks, made here or received: neither side follows, tells or answers the other."""

from __future__ import annotations

from sqlalchemy import Column, ForeignKey, Table, Text, UniqueConstraint

from esnfed.models.types import Id, Millis, metadata

block = Table(
    "block",
    metadata,
    Column("id", Id, primary_key=True, autoincrement=False),
    Column("actor_id", Id, ForeignKey("actor.id", ondelete="CASCADE"), nullable=False),  # who blocks
    Column("target_id", Id, ForeignKey("actor.id", ondelete="CASCADE"), nullable=False, index=True),
    Column("uri", Text, index=True),  # id of the Block; NULL when it was kept to ourselves
    Column("created_at", Millis, nullable=False),
    UniqueConstraint("actor_id", "target_id"),
)
