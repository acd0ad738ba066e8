"""Favourites: the Like activities that count."""

from __future__ import annotations

from sqlalchemy import Column, ForeignKey, Table, Text, UniqueConstraint

from esnfed.models.types import Id, Millis, metadata

favourite = Table(
    "favourite",
    metadata,
    Column("id", Id, primary_key=True, autoincrement=False),
    Column("actor_id", Id, ForeignKey("actor.id", ondelete="CASCADE"), nullable=False),
    Column("status_id", Id, ForeignKey("status.id", ondelete="CASCADE"), nullable=False, index=True),
    Column("uri", Text, nullable=False, index=True),  # id of the Like
    Column("created_at", Millis, nullable=False),
    UniqueConstraint("actor_id", "status_id"),
)
