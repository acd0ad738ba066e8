"""The node itself: one row, stamped at creation; a start under another domain or environment is refused."""

from __future__ import annotations

from sqlalchemy import CheckConstraint, Column, Integer, Table, Text

from esnfed.models.types import Id, Millis, metadata

node = Table(
    "node",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=False),
    Column("domain", Text, nullable=False),
    Column("account_domain", Text, nullable=False),
    Column("environment", Text, nullable=False),
    Column("actor_id", Id),  # the node's Application actor, served at /relay
    Column("created_at", Millis, nullable=False),
    CheckConstraint("id = 1", name="single_row"),
)
