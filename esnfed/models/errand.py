"""Errands: something to be fetched from other servers, done in turns that a crash only delays."""

from __future__ import annotations

from sqlalchemy import Column, Index, Integer, Table, Text, text

from esnfed.models.types import Id, Json, Millis, metadata

errand = Table(
    "errand",
    metadata,
    Column("id", Id, primary_key=True, autoincrement=False),
    Column("kind", Text, nullable=False),
    Column("unique_key", Text, nullable=False, unique=True),  # the one errand of its kind for this address
    Column("host", Text, nullable=False),  # the server that it was sent for; what waits is limited by it
    Column("arguments", Json, nullable=False),
    Column("cursor", Json),  # where the next turn begins
    Column("posts", Json, nullable=False),  # addresses to fetch before the next turn
    Column("pages", Json, nullable=False),
    Column("state", Text, nullable=False),  # waiting, done, failed
    Column("run_at", Millis, nullable=False),
    Column("lease_until", Millis, nullable=False, server_default="0"),
    Column("attempts", Integer, nullable=False, server_default="0"),
    Column("error", Text, nullable=False, server_default=""),
    Column("created_at", Millis, nullable=False),
    Column("done_at", Millis),
)

_WAITING = text("state = 'waiting'")
Index("ix_errand_due", errand.c.run_at, errand.c.id, sqlite_where=_WAITING, postgresql_where=_WAITING)
Index("ix_errand_host", errand.c.host, sqlite_where=_WAITING, postgresql_where=_WAITING)
Index("ix_errand_done", errand.c.done_at)
