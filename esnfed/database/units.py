"""What every unit of work shares on both back ends: limits, the guard against nesting, the outcome."""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from contextvars import ContextVar
from dataclasses import dataclass, field
from functools import partial
from typing import Any, Protocol

from sqlalchemy import Engine

from esnfed.context import Context, Viewer
from esnfed.errors import EsnfedError

log = logging.getLogger("esnfed.database")

Work = Callable[[Context], Any]
"""A unit of work with its arguments already bound."""

Publish = Callable[[Sequence[object]], None]
"""Hands the events of committed units to the bus, on the event loop's thread."""


@dataclass(frozen=True, slots=True)
class Limits:
    """Bounds of the kernel; the defaults are those of production, tests lower them to provoke them."""

    batch_ms: int = 10
    """A batch of the writer takes no further job after this."""

    batch_jobs: int = 100
    job_ms: int = 20
    """A unit that holds the writer longer is reported: it belongs into the job table, cut into steps."""

    job_rows: int = 500
    client_wait_ms: int = 5_000
    """A client's write that has not begun by then is answered 503."""

    background_jobs: int = 1_000
    """Bound of the background queue."""

    fast_read_ms: int = 250
    """CPU time of a reader's thread for one fast read (SQLite)."""

    fast_statement_ms: int = 2_000
    """Wall time of one statement of a fast read (PostgreSQL, which does not tell CPU time)."""

    wal_checkpoint_bytes: int = 16 * 1024 * 1024
    """Past this size an idle writer truncates the WAL, when nobody reads."""

    wal_alarm_bytes: int = 128 * 1024 * 1024
    """Past this size the WAL is reported."""


class Backend(Protocol):
    """What a back end gives to `Database`."""

    @property
    def engines(self) -> tuple[Engine, ...]:
        """Every engine that runs units of work."""

    async def start(self) -> None:
        """Open what must be open before the first unit of work."""

    async def read(self, work: Work, viewer: Viewer | None, slow: bool) -> Any:
        """Run `work` in one read transaction."""

    async def write(self, work: Work, viewer: Viewer | None, background: bool) -> Any:
        """Run `work` in one write transaction; return after COMMIT."""

    async def append(self, rows: Sequence[Row]) -> None:
        """Insert `rows`, merged with those of neighbouring calls."""

    def admit(self) -> None:
        """Raise Busy when the background queue is full."""

    async def close(self) -> None:
        """Finish what was accepted, then close."""


Row = tuple[Any, Any]
"""(Insert statement, mapping of its values)."""

_inside: ContextVar[bool] = ContextVar("inside_unit_of_work", default=False)


def forbid_nesting(verb: str) -> None:
    """Raise at once when called from inside a unit of work: waiting for itself it would never end."""
    if _inside.get():
        raise EsnfedError(f"database.{verb} was called from inside a unit of work")


def perform(work: Work, context: Context) -> Any:
    """Call `work(context)`, marked as inside a unit of work."""
    mark = _inside.set(True)
    try:
        return work(context)
    finally:
        _inside.reset(mark)


@dataclass(slots=True)
class Outcome:
    """What became of one unit: a value, or an error; and the events to publish when it is committed."""

    value: Any = None
    error: Exception | None = None
    events: list[object] = field(default_factory=list)


def attempt(work: Work, context: Context) -> Outcome:
    """Perform `work` and catch its error, so that it reaches who waits for it and nobody else."""
    try:
        return Outcome(perform(work, context), None, context.events)
    except Exception as error:  # noqa: BLE001 - carried to the caller's future, never dropped
        return Outcome(error=error)


def bind(fn: Callable[..., Any], args: tuple[Any, ...]) -> Work:
    """Return the unit of work `fn(context, *args)`."""
    return partial(_call, fn, args)


def _call(fn: Callable[..., Any], args: tuple[Any, ...], context: Context) -> Any:
    return fn(context, *args)


def name_of(work: Work) -> str:
    """Name, for the log, of the function that a unit of work calls; never its arguments: they hold people's texts."""
    fn = work.args[0] if isinstance(work, partial) else work
    while isinstance(fn, partial):
        fn = fn.func
    return getattr(fn, "__qualname__", type(fn).__name__)


def report_overrun(work: Work, milliseconds: int, rows: int, limits: Limits) -> None:
    """Log a unit of work that was longer or wider than a unit may be.

    For the log of a serving node, not for a warning: on a busy machine the time is often somebody else's.
    """
    if milliseconds > limits.job_ms or rows > limits.job_rows:
        log.info(
            "the unit of work %s took %d ms and changed %d rows; the bounds are %d ms and %d rows",
            name_of(work), milliseconds, rows, limits.job_ms, limits.job_rows,
        )  # fmt: skip
