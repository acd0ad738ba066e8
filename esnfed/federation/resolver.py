"""Fetching what an id names, and believing it only when it is what it says and lies where it says.

The rules are those of the published account takeovers (CVE-2024-23832, CVE-2024-25623, Akkoma 2024.03 and
2025.03, Fedify #963): federation.md C1.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from urllib.parse import urldefrag

from esnfed.config import Config
from esnfed.errors import RemoteNonsense, RemoteRefused
from esnfed.federation import reasons
from esnfed.federation.answers import Fetched
from esnfed.federation.pacing import Budget
from esnfed.federation.signatures import Signer
from esnfed.federation.transport import Transport
from esnfed.vocab.authority import same_origin
from esnfed.vocab.parse import embedded, items, type_of
from esnfed.vocab.terms import ACTOR_TYPES

MAX_KEYS = 10

Document = dict[str, Any]


class Resolver:
    """Documents by their ids, fetched with the node actor's signature.

    `signer_provider` returns the node actor's signer, or None before there is one. All methods raise the
    RemoteErrors of the transport, RemoteNonsense for a document that cannot be believed and RemoteRefused
    for an address of this node. What they return is only for reading the other server's own things.
    """

    def __init__(
        self, transport: Transport, config: Config, signer_provider: Callable[[], Signer | None]
    ) -> None:
        self._transport = transport
        self._config = config
        self._signer = signer_provider

    async def document(self, uri: str, budget: Budget | None = None) -> Document:
        """Return the document whose id is `uri`, fragments left aside.

        When the answer has another id on the same origin (an HTML address was asked), that id is fetched,
        once, and must then name itself.
        """
        fetched = await self._fetch(uri, budget)
        found = _id_of(fetched)
        if not _same_document(found, uri):
            if not same_origin(found, uri):
                raise RemoteNonsense(reasons.OTHER_ID)
            fetched = await self._fetch(found, budget)
            if not _same_document(_id_of(fetched), found):
                raise RemoteNonsense(reasons.OTHER_ID)
        return fetched.document

    async def page(self, uri: str, budget: Budget | None = None) -> Document:
        """Return a collection or one of its pages, from the origin of `uri` wherever it redirects to.

        Pages are not believed as anything but lists of ids, so their own id may be missing or differ.
        """
        if same_origin(uri, self._config.origin):
            raise RemoteRefused(reasons.OWN_ADDRESS)
        fetched = await self._transport.get_json(uri, signer=self._signer(), budget=budget)
        if not same_origin(uri, fetched.url):
            raise RemoteNonsense(reasons.OTHER_ORIGIN)
        return fetched.document

    async def key_document(self, key_uri: str, budget: Budget | None = None) -> tuple[str, Document]:
        """Return (actor id, actor document) of the actor that owns a key and lists it.

        Three forms are met: the actor itself (`actor#main-key`, nearly everybody); a stub of the actor under
        the key's own address, whose `publicKey.owner` is followed (GoToSocial); a document of the key alone,
        whose id must be the address asked (Fedify #963). The actor must have the key's origin.
        """
        fetched = await self._fetch(key_uri, budget)
        found = _id_of(fetched)
        is_actor = type_of(fetched.document) in ACTOR_TYPES
        if is_actor and _same_document(found, key_uri):
            actor = fetched.document
        else:
            if not is_actor and found != key_uri:
                raise RemoteNonsense(reasons.OTHER_ID)
            owner = _owner_in(fetched.document, key_uri)
            if owner is None or not same_origin(owner, key_uri):
                raise RemoteNonsense(reasons.KEY_OWNER)
            actor = await self.document(owner, budget)
            if actor["id"] != owner:
                raise RemoteNonsense(reasons.KEY_OWNER)
        if type_of(actor) not in ACTOR_TYPES:
            raise RemoteNonsense(reasons.NO_KEY)
        if _owner_in(actor, key_uri) != actor["id"]:
            raise RemoteNonsense(reasons.KEY_OWNER)
        return actor["id"], actor

    async def _fetch(self, uri: str, budget: Budget | None) -> Fetched:
        if same_origin(uri, self._config.origin):
            raise RemoteRefused(reasons.OWN_ADDRESS)
        fetched = await self._transport.get_json(uri, signer=self._signer(), budget=budget)
        if not same_origin(_id_of(fetched), fetched.url):
            raise RemoteNonsense(reasons.OTHER_ORIGIN)
        return fetched


def _id_of(fetched: Fetched) -> str:
    found = fetched.document.get("id")
    if not isinstance(found, str) or not found:
        raise RemoteNonsense(reasons.ANONYMOUS)
    return found


def _same_document(one: str, other: str) -> bool:
    return urldefrag(one).url == urldefrag(other).url


def _owner_in(document: Document, key_uri: str) -> str | None:
    """Return who owns a key according to the key itself, an actor or a stub; None when nobody does."""
    keys = items(document.get("publicKey"), MAX_KEYS) + items(document.get("assertionMethod"), MAX_KEYS)
    for key in [document, *keys]:
        entry = embedded(key)
        if entry is not None and entry.get("id") == key_uri:
            owner = entry.get("owner") or entry.get("controller")
            if isinstance(owner, str):
                return owner
    return None
