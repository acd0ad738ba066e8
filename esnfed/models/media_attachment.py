"""Files of a status; for remote ones only the address is kept."""

from __future__ import annotations

from sqlalchemy import Column, Float, ForeignKey, Index, Integer, Table, Text

from esnfed.models.types import Id, metadata

media_attachment = Table(
    "media_attachment",
    metadata,
    Column("id", Id, primary_key=True, autoincrement=False),
    Column("status_id", Id, ForeignKey("status.id", ondelete="CASCADE"), nullable=False),
    Column("position", Integer, nullable=False),
    Column("as_type", Text, nullable=False),  # Document, Image, Audio, Video
    Column("media_type", Text, nullable=False, server_default=""),
    Column("url", Text, nullable=False),
    Column("description", Text, nullable=False, server_default=""),  # alternative text
    Column("blurhash", Text),
    Column("width", Integer),
    Column("height", Integer),
    Column("focus_x", Float),
    Column("focus_y", Float),
    Column("duration", Float),  # seconds
)

Index("ix_media_attachment_status", media_attachment.c.status_id, media_attachment.c.position)
