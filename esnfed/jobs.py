"""Long and periodic work as resumable rows of the job table: one bounded step per unit of work."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from dataclasses import dataclass
from random import Random
from typing import Any, TypeVar

from sqlalchemy import Row, bindparam, case, func, select, update
from sqlalchemy.dialects.postgresql import insert

from esnfed import registry
from esnfed.bus import Bus, JobWaiting
from esnfed.context import Context
from esnfed.database import Database
from esnfed.errors import Busy, Conflict, EsnfedError
from esnfed.i18n import N_
from esnfed.models import job

log = logging.getLogger(__name__)

Step = Callable[[Context, Any, Any], Any]
"""`function(context, arguments, cursor)`: one step of at most 20 ms and 500 rows; the new cursor, or None
when all is done. The first cursor is None. It runs again from the same cursor after a failure or a crash."""

Turn = Callable[[Context, Any], Any]
"""`function(context, cursor)`: the same for periodic work, which has no arguments."""

AnyStep = TypeVar("AnyStep", bound=Step)
AnyTurn = TypeVar("AnyTurn", bound=Turn)

LEASE_MS = 60_000
MAX_ATTEMPTS = 8
FIRST_DELAY_MS = 30_000
LONGEST_DELAY_MS = 6 * 3_600_000
LONGEST_WAIT_SECONDS = 60.0
BUSY_SECONDS = 5.0
"""How long work rests that the database did not take: it must not be asked again at once, and for ever."""

PERIODIC = "periodic:"


@dataclass(frozen=True, slots=True)
class Periodic:
    """Work that comes back `seconds` after it was done, give or take a tenth."""

    seconds: float
    turn: Turn


def step(kind: str) -> Callable[[AnyStep], AnyStep]:
    """Register the function that does one step of jobs of this kind."""

    def decorate(function: AnyStep) -> AnyStep:
        registry.steps.add(kind, function)
        return function

    return decorate


def every(seconds: float, name: str) -> Callable[[AnyTurn], AnyTurn]:
    """Register periodic work under a name; it begins when a worker first sees it."""

    def decorate(function: AnyTurn) -> AnyTurn:
        registry.periodic.add(name, Periodic(seconds, function))
        return function

    return decorate


_new = insert(job)
ENQUEUE = _new.on_conflict_do_update(
    index_elements=[job.c.unique_key],
    set_={
        "arguments": _new.excluded.arguments,
        "cursor": None,
        "state": "waiting",
        "run_at": _new.excluded.run_at,
        "lease_until": 0,
        "attempts": 0,
        "error": "",
        "done_at": None,
    },
    where=job.c.state != "waiting",
).returning(job.c.id)

_due = job.alias("due")
DUE = (
    select(_due.c.id)
    .where(
        _due.c.state == "waiting", _due.c.run_at <= bindparam("now"), _due.c.lease_until <= bindparam("now")
    )
    .order_by(_due.c.run_at, _due.c.id)
    .limit(1)
    .with_for_update(skip_locked=True)
    .scalar_subquery()
)
CLAIM = update(job).where(job.c.id == DUE).values(lease_until=bindparam("lease")).returning(job)
MINE = (job.c.id == bindparam("job_id"), job.c.state == "waiting", job.c.lease_until == bindparam("held"))
ADVANCE = (
    update(job)
    .where(*MINE)
    .values(
        cursor=bindparam("new_cursor"),
        state=bindparam("new_state"),
        run_at=bindparam("new_run_at"),
        done_at=bindparam("new_done_at"),
        lease_until=0,
        attempts=0,
        error="",
    )
)
FAIL = (
    update(job)
    .where(*MINE)
    .values(
        state=bindparam("new_state"),
        run_at=bindparam("new_run_at"),
        attempts=bindparam("new_attempts"),
        error=bindparam("new_error"),
        lease_until=0,
    )
)
NEXT = select(
    func.min(case((job.c.run_at > job.c.lease_until, job.c.run_at), else_=job.c.lease_until))
).where(job.c.state == "waiting")


def enqueue(
    context: Context, kind: str, arguments: Any, *, run_at: int | None = None, unique_key: str | None = None
) -> int | None:
    """Write a job in the caller's transaction; return its id, or None when the same one already waits.

    `arguments` is a JSON value, not None; `run_at` is in milliseconds, now when None. With a `unique_key`
    there is one job of this kind and key: while it waits nothing changes, once it is done or has failed it
    begins anew.
    """
    now = context.now()
    key = None if unique_key is None else f"{kind}:{unique_key}"
    values = {
        "id": context.new_id(), "kind": kind, "unique_key": key, "arguments": arguments, "cursor": None,
        "state": "waiting", "run_at": now if run_at is None else run_at, "lease_until": 0, "attempts": 0,
        "error": "", "created_at": now, "done_at": None,
    }  # fmt: skip
    written = context.connection.execute(ENQUEUE, values).scalar_one_or_none()
    if written is not None:
        context.after_commit(JobWaiting(kind))
    return written


def retry_delay(attempts: int, random: Random) -> int:
    """Milliseconds before the next try after so many failures: doubling from 30 s, give or take a tenth."""
    delay = min(FIRST_DELAY_MS << min(attempts - 1, 20), LONGEST_DELAY_MS)
    return _about(delay, random)


def _about(milliseconds: float, random: Random) -> int:
    return round(milliseconds * random.uniform(0.9, 1.1))


class JobWorker:
    """Takes due jobs one step at a time; turned by hand in tests, by `run` in a node."""

    def __init__(self, database: Database, bus: Bus) -> None:
        self._database = database
        self._woken = asyncio.Event()
        self._stop_listening = bus.listen(JobWaiting, lambda _: self._woken.set())

    def close(self) -> None:
        """Stop listening to the bus."""
        self._stop_listening()

    async def schedule(self) -> None:
        """Write a row for each periodic work that has none."""
        await self._database.write(schedule_periodic, background=True)

    async def step(self) -> bool:
        """Do one step of one due job; False when nothing is due, or the database is too busy.

        The job is claimed for a minute in one transaction; the step and the new cursor are written in the
        next. A step that fails is tried again later, from the same cursor; after eight failures the job is
        marked failed with its error, and periodic work waits for its next turn.
        """
        try:
            return await self._step()
        except Busy as error:
            log.warning("jobs wait: %s", error)
            return False

    async def _step(self) -> bool:
        claimed = await self._database.write(claim, background=True)
        if claimed is None:
            return False
        await self._perform(claimed)
        return True

    async def _perform(self, claimed: Row[Any]) -> None:
        try:
            await self._database.write(advance, claimed, background=True)
        except Busy:
            raise
        except Exception as error:
            log.exception("a step of the job %s (%s) failed", claimed.id, claimed.kind)
            await self._database.write(fail, claimed, f"{type(error).__name__}: {error}", background=True)

    async def run(self) -> None:
        """Work for ever: until nothing is due, then until a job is written or the next one is due."""
        scheduled = False
        while True:
            self._woken.clear()
            try:
                if not scheduled:
                    await self.schedule()
                    scheduled = True
                while await self._step():
                    pass
            except Busy as error:
                log.debug("jobs wait: %s", error)
                await asyncio.sleep(BUSY_SECONDS)
            else:
                await self._rest()

    async def _rest(self) -> None:
        try:
            seconds = await self._database.read(seconds_to_next)
        except Busy as error:
            seconds = float(error.retry_after)
        try:
            async with asyncio.timeout(seconds):
                await self._woken.wait()
        except TimeoutError:
            return


def schedule_periodic(context: Context) -> None:
    """Write the missing rows of periodic work, spread over a tenth of its time: not all begin at once."""
    for name, work in registry.periodic.items():
        start = context.now() + round(work.seconds * 100 * context.runtime.random.random())
        enqueue(context, PERIODIC + name, {}, run_at=start, unique_key="")


def claim(context: Context) -> Row[Any] | None:
    """Lease the job that is due longest; None when none is."""
    now = context.now()
    return context.connection.execute(CLAIM, {"now": now, "lease": now + LEASE_MS}).one_or_none()


def advance(context: Context, claimed: Row[Any]) -> None:
    """Run one step and write its cursor; Conflict when the lease was lost meanwhile."""
    now = context.now()
    cursor, again_at = _turn(context, claimed)
    over = cursor is None and again_at is None
    changed = context.connection.execute(
        ADVANCE,
        {
            "job_id": claimed.id, "held": claimed.lease_until, "new_cursor": cursor,
            "new_state": "done" if over else "waiting", "new_done_at": now if over else None,
            "new_run_at": claimed.run_at if again_at is None else again_at,
        },
    )  # fmt: skip
    if changed.rowcount != 1:
        raise Conflict


def _turn(context: Context, claimed: Row[Any]) -> tuple[Any, int | None]:
    """Return (new cursor, time of the next turn of finished periodic work)."""
    work = _periodic(claimed.kind)
    if work is not None:
        cursor = work.turn(context, claimed.cursor)
        return cursor, _next_turn(context, work) if cursor is None else None
    function = registry.steps.get(claimed.kind)
    if function is None:
        raise EsnfedError(N_("No step is registered for jobs of the kind %(kind)s."), kind=claimed.kind)
    return function(context, claimed.arguments, claimed.cursor), None


def fail(context: Context, claimed: Row[Any], error: str) -> None:
    """Note one failure: a later try, or the end of the job; no effect when the lease was lost."""
    attempts = claimed.attempts + 1
    state, run_at = "waiting", context.now() + retry_delay(attempts, context.runtime.random)
    if attempts >= MAX_ATTEMPTS:
        work = _periodic(claimed.kind)
        if work is None:
            state, run_at = "failed", claimed.run_at
        else:
            attempts, run_at = 0, _next_turn(context, work)
    context.connection.execute(
        FAIL,
        {
            "job_id": claimed.id, "held": claimed.lease_until, "new_state": state, "new_run_at": run_at,
            "new_attempts": attempts, "new_error": error[:2_000],
        },
    )  # fmt: skip


def _periodic(kind: str) -> Periodic | None:
    found: Periodic | None = registry.periodic.get(kind.removeprefix(PERIODIC))
    return found if kind.startswith(PERIODIC) else None


def _next_turn(context: Context, work: Periodic) -> int:
    return context.now() + _about(work.seconds * 1000, context.runtime.random)


def seconds_to_next(context: Context) -> float:
    """Seconds until a job may be due, at most a minute, so that a missed event is only a delay."""
    at = context.connection.execute(NEXT).scalar_one()
    seconds = LONGEST_WAIT_SECONDS if at is None else (at - context.now()) / 1000
    return min(max(seconds, 0.0), LONGEST_WAIT_SECONDS)
