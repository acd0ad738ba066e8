"""Keys of actors: public for all, private for our own; a rotated key stays until its retirement ends."""

from __future__ import annotations

from sqlalchemy import Column, ForeignKey, LargeBinary, Table, Text

from esnfed.models.types import Id, Millis, metadata

actor_key = Table(
    "actor_key",
    metadata,
    Column("id", Id, primary_key=True, autoincrement=False),
    Column("actor_id", Id, ForeignKey("actor.id", ondelete="CASCADE"), nullable=False, index=True),
    Column("uri", Text, nullable=False, unique=True),
    Column("kind", Text, nullable=False),  # rsa, ed25519
    Column("public_der", LargeBinary, nullable=False),
    Column("private_der", LargeBinary),  # PKCS 8; only of local actors
    Column("created_at", Millis, nullable=False),
    Column("superseded_at", Millis),  # local: a newer key signs; this one is shown until it is retired
    Column("retired_at", Millis),
)
