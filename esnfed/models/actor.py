"""Actors, local and remote: the federation identity."""

from __future__ import annotations

from sqlalchemy import Boolean, Column, Index, Integer, Table, Text, func, text

from esnfed.models.types import Id, Json, Millis, metadata

actor = Table(
    "actor",
    metadata,
    Column("id", Id, primary_key=True, autoincrement=False),
    Column("as_type", Text, nullable=False),  # Person, Organization, Group, Service, Application
    Column("local", Boolean, nullable=False),
    Column("handle", Text, nullable=False),  # preferredUsername as its server spells it
    Column("domain", Text, nullable=False),  # account domain, normalised; ours for local actors
    Column("host", Text, nullable=False),  # authority of `uri`; the key into `peer`
    Column("uri", Text, nullable=False, unique=True),
    Column("url", Text),  # HTML profile
    Column("inbox", Text, nullable=False),
    Column("shared_inbox", Text),
    Column("outbox", Text),
    Column("followers_uri", Text),
    Column("following_uri", Text),
    Column("featured_uri", Text),
    Column("name", Text, nullable=False, server_default=""),
    Column("summary", Text, nullable=False, server_default=""),  # sanitised HTML
    Column("icon_url", Text),
    Column("icon_description", Text, nullable=False, server_default=""),
    Column("image_url", Text),
    Column("image_description", Text, nullable=False, server_default=""),
    Column("fields", Json),  # [{"name", "value" (sanitised HTML)}]
    Column("emojis", Json),  # [{"shortcode", "url"}]
    Column("also_known_as", Json),  # list of actor ids
    Column("moved_to_uri", Text),
    Column("moved_at", Millis),  # when a Move was last made or honoured: no other for seven days
    Column("attribution_domains", Json),
    Column("locked", Boolean, nullable=False, server_default=text("false")),  # manuallyApprovesFollowers
    Column("discoverable", Boolean, nullable=False, server_default=text("false")),
    Column("indexable", Boolean, nullable=False, server_default=text("false")),
    Column("memorial", Boolean, nullable=False, server_default=text("false")),
    Column("hides_network", Boolean, nullable=False, server_default=text("false")),
    Column("followers_count", Integer, nullable=False, server_default="0"),
    Column("following_count", Integer, nullable=False, server_default="0"),
    Column("statuses_count", Integer, nullable=False, server_default="0"),
    Column("last_status_at", Millis),
    Column("created_at", Millis, nullable=False),  # `published` of the profile, or first seen
    Column("updated_at", Millis, nullable=False),  # `updated` of the profile
    Column("fetched_at", Millis),  # remote: when the document was last read
    Column("featured_at", Millis),  # remote: when its pinned posts were last asked for
    Column("suspended_at", Millis),
    Column("deleted_at", Millis),  # the row stays as a tombstone
)

Index("ix_actor_account", func.lower(actor.c.handle), actor.c.domain)
Index(
    "uq_actor_local_handle",
    func.lower(actor.c.handle),
    unique=True,
    sqlite_where=text("local"),
    postgresql_where=text("local"),
)
Index("ix_actor_host", actor.c.host)
