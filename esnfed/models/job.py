"""Jobs: long or periodic work as resumable rows, done in steps."""

from __future__ import annotations

from sqlalchemy import Column, Index, Integer, Table, Text, text

from esnfed.models.types import Id, Json, Millis, metadata

job = Table(
    "job",
    metadata,
    Column("id", Id, primary_key=True, autoincrement=False),
    Column("kind", Text, nullable=False),
    Column("unique_key", Text, unique=True),  # NULL, or the one job of its kind for this key
    Column("arguments", Json, nullable=False),
    Column("cursor", Json),  # where the next step begins
    Column("state", Text, nullable=False),  # waiting, done, failed
    Column("run_at", Millis, nullable=False),
    Column("lease_until", Millis, nullable=False, server_default="0"),
    Column("attempts", Integer, nullable=False, server_default="0"),
    Column("error", Text, nullable=False, server_default=""),
    Column("created_at", Millis, nullable=False),
    Column("done_at", Millis),
)

Index(
    "ix_job_due",
    job.c.run_at,
    job.c.id,
    sqlite_where=text("state = 'waiting'"),
    postgresql_where=text("state = 'waiting'"),
)
