"""The inboxes' door: cheap checks in order of their cost, then the raw bytes to the one verifier."""

from __future__ import annotations

import asyncio

from aiohttp import web

from esnfed.activitypub.documents import ID, path_id
from esnfed.config import Config
from esnfed.errors import Malformed, TooLarge, UnsupportedType
from esnfed.federation import signatures
from esnfed.federation.followers_sync import HEADER, read_header
from esnfed.federation.inbox import InboxRequest
from esnfed.http.keys import CONFIG, DATABASE, INBOX
from esnfed.http.limits import INBOX_LIMITS
from esnfed.http.negotiation import is_activitypub
from esnfed.http.security import client_address, signed_request
from esnfed.services import collections
from esnfed.vocab import paths
from esnfed.vocab.authority import parse_address

MAX_BODY = 1 << 20
"""Mastodon's limit; larger activities are answered 413."""

BODY_SECONDS = 30.0
"""How long a sender may take to bring the body."""


async def receive(request: web.Request) -> web.Response:
    """POST to any inbox; 202 once the activity is stored (or has no effect by our rules).

    Errors: 400 malformed, 401 not proven, 403 refused, 404 and 410 for the inbox of nobody, 413, 415, 429 and
    503 with Retry-After. Nothing is parsed before the queue has room and the sender is within its limits.
    """
    config, limits = request.config_dict[CONFIG], request.config_dict[INBOX_LIMITS]
    database = request.config_dict[DATABASE]
    address = client_address(request)
    limits.addresses.take(address)
    database.admit()
    _check_type(request)
    signed = signed_request(request)
    parsed = signatures.parse(signed.method, signed.target, signed.authority, signed.scheme, signed.headers)
    limits.take(address, limited_host(config, parsed.key_uri))
    if "id" in request.match_info:
        await database.read(collections.owned_actor, path_id(request))
    await request.config_dict[INBOX].accept(
        InboxRequest(parsed, await _body(request), read_header(request.headers.getall(HEADER, [])))
    )
    return web.Response(status=202)


def _check_type(request: web.Request) -> None:
    """Only the two media types, once, and no compression: the digest is of the bytes as sent."""
    types = request.headers.getall("Content-Type", [])
    if len(types) != 1 or not is_activitypub(types[0]):
        raise UnsupportedType
    if request.headers.get("Content-Encoding", "identity").strip().lower() != "identity":
        raise UnsupportedType("A compressed body is not accepted here.")


def limited_host(config: Config, key_uri: str) -> str:
    """Limits count by host name, in demo and test by authority: there every node is localhost."""
    address = parse_address(key_uri)
    return address.authority if config.loopback_only else address.host


async def _body(request: web.Request) -> bytes:
    if request.content_length is not None and request.content_length > MAX_BODY:
        raise TooLarge
    body = bytearray()
    try:
        async with asyncio.timeout(BODY_SECONDS):
            async for chunk in request.content.iter_any():
                body += chunk
                if len(body) > MAX_BODY:
                    raise TooLarge
    except TimeoutError:
        raise Malformed("The body did not arrive in time.") from None
    except web.RequestPayloadError:
        raise Malformed("The body did not arrive whole.") from None
    return bytes(body)


# A slash at the end is tolerated on every inbox, and leads to the same verifier (CVE-2026-28432).
routes = [
    web.post(f"{path}{slash}", receive)
    for path in (paths.SHARED_INBOX, f"/ap/actors/{ID}/inbox", f"{paths.NODE_ACTOR}/inbox")
    for slash in ("", "/")
]
