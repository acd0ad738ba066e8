"""Inbox messages: verified activities that wait for, or have met, their handler."""

from __future__ import annotations

from sqlalchemy import Column, Index, Integer, LargeBinary, Table, Text, text

from esnfed.models.types import Id, Millis, metadata

inbox_message = Table(
    "inbox_message",
    metadata,
    Column("id", Id, primary_key=True, autoincrement=False),
    Column("actor_uri", Text, nullable=False),  # who signed; proven when the row was written
    # Id of the activity, with its signature's hash when it may recur; of one without id, a hash of its bytes.
    Column("uri", Text, nullable=False),
    Column("as_type", Text, nullable=False),
    Column("host", Text, nullable=False),
    Column("scheme", Text, nullable=False),  # what proved it: cavage, rfc9421, proof
    Column("body", LargeBinary, nullable=False),  # the bytes as received
    Column("state", Text, nullable=False),  # waiting, done, ignored, parked
    Column("attempts", Integer, nullable=False, server_default="0"),
    Column("next_at", Millis, nullable=False),
    Column("note", Text, nullable=False, server_default=""),  # why it was ignored, parked or put off
    Column("received_at", Millis, nullable=False),
    Column("done_at", Millis),
)

# With the type: BookWyrm gives the Delete of a post the id of its Create.
Index(
    "uq_inbox_message_activity",
    inbox_message.c.actor_uri,
    inbox_message.c.uri,
    inbox_message.c.as_type,
    unique=True,
)
Index(
    "ix_inbox_message_due",
    inbox_message.c.next_at,
    inbox_message.c.id,
    sqlite_where=text("state = 'waiting'"),
    postgresql_where=text("state = 'waiting'"),
)
Index("ix_inbox_message_state", inbox_message.c.state, inbox_message.c.id)
