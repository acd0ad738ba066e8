"""What an operator can see and do with deliveries: list, summarise, try again, drop."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final, Literal

from sqlalchemy import bindparam, func, select, update

from esnfed.bus import DeliveriesQueued
from esnfed.context import Context
from esnfed.errors import Invalid
from esnfed.federation import delivery_notes as notes
from esnfed.i18n import N_
from esnfed.models.activity import activity
from esnfed.models.delivery import delivery
from esnfed.models.peer import peer
from esnfed.models.types import Millis

State = Literal["queued", "delivered", "failed", "dropped"]

STATES: Final = ("queued", "delivered", "failed", "dropped")
MAX_ROWS: Final = 500
_LATEST: Final = (1 << 63) - 1


@dataclass(frozen=True, slots=True)
class DeliveryRow:
    """One delivery as an operator sees it; times in milliseconds."""

    id: int
    activity_uri: str
    as_type: str
    object_uri: str
    inbox: str
    host: str
    state: State
    attempts: int
    next_at: int
    done_at: int | None
    last_status: int | None
    last_error: str | None
    created_at: int


@dataclass(frozen=True, slots=True)
class Lag:
    """What waits for one server, and how that server is; times in milliseconds."""

    host: str
    waiting: int
    oldest_at: int
    standing: str
    health: str
    failing_since: int | None
    next_at: int
    last_error: str | None


_LIST = (
    select(
        delivery.c.id,
        activity.c.uri.label("activity_uri"),
        delivery.c.as_type,
        delivery.c.object_uri,
        delivery.c.inbox,
        delivery.c.host,
        delivery.c.state,
        delivery.c.attempts,
        delivery.c.next_at,
        delivery.c.done_at,
        delivery.c.last_status,
        delivery.c.last_error,
        delivery.c.created_at,
    )
    .join(activity, activity.c.id == delivery.c.activity_id)
    .where(delivery.c.id < bindparam("before_id"))
    .order_by(delivery.c.id.desc())
    .limit(bindparam("limit"))
)
_of_state = delivery.c.state == bindparam("b_state")
_of_host = delivery.c.host == bindparam("b_host")
_LISTS: Final = {
    (False, False): _LIST,
    (True, False): _LIST.where(_of_state),
    (False, True): _LIST.where(_of_host),
    (True, True): _LIST.where(_of_state, _of_host),
}
_LAG = (
    select(
        delivery.c.host,
        func.count().label("waiting"),
        func.min(delivery.c.created_at).label("oldest_at"),
        peer.c.standing,
        peer.c.health,
        peer.c.failing_since,
        peer.c.next_at,
        peer.c.last_error,
    )
    .join(peer, peer.c.host == delivery.c.host)
    .where(delivery.c.state == "queued")
    .group_by(
        delivery.c.host,
        peer.c.standing,
        peer.c.health,
        peer.c.failing_since,
        peer.c.next_at,
        peer.c.last_error,
    )
    .order_by(func.min(delivery.c.created_at), delivery.c.host)
)
_later = delivery.alias("later")
_deleted_since = (
    select(_later.c.id)
    .where(
        _later.c.object_uri == delivery.c.object_uri,
        _later.c.host == delivery.c.host,
        _later.c.as_type == "Delete",
        _later.c.state != "dropped",
        _later.c.id > delivery.c.id,
    )
    .exists()
)
_now = bindparam("now", type_=Millis)
_held_back = (delivery.c.state == "failed") | ((delivery.c.state == "queued") & (delivery.c.next_at > _now))


def _some_of_host(condition: Any) -> Any:
    found = select(delivery.c.id).where(_of_host, condition).order_by(delivery.c.id).limit(MAX_ROWS)
    return delivery.c.id.in_(found)


_of_ids = delivery.c.id.in_(bindparam("ids", expanding=True))
_RETRY = (
    update(delivery)
    .where(delivery.c.state.in_(("queued", "failed")), ~_deleted_since)
    .values(state="queued", next_at=_now, done_at=None, attempts=0)
    .returning(delivery.c.host)
)
_DROP = (
    update(delivery)
    .where(delivery.c.state == "queued")
    .values(state="dropped", done_at=_now, last_error=bindparam("note"))
    .returning(delivery.c.host)
)
_RETRY_IDS = _RETRY.where(_of_ids)
_RETRY_HOST = _RETRY.where(_some_of_host(_held_back & ~_deleted_since))
_DROP_IDS = _DROP.where(_of_ids)
_DROP_HOST = _DROP.where(_some_of_host(delivery.c.state == "queued"))
_WAKE = update(peer).where(peer.c.host == bindparam("b_host")).values(next_at=_now)


def list_deliveries(
    context: Context,
    *,
    state: str | None = None,
    host: str | None = None,
    limit: int = 40,
    before_id: int | None = None,
) -> list[DeliveryRow]:
    """Return deliveries, the newest first, older than `before_id`; Invalid for an unknown state."""
    if state is not None and state not in STATES:
        raise Invalid(N_("The state of a delivery is queued, delivered, failed or dropped."), field="state")
    values: dict[str, Any] = {
        "before_id": _LATEST if before_id is None else before_id,
        "limit": max(1, min(limit, MAX_ROWS)),
    }
    if state is not None:
        values["b_state"] = state
    if host is not None:
        values["b_host"] = host
    found = context.connection.execute(_LISTS[state is not None, host is not None], values)
    return [DeliveryRow(**row._mapping) for row in found]


def lag(context: Context) -> list[Lag]:
    """Return what waits, per server, the longest waiting first. Reads all that is queued: a slow read."""
    return [Lag(**row._mapping) for row in context.connection.execute(_LAG)]


def retry_now(context: Context, *, ids: Sequence[int] = (), host: str | None = None) -> int:
    """Try deliveries again at once, by id or all of a server, and end the pause of their servers.

    Returns how many rows were changed, 500 at most; of a server only those that had failed or waited for a
    time of their own need a change, the others go by themselves. A failed delivery gets a new start, except
    where a Delete of its object followed: it must not come back. A blocked server still gets nothing.
    """
    _check_choice(ids, host)
    now = context.now()
    if host is None:
        rows = context.connection.execute(_RETRY_IDS, {"now": now, "ids": list(ids)}).all()
    else:
        rows = context.connection.execute(_RETRY_HOST, {"now": now, "b_host": host}).all()
    hosts = sorted({row.host for row in rows} | ({host} if host is not None else set()))
    if hosts:
        context.connection.execute(_WAKE, [{"b_host": name, "now": now} for name in hosts])
        context.after_commit(DeliveriesQueued(tuple(hosts)))
    return len(rows)


def drop(context: Context, *, ids: Sequence[int] = (), host: str | None = None) -> int:
    """Drop queued deliveries by id or of a server; return how many, 500 at most: call again while it is 500.

    One that is under way may still arrive.
    """
    _check_choice(ids, host)
    values: dict[str, Any] = {"now": context.now(), "note": notes.BY_HAND}
    if host is None:
        return len(context.connection.execute(_DROP_IDS, values | {"ids": list(ids)}).all())
    return len(context.connection.execute(_DROP_HOST, values | {"b_host": host}).all())


def _check_choice(ids: Sequence[int], host: str | None) -> None:
    if bool(ids) == (host is not None) or len(ids) > MAX_ROWS:
        raise Invalid(N_("Name either deliveries, 500 at most, or a server."))
