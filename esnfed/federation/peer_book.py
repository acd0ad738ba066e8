"""What one node keeps in mind about its peers between two looks into the database: standing and scheme."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import bindparam, select

from esnfed.bus import Bus, PeerChanged
from esnfed.context import Context, Runtime
from esnfed.database import Database
from esnfed.federation import peers
from esnfed.federation.parsed_signature import Scheme
from esnfed.federation.recollection import Recollection
from esnfed.models import peer

LIMIT = 10_000
HEARD_EVERY = 5 * 60 * 1000
_PEER = select(peer.c.standing, peer.c.scheme, peer.c.scheme_expires_at).where(
    peer.c.host == bindparam("of_host")
)


@dataclass(slots=True)
class _Entry:
    standing: str
    scheme: Scheme | None
    scheme_expires_at: int
    known: bool


class PeerBook:
    """At most 10,000 peers, the least recently needed leaving first; the database stays the truth.

    What was read is read again after a minute, and as soon as the peer is changed by hand.

    `step` writes down what was learned meanwhile; a loop of the node calls it every few seconds.
    """

    def __init__(self, database: Database, runtime: Runtime, bus: Bus) -> None:
        self._database = database
        self._clock = runtime.clock
        self._entries: Recollection[str, _Entry] = Recollection(runtime.clock, LIMIT)
        self._lately: Recollection[str, bool] = Recollection(runtime.clock, LIMIT, HEARD_EVERY)
        self._learned: dict[str, Scheme] = {}
        self._heard: set[str] = set()
        bus.listen(PeerChanged, lambda event: self._entries.forget(event.host))

    async def _entry(self, host: str) -> _Entry:
        entry = self._entries.get(host)
        if entry is None:
            mark = self._entries.mark
            entry = await self._database.read(_read, host)
            self._entries.keep(host, entry, mark)
        return entry

    async def is_blocked(self, host: str) -> bool:
        """Say whether nothing from this host is wanted; brings it to mind for `scheme_for` and `knows`."""
        return (await self._entry(host)).standing == "blocked"

    def knows(self, host: str) -> bool:
        """Say whether the host is a peer already, so that talking to it is no discovery."""
        entry = self._entries.last(host)
        return entry is not None and entry.known

    def scheme_for(self, host: str) -> Scheme:
        """Return the scheme to knock with first: the learned one, else cavage, which everybody takes."""
        entry = self._entries.last(host)
        if entry is None or entry.scheme is None or entry.scheme_expires_at <= self._clock():
            return "cavage"
        return entry.scheme

    def learned(self, host: str, scheme: Scheme) -> None:
        """Note that a host takes, or itself uses, a scheme."""
        if self.scheme_for(host) == scheme:
            return
        entry = self._entries.last(host)
        if entry is not None:
            entry.scheme, entry.scheme_expires_at = scheme, self._clock() + peers.SCHEME_LIFETIME
        if len(self._learned) < LIMIT:
            self._learned[host] = scheme

    def heard(self, host: str) -> bool:
        """Note that a host sent us something; False when that was noted within the last five minutes."""
        if self._lately.get(host):
            return False
        self._lately.keep(host, True, self._lately.mark)
        if len(self._heard) < LIMIT:
            self._heard.add(host)
        return True

    async def step(self) -> bool:
        """Write down what was learned and heard since the last step; False when there was nothing."""
        learned, heard = dict(self._learned), set(self._heard)
        for host, scheme in learned.items():
            await self._database.write(peers.learned_scheme, host, scheme, background=True)
            if self._learned.get(host) == scheme:  # else something newer was learned meanwhile
                del self._learned[host]
        for host in heard:
            await self._database.write(peers.seen, host, background=True)
            self._heard.discard(host)
        return bool(learned or heard)


def _read(context: Context, host: str) -> _Entry:
    row = context.connection.execute(_PEER, {"of_host": host}).one_or_none()
    if row is None:
        return _Entry("open", None, 0, known=False)
    return _Entry(row.standing, row.scheme or None, row.scheme_expires_at or 0, known=True)
