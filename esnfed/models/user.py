"""Users: people who can log in here, each with a Person actor of their own."""

from __future__ import annotations

from sqlalchemy import Column, ForeignKey, Index, Integer, Table, Text, func

from esnfed.models.types import Id, Millis, metadata

user = Table(
    "user_account",
    metadata,
    Column("id", Id, primary_key=True, autoincrement=False),
    Column("actor_id", Id, ForeignKey("actor.id"), nullable=False, unique=True),
    Column("email", Text, nullable=False),
    Column("password_hash", Text, nullable=False),  # argon2id, parameters inside
    Column("role", Text, nullable=False),  # member, moderator, administrator, owner
    Column("locale", Text, nullable=False),
    Column("credential_epoch", Integer, nullable=False, server_default="0"),  # rises with every reset
    Column("created_at", Millis, nullable=False),
    Column("confirmed_at", Millis),
    Column("disabled_at", Millis),
)

Index("uq_user_account_email", func.lower(user.c.email), unique=True)
