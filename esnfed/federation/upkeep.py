"""Periodic upkeep of deliveries and peers: registered here, done in bounded steps by jobs.py.

The cursor of such work says only that more remains: what a step has done is gone from the rows it looks for.
"""

from __future__ import annotations

from typing import Literal

from esnfed.context import Context
from esnfed.federation import delivery_expiry, peers
from esnfed.jobs import every


@every(3_600, "deliveries-expire")
def expire_deliveries(context: Context, _cursor: object) -> Literal[True] | None:
    """Give up what waited too long; None when all is done."""
    return delivery_expiry.expire(context) or None


@every(6 * 3_600, "deliveries-prune")
def prune_deliveries(context: Context, _cursor: object) -> Literal[True] | None:
    """Remove old rows; None when all is done."""
    return delivery_expiry.prune(context) or None


@every(24 * 3_600, "peers-forget")
def forget_idle_peers(context: Context, _cursor: object) -> Literal[True] | None:
    """Forget servers of which nothing was heard; None when all is done."""
    return peers.forget_idle(context) or None
