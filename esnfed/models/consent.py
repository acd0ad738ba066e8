"""Consent receipts: who agreed to what, in which words, when (GDPR Art. 7 and 9)."""

from __future__ import annotations

from sqlalchemy import Column, ForeignKey, Table, Text

from esnfed.models.types import Id, Millis, metadata

consent = Table(
    "consent",
    metadata,
    Column("id", Id, primary_key=True, autoincrement=False),
    Column("user_id", Id, ForeignKey("user_account.id", ondelete="CASCADE"), nullable=False, index=True),
    Column("purpose", Text, nullable=False),  # federation, organisation-link, ...
    Column("text_version", Text, nullable=False),
    Column("language", Text, nullable=False),
    Column("given_at", Millis, nullable=False),
    Column("withdrawn_at", Millis),
)
