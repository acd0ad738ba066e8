"""Signed GETs: who asks for a document, and whether that server is welcome."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from aiohttp import web

from esnfed.activitypub.documents import FOR_EVERYBODY, SIGNATURE_DEPENDENT
from esnfed.errors import Malformed, Refused, Unauthenticated
from esnfed.federation import peers, signatures
from esnfed.http.keys import AUTHENTICATOR, CONFIG, DATABASE
from esnfed.http.security import signed_request
from esnfed.vocab.authority import authority_of

FULLY_TRUSTED = frozenset({"open", "allowed"})
"""Standings that may read who knows whom; a limited server may not."""


@dataclass(frozen=True, slots=True)
class Asker:
    """A server that proved itself, with its standing here."""

    host: str
    standing: str

    @property
    def trusted(self) -> bool:
        """May it read pages of follower lists?"""
        return self.standing in FULLY_TRUSTED


def is_signed(request: web.Request) -> bool:
    """Say whether a request brings a signature, good or not."""
    authorisation = request.headers.get("Authorization", "")
    return "Signature" in request.headers or authorisation.lower().startswith("signature ")


def caching(request: web.Request) -> Mapping[str, str]:
    """Return the headers of what the asker was admitted to: shared caches keep what nobody signed for."""
    apart = request.config_dict[CONFIG].authorised_fetch or is_signed(request)
    return SIGNATURE_DEPENDENT if apart else FOR_EVERYBODY


async def admitted(request: web.Request) -> Asker | None:
    """Return who asks for what everybody may read, None when that was not asked.

    With authorised fetch a good signature is needed, and raises as `asker` and Unauthenticated. Without it
    only a server that itself says it is a blocked one is turned away: no key is fetched for what is public.
    """
    if not request.config_dict[CONFIG].authorised_fetch:
        await refuse_blocked(request)
        return None
    who = await asker(request)
    if who is None:
        raise Unauthenticated
    return who


async def refuse_blocked(request: web.Request) -> None:
    """Raise Refused when the key of a signature, be it good or not, is of a server that is blocked here."""
    if not is_signed(request):
        return
    signed = signed_request(request)
    try:
        parsed = signatures.parse(
            signed.method, signed.target, signed.authority, signed.scheme, signed.headers
        )
    except (Malformed, Unauthenticated):
        return  # nobody's signature: the request counts as unsigned
    host = authority_of(parsed.key_uri)
    if await request.config_dict[DATABASE].read(peers.standing, host) == "blocked":
        raise Refused


async def asker(request: web.Request) -> Asker | None:
    """Return who signed the request, None for an unsigned one.

    Raises Unauthenticated or Malformed for a wrong signature, Busy when the key cannot be had just now,
    Refused for a blocked server. Call it before looking at what is asked for, or after something that does
    not depend on it, so that the answer tells nothing about hidden things.
    """
    found = await request.config_dict[AUTHENTICATOR].requester(signed_request(request))
    if found is None:
        return None
    standing = await request.config_dict[DATABASE].read(peers.standing, found.host)
    if standing == "blocked":
        raise Refused
    return Asker(found.host, standing)
