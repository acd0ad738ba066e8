"""FEP-8fcf: both sides of a follow compare what they know, whenever something goes to followers only."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import orjson
from sqlalchemy import RowMapping, bindparam, select

from esnfed.context import Context
from esnfed.federation import errands
from esnfed.federation.claims import Claim
from esnfed.models import actor, follow
from esnfed.vocab import parse, paths
from esnfed.vocab.authority import origin_of, same_origin
from esnfed.vocab.terms import PUBLIC

HEADER: Final = "Collection-Synchronization"
KIND: Final = "followers-sync"
MAX_FOLLOWERS: Final = 25_000
"""Beyond so many followers on one server nothing is compared (Mastodon's value)."""

MAX_HEADER: Final = 5_000
COOL_DOWN: Final = 60_000
"""One actor's list is not asked for again within a minute, whatever is delivered meanwhile."""

NOBODY: Final = "0" * 64

_PARAMETER = re.compile(r'\s*([A-Za-z]{1,40})="([^"\\]{0,2048})"\s*(?:,|$)')
_DIGEST = re.compile(r"[0-9a-f]{64}")
_TYPES = frozenset({"Create", "Update", "Announce", "Delete"})

_FOLLOWERS_ON = (
    select(actor.c.uri)
    .join(follow, follow.c.actor_id == actor.c.id)
    .where(
        follow.c.target_id == bindparam("target_id"),
        follow.c.state == "accepted",
        actor.c.host == bindparam("host"),
        actor.c.deleted_at.is_(None),
    )
    .order_by(actor.c.id)
    .limit(MAX_FOLLOWERS + 1)
)
_SENDER = select(actor.c.id, actor.c.uri, actor.c.followers_uri).where(actor.c.id == bindparam("actor_id"))


def digest_of(uris: Iterable[str], start: str = NOBODY) -> str:
    """Return the SHA-256 of each id joined by exclusive or, in lower-case hexadecimal; of none, zeros.

    `start` is the digest of those before, so that a list may come in pieces.
    """
    number = int(start, 16)
    for uri in uris:
        number ^= int.from_bytes(hashlib.sha256(uri.encode()).digest())
    return f"{number:064x}"


def partial_collection(actor_uri: str) -> str:
    """Return the address at which another server reads which of its actors follow one of ours."""
    return f"{actor_uri}/{paths.FOLLOWERS_SYNC}"


def followers_on(context: Context, actor_id: int, host: str) -> list[str] | None:
    """Return the ids of the accepted followers of an actor that live on `host`; None for more than 25,000."""
    found = list(context.connection.execute(_FOLLOWERS_ON, {"target_id": actor_id, "host": host}).scalars())
    return None if len(found) > MAX_FOLLOWERS else found


# Outbound


@dataclass(frozen=True, slots=True)
class Parcel:
    """One delivery for followers only: whose it is, and where it goes."""

    delivery_id: int
    actor_id: int
    actor_uri: str
    host: str


def parcel(claim: Claim, body: bytes) -> Parcel | None:
    """Return the parcel of a delivery that says something to its actor's followers only; else None."""
    if PUBLIC.encode() in body:
        return None
    document = orjson.loads(body)
    addressed = (*parse.references(document.get("to")), *parse.references(document.get("cc")))
    actor_uri = parse.reference(document.get("actor")) or ""
    if document.get("type") not in _TYPES or paths.followers(actor_uri) not in addressed:
        return None
    return Parcel(claim.id, claim.actor_id, actor_uri, claim.host)


def headers_for(context: Context, parcels: Sequence[Parcel]) -> dict[int, dict[str, str]]:
    """Return the header of each delivery, by its id; one statement for each actor and server."""
    digests: dict[tuple[int, str], str | None] = {}
    found: dict[int, dict[str, str]] = {}
    for each in parcels:
        key = (each.actor_id, each.host)
        if key not in digests:
            uris = followers_on(context, *key)
            digests[key] = None if uris is None else digest_of(uris)
        digest = digests[key]
        if digest is not None:
            said = {
                "collectionId": paths.followers(each.actor_uri),
                "url": partial_collection(each.actor_uri),
                "digest": digest,
            }
            found[each.delivery_id] = {HEADER: ", ".join(f'{name}="{text}"' for name, text in said.items())}
    return found


# Inbound


@dataclass(frozen=True, slots=True)
class Claimed:
    """What a sender says of its followers here."""

    collection: str
    url: str
    digest: str


def read_header(values: Sequence[str]) -> Claimed | None:
    """Return what the one header says; None when there is none or it cannot be understood."""
    if len(values) != 1 or len(values[0]) > MAX_HEADER:
        return None
    found: dict[str, str] = {}
    at = 0
    while at < len(values[0]):
        match = _PARAMETER.match(values[0], at)
        if match is None or match[1] in found:
            return None
        found[match[1]] = match[2]
        at = match.end()
    if not {"collectionId", "url", "digest"} <= found.keys() or not _DIGEST.fullmatch(found["digest"]):
        return None
    return Claimed(found["collectionId"], found["url"], found["digest"])


def differs(context: Context, actor_id: int, claimed: Claimed) -> bool:
    """Say whether what a remote sender claims of its followers here is not what is known here.

    False also for what it may not claim: another collection than its own, or a list on another origin.
    """
    sender = context.connection.execute(_SENDER, {"actor_id": actor_id}).mappings().one_or_none()
    if sender is None or not _is_own(sender, claimed):
        return False
    known = followers_on(context, actor_id, context.config.domain)
    return known is not None and digest_of(known) != claimed.digest


def _is_own(sender: RowMapping, claimed: Claimed) -> bool:
    return claimed.collection == sender["followers_uri"] and same_origin(claimed.url, sender["uri"])


def compare_again(context: Context, actor_id: int, claimed: Claimed) -> bool:
    """Queue a look at the list of a sender whose claim differs; False when one was asked for just before."""
    arguments: Mapping[str, object] = {"actor_id": actor_id, "url": claimed.url, "digest": claimed.digest}
    host = origin_of(claimed.url).partition("://")[2]
    sent = errands.send(context, KIND, claimed.collection, arguments, host=host, cool_down=COOL_DOWN)
    return sent is not None
