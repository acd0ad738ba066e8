"""Statuses: posts and boosts, local and remote."""

from __future__ import annotations

from sqlalchemy import Boolean, Column, ForeignKey, Index, Integer, Table, Text, text

from esnfed.models.types import Id, Json, Millis, metadata

status = Table(
    "status",
    metadata,
    Column("id", Id, primary_key=True, autoincrement=False),
    Column("local", Boolean, nullable=False),
    Column("uri", Text, nullable=False, unique=True),  # of a boost: the id of its Announce
    Column("url", Text),
    Column("actor_id", Id, ForeignKey("actor.id", ondelete="CASCADE"), nullable=False),
    Column("as_type", Text, nullable=False),  # Note, Article, ... or Announce for a boost
    Column("boost_of_id", Id, ForeignKey("status.id", ondelete="CASCADE"), index=True),
    Column("in_reply_to_id", Id, ForeignKey("status.id", ondelete="SET NULL")),
    Column("in_reply_to_uri", Text),  # kept also while the parent is not here
    Column("in_reply_to_actor_id", Id),
    Column("thread_id", Id),  # the oldest known status of the thread; its own id at the root
    Column("context_uri", Text),  # FEP-7888 context, or OStatus conversation
    Column("visibility", Text, nullable=False),  # public, unlisted, followers, direct
    Column(
        "facts", Json
    ),  # dates and places of an Event, the address that a Page is about (objects/facts.py)
    Column("title", Text, nullable=False, server_default=""),  # `name` of an Article, Event, ...
    Column("summary", Text, nullable=False, server_default=""),  # content warning, or teaser of an Article
    Column("sensitive", Boolean, nullable=False, server_default=text("false")),
    Column("content", Text, nullable=False, server_default=""),  # sanitised HTML, primary language
    Column("content_map", Json),  # {"fr": sanitised HTML}, primary first; only when several
    Column("source", Text),  # local: the text as typed
    Column("language", Text),
    Column("emojis", Json),  # [{"shortcode", "url"}]
    Column("published_at", Millis, nullable=False),
    Column("edited_at", Millis),
    Column("deleted_at", Millis),
    Column("version", Integer, nullable=False, server_default="1"),  # rises with each edit
    Column("replies_count", Integer, nullable=False, server_default="0"),
    Column("boosts_count", Integer, nullable=False, server_default="0"),
    Column("favourites_count", Integer, nullable=False, server_default="0"),
)

Index("ix_status_actor", status.c.actor_id, status.c.id)
Index("ix_status_in_reply_to_id", status.c.in_reply_to_id)
Index(
    "ix_status_in_reply_to_uri",
    status.c.in_reply_to_uri,
    sqlite_where=text("in_reply_to_id IS NULL AND in_reply_to_uri IS NOT NULL"),
    postgresql_where=text("in_reply_to_id IS NULL AND in_reply_to_uri IS NOT NULL"),
)
Index("ix_status_thread", status.c.thread_id, status.c.id)
Index(
    "ix_status_public",
    status.c.id,
    sqlite_where=text("visibility = 'public' AND deleted_at IS NULL AND boost_of_id IS NULL"),
    postgresql_where=text("visibility = 'public' AND deleted_at IS NULL AND boost_of_id IS NULL"),
)
Index(
    "uq_status_boost",
    status.c.actor_id,
    status.c.boost_of_id,
    unique=True,
    sqlite_where=text("boost_of_id IS NOT NULL AND deleted_at IS NULL"),
    postgresql_where=text("boost_of_id IS NOT NULL AND deleted_at IS NULL"),
)
