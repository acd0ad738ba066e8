"""Peers: other servers, with what we know of them, their health and their standing here."""

from __future__ import annotations

from sqlalchemy import Boolean, Column, Index, Integer, Table, Text, text

from esnfed.models.types import Millis, metadata

peer = Table(
    "peer",
    metadata,
    Column("host", Text, primary_key=True),  # normalised authority
    Column("standing", Text, nullable=False, server_default="open"),  # open, allowed, limited, blocked
    Column("standing_reason", Text, nullable=False, server_default=""),
    Column("software", Text, nullable=False, server_default=""),
    Column("software_version", Text, nullable=False, server_default=""),
    Column("probed_at", Millis),
    # Its groups announce activities (FEP-1b12): it was seen to do so.
    Column("wraps_activities", Boolean, nullable=False, server_default=text("false")),
    Column("scheme", Text, nullable=False, server_default=""),  # cavage, rfc9421; empty: not learned
    Column("scheme_expires_at", Millis),
    Column("health", Text, nullable=False, server_default="well"),  # well, failing, dormant
    Column("failures", Integer, nullable=False, server_default="0"),  # attempts failed since a success
    Column("failing_since", Millis),
    Column("next_at", Millis, nullable=False, server_default="0"),  # nothing is sent before
    Column("last_success_at", Millis),
    Column("last_failure_at", Millis),
    Column("last_inbound_at", Millis),
    Column("last_error", Text),
    Column("fine_in_a_row", Integer, nullable=False, server_default="0"),
    Column("first_seen_at", Millis, nullable=False),
)

Index("ix_peer_health", peer.c.health, peer.c.next_at)
