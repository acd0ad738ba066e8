"""Rows of other servers: when they were heard, their health, their standing here, their signature scheme."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Final, Literal

from sqlalchemy import (
    BindParameter,
    Text,
    bindparam,
    case,
    delete,
    exists,
    func,
    select,
)
from sqlalchemy.dialects.postgresql import insert  # its ON CONFLICT is compiled by SQLite's dialect as well

from esnfed.bus import DeliveriesQueued, PeerChanged
from esnfed.context import Context
from esnfed.errors import Invalid
from esnfed.federation import retry
from esnfed.federation.parsed_signature import Scheme
from esnfed.i18n import N_
from esnfed.models.delivery import delivery
from esnfed.models.peer import peer
from esnfed.models.types import Millis

Standing = Literal["open", "allowed", "limited", "blocked"]

STANDINGS: Final = ("open", "allowed", "limited", "blocked")
SCHEME_LIFETIME: Final = 30 * retry.DAY
WAKE_INTERVAL: Final = retry.MINUTE
"""Inbound traffic is written, and wakes a failing server for a probe, at most this often."""

FORGET_AFTER: Final = 30 * retry.DAY
FORGET_SILENT_AFTER: Final = 180 * retry.DAY
CHUNK: Final = 500

_host: BindParameter[str] = bindparam("b_host", type_=Text)
_now: BindParameter[int] = bindparam("now", type_=Millis)

_KNOW = (
    insert(peer).values(host=_host, first_seen_at=_now).on_conflict_do_nothing(index_elements=[peer.c.host])
)

_worth_a_probe = (peer.c.health != "well") & (func.coalesce(peer.c.last_failure_at, 0) <= bindparam("before"))
_SEEN = (
    insert(peer)
    .values(host=_host, first_seen_at=_now, last_inbound_at=_now)
    .on_conflict_do_update(
        index_elements=[peer.c.host],
        set_={"last_inbound_at": _now, "next_at": case((_worth_a_probe, _now), else_=peer.c.next_at)},
        where=_worth_a_probe | (func.coalesce(peer.c.last_inbound_at, 0) <= bindparam("before")),
    )
    .returning(peer.c.health, peer.c.next_at)
)

_STANDINGS = select(peer.c.host, peer.c.standing).where(peer.c.host.in_(bindparam("hosts", expanding=True)))
_SET_STANDING = (
    insert(peer)
    .values(
        host=_host, first_seen_at=_now, standing=bindparam("b_standing"), standing_reason=bindparam("reason")
    )
    .on_conflict_do_update(
        index_elements=[peer.c.host],
        set_={"standing": bindparam("b_standing"), "standing_reason": bindparam("reason")},
    )
)
_LEARN = (
    insert(peer)
    .values(
        host=_host, first_seen_at=_now, scheme=bindparam("b_scheme"), scheme_expires_at=bindparam("expires")
    )
    .on_conflict_do_update(
        index_elements=[peer.c.host],
        set_={"scheme": bindparam("b_scheme"), "scheme_expires_at": bindparam("expires")},
    )
)


_waiting = exists().where(delivery.c.host == peer.c.host, delivery.c.state == "queued")
_heard_of = (
    peer.c.first_seen_at, peer.c.last_inbound_at, peer.c.last_success_at, peer.c.last_failure_at,
)  # fmt: skip
_idle_before = case(
    (peer.c.health == "well", bindparam("well_before", type_=Millis)),
    else_=bindparam("silent_before", type_=Millis),
)
_FORGET = delete(peer).where(
    peer.c.host.in_(
        select(peer.c.host)
        .where(
            peer.c.standing == "open",
            *(func.coalesce(column, 0) < _idle_before for column in _heard_of),
            ~_waiting,
        )
        .limit(CHUNK)
    )
)


def know(context: Context, hosts: Collection[str]) -> None:
    """Make sure that each of `hosts` (normalised authorities) has a row."""
    if hosts:
        now = context.now()
        context.connection.execute(_KNOW, [{"b_host": host, "now": now} for host in sorted(hosts)])


def seen(context: Context, host: str) -> None:
    """Note verified traffic that came in from `host`; a failing or dormant server is probed at once.

    Mastodon and Misskey take inbound traffic for a sign of life too (federation.md F1). A server that asked
    us to wait is alive already, and its pause stands.
    """
    now = context.now()
    values = {"b_host": host, "now": now, "before": now - WAKE_INTERVAL}
    row = context.connection.execute(_SEEN, values).one_or_none()
    if row is not None and row.health != "well" and row.next_at == now:
        context.after_commit(DeliveriesQueued((host,)))


def standing(context: Context, host: str) -> Standing:
    """Return the standing of `host`; "open" for a server never seen."""
    return standings(context, (host,)).get(host, "open")


def standings(context: Context, hosts: Sequence[str]) -> dict[str, Standing]:
    """Return the standing of those of `hosts` that have a row; one statement for 500 hosts."""
    found: dict[str, Standing] = {}
    for start in range(0, len(hosts), CHUNK):
        values = {"hosts": hosts[start : start + CHUNK]}
        found.update((row.host, row.standing) for row in context.connection.execute(_STANDINGS, values))
    return found


def set_standing(context: Context, host: str, standing: Standing, reason: str = "") -> None:
    """Set the standing of `host` by hand; Invalid for an unknown word.

    To a blocked server nothing is queued, and what is queued stays until it expires or the block ends.
    """
    if standing not in STANDINGS:
        raise Invalid(N_("A standing is one of open, allowed, limited, blocked."), field="standing")
    values = {"b_host": host, "now": context.now(), "b_standing": standing, "reason": reason}
    context.connection.execute(_SET_STANDING, values)
    context.after_commit(PeerChanged(host))


def learned_scheme(context: Context, host: str, scheme: Scheme) -> None:
    """Remember for 30 days that `host` takes, or itself uses, this signature scheme (federation.md A3)."""
    now = context.now()
    values = {"b_host": host, "now": now, "b_scheme": scheme, "expires": now + SCHEME_LIFETIME}
    context.connection.execute(_LEARN, values)


def forget_idle(context: Context) -> bool:
    """Delete up to 500 rows of servers that nothing was heard of; True when more may remain.

    Only rows without a standing given by hand and without anything queued. Per-host state must not grow
    without bounds (CVE-2026-69132).
    """
    now = context.now()
    values = {"well_before": now - FORGET_AFTER, "silent_before": now - FORGET_SILENT_AFTER}
    return context.connection.execute(_FORGET, values).rowcount >= CHUNK
