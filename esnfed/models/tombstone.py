"""What was deleted, for ever: ids of our own things, and of remote ones that must not come back."""

from __future__ import annotations

from sqlalchemy import Boolean, Column, Table, Text

from esnfed.models.types import Millis, metadata

tombstone = Table(
    "tombstone",
    metadata,
    Column("uri", Text, primary_key=True),
    # Who said so before the thing itself was here, so that no neighbour can keep it out; "" when it was here.
    Column("actor_uri", Text, primary_key=True, server_default=""),
    Column("local", Boolean, nullable=False),
    Column("former_type", Text, nullable=False),
    Column("deleted_at", Millis, nullable=False),
)
