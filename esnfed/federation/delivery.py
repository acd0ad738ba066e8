"""The worker that sends what is queued: fair between servers, in order within one, and patient with the dead.

Everything that matters is in rows; what the worker keeps in memory is rebuilt from them. A crash at any
moment is only a delay: what was under way is still queued and is sent again, and peers know an activity
by its id.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Final, Protocol

from esnfed.bus import Bus, DeliveriesQueued, PeerChanged
from esnfed.context import Context, Runtime
from esnfed.database import Database
from esnfed.errors import Busy, RemoteError, RemoteUnreachable
from esnfed.federation import delivery_notes as notes
from esnfed.federation import followers_sync, reasons, retry
from esnfed.federation.agenda import Agenda
from esnfed.federation.answers import Answer
from esnfed.federation.claims import Claim, claim, dues
from esnfed.federation.envelopes import Envelopes, Letter
from esnfed.federation.keys import KeyRing
from esnfed.federation.parsed_signature import Scheme
from esnfed.federation.queueing import queue
from esnfed.federation.results import Result, record
from esnfed.federation.retry import Outcome
from esnfed.federation.signatures import Signer

__all__ = ["DeliveryWorker", "Poster", "queue"]

log = logging.getLogger(__name__)

MAX_IN_FLIGHT: Final = 32
REFRESH: Final = 10 * retry.MINUTE
"""The agenda is read anew from the rows at least this often, should an event have been lost."""

_AGAIN: Final = retry.SECOND
"""When a server that had nothing to claim, though something is due, is looked at again."""

_OUR_RULES = frozenset({reasons.ADDRESS, reasons.SCHEME, reasons.OWN_ADDRESS, reasons.UNKNOWN_HERE})


class Poster(Protocol):
    """What the worker needs of the transport."""

    async def post(
        self,
        url: str,
        body: bytes,
        *,
        signer: Signer,
        scheme: Scheme | None = None,
        digest: str | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> Answer:
        """Send a signed POST, its `headers` covered; returns the answer whatever its status.

        Raises RemoteError when there is none.
        """


@dataclass(frozen=True, slots=True)
class Turn:
    """What one unit of work of the scheduler gave: deliveries to send, and when to look at other hosts."""

    claims: list[Claim]
    dues: dict[str, int]


def turn(
    context: Context, results: Sequence[Result], asked: Sequence[str], flying: Collection[Claim], room: int
) -> Turn:
    """Write what became of deliveries, claim the next ones, and say when idle hosts are due."""
    record(context, results)
    claims = claim(context, asked, flying, room)
    busy = {entry.host for entry in (*claims, *flying)}
    idle = {*asked, *(result.claim.host for result in results)} - busy
    return Turn(claims, dues(context, sorted(idle)))


class DeliveryWorker:
    """Sends queued deliveries. One worker runs per database; a second would only send some twice.

    `step` and `drain` turn it by hand; `run` is the loop of a serving node. The two are not mixed.
    """

    def __init__(
        self,
        database: Database,
        transport: Poster,
        keys: KeyRing,
        runtime: Runtime,
        bus: Bus,
        *,
        fault_pause: float = 5.0,
    ) -> None:
        self._database = database
        self._transport = transport
        self._clock = runtime.clock
        self._envelopes = Envelopes(database, keys, runtime.clock, bus)
        self._fault_pause = fault_pause
        self._agenda = Agenda()
        self._refresh_at = 0
        self._news: set[str] = set()
        self._flying: dict[int, Claim] = {}
        self._results: list[Result] = []
        self._tasks: set[asyncio.Task[None]] = set()
        self._bell = asyncio.Event()
        bus.listen(DeliveriesQueued, lambda event: self._wake(event.hosts))
        bus.listen(PeerChanged, lambda event: self._wake((event.host,)))

    async def step(self) -> bool:
        """Do one scheduling round to its end, answers written; False when nothing was due."""
        claims = await self._turn(claiming=True)
        await self._launch(claims)
        await asyncio.gather(*self._tasks)
        if self._results:
            await self._turn(claiming=False)
        return bool(claims)

    async def drain(self) -> None:
        """Do rounds until nothing is due."""
        while await self.step():
            pass

    async def run(self) -> None:
        """Send what is due, and wait for what comes, until cancelled; then write what had been answered.

        What is under way at that moment is broken off, stays queued and is sent at the next start.
        """
        try:
            while True:
                try:
                    await self._wait()
                    await self._launch(await self._turn(claiming=True))
                except Busy as error:
                    log.debug("deliveries wait: %s", error)
                    await asyncio.sleep(self._fault_pause)
                except Exception:
                    log.exception("the delivery worker goes on after a pause")
                    await asyncio.sleep(self._fault_pause)
        finally:
            await self._land()

    def _wake(self, hosts: Sequence[str]) -> None:
        self._news.update(hosts)
        self._bell.set()

    async def _wait(self) -> None:
        """Return as soon as a turn has something to do."""
        while not (pause := self._idle_for()) <= 0:
            self._bell.clear()
            try:
                async with asyncio.timeout(pause / retry.SECOND):
                    await self._bell.wait()
            except TimeoutError:
                continue

    def _idle_for(self) -> int:
        """Milliseconds until a turn is worth while, 0 or less when it is now."""
        now = self._clock()
        if self._results or self._news:
            return 0
        due = self._agenda.next_due()
        full = len(self._flying) >= MAX_IN_FLIGHT
        return (self._refresh_at if due is None or full else min(due, self._refresh_at)) - now

    async def _turn(self, *, claiming: bool) -> list[Claim]:
        """Write results, claim for the hosts that are due, and set the agenda by what the rows say."""
        await self._read_agenda()
        now = self._clock()
        results, self._results = self._results, []
        landed = {result.claim.id for result in results}
        flying = [entry for number, entry in self._flying.items() if number not in landed]
        self._agenda.wake(sorted({*self._news, *(result.claim.host for result in results)}), now)
        self._news.clear()
        room = MAX_IN_FLIGHT - len(flying) if claiming else 0
        asked = self._agenda.take(now, room)
        if not results and not asked:
            return []
        try:
            done = await self._database.write(turn, results, asked, flying, room, background=True)
        except BaseException:
            self._results = results + self._results
            self._news.update(asked)
            raise
        for number in landed:
            del self._flying[number]
        for host, due in done.dues.items():
            soonest = now + _AGAIN if host in asked else now
            self._agenda.put(host, due if due > now else soonest)
        return done.claims

    async def _read_agenda(self) -> None:
        now = self._clock()
        if now < self._refresh_at:
            return
        busy = {entry.host for entry in self._flying.values()}
        for host, due in (await self._database.read(dues, slow=True)).items():
            if host not in busy:
                self._agenda.put(host, max(due, now))
        self._refresh_at = now + REFRESH

    async def _launch(self, claims: list[Claim]) -> None:
        """Start a task for each claim; claims of activities that are gone by now are forgotten."""
        if not claims:
            return
        try:
            envelopes = await self._envelopes.prepare(claims)
            headers = await self._headers(claims, envelopes)
        except BaseException:
            self._news.update(entry.host for entry in claims)
            raise
        for entry in claims:
            if entry.id in envelopes:
                self._flying[entry.id] = entry
                task = asyncio.create_task(self._fly(entry, *envelopes[entry.id], headers.get(entry.id)))
                self._tasks.add(task)
                task.add_done_callback(self._tasks.discard)
            else:
                self._news.add(entry.host)

    async def _headers(
        self, claims: list[Claim], envelopes: Mapping[int, tuple[Letter, Signer | None]]
    ) -> dict[int, dict[str, str]]:
        """What goes to followers only says who they are (FEP-8fcf), as they are now."""
        parcels = [
            parcel
            for each in claims
            if each.id in envelopes
            if (parcel := followers_sync.parcel(each, envelopes[each.id][0].body))
        ]
        return await self._database.read(followers_sync.headers_for, parcels) if parcels else {}

    async def _fly(
        self, claim: Claim, letter: Letter, signer: Signer | None, headers: Mapping[str, str] | None
    ) -> None:
        # First: a turn puts a new list in place meanwhile.
        result = await self._send(claim, letter, signer, headers)
        self._results.append(result)
        self._bell.set()

    async def _send(
        self, claim: Claim, letter: Letter, signer: Signer | None, headers: Mapping[str, str] | None
    ) -> Result:
        if signer is None:
            return Result(claim, Outcome.FINAL, error=notes.NO_KEY, blames_host=False)
        try:
            answer = await self._transport.post(
                claim.inbox,
                letter.body,
                signer=signer,
                scheme=claim.scheme,
                digest=letter.digest,
                headers=headers,
            )
        except RemoteError as error:
            return _unanswered(claim, error)
        except Exception:
            log.exception("delivery %s to %s", claim.id, claim.inbox)
            return Result(claim, Outcome.RETRY, error=notes.INTERNAL, blames_host=False)
        outcome = retry.judge(answer.status)
        return Result(
            claim,
            outcome,
            status=answer.status,
            error=None if outcome is Outcome.DELIVERED else answer.text,
            retry_after=answer.retry_after if outcome is Outcome.RETRY else None,
            scheme=answer.knocked,
        )

    async def _land(self) -> None:
        """Break off what is under way and write what was answered."""
        tasks = list(self._tasks)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        if self._results:
            try:
                await self._turn(claiming=False)
            except Busy as error:
                number = len(self._results)
                log.warning("%d answers could not be written; these deliveries go again: %s", number, error)
            except Exception:
                log.exception(
                    "%d answers could not be written; these deliveries go again", len(self._results)
                )
        self._flying.clear()


def _unanswered(claim: Claim, error: RemoteError) -> Result:
    """No answer: the server's trouble, unless it was our own rules or our own crowding that stopped it."""
    text = str(error)
    if text in _OUR_RULES:
        return Result(claim, Outcome.FINAL, error=text, blames_host=False)
    retry_after = error.retry_after if isinstance(error, RemoteUnreachable) else None
    return Result(
        claim,
        Outcome.RETRY,
        error=text,
        retry_after=retry_after,
        blames_host=text not in reasons.PASSING,
    )
