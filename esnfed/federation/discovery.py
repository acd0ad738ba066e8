"""Actors and objects fetched from their origin, an actor with its account domain confirmed by WebFinger."""

from __future__ import annotations

import logging
from dataclasses import dataclass

from sqlalchemy import bindparam, func, select

from esnfed import registry
from esnfed.context import Context
from esnfed.database import Database
from esnfed.errors import NotFound, RemoteError, RemoteNonsense, RemoteRefused
from esnfed.federation import reasons, webfinger
from esnfed.federation.handling import Resolved
from esnfed.federation.pacing import Budget
from esnfed.federation.peer_book import PeerBook
from esnfed.federation.resolver import Resolver
from esnfed.federation.transport import Transport
from esnfed.i18n import N_
from esnfed.models import actor
from esnfed.vocab import authorship, parse
from esnfed.vocab.authority import authority_of, normalise_authority
from esnfed.vocab.parse import Document
from esnfed.vocab.terms import ACTOR_TYPES

log = logging.getLogger(__name__)

_BY_URI = select(actor.c.id).where(actor.c.uri == bindparam("uri"), actor.c.deleted_at.is_(None))
_BY_ACCOUNT = (
    select(actor.c.id)
    .where(
        func.lower(actor.c.handle) == bindparam("handle"),
        actor.c.domain == bindparam("domain"),
        actor.c.deleted_at.is_(None),
    )
    .order_by(actor.c.fetched_at.desc())
    .limit(1)
)

_ANOTHER = frozenset({reasons.OTHER_ACTOR, reasons.OTHER_SUBJECT, reasons.OWN_ADDRESS})
"""The account that the actor says it has is another's: WebFinger says so, or it would be one of ours."""


def store_actor(context: Context, document: Document, domain: str) -> int:
    """Store a fetched actor through the receiver of its type; return its id."""
    return int(registry.receivers[parse.type_of(document)](context, document, domain))


def _find(context: Context, name: str) -> int | None:
    if name.startswith(("http://", "https://")):
        found: int | None = context.connection.execute(_BY_URI, {"uri": name}).scalar()
        return found
    handle, _, domain = name.removeprefix("acct:").removeprefix("@").partition("@")
    domain = normalise_authority(domain) if domain else context.config.account_domain
    found = context.connection.execute(_BY_ACCOUNT, {"handle": handle.lower(), "domain": domain}).scalar()
    if found is None and domain in (context.config.account_domain, context.config.domain):
        raise NotFound(N_("There is no such actor on this node."))
    return found


@dataclass(frozen=True, slots=True)
class Post:
    """A post fetched from its origin; its author's document too when no row of the author is here."""

    document: Document
    author_uri: str
    author: Resolved | None = None


class Discovery:
    """What a node finds out about others' things. All methods raise RemoteErrors."""

    def __init__(self, database: Database, resolver: Resolver, transport: Transport, book: PeerBook) -> None:
        self._database = database
        self._book = book
        self._resolver = resolver
        self._transport = transport

    def heard(self, host: str) -> None:
        """A peer has proven that it is alive: what failed to be fetched from it may be asked for again."""
        self._transport.forget(host)

    async def actor_id(self, name: str) -> int:
        """Return the row id of the actor called `name@domain` or living at a web address, fetching it if new.

        Raises NotFound for a local name that nobody has, Malformed for what is neither, and RemoteErrors.
        """
        known = await self._database.read(_find, name)
        if known is not None:
            return known
        if name.startswith(("http://", "https://")):
            resolved = await self.document(name)
            if parse.type_of(resolved.document) not in ACTOR_TYPES:
                raise RemoteNonsense(N_("This address does not lead to an actor."))
        else:
            resolved = await self.account(name)
        return await self._database.write(store_actor, resolved.document, resolved.domain)

    async def document(self, uri: str, budget: Budget | None = None) -> Resolved:
        """Return the document at `uri`; of an actor with its account domain. Blocked hosts are not asked."""
        await self._admit(authority_of(uri))
        return await self._with_domain(await self._resolver.document(uri, budget), budget)

    async def post(self, uri: str, budget: Budget) -> Post:
        """Return the post at `uri` with its author, who lives where the post lives."""
        document = (await self.document(uri, budget)).document
        author_uri = authorship.author_of(document)
        if author_uri is None or parse.type_of(document) in ACTOR_TYPES:
            raise RemoteNonsense(N_("This address does not lead to a post."))
        if await self._database.read(_find, author_uri) is not None:
            return Post(document, author_uri)
        return Post(document, author_uri, await self.document(author_uri, budget))

    async def page(self, uri: str, budget: Budget) -> Document:
        """Return a collection or a page of one, as a list of ids. Blocked hosts are not asked."""
        await self._admit(authority_of(uri))
        return await self._resolver.page(uri, budget)

    async def key_owner(self, key_uri: str) -> Resolved:
        """Return the actor that owns and lists a key."""
        await self._admit(authority_of(key_uri))
        _, document = await self._resolver.key_document(key_uri)
        return await self._with_domain(document, None)

    async def account(self, handle: str) -> Resolved:
        """Return the actor behind `name@domain`, both ends naming one another."""
        account, uri = await webfinger.lookup(self._transport, handle)
        await self._admit(authority_of(uri))
        document = await self._resolver.document(uri)
        if parse.type_of(document) not in ACTOR_TYPES:
            raise RemoteNonsense(N_("This handle does not lead to an actor."))
        confirmed = await webfinger.canonical_account(self._transport, document)
        if confirmed.lower() != account.lower():
            raise RemoteNonsense(N_("The handle and the actor do not name one another."))
        return Resolved(document, confirmed.rpartition("@")[2])

    async def _admit(self, host: str) -> None:
        """Bring to mind how a host is knocked at; RemoteRefused when it is blocked here."""
        if await self._book.is_blocked(host):
            raise RemoteRefused(N_("This server is blocked here."))

    async def _with_domain(self, document: Document, budget: Budget | None) -> Resolved:
        if parse.type_of(document) not in ACTOR_TYPES:
            return Resolved(document)
        try:
            account = await webfinger.canonical_account(self._transport, document, budget)
        except RemoteError as error:
            if str(error) in _ANOTHER:
                raise RemoteNonsense(reasons.OTHER_ACTOR) from error
            # The host of its id is a name that nobody else can claim: the actor is known by that meanwhile.
            log.info("account of %s not confirmed: %s", document["id"], error)
            return Resolved(document)
        return Resolved(document, account.rpartition("@")[2])
