"""Signed GETs: who asks for a document, and whether that server is welcome."""

from __future__ import annotations

from dataclasses import dataclass

from aiohttp import web

from esnfed.errors import Refused
from esnfed.federation import peers
from esnfed.http.keys import AUTHENTICATOR, DATABASE
from esnfed.http.security import signed_request

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
