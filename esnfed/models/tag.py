"""Hashtags and where they are used."""

from __future__ import annotations

from sqlalchemy import Column, ForeignKey, Index, Table, Text

from esnfed.models.types import Id, metadata

tag = Table(
    "tag",
    metadata,
    Column("id", Id, primary_key=True, autoincrement=False),
    Column("name", Text, nullable=False, unique=True),  # folded to lower case, without #
    Column("display_name", Text, nullable=False),
)

status_tag = Table(
    "status_tag",
    metadata,
    Column("status_id", Id, ForeignKey("status.id", ondelete="CASCADE"), primary_key=True),
    Column("tag_id", Id, ForeignKey("tag.id", ondelete="CASCADE"), primary_key=True),
)

Index("ix_status_tag_tag", status_tag.c.tag_id, status_tag.c.status_id)
