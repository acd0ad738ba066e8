"""First contact: how much a server that nobody here has met may deliver in its first hour (federation.md F3).

A stranger with four hundred mentions is stopped while they are few; a server that somebody here follows, or
that an administrator allowed, is no stranger.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final, Literal

from sqlalchemy import RowMapping, Text, bindparam, delete, exists, select

from esnfed.bus import Bus, PeerChanged
from esnfed.config import Config
from esnfed.context import Context, Runtime
from esnfed.database import Database
from esnfed.errors import Busy, TooMany
from esnfed.jobs import every
from esnfed.models import actor, first_contact, follow, insert, peer
from esnfed.vocab import parse, paths
from esnfed.vocab.activity import Activity
from esnfed.vocab.authority import same_origin

HOUR: Final = 3_600_000
LIMIT: Final = 10_000
"""Servers kept in mind, the least recently heard leaving first."""

LOOK_AGAIN: Final = 60_000
"""A stranger may have been followed meanwhile: that is asked again after a minute."""

KEPT: Final = 7 * 24 * HOUR
PRUNE_STEP: Final = 500

_HOST = bindparam("of_host", type_=Text)
_KNOWN = select(
    select(peer.c.standing).where(peer.c.host == _HOST).scalar_subquery().label("standing"),
    select(peer.c.first_seen_at).where(peer.c.host == _HOST).scalar_subquery().label("seen_at"),
    exists(
        select(1)
        .select_from(actor.join(follow, follow.c.target_id == actor.c.id))
        .where(actor.c.host == _HOST, follow.c.state.in_(("pending", "accepted")))
    ).label("followed"),
)
_COUNTS = select(first_contact).where(first_contact.c.host == _HOST)
_NEW = insert(first_contact)
_WRITE = _NEW.on_conflict_do_update(
    index_elements=["host"],
    set_={name: getattr(_NEW.excluded, name) for name in ("began_at", "activities", "mentions", "refused")},
)
_EXPIRED = delete(first_contact).where(
    first_contact.c.host.in_(
        select(first_contact.c.host).where(first_contact.c.began_at < bindparam("before")).limit(PRUNE_STEP)
    )
)


@dataclass(slots=True)
class _Stranger:
    """What one server has delivered; `exempt` while it is followed or allowed, or its hour is over."""

    began_at: int
    exempt: bool
    look_at: int
    activities: int = 0
    mentions: int = 0
    refused: int = 0


class FirstContacts:
    """Counts deliveries of servers in their first hour, in memory, bounded; `step` writes the counts.

    A crash forgets what was counted since the last step, some seconds; nothing else.
    """

    def __init__(self, database: Database, runtime: Runtime, bus: Bus) -> None:
        self._database = database
        self._config: Config = runtime.config
        self._clock = runtime.clock
        self._strangers: OrderedDict[str, _Stranger] = OrderedDict()
        self._changed: dict[str, _Stranger] = {}
        bus.listen(PeerChanged, lambda event: self._look_again(event.host))

    def __len__(self) -> int:
        """The number of servers kept in mind."""
        return len(self._strangers)

    async def admit(self, host: str, activity: Activity) -> None:
        """Count one proven activity that `host` delivered; raises TooMany until its first hour is over."""
        stranger = await self._find(host)
        now = self._clock()
        if stranger.exempt or now >= stranger.began_at + HOUR:
            return
        mention = is_unasked_mention(self._config, activity)
        over = stranger.activities >= self._config.first_contact_activities or (
            mention and stranger.mentions >= self._config.first_contact_mentions
        )
        if over:
            stranger.refused += 1
        else:
            stranger.activities += 1
            stranger.mentions += mention
        if len(self._changed) < LIMIT:
            self._changed[host] = stranger
        if over:
            wait = (stranger.began_at + HOUR - now) // 1000 + 1
            raise TooMany("This server is new here; it may come back when its first hour is over.", wait)

    async def step(self) -> bool:
        """Write down what was counted since the last step; False when there was nothing."""
        changed, self._changed = self._changed, {}
        if not changed:
            return False
        rows = [
            {
                "host": host,
                "began_at": each.began_at,
                "activities": each.activities,
                "mentions": each.mentions,
                "refused": each.refused,
            }
            for host, each in sorted(changed.items())
        ]
        for start in range(0, len(rows), PRUNE_STEP):
            try:
                await self._database.write(_write, rows[start : start + PRUNE_STEP], background=True)
            except Busy:
                self._changed = changed | self._changed  # counted again, and written with the next step
                raise
        return True

    async def _find(self, host: str) -> _Stranger:
        found, now = self._strangers.get(host), self._clock()
        if found is None:
            read: _Stranger = await self._database.read(_read, host)
            # Another request may have been faster, and what was counted may not be written yet.
            found = self._strangers.setdefault(host, self._changed.get(host, read))
            while len(self._strangers) > LIMIT:
                self._strangers.popitem(last=False)
        self._strangers.move_to_end(host)
        if found.look_at <= now < found.began_at + HOUR:
            found.look_at = now + LOOK_AGAIN
            found.exempt = (await self._database.read(_read, host)).exempt
        return found

    def _look_again(self, host: str) -> None:
        stranger = self._strangers.get(host)
        if stranger is not None:
            stranger.look_at = 0


def is_unasked_mention(config: Config, activity: Activity) -> bool:
    """Say whether a Create names somebody here without answering a post of this node."""
    document = activity.object_document
    if activity.as_type != "Create" or document is None:
        return False
    if same_origin(parse.reference(document.get("inReplyTo")) or "", config.origin):
        return False
    prefix = paths.actor(config.origin, 0)[:-1]
    tags = [tag.get("href") for tag in parse.items(document.get("tag")) if isinstance(tag, dict)]
    named = (*parse.references(document.get("to")), *parse.references(document.get("cc")), *tags)
    return any(
        isinstance(uri, str) and uri.startswith(prefix) for uri in (*named, *activity.to, *activity.cc)
    )


def _read(context: Context, host: str) -> _Stranger:
    now = context.now()
    known = context.connection.execute(_KNOWN, {"of_host": host}).one()
    counted = context.connection.execute(_COUNTS, {"of_host": host}).mappings().one_or_none()
    began_at = counted["began_at"] if counted else known.seen_at or now
    exempt = known.standing == "allowed" or known.followed or now >= began_at + HOUR
    stranger = _Stranger(began_at, exempt, now + LOOK_AGAIN)
    if counted:
        stranger.activities, stranger.mentions = counted["activities"], counted["mentions"]
        stranger.refused = counted["refused"]
    return stranger


def _write(context: Context, rows: Sequence[dict[str, Any]]) -> None:
    context.connection.execute(_WRITE, list(rows))


def counts(context: Context, host: str) -> RowMapping | None:
    """Return what a server delivered in its first hour here, for a week; None when it was never counted."""
    return context.connection.execute(_COUNTS, {"of_host": host}).mappings().one_or_none()


@every(6 * 3_600, "first-contacts-prune")
def prune(context: Context, _cursor: object) -> Literal[True] | None:
    """Forget first contacts of more than a week ago."""
    removed = context.connection.execute(_EXPIRED, {"before": context.now() - KEPT}).rowcount
    return True if removed >= PRUNE_STEP else None
