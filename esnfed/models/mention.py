"""Mentions: which actors a status addresses by name."""

from __future__ import annotations

from sqlalchemy import Column, ForeignKey, Index, Table

from esnfed.models.types import Id, metadata

mention = Table(
    "mention",
    metadata,
    Column("status_id", Id, ForeignKey("status.id", ondelete="CASCADE"), primary_key=True),
    Column("actor_id", Id, ForeignKey("actor.id", ondelete="CASCADE"), primary_key=True),
)

Index("ix_mention_actor", mention.c.actor_id, mention.c.status_id)
