"""Periodic upkeep of deliveries and peers: registered here, done in bounded steps by jobs.py."""

from __future__ import annotations

from esnfed.context import Context
from esnfed.federation import delivery_expiry, peers
from esnfed.jobs import every


@every(3_600, "deliveries-expire")
def expire_deliveries(context: Context) -> bool:
    """Give up what waited too long; True when more remain."""
    return delivery_expiry.expire(context)


@every(6 * 3_600, "deliveries-prune")
def prune_deliveries(context: Context) -> bool:
    """Remove old rows; True when more remain."""
    return delivery_expiry.prune(context)


@every(24 * 3_600, "peers-forget")
def forget_idle_peers(context: Context) -> bool:
    """Forget servers of which nothing was heard; True when more may remain."""
    return peers.forget_idle(context)
