"""Follows, in both directions; pending until the other side accepts."""

from __future__ import annotations

from sqlalchemy import Column, ForeignKey, Index, Table, Text, UniqueConstraint

from esnfed.models.types import Id, Millis, metadata

follow = Table(
    "follow",
    metadata,
    Column("id", Id, primary_key=True, autoincrement=False),
    Column("actor_id", Id, ForeignKey("actor.id", ondelete="CASCADE"), nullable=False),  # the follower
    Column("target_id", Id, ForeignKey("actor.id", ondelete="CASCADE"), nullable=False),
    Column("state", Text, nullable=False),  # pending, accepted, rejected
    Column("uri", Text, nullable=False, index=True),  # id of the newest Follow activity
    Column("created_at", Millis, nullable=False),
    Column("answered_at", Millis),
    UniqueConstraint("actor_id", "target_id"),
)

Index("ix_follow_target", follow.c.target_id, follow.c.state, follow.c.actor_id)
