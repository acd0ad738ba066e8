"""The health of other servers, written in batches by whoever talks to them.

Failures are counted per server and not per delivery: one probe stands for everything that waits.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import BindParameter, ColumnElement, Text, bindparam, case, func, select, update

from esnfed.context import Context
from esnfed.federation import retry
from esnfed.models.peer import peer
from esnfed.models.types import Millis

MAX_ERROR_LENGTH: Final = 300

_host: BindParameter[str] = bindparam("b_host", type_=Text)
_now: BindParameter[int] = bindparam("now", type_=Millis)


def _paced(fine: ColumnElement[int]) -> ColumnElement[int]:
    """The SQL of `retry.pace`: when a server that answered may be asked again."""
    gap = case(*((fine < bound, gap) for bound, gap in retry.PACES), else_=0)
    return _now + gap


_newer_than_failure = func.coalesce(peer.c.last_failure_at, -1) < bindparam("begun_at")
_fine = peer.c.fine_in_a_row + bindparam("count")
_recovered: dict[str, Any] = {"health": "well", "failures": 0, "failing_since": None, "last_error": None}
_SUCCEEDED = (
    update(peer)
    .where(peer.c.host == _host, _newer_than_failure)
    .values(**_recovered, last_success_at=_now, fine_in_a_row=_fine, next_at=_paced(_fine))
)
_ANSWERED = (
    update(peer)
    .where(peer.c.host == _host, _newer_than_failure)
    .values(
        **_recovered,
        fine_in_a_row=case((peer.c.fine_in_a_row > 0, 0), else_=peer.c.fine_in_a_row),
        next_at=_paced(peer.c.fine_in_a_row),
    )
)
_FAILING = (
    select(peer.c.host, peer.c.failures, peer.c.failing_since, peer.c.next_at, peer.c.last_failure_at)
    .where(peer.c.host.in_(bindparam("hosts", expanding=True)))
    .order_by(peer.c.host)
    .with_for_update()
)
_FAILED = (
    update(peer)
    .where(peer.c.host == _host)
    .values(
        health=bindparam("b_health"),
        failures=bindparam("b_failures"),
        failing_since=bindparam("b_failing_since"),
        next_at=bindparam("b_next_at"),
        last_failure_at=_now,
        last_error=bindparam("error"),
        fine_in_a_row=-retry.RAMP,
    )
)
_PUT_OFF = (
    update(peer)
    .where(peer.c.host == _host, peer.c.next_at < bindparam("b_next_at"))
    .values(next_at=bindparam("b_next_at"))
)


@dataclass(frozen=True, slots=True)
class Success:
    """`count` deliveries that a server took, the newest of them begun at `begun_at` (milliseconds)."""

    host: str
    begun_at: int
    count: int = 1


@dataclass(frozen=True, slots=True)
class Failure:
    """An attempt, begun at `begun_at` (milliseconds), that a server did not answer or put off.

    `retry_after` is in seconds, None unless the server named a time.
    """

    host: str
    error: str
    retry_after: int | None
    begun_at: int


def record_successes(context: Context, successes: Sequence[Success]) -> None:
    """Note accepted deliveries: one statement. A success older than the last failure proves nothing."""
    _record_alive(context, successes, refused=False)


def record_refusals(context: Context, refusals: Sequence[Success]) -> None:
    """Note answers that refuse a delivery: the server is alive, though not fine in a row."""
    _record_alive(context, refusals, refused=True)


def _record_alive(context: Context, answers: Sequence[Success], *, refused: bool) -> None:
    if not answers:
        return
    now = context.now()
    rows: list[dict[str, Any]] = [
        {"b_host": answer.host, "now": now, "begun_at": answer.begun_at} for answer in answers
    ]
    if not refused:
        rows = [row | {"count": answer.count} for row, answer in zip(rows, answers, strict=True)]
    context.connection.execute(_ANSWERED if refused else _SUCCEEDED, rows)


def record_failures(context: Context, failures: Sequence[Failure]) -> None:
    """Note failed attempts, at most one per host counted: those begun before the last failure count no more.

    Several deliveries that were under way when a server went away are one failure (lemmy#4529).
    """
    if not failures:
        return
    by_host = {failure.host: failure for failure in failures}
    for failure in failures:  # of one round, the one that names a time to come back speaks for the server
        if failure.retry_after is not None:
            by_host[failure.host] = failure
    counted, put_off = [], []
    for row in context.connection.execute(_FAILING, {"hosts": sorted(by_host)}).all():
        failure = by_host[row.host]
        if row.last_failure_at is None or failure.begun_at > row.last_failure_at or not row.failures:
            counted.append(_counted(context, row, failure))
        elif failure.retry_after is not None:
            until = retry.pause(failure.retry_after, context.now(), context.runtime.random)
            put_off.append({"b_host": row.host, "b_next_at": until})
    if counted:
        context.connection.execute(_FAILED, counted)
    if put_off:
        context.connection.execute(_PUT_OFF, put_off)


def _counted(context: Context, row: Any, failure: Failure) -> dict[str, Any]:
    now = context.now()
    since = now if row.failing_since is None else row.failing_since
    rest = retry.rest(row.failures + 1, since, now, context.runtime.random, failure.retry_after)
    return {
        "b_host": row.host,
        "now": now,
        "b_health": rest.health,
        "b_failures": row.failures + 1,
        "b_failing_since": since,
        "b_next_at": rest.next_at,
        "error": failure.error[:MAX_ERROR_LENGTH],
    }
