"""Counters of what arrives and has no effect here, so that nothing is dropped unseen."""

from __future__ import annotations

from sqlalchemy import Column, Integer, Table, Text

from esnfed.models.types import Millis, metadata

counter = Table(
    "counter",
    metadata,
    Column("name", Text, primary_key=True),  # unsupported-activity, unsupported-object, irrelevant, ...
    Column("key", Text, primary_key=True),  # the type; "(other)" past the cap of distinct keys
    Column("count", Integer, nullable=False),
    Column("last_at", Millis, nullable=False),
)
