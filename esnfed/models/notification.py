"""What a local actor is told about."""

from __future__ import annotations

from sqlalchemy import Column, ForeignKey, Index, Table, Text, UniqueConstraint

from esnfed.models.types import Id, Millis, metadata

notification = Table(
    "notification",
    metadata,
    Column("id", Id, primary_key=True, autoincrement=False),
    Column("actor_id", Id, ForeignKey("actor.id", ondelete="CASCADE"), nullable=False),  # who is told
    # mention, follow, follow_request, favourite, reblog, update, poll (one that it voted in ended)
    Column("kind", Text, nullable=False),
    Column("from_actor_id", Id, ForeignKey("actor.id", ondelete="CASCADE"), nullable=False),
    Column("status_id", Id, nullable=False, server_default="0"),  # 0: none
    Column("created_at", Millis, nullable=False),
    UniqueConstraint("actor_id", "kind", "from_actor_id", "status_id"),
)

Index("ix_notification_actor", notification.c.actor_id, notification.c.id)
