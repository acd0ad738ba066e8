"""Activities as sent: the body is composed once and never changes.

Those of our own actors; and what another wrote and one of ours passes on, byte for byte, which is never public
here (federation/forwarding.py).
"""

from __future__ import annotations

from sqlalchemy import Boolean, Column, ForeignKey, Index, Table, Text

from esnfed.models.types import Id, Millis, metadata

activity = Table(
    "activity",
    metadata,
    Column("id", Id, primary_key=True, autoincrement=False),
    Column("uri", Text, nullable=False, unique=True),
    Column("actor_id", Id, ForeignKey("actor.id", ondelete="CASCADE"), nullable=False),
    Column("as_type", Text, nullable=False),
    Column("object_uri", Text, nullable=False, index=True),
    Column("public", Boolean, nullable=False),  # in the outbox, readable by all
    Column("body", Text, nullable=False),  # JSON
    Column("key_id", Id),  # the actor_key that signs the first attempt; NULL: the newest
    Column("created_at", Millis, nullable=False),
)

Index("ix_activity_outbox", activity.c.actor_id, activity.c.public, activity.c.id)
