"""First contacts: how much a server that nobody had met delivered in its first hour."""

from __future__ import annotations

from sqlalchemy import Column, Index, Integer, Table, Text

from esnfed.models.types import Millis, metadata

first_contact = Table(
    "first_contact",
    metadata,
    Column("host", Text, primary_key=True),  # normalised authority
    Column("began_at", Millis, nullable=False),
    Column("activities", Integer, nullable=False),  # taken
    Column("mentions", Integer, nullable=False),  # of these, Creates that named somebody here unasked
    Column("refused", Integer, nullable=False),  # answered 429
)

Index("ix_first_contact_began", first_contact.c.began_at)
