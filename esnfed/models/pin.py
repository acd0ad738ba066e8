"""Pins: the posts that an actor shows first on its profile, its `featured` collection."""

from __future__ import annotations

from sqlalchemy import Column, ForeignKey, Table, UniqueConstraint

from esnfed.models.types import Id, Millis, metadata

pin = Table(
    "pin",
    metadata,
    Column("id", Id, primary_key=True, autoincrement=False),  # in this order, the newest first
    Column("actor_id", Id, ForeignKey("actor.id", ondelete="CASCADE"), nullable=False),
    Column("status_id", Id, ForeignKey("status.id", ondelete="CASCADE"), nullable=False, index=True),
    Column("created_at", Millis, nullable=False),
    UniqueConstraint("actor_id", "status_id"),
)
