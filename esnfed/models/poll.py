"""Polls: what a Question asks, and the votes counted for each answer."""

from __future__ import annotations

from sqlalchemy import Boolean, Column, ForeignKey, Integer, Table

from esnfed.models.types import Id, Json, Millis, metadata

poll = Table(
    "poll",
    metadata,
    Column(
        "status_id", Id, ForeignKey("status.id", ondelete="CASCADE"), primary_key=True, autoincrement=False
    ),
    Column("multiple", Boolean, nullable=False),  # several answers by one voter
    Column("options", Json, nullable=False),  # the answers as texts, in their order
    Column("tallies", Json, nullable=False),  # votes for each; of a remote poll as its server told them
    Column("voters_count", Integer),  # NULL: its server never told
    Column("expires_at", Millis),
    Column("closed_at", Millis),  # when it was found to have ended
)
