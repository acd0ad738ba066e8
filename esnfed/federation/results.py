"""What became of deliveries: outcomes of attempts, written for many at once."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import bindparam, update

from esnfed.context import Context
from esnfed.federation import retry
from esnfed.federation.claims import Claim
from esnfed.federation.parsed_signature import Scheme
from esnfed.federation.peer_health import (
    Failure,
    Success,
    record_failures,
    record_refusals,
    record_successes,
)
from esnfed.federation.peers import SCHEME_LIFETIME, learned_scheme
from esnfed.federation.retry import Outcome
from esnfed.models.delivery import delivery

MAX_ERROR_LENGTH: Final = 500

_SETTLE = (
    update(delivery)
    .where(delivery.c.id == bindparam("b_id"), delivery.c.state == "queued")
    .values(
        state=bindparam("b_state"),
        attempts=bindparam("b_attempts"),
        next_at=bindparam("b_next_at"),
        done_at=bindparam("b_done_at"),
        last_status=bindparam("status"),
        last_error=bindparam("error"),
    )
)


@dataclass(frozen=True, slots=True)
class Result:
    """The end of one attempt. `status` is None when no answer came; `error` is our text or the peer's."""

    claim: Claim
    outcome: Outcome
    status: int | None = None
    error: str | None = None
    retry_after: int | None = None
    """Seconds that the server asked us to wait."""

    blames_host: bool = True
    """False when the trouble is ours (no key, crowding) and says nothing about the server."""

    scheme: Scheme | None = None
    """The signature scheme that was answered."""


def record(context: Context, results: Sequence[Result]) -> None:
    """Write the results of a round: rows of deliveries, then health and scheme of their servers.

    A delivery that was merged away or dropped while it was under way keeps that state. Statements do not
    grow with the number of results, except one per server whose signature scheme was learned anew.
    """
    if not results:
        return
    context.connection.execute(_SETTLE, [_settled(context, result) for result in results])
    _record_health(context, [result for result in results if result.blames_host])
    for host, scheme in _learned(context, results).items():
        learned_scheme(context, host, scheme)


def _settled(context: Context, result: Result) -> dict[str, Any]:
    now = context.now()
    state, next_at = _fate(context, result, now)
    return {
        "b_id": result.claim.id,
        "b_state": state,
        "b_attempts": result.claim.attempts + 1,
        "b_next_at": next_at,
        "b_done_at": None if state == "queued" else now,
        "status": result.status,
        "error": None if result.error is None else result.error[:MAX_ERROR_LENGTH],
    }


def _fate(context: Context, result: Result, now: int) -> tuple[str, int]:
    """The new state of the delivery, and when it may be tried again by itself.

    Silence is the server's and delays only the server; an error answered to this very delivery delays this
    delivery too, so that one that a server chokes on lets the others pass.
    """
    attempts = result.claim.attempts + 1
    if result.outcome is Outcome.DELIVERED:
        return "delivered", now
    if result.outcome is Outcome.FINAL or (result.outcome is Outcome.KNOCK and attempts >= retry.KNOCKS):
        return "failed", now
    silent = result.status is None and result.blames_host
    if result.outcome is Outcome.RETRY and (silent or result.retry_after is not None):
        # Its place in the queue is kept, unless it has been the probe so often that it may be the cause.
        patient = attempts < len(retry.STEPS) or result.retry_after is not None
        return "queued", result.claim.due_at if patient else result.claim.begun_at
    return "queued", retry.after(attempts, now, context.runtime.random)


def _record_health(context: Context, results: Sequence[Result]) -> None:
    begun: dict[str, list[int]] = defaultdict(list)
    refused: dict[str, int] = {}
    failures: list[Failure] = []
    for result in results:
        host, begun_at = result.claim.host, result.claim.begun_at
        if result.outcome is Outcome.DELIVERED:
            begun[host].append(begun_at)
        elif result.outcome is Outcome.RETRY:
            failures.append(Failure(host, result.error or "", result.retry_after, begun_at))
        else:
            refused[host] = max(begun_at, refused.get(host, 0))
    record_successes(context, [Success(host, max(times), len(times)) for host, times in begun.items()])
    record_refusals(context, [Success(host, begun_at) for host, begun_at in refused.items()])
    record_failures(context, failures)


def _learned(context: Context, results: Sequence[Result]) -> dict[str, Scheme]:
    """What deliveries taught of schemes: nothing for the first knock of an unknown host in cavage.

    What is known is renewed in the second half of its life.
    """
    learned: dict[str, Scheme] = {}
    for result in results:
        if result.outcome is not Outcome.DELIVERED or result.scheme is None:
            continue
        changed = result.scheme != (result.claim.scheme or "cavage")
        lapses = 0 < result.claim.scheme_until < context.now() + SCHEME_LIFETIME // 2
        if changed or lapses:
            learned[result.claim.host] = result.scheme
    return learned
