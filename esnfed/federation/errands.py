"""Errands: what nobody waits for is fetched in the background, in small turns kept as rows.

A function of its kind says what to fetch next and takes what was found; the worker does the fetching in
between, so that what decides and what writes stay synchronous. A crash is only a delay.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final, Literal, TypeVar

from sqlalchemy import Row, bindparam, case, delete, func, or_, select, update

from esnfed import registry
from esnfed.bus import ErrandWaiting
from esnfed.context import Context
from esnfed.errors import Conflict
from esnfed.federation.discovery import Post
from esnfed.jobs import every
from esnfed.models import errand, insert
from esnfed.models.types import Millis
from esnfed.vocab.parse import Document

PER_HOST: Final = 100
"""Errands that wait because of one server; what more it gives cause for is left out."""

WAITING: Final = 10_000
"""Errands that wait in all."""

LEASE: Final = 5 * 60 * 1000
MAX_ATTEMPTS: Final = 4
KEPT: Final = 2 * 24 * 3600 * 1000
PRUNE_STEP: Final = 500
LONGEST_WAIT_SECONDS: Final = 60.0


@dataclass(frozen=True, slots=True)
class Found:
    """What a turn had asked for: posts with their authors, and pages of collections; None where not had."""

    posts: Mapping[str, Post | None] = field(default_factory=dict)
    pages: Mapping[str, Document | None] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Turn:
    """Where to go on, and what must be fetched before."""

    cursor: Any
    posts: tuple[str, ...] = ()
    pages: tuple[str, ...] = ()


Function = Callable[[Context, Any, Any, Found], "Turn | None"]
"""`function(context, arguments, cursor, found)`: one turn of at most 20 ms; None when all is done. The first
cursor is None, with nothing found. It runs again from the same cursor after a failure or a crash."""

AnyFunction = TypeVar("AnyFunction", bound=Function)


def errand_kind(kind: str) -> Callable[[AnyFunction], AnyFunction]:
    """Register the function that does one turn of errands of this kind."""
    return registry.errands.register(kind)


_now = bindparam("now", type_=Millis)
_ROOM = select(
    select(func.count())
    .select_from(
        select(errand.c.id)
        .where(errand.c.state == "waiting", errand.c.host == bindparam("of_host"))
        .limit(PER_HOST)
        .subquery()
    )
    .scalar_subquery()
    .label("of_host"),
    select(func.count())
    .select_from(select(errand.c.id).where(errand.c.state == "waiting").limit(WAITING).subquery())
    .scalar_subquery()
    .label("in_all"),
)
_NEW = insert(errand)
_SEND = _NEW.on_conflict_do_update(
    index_elements=["unique_key"],
    set_={
        "arguments": _NEW.excluded.arguments,
        "cursor": None,
        "posts": _NEW.excluded.posts,
        "pages": _NEW.excluded.pages,
        "state": "waiting",
        "run_at": _NEW.excluded.run_at,
        "lease_until": 0,
        "attempts": 0,
        "error": "",
        "done_at": None,
    },
    where=(errand.c.state != "waiting") & (errand.c.done_at <= bindparam("cool_before", type_=Millis)),
).returning(errand.c.id)
_BY_KEY = select(errand.c.id, errand.c.state, errand.c.done_at).where(
    errand.c.unique_key == bindparam("of_key")
)


def key_of(kind: str, address: str) -> str:
    """Return the one key of an errand of this kind about an address, short whatever the address."""
    return f"{kind}:{hashlib.sha256(address.encode()).hexdigest()}"


def send(
    context: Context, kind: str, address: str, arguments: Any, *, host: str, cool_down: int = 0
) -> int | None:
    """Write an errand in the caller's transaction; return its id, or None when it is not sent.

    Not sent is one that waits already, one done less than `cool_down` milliseconds ago, and one for which
    there is no room: at most 100 wait because of one `host`, 10,000 in all.
    """
    room = context.connection.execute(_ROOM, {"of_host": host}).one()
    if room.of_host >= PER_HOST or room.in_all >= WAITING:
        return None
    now = context.now()
    values = {
        "id": context.new_id(), "kind": kind, "unique_key": key_of(kind, address), "host": host,
        "arguments": arguments, "cursor": None, "posts": [], "pages": [], "state": "waiting", "run_at": now,
        "lease_until": 0, "attempts": 0, "error": "", "created_at": now, "done_at": None,
        "cool_before": now - cool_down,
    }  # fmt: skip
    written: int | None = context.connection.execute(_SEND, values).scalar_one_or_none()
    if written is not None:
        context.after_commit(ErrandWaiting())
    return written


State = Literal["waiting", "due", "cooling"]


def state_of(context: Context, kind: str, address: str, cool_down: int) -> State:
    """Say whether an errand waits, may be sent, or was done less than `cool_down` milliseconds ago."""
    row = context.connection.execute(_BY_KEY, {"of_key": key_of(kind, address)}).one_or_none()
    if row is None:
        return "due"
    if row.state == "waiting":
        return "waiting"
    return "due" if row.done_at + cool_down <= context.now() else "cooling"


def waiting_id(context: Context, kind: str, address: str) -> int | None:
    """Return the id of the errand about this address when it waits."""
    row = context.connection.execute(_BY_KEY, {"of_key": key_of(kind, address)}).one_or_none()
    return row.id if row is not None and row.state == "waiting" else None


_one = errand.alias("one")
_DUE = (
    select(_one.c.id)
    .where(
        _one.c.state == "waiting",
        _one.c.run_at <= _now,
        _one.c.lease_until <= _now,
        or_(bindparam("only", type_=Millis) == 0, _one.c.id == bindparam("only", type_=Millis)),
    )
    .order_by(_one.c.run_at, _one.c.id)
    .limit(1)
    .with_for_update(skip_locked=True)
    .scalar_subquery()
)
_CLAIM = update(errand).where(errand.c.id == _DUE).values(lease_until=bindparam("lease")).returning(errand)
_mine = (errand.c.id == bindparam("errand_id"), errand.c.lease_until == bindparam("held"))
_ADVANCE = (
    update(errand)
    .where(*_mine)
    .values(
        cursor=bindparam("new_cursor", type_=errand.c.cursor.type),
        posts=bindparam("new_posts", type_=errand.c.posts.type),
        pages=bindparam("new_pages", type_=errand.c.pages.type),
        state=bindparam("new_state"),
        run_at=bindparam("at"),
        done_at=bindparam("done"),
        lease_until=0,
        attempts=0,
        error="",
    )
)
_PUT_OFF = (
    update(errand)
    .where(*_mine)
    .values(
        state=bindparam("new_state"),
        run_at=bindparam("at"),
        done_at=bindparam("done"),
        attempts=bindparam("new_attempts"),
        error=bindparam("new_error"),
        lease_until=0,
    )
)
_NEXT = select(
    func.min(case((errand.c.run_at > errand.c.lease_until, errand.c.run_at), else_=errand.c.lease_until))
).where(errand.c.state == "waiting")
_STATE = select(errand.c.state).where(errand.c.id == bindparam("errand_id"))
_PRUNE = delete(errand).where(
    errand.c.id.in_(
        select(_one.c.id).where(_one.c.done_at < bindparam("before", type_=Millis)).limit(PRUNE_STEP)
    )
)


def claim(context: Context, only: int = 0) -> Row[Any] | None:
    """Lease the errand that is due longest (or the one named); None when none is."""
    now = context.now()
    return context.connection.execute(_CLAIM, {"now": now, "lease": now + LEASE, "only": only}).one_or_none()


def advance(context: Context, claimed: Row[Any], found: Found) -> None:
    """Take one turn and write where to go on; Conflict when the lease was lost meanwhile."""
    function: Function = registry.errands[claimed.kind]
    turn = function(context, claimed.arguments, claimed.cursor, found)
    now = context.now()
    changed = context.connection.execute(
        _ADVANCE,
        {
            "errand_id": claimed.id, "held": claimed.lease_until,
            "new_cursor": turn.cursor if turn else None,
            "new_posts": list(turn.posts) if turn else [], "new_pages": list(turn.pages) if turn else [],
            "new_state": "waiting" if turn else "done", "at": now, "done": None if turn else now,
        },
    )  # fmt: skip
    if changed.rowcount != 1:
        raise Conflict


def put_off(context: Context, claimed: Row[Any], after: int, error: str = "") -> None:
    """Take the same turn again in `after` milliseconds; after four errors the errand is given up."""
    now, attempts = context.now(), claimed.attempts + (1 if error else 0)
    over = attempts >= MAX_ATTEMPTS
    context.connection.execute(
        _PUT_OFF,
        {
            "errand_id": claimed.id, "held": claimed.lease_until,
            "new_state": "failed" if over else "waiting", "at": now + after,
            "done": now if over else None, "new_attempts": attempts, "new_error": error[:2_000],
        },
    )  # fmt: skip


def seconds_to_next(context: Context) -> float:
    """Seconds until an errand may be due, at most a minute, so that a missed event is only a delay."""
    at = context.connection.execute(_NEXT).scalar_one()
    seconds = LONGEST_WAIT_SECONDS if at is None else (at - context.now()) / 1000
    return min(max(seconds, 0.05), LONGEST_WAIT_SECONDS)


def state(context: Context, errand_id: int) -> str | None:
    """Return the state of an errand: waiting, done or failed; None when it is forgotten."""
    found: str | None = context.connection.execute(_STATE, {"errand_id": errand_id}).scalar_one_or_none()
    return found


@every(6 * 3_600, "errands-prune")
def prune(context: Context, _cursor: object) -> Literal[True] | None:
    """Forget errands that were done, or given up, more than two days ago."""
    removed = context.connection.execute(_PRUNE, {"before": context.now() - KEPT}).rowcount
    return True if removed >= PRUNE_STEP else None
