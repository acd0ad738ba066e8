"""Claim the deliveries that may set out now, in one unit of work, and say when to look at a server again.

Of each (server, object) only the oldest queued delivery is ever eligible: that alone keeps the order strict,
and whatever is claimed together may travel together.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Any, Final, cast

from sqlalchemy import (
    BindParameter,
    ColumnElement,
    FromClause,
    bindparam,
    case,
    exists,
    func,
    literal,
    literal_column,
    select,
    update,
)

from esnfed.context import Context
from esnfed.federation import retry
from esnfed.federation.parsed_signature import Scheme
from esnfed.models.delivery import delivery
from esnfed.models.peer import peer
from esnfed.models.types import Millis

LAG: Final = retry.MINUTE
"""Above this age of its oldest waiting delivery a server gets several at a time."""

WIDTH: Final = 4
"""How many, when the server also took its last FINE deliveries without complaint (decisions.md 9)."""

FINE: Final = 20

PROBES: Final = 8
"""Servers that failed last time share this many places: time-outs must not take all (mastodon#12445)."""

_now: BindParameter[int] = bindparam("now", type_=Millis)
_flying: BindParameter[Any] = bindparam("flying", expanding=True, type_=Millis)
_queued: ColumnElement[str] = literal_column(
    "'queued'"
)  # spelled out, so that the partial index of what waits is used
_last_id = literal((1 << 63) - 1, Millis)

_earlier = delivery.alias("earlier")
_window = delivery.alias("window")


def _first_of_object(row: FromClause) -> ColumnElement[bool]:
    """No older delivery about the same object waits for the same server."""
    return ~exists().where(
        _earlier.c.object_uri == row.c.object_uri,
        _earlier.c.host == row.c.host,
        _earlier.c.state.concat("") == _queued,  # no index but the object's: its rows are few
        _earlier.c.id < row.c.id,
    )


def _ready(row: FromClause) -> ColumnElement[bool]:
    return (
        (row.c.state == _queued) & (row.c.next_at <= _now) & row.c.id.not_in(_flying) & _first_of_object(row)
    )


_open_host = (
    select(
        peer.c.host,
        peer.c.scheme,
        peer.c.scheme_expires_at,
        peer.c.fine_in_a_row,
        peer.c.failures,
        func.coalesce(
            select(_window.c.id)
            .where(_window.c.host == peer.c.host, _ready(_window))
            .order_by(_window.c.id)
            .limit(1)
            .offset(WIDTH - 1)
            .scalar_subquery(),
            _last_id,
        ).label("last_id"),
    )
    .where(
        peer.c.host.in_(bindparam("hosts", expanding=True)),
        peer.c.standing != "blocked",
        peer.c.next_at <= _now,
    )
    .subquery("open_host")
)
_READY = (
    select(
        delivery.c.id,
        delivery.c.activity_id,
        delivery.c.actor_id,
        delivery.c.inbox,
        delivery.c.host,
        delivery.c.object_uri,
        delivery.c.attempts,
        delivery.c.next_at,
        delivery.c.created_at,
        _open_host.c.fine_in_a_row,
        _open_host.c.failures,
        case((_open_host.c.scheme_expires_at > _now, _open_host.c.scheme), else_="").label("scheme"),
        _open_host.c.scheme_expires_at,
    )
    .join(_open_host, _open_host.c.host == delivery.c.host)
    .where(delivery.c.id <= _open_host.c.last_id, _ready(delivery))
    .order_by(delivery.c.next_at, delivery.c.id)
)
_BEGIN = (
    update(delivery)
    .where(delivery.c.id.in_(bindparam("ids", expanding=True)), delivery.c.state == _queued)
    .values(begun_at=func.coalesce(delivery.c.begun_at, _now))
    .returning(delivery.c.id)
)

_waits = delivery.alias("waits")
_anything = (
    select(_waits.c.next_at)
    .where(_waits.c.host == peer.c.host, _waits.c.state == _queued)
    .limit(1)
    .scalar_subquery()
)
_earliest = (
    select(func.min(_waits.c.next_at))
    .where(_waits.c.host == peer.c.host, _waits.c.state == _queued, _first_of_object(_waits))
    .scalar_subquery()
)
_DUE = select(
    peer.c.host,
    peer.c.next_at.label("rest"),
    case((peer.c.next_at > _now, _anything), else_=_earliest).label("due"),
).where(peer.c.standing != "blocked")
_DUE_OF = _DUE.where(peer.c.host.in_(bindparam("hosts", expanding=True)))


@dataclass(frozen=True, slots=True)
class Claim:
    """One delivery on its way. `attempts` counts earlier ones; `begun_at` is when this one began."""

    id: int
    activity_id: int
    actor_id: int
    inbox: str
    host: str
    object_uri: str
    attempts: int
    due_at: int
    begun_at: int
    probe: bool
    """The server failed last time: this delivery stands for all that wait there."""

    scheme: Scheme | None
    """The signature scheme to try first; None when the row knows nothing and the transport decides."""

    scheme_until: int
    """When what was learned about the server's scheme lapses (milliseconds); 0 when nothing is known."""


def claim(context: Context, asked: Sequence[str], flying: Collection[Claim], room: int) -> list[Claim]:
    """Choose deliveries that may set out now and mark them begun; at most `room`.

    `asked` are hosts in order of preference, at most `room` of them; `flying` is under way already. One
    delivery at a time per host, WIDTH when it lags and is fine. Two statements, whatever the number of hosts.
    The mark is what decides later whether a Create may have arrived, so it is committed before the first byte
    leaves. After a crash the rows are simply queued still and are sent again.
    """
    if not asked or room < 1:
        return []
    now = context.now()
    values = {"hosts": list(asked), "now": now, "flying": [claim.id for claim in flying]}
    waiting: dict[str, list[Any]] = defaultdict(list)
    for row in context.connection.execute(_READY, values):
        waiting[row.host].append(row)
    chosen = _choose([waiting[host] for host in asked if host in waiting], flying, room, now)
    if not chosen:
        return []
    marked = context.connection.execute(_BEGIN, {"ids": [row.id for row in chosen], "now": now})
    begun = set(marked.scalars())
    return [_claim(row, now) for row in chosen if row.id in begun]


def dues(context: Context, hosts: Collection[str] | None = None) -> dict[str, int]:
    """Return when (milliseconds) each of `hosts`, or every server, is worth a look.

    Servers with nothing queued, blocked ones and those given up for good are left out.
    """
    if hosts is None:
        found = context.connection.execute(_DUE, {"now": context.now()})
    elif hosts:
        found = context.connection.execute(_DUE_OF, {"now": context.now(), "hosts": list(hosts)})
    else:
        return {}
    due = {row.host: max(row.rest, row.due) for row in found if row.due is not None}
    return {host: at for host, at in due.items() if at < retry.NEVER}


def _choose(queues: list[list[Any]], flying: Collection[Claim], room: int, now: int) -> list[Any]:
    under_way = Counter(claim.host for claim in flying)
    probes = PROBES - sum(claim.probe for claim in flying)
    # An Update that is under way may have been replaced meanwhile; its successor waits for its end.
    objects = {(claim.host, claim.object_uri) for claim in flying}
    chosen: list[Any] = []
    for index, queue in enumerate(queues):
        if queue[0].failures > 0:
            probes -= 1
            if probes < 0:
                continue
        rows = [row for row in queue if (row.host, row.object_uri) not in objects]
        others = len(queues) - index - 1
        width = min(_width(queue, now) - under_way[queue[0].host], room - len(chosen) - others)
        chosen += rows[: max(width, 0)]
    return chosen


def _width(queue: list[Any], now: int) -> int:
    lags = min(row.created_at for row in queue) < now - LAG
    return WIDTH if lags and queue[0].fine_in_a_row >= FINE else 1


def _claim(row: Any, now: int) -> Claim:
    return Claim(
        id=row.id,
        activity_id=row.activity_id,
        actor_id=row.actor_id,
        inbox=row.inbox,
        host=row.host,
        object_uri=row.object_uri,
        attempts=row.attempts,
        due_at=row.next_at,
        begun_at=now,
        probe=row.failures > 0,
        scheme=cast("Scheme | None", row.scheme or None),
        scheme_until=(row.scheme_expires_at or 0) if row.scheme else 0,
    )
