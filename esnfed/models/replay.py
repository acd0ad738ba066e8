"""Signatures of POST requests whose message was stored, until their time window has passed.

A request with such a signature is a repeat: its message is in `inbox_message` still, under the same key.
"""

from __future__ import annotations

from sqlalchemy import Column, LargeBinary, Table

from esnfed.models.types import Millis, metadata

replay = Table(
    "replay",
    metadata,
    Column("signature_hash", LargeBinary, primary_key=True),  # SHA-256 of key id and signature
    Column("expires_at", Millis, nullable=False, index=True),
)
