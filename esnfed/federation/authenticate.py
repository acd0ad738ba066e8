"""Who signed a request: the one verifier of every inbox and of every signed fetch (federation.md A3, C1)."""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass

from sqlalchemy import bindparam, select

from esnfed.bus import ActorChanged, Bus
from esnfed.context import Context, Runtime
from esnfed.database import Database
from esnfed.errors import Busy, Refused, RemoteError, RemoteUnreachable, Unauthenticated
from esnfed.federation import proofs, signatures
from esnfed.federation.discovery import Discovery, store_actor
from esnfed.federation.keys import KeyRing, PublicKey
from esnfed.federation.parsed_signature import ParsedSignature, SignedRequest
from esnfed.federation.peer_book import PeerBook
from esnfed.federation.proofs import Proof
from esnfed.federation.recollection import Recollection
from esnfed.i18n import N_
from esnfed.models import actor, actor_key
from esnfed.vocab.authority import authority_of
from esnfed.vocab.parse import Document

KEY_FETCHES = 16
KEY_FETCH_SECONDS = 8
REFRESH_EVERY = 60_000
IDENTITIES = 10_000


@dataclass(frozen=True, slots=True)
class Identity:
    """Who a key belongs to. `host` is the normalised authority of the actor: the key into `peer`."""

    actor_id: int
    actor_uri: str
    host: str
    key_uri: str


_BY_KEY = (
    select(actor.c.id, actor.c.uri, actor.c.host, actor.c.suspended_at, actor.c.local, actor_key.c.public_der)
    .join(actor_key, actor_key.c.actor_id == actor.c.id)
    .where(actor_key.c.uri == bindparam("key_uri"), actor_key.c.retired_at.is_(None))
)


class Authenticator:
    """Verifies signatures with cached keys; an unknown key is fetched once, a failing one once more."""

    def __init__(
        self,
        database: Database,
        discovery: Discovery,
        keyring: KeyRing,
        book: PeerBook,
        runtime: Runtime,
        bus: Bus,
    ) -> None:
        self._database = database
        self._discovery = discovery
        self._keyring = keyring
        self._book = book
        self._clock: Callable[[], int] = runtime.clock
        self._fetching = asyncio.Semaphore(KEY_FETCHES)
        self._identities: Recollection[str, Identity] = Recollection(runtime.clock, IDENTITIES)
        self._refreshed: OrderedDict[str, int] = OrderedDict()
        bus.listen(ActorChanged, self._forget)

    def _forget(self, event: ActorChanged) -> None:
        self._identities.note_change()
        gone = [key for key, identity in self._identities if identity.actor_id == event.actor_id]
        for key_uri in gone:
            self._identities.forget(key_uri)
            self._keyring.forget(key_uri)

    async def requester(self, request: SignedRequest) -> Identity | None:
        """Return who signed a GET, None when nobody did; raises as `prove`."""
        if not request.headers.getall("Signature", []) and not request.headers.getall("Authorization", []):
            return None
        parsed = signatures.parse(
            request.method, request.target, request.authority, request.scheme, request.headers
        )
        await self.gate(parsed, None)
        return await self.prove(parsed)

    async def gate(self, parsed: ParsedSignature, body: bytes | None) -> None:
        """Check all that needs no key, cheapest first: standing of the host, coverage, time, digest.

        Raises Malformed, Unauthenticated, or Refused for a blocked host.
        """
        if await self._book.is_blocked(authority_of(parsed.key_uri)):
            raise Refused(N_("This server is blocked here."))
        signatures.check(parsed, body=body, now_ms=self._clock())

    async def known(self, key_uri: str) -> Identity | None:
        """Return whose key this is when the actor is known here; nothing is proven by it."""
        identity = self._identities.get(key_uri)
        if identity is not None and self._keyring.public(key_uri) is not None:
            return identity
        return await self._read(key_uri)

    async def _read(self, key_uri: str) -> Identity | None:
        mark = self._identities.mark
        found = await self._database.read(_by_key, key_uri)
        return self._keep(*found, mark) if found else None

    def _keep(self, identity: Identity, public_der: bytes, mark: int) -> Identity:
        """Put the key on the ring, where only who has an identity in hand looks for it."""
        self._keyring.keep_public(identity.key_uri, public_der)
        self._identities.keep(identity.key_uri, identity, mark)
        return identity

    async def prove(self, parsed: ParsedSignature) -> Identity:
        """Verify the signature and return who made it.

        Raises Unauthenticated when it is wrong or its key cannot be believed, Busy (503, so that the peer
        tries again) when the key could not be fetched just now.
        """
        identity = await self._owner(parsed.key_uri, lambda key: signatures.verify(parsed, key))
        if self._book.heard(identity.host):
            self._discovery.heard(identity.host)
        if parsed.kind == "rfc9421":
            self._book.learned(identity.host, "rfc9421")
        return identity

    async def vouch(self, proof: Proof, document: Document) -> Identity:
        """Verify the proof of a document and return whose it is.

        Raises as `prove`, and Refused for a blocked host. Nothing is learned about that server: it is not the
        one that speaks.
        """
        if await self._book.is_blocked(authority_of(proof.key_uri)):
            raise Refused(N_("This server is blocked here."))
        return await self._owner(proof.key_uri, lambda key: proofs.verify(proof, document, key))

    async def _owner(self, key_uri: str, verify: Callable[[PublicKey], None]) -> Identity:
        """Return whose key satisfies `verify`: the one that is known here, or as its server shows it now."""
        identity = await self.known(key_uri)
        fresh = identity is None
        if identity is None:
            identity = await self._fetch(key_uri)
        try:
            verify(self._key(key_uri))
        except Unauthenticated:
            if fresh or not self._may_refresh(key_uri):
                raise
            identity = await self._fetch(key_uri)
            verify(self._key(key_uri))
        return identity

    def _key(self, key_uri: str) -> PublicKey:
        key = self._keyring.public(key_uri)
        if key is None:
            raise Unauthenticated(N_("The key of the signature is not known."))
        return key

    def _may_refresh(self, key_uri: str) -> bool:
        """A key may have changed under its address; ask once a minute, not at every forged request."""
        now = self._clock()
        if self._refreshed.get(key_uri, -REFRESH_EVERY) + REFRESH_EVERY > now:
            return False
        self._refreshed[key_uri] = now
        while len(self._refreshed) > IDENTITIES:
            self._refreshed.popitem(last=False)
        return True

    async def _fetch(self, key_uri: str) -> Identity:
        try:
            async with asyncio.timeout(KEY_FETCH_SECONDS), self._fetching:
                resolved = await self._discovery.key_owner(key_uri)
        except (TimeoutError, RemoteUnreachable) as error:
            raise Busy(N_("The key of the signature could not be fetched just now."), 60) from error
        except RemoteError as error:
            raise Unauthenticated(N_("The key of the signature could not be fetched.")) from error
        await self._database.write(store_actor, resolved.document, resolved.domain)
        identity = await self._read(key_uri)
        if identity is None:
            raise Unauthenticated(N_("The key does not belong to the actor that it names."))
        return identity


def _by_key(context: Context, key_uri: str) -> tuple[Identity, bytes] | None:
    row = context.connection.execute(_BY_KEY, {"key_uri": key_uri}).one_or_none()
    if row is None or row.suspended_at or row.local:
        return None
    return Identity(row.id, row.uri, row.host, key_uri), row.public_der
