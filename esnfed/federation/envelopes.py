"""What a delivery carries: body bytes and digest once per activity, the signer's key once per actor."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass
from typing import Final

from sqlalchemy import bindparam, select

from esnfed.bus import ActorChanged, Bus
from esnfed.context import Context
from esnfed.database import Database
from esnfed.federation import proving
from esnfed.federation.claims import Claim
from esnfed.federation.digests import sha256_base64
from esnfed.federation.keys import KeyRing
from esnfed.federation.recollection import Recollection
from esnfed.federation.signatures import Signer
from esnfed.models.actor_key import actor_key

MAX_BODIES: Final = 256
MAX_BYTES: Final = 16 * 1024 * 1024
MAX_SIGNERS: Final = 1_000

_KEYS = (
    select(actor_key.c.actor_id, actor_key.c.uri, actor_key.c.private_der)
    .where(
        actor_key.c.actor_id.in_(bindparam("ids", expanding=True)),
        actor_key.c.kind == "rsa",
        actor_key.c.private_der.is_not(None),
        actor_key.c.retired_at.is_(None),
    )
    .order_by(actor_key.c.id)
)

_NAMED = select(actor_key.c.id, actor_key.c.uri, actor_key.c.private_der).where(
    actor_key.c.id.in_(bindparam("ids", expanding=True)), actor_key.c.private_der.is_not(None)
)


@dataclass(frozen=True, slots=True)
class Letter:
    """The bytes of an activity and their SHA-256 in base64, the same for every host."""

    body: bytes
    digest: str
    actor_id: int
    """Whose key made the proof, if there is one: with another key it is another letter."""

    key_id: int | None = None
    """The key that signs a first attempt, where not the newest: new keys come signed with the old one."""


@dataclass(frozen=True, slots=True)
class _Missing:
    bodies: dict[int, proving.Body]
    keys: dict[int, tuple[str, bytes]]


class Envelopes:
    """Letters and signers of one node, remembered within bounds of count and bytes.

    RSA signs every delivery, since all servers take it (federation.md A3). An actor whose keys change is
    forgotten by the ActorChanged event, with the letters that it has proven.
    """

    def __init__(self, database: Database, keys: KeyRing, clock: Callable[[], int], bus: Bus) -> None:
        self._database = database
        self._keys = keys
        self._letters: OrderedDict[int, Letter] = OrderedDict()
        self._bytes = 0
        self._key_uris: Recollection[int, str] = Recollection(clock, MAX_SIGNERS)
        bus.listen(ActorChanged, self._forget)

    async def prepare(self, claims: Collection[Claim]) -> dict[int, tuple[Letter, Signer | None]]:
        """Return letter and signer for each claim by its id; one read when something is not yet known.

        The signer is None for an actor without a usable key. An activity that was deleted meanwhile, and its
        deliveries with it, is left out.
        """
        activities = {claim.activity_id for claim in claims}
        actors = {claim.actor_id for claim in claims}
        letters = {known: self._letters[known] for known in activities if known in self._letters}
        signers = {known: signer for known in actors if (signer := self._known_signer(known)) is not None}
        unread, unsigned = activities - letters.keys(), actors - signers.keys()
        if unread or unsigned:
            mark = self._key_uris.mark
            missing = await self._database.read(_read, sorted(unread), sorted(unsigned))
            letters |= {number: self._keep(number, body, mark) for number, body in missing.bodies.items()}
            signers |= {
                number: self._keep_signer(number, uri, der, mark)
                for number, (uri, der) in missing.keys.items()
            }
        self._touch(activities)
        older = await self._older(claims, letters)
        return {
            claim.id: (letters[claim.activity_id], older.get(claim.id) or signers.get(claim.actor_id))
            for claim in claims
            if claim.activity_id in letters
        }

    async def _older(self, claims: Collection[Claim], letters: dict[int, Letter]) -> dict[int, Signer]:
        """Return the signers of those claims whose letter names a key; a second attempt takes the newest.

        A server that has fetched the actor meanwhile knows the old key no more.
        """
        named = {
            claim.id: letter.key_id
            for claim in claims
            if claim.attempts == 0
            and (letter := letters.get(claim.activity_id)) is not None
            and letter.key_id is not None
        }
        if not named:
            return {}
        keys = await self._database.read(_read_keys, sorted(set(named.values())))
        return {
            claim_id: Signer(uri, self._keys.private(uri) or self._keys.keep_private(uri, der))
            for claim_id, key_id in named.items()
            for uri, der in keys.get(key_id, ())
        }

    def _known_signer(self, actor_id: int) -> Signer | None:
        uri = self._key_uris.get(actor_id)
        private = None if uri is None else self._keys.private(uri)
        return None if uri is None or private is None else Signer(uri, private)

    def _keep_signer(self, actor_id: int, uri: str, der: bytes, mark: int) -> Signer:
        self._key_uris.keep(actor_id, uri, mark)
        return Signer(uri, self._keys.private(uri) or self._keys.keep_private(uri, der))

    def _keep(self, activity_id: int, body: proving.Body, mark: int) -> Letter:
        letter = Letter(body.data, sha256_base64(body.data), body.actor_id, body.key_id)
        if not self._key_uris.holds(mark):  # proven, perhaps, with a key that was retired meanwhile
            return letter
        self._letters[activity_id] = letter
        self._bytes += len(letter.body)
        while len(self._letters) > 1 and (len(self._letters) > MAX_BODIES or self._bytes > MAX_BYTES):
            self._bytes -= len(self._letters.popitem(last=False)[1].body)
        return letter

    def _touch(self, activities: Iterable[int]) -> None:
        for number in activities:
            if number in self._letters:
                self._letters.move_to_end(number)

    def _forget(self, event: ActorChanged) -> None:
        uri = self._key_uris.last(event.actor_id)
        self._key_uris.forget(event.actor_id)
        if uri is not None:
            self._keys.forget(uri)
        for number in [id_ for id_, letter in self._letters.items() if letter.actor_id == event.actor_id]:
            self._bytes -= len(self._letters.pop(number).body)


def _read(context: Context, activities: list[int], actors: list[int]) -> _Missing:
    bodies = proving.bodies(context, activities) if activities else {}
    keys: dict[int, tuple[str, bytes]] = {}
    if actors:
        rows = context.connection.execute(_KEYS, {"ids": actors})
        keys = {row.actor_id: (row.uri, row.private_der) for row in rows}  # of several, the newest
    return _Missing(bodies, keys)


def _read_keys(context: Context, ids: list[int]) -> dict[int, list[tuple[str, bytes]]]:
    """Return (address, private key) by id, in a list; none for a key that was retired."""
    return {row.id: [(row.uri, row.private_der)] for row in context.connection.execute(_NAMED, {"ids": ids})}
