"""Applying inbox messages: `needs` in a read, fetching, then `verify` and `receive` as one unit of work."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from sqlalchemy import RowMapping, bindparam, func, select, update
from sqlalchemy.exc import SQLAlchemyError

from esnfed import registry
from esnfed.bus import Bus, InboxWaiting, MessageHandled
from esnfed.context import Context, Runtime
from esnfed.database import Database
from esnfed.errors import Busy, Conflict, EsnfedError, Ignored, Malformed, RemoteError, RemoteUnreachable
from esnfed.federation import counters, forwarding
from esnfed.federation.discovery import Discovery
from esnfed.federation.handling import Handler, Incoming, Resolved
from esnfed.federation.pacing import Budget
from esnfed.i18n import N_
from esnfed.jobs import BUSY_SECONDS
from esnfed.models import actor, inbox_message
from esnfed.vocab import parse
from esnfed.vocab.activity import read_activity

log = logging.getLogger(__name__)

BATCH = 100
FETCHERS = 8
MAX_BUSY = 200
"""Senders under way, above which nothing more is taken up: what waits, waits in its rows."""

ROUNDS = 3
FETCH_BUDGET = 25
MAX_ATTEMPTS = 8
IMPATIENT_AFTER = 3
BACK_OFF = (30, 120, 600, 1800, 7200, 21600, 43200, 43200)

_DUE = (
    select(inbox_message)
    .where(
        inbox_message.c.state == "waiting",
        inbox_message.c.next_at <= bindparam("now"),
        inbox_message.c.actor_uri.not_in(bindparam("busy", expanding=True)),
    )
    .order_by(inbox_message.c.id)
    .limit(BATCH)
)
_NEXT_AT = select(func.min(inbox_message.c.next_at)).where(inbox_message.c.state == "waiting")
_SENDER = select(actor).where(actor.c.uri.in_(bindparam("uris", expanding=True)))
_CLAIM = (
    update(inbox_message)
    .where(inbox_message.c.id == bindparam("message_id"), inbox_message.c.state == "waiting")
    .values(state="done", done_at=bindparam("now"), attempts=inbox_message.c.attempts + 1, note="")
)
_FINISH = (
    update(inbox_message)
    .where(inbox_message.c.id == bindparam("message_id"), inbox_message.c.state == "waiting")
    .values(
        state=bindparam("new_state"),
        note=bindparam("new_note"),
        attempts=inbox_message.c.attempts + 1,
        next_at=bindparam("at"),
        done_at=bindparam("done"),
    )
)

# What changes the sender, or what is wanted of it: the messages after it must be prepared anew.
_CHANGES_SENDER = frozenset({"Accept", "Update", "Delete", "Move"})


@dataclass(frozen=True, slots=True)
class Prepared:
    """One message ready for its handler, or the error that reading it gave."""

    message: RowMapping
    incoming: Incoming | None
    needs: tuple[str, ...] = ()
    error: Exception | None = None

    @property
    def alone(self) -> bool:
        """Whether the messages of the same sender after this one must wait for it."""
        return bool(self.needs) or self.message["as_type"] in _CHANGES_SENDER


class InboxWorker:
    """Turns waiting messages into effects, in order for each sender; a crash is only a delay."""

    def __init__(self, database: Database, discovery: Discovery, runtime: Runtime, bus: Bus) -> None:
        self._database = database
        self._discovery = discovery
        self._clock = runtime.clock
        self._one_writer = not runtime.config.database
        self._busy: set[str] = set()
        self._waiting = asyncio.Event()
        self._refused = False
        """The database did not take something: that message stays as it is and is taken up again."""

        self._fetching = asyncio.Semaphore(FETCHERS)
        bus.listen(InboxWaiting, lambda _: self._waiting.set())

    async def step(self, tasks: asyncio.TaskGroup | None = None) -> bool:
        """Apply up to 100 due messages; False when none was due, or 200 senders are under way.

        Senders whose messages need fetching do not hold up the others: they go to `tasks`; without it
        (tests turn the worker by hand) they are dealt with before this returns.
        """
        return await self._step(tasks) > 0

    async def _step(self, tasks: asyncio.TaskGroup | None) -> int:
        """Do one step; return how many messages were taken up."""
        self._refused = False
        if len(self._busy) >= MAX_BUSY:
            return 0  # the first that ends rings
        batch = await self._database.read(prepare, sorted(self._busy) or [""])
        senders: dict[str, list[Prepared]] = {}
        for prepared in batch:
            senders.setdefault(prepared.message["actor_uri"], []).append(prepared)
        quick = [group for group in senders.values() if not any(one.alone for one in group)]
        await asyncio.gather(*(self._apply_quick(group) for group in quick))
        for sender, group in senders.items():
            if any(one.alone for one in group):
                self._busy.add(sender)
                work = self._apply_in_order(sender, group)
                if tasks is None:
                    await work
                else:
                    tasks.create_task(work)
        return len(batch)

    async def run(self) -> None:
        """Apply messages as they come, until cancelled."""
        async with asyncio.TaskGroup() as tasks:
            while True:
                self._waiting.clear()  # first: what is stored from here on rings again
                try:
                    if await self._step(tasks) < BATCH and not self._refused:
                        await self._rest()
                except Busy:
                    self._refused = True
                if self._refused:
                    await asyncio.sleep(BUSY_SECONDS)

    async def _rest(self) -> None:
        if self._waiting.is_set():
            return
        next_at = await self._database.read(_next_at)
        delay = None if next_at is None else max(0.05, (next_at - self._clock()) / 1000)
        try:
            async with asyncio.timeout(min(delay, 60) if delay is not None and not self._busy else 60):
                await self._waiting.wait()
        except TimeoutError:
            return

    async def _apply_quick(self, group: Sequence[Prepared]) -> None:
        """Apply messages of one sender that need nothing; SQLite's one writer keeps their order by itself."""
        if self._one_writer:
            await asyncio.gather(*(self._apply(one) for one in group))
        else:
            for one in group:
                await self._apply(one)
                if self._refused:
                    return  # what follows must not overtake it

    async def _apply_in_order(self, sender: str, group: Sequence[Prepared]) -> None:
        try:
            async with self._fetching:
                for prepared in group:
                    again = await self._database.read(prepare_one, prepared.message, {})
                    await self._fetch_or_finish(again)
                    if self._refused:
                        return  # what follows must not overtake it
        except Busy:
            self._refused = True
        finally:
            self._busy.discard(sender)
            self._waiting.set()

    async def _fetch_or_finish(self, prepared: Prepared) -> None:
        try:
            await self._fetch_and_apply(prepared)
        except Busy:
            self._refused = True
        except Exception as error:  # noqa: BLE001 - what another server answered must not stop the loop
            await self._finish(prepared.message, error)

    async def _fetch_and_apply(self, prepared: Prepared) -> None:
        fetched: dict[str, Resolved | None] = {}
        budget = Budget(FETCH_BUDGET)
        patient = prepared.message["attempts"] < IMPATIENT_AFTER
        for _ in range(ROUNDS):
            missing = [uri for uri in prepared.needs if uri not in fetched]
            if not missing:
                break
            for uri in missing:
                try:
                    fetched[uri] = await self._discovery.document(uri, budget)
                except RemoteUnreachable as error:
                    if patient:
                        await self._finish(prepared.message, error)
                        return
                    fetched[uri] = None
                except (RemoteError, Malformed) as error:
                    log.info("needed %s, not had: %s", uri, error)
                    fetched[uri] = None
            prepared = await self._database.read(prepare_one, prepared.message, fetched)
        await self._apply(prepared)

    async def _apply(self, prepared: Prepared) -> None:
        try:
            if prepared.incoming is None:
                raise prepared.error or Malformed
            await self._database.write(apply, prepared.message["id"], prepared.incoming, background=True)
        except Busy:
            self._refused = True
        except Exception as error:  # noqa: BLE001 - whatever it was is written down with the message
            await self._finish(prepared.message, error)

    async def _finish(self, message: RowMapping, error: Exception) -> None:
        if not isinstance(error, EsnfedError):
            log.exception("inbox message %s (%s) failed", message["id"], message["as_type"], exc_info=error)
        try:
            await self._database.write(finish, message, error, background=True)
        except Busy:
            self._refused = True


def _next_at(context: Context) -> int | None:
    value: int | None = context.connection.execute(_NEXT_AT).scalar()
    return value


def prepare(context: Context, busy: Sequence[str]) -> list[Prepared]:
    """Read the due messages, their senders, and what their handlers need, in one hop."""
    rows = context.connection.execute(_DUE, {"now": context.now(), "busy": list(busy)}).mappings().all()
    if not rows:
        return []
    uris = sorted({row["actor_uri"] for row in rows})
    senders = {row["uri"]: row for row in context.connection.execute(_SENDER, {"uris": uris}).mappings()}
    return [_prepare(context, row, senders.get(row["actor_uri"]), {}) for row in rows]


def prepare_one(context: Context, message: RowMapping, fetched: Mapping[str, Resolved | None]) -> Prepared:
    """Prepare one message anew, with what was fetched for it and its sender as it is now."""
    sender = context.connection.execute(_SENDER, {"uris": [message["actor_uri"]]}).mappings().one_or_none()
    return _prepare(context, message, sender, fetched)


def _prepare(
    context: Context,
    message: RowMapping,
    sender: RowMapping | None,
    fetched: Mapping[str, Resolved | None],
) -> Prepared:
    try:
        if sender is None or sender["deleted_at"] or sender["suspended_at"]:
            raise Ignored(N_("The sender is gone or suspended."))
        incoming = Incoming(read_activity(parse.load(message["body"])), sender, fetched)
        handler = _handler(message["as_type"])
        return Prepared(message, incoming, tuple(handler.needs(context, incoming)))
    except SQLAlchemyError:
        raise  # the transaction of all is broken, whoever's message it was
    except Exception as error:  # noqa: BLE001 - one message that cannot be read does not stop the others
        return Prepared(message, None, error=error)


def _handler(as_type: str) -> Handler:
    handler: Handler | None = registry.handlers.get(as_type)
    if handler is None:
        raise Ignored(N_("This type is not understood here."), counter="unsupported-activity", key=as_type)
    return handler


def apply(context: Context, message_id: int, incoming: Incoming) -> None:
    """Claim the message and do what it says, all or nothing; a message dealt with before changes nothing."""
    if not context.connection.execute(_CLAIM, {"message_id": message_id, "now": context.now()}).rowcount:
        return
    handler = _handler(incoming.activity.as_type)
    handler.verify(context, incoming)
    handler.receive(context, incoming)
    forwarding.forward(context, message_id, incoming)
    context.after_commit(MessageHandled(message_id, "done"))


def finish(context: Context, message: RowMapping, error: Exception) -> None:
    """Write down why a message had no effect: ignored, put off, or parked after eight tries."""
    now = context.now()
    attempts = message["attempts"] + 1
    final = isinstance(error, EsnfedError) and not isinstance(error, RemoteError | Conflict)
    if final:
        state = "ignored"
        counter, key = (
            (error.counter, error.key) if isinstance(error, Ignored) else ("refused", type(error).__name__)
        )
        counters.count(context, counter, key or message["as_type"])
    else:
        state = "parked" if attempts >= MAX_ATTEMPTS else "waiting"
    context.connection.execute(
        _FINISH,
        {
            "message_id": message["id"],
            "new_state": state,
            "new_note": f"{error}" if isinstance(error, EsnfedError) else repr(error)[:500],
            "at": now + BACK_OFF[min(attempts, len(BACK_OFF)) - 1] * 1000,
            "done": None if state == "waiting" else now,
        },
    )
    context.after_commit(MessageHandled(message["id"], state))


_REPLAY = (
    update(inbox_message)
    .where(inbox_message.c.id == bindparam("message_id"), inbox_message.c.state.in_(("parked", "ignored")))
    .values(state="waiting", attempts=0, next_at=bindparam("now"), note="", done_at=None)
)


def replay(context: Context, message_id: int) -> bool:
    """Let a parked or ignored message meet its handler again; False when it is in another state."""
    changed = context.connection.execute(_REPLAY, {"message_id": message_id, "now": context.now()})
    if changed.rowcount:
        context.after_commit(InboxWaiting())
    return bool(changed.rowcount)
