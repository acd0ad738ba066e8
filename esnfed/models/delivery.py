"""Deliveries: one activity for one inbox, written in the transaction of what they announce."""

from __future__ import annotations

from sqlalchemy import Column, ForeignKey, Index, Integer, Table, Text, UniqueConstraint, text

from esnfed.models.types import Id, Millis, metadata

delivery = Table(
    "delivery",
    metadata,
    Column("id", Id, primary_key=True, autoincrement=False),
    Column("activity_id", Id, ForeignKey("activity.id", ondelete="CASCADE"), nullable=False),
    Column("actor_id", Id, nullable=False),  # who signs
    Column("inbox", Text, nullable=False),
    Column("host", Text, nullable=False),
    Column("as_type", Text, nullable=False),
    Column("object_uri", Text, nullable=False),  # order is strict per (host, object)
    Column("state", Text, nullable=False),  # queued, delivered, failed, dropped
    Column("attempts", Integer, nullable=False, server_default="0"),
    Column("next_at", Millis, nullable=False),
    Column("begun_at", Millis),  # first attempt: from here on a Create may have arrived
    Column("done_at", Millis),
    Column("last_status", Integer),  # HTTP status of the last answer
    Column("last_error", Text),
    Column("created_at", Millis, nullable=False),
    UniqueConstraint("activity_id", "inbox"),
)

Index(
    "ix_delivery_due",
    delivery.c.host,
    delivery.c.state,  # constant in here, but else SQLite may prefer ix_delivery_state: all that waits
    delivery.c.id,
    sqlite_where=text("state = 'queued'"),
    postgresql_where=text("state = 'queued'"),
)
Index("ix_delivery_state", delivery.c.state, delivery.c.id)
Index("ix_delivery_object", delivery.c.object_uri, delivery.c.host)
