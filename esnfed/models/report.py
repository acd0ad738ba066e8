"""Reports for the moderators: made here, or received as Flag from another server."""

from __future__ import annotations

from sqlalchemy import Boolean, Column, ForeignKey, Index, Table, Text

from esnfed.models.types import Id, Json, Millis, metadata

report = Table(
    "report",
    metadata,
    Column("id", Id, primary_key=True, autoincrement=False),
    Column("local", Boolean, nullable=False),  # made here
    Column("uri", Text, unique=True),  # id of the Flag, received or forwarded
    # Made here: who complains, told to no other server. Received: who signed, mostly a node actor.
    Column("reporter_id", Id, ForeignKey("actor.id", ondelete="CASCADE"), nullable=False),
    Column("host", Text, nullable=False),  # authority of the reporter
    Column("target_id", Id, ForeignKey("actor.id", ondelete="CASCADE"), nullable=False, index=True),
    Column("status_ids", Json, nullable=False),  # posts of the target, ids as text
    Column("comment", Text, nullable=False),  # plain text
    Column("state", Text, nullable=False),  # open, closed
    Column("conclusion", Text, nullable=False, server_default=""),  # what was decided, at the closing
    Column("forwarded_at", Millis),
    Column("created_at", Millis, nullable=False),
    Column("closed_at", Millis),
)

Index("ix_report_state", report.c.state, report.c.id)
Index("ix_report_host", report.c.host, report.c.state)
