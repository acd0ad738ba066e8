"""Votes: of everybody in our polls, of our own actors in those elsewhere. Who voted never leaves the node."""

from __future__ import annotations

from sqlalchemy import Column, ForeignKey, Integer, Table, UniqueConstraint

from esnfed.models.types import Id, Millis, metadata

poll_vote = Table(
    "poll_vote",
    metadata,
    Column("id", Id, primary_key=True, autoincrement=False),
    Column("status_id", Id, ForeignKey("status.id", ondelete="CASCADE"), nullable=False),
    Column("actor_id", Id, ForeignKey("actor.id", ondelete="CASCADE"), nullable=False, index=True),
    Column("choice", Integer, nullable=False),  # place among the options, from 0
    Column("created_at", Millis, nullable=False),
    UniqueConstraint("status_id", "actor_id", "choice"),
)
