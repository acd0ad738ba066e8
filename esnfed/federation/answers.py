"""What another server answered: content types, bounded bodies, Retry-After, and what a status means."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC
from email.message import Message
from email.utils import parsedate_to_datetime
from types import MappingProxyType
from typing import Any

from aiohttp import ClientError, ClientResponse

from esnfed.errors import (
    RemoteError,
    RemoteGone,
    RemoteMissing,
    RemoteNonsense,
    RemoteRefused,
    RemoteUnreachable,
)
from esnfed.federation import reasons
from esnfed.federation.parsed_signature import Scheme
from esnfed.vocab.terms import AS_CONTEXT

AP_TYPES = frozenset({"application/activity+json", "application/ld+json"})
"""What may be an activity or object: `ld+json` only with the ActivityStreams profile (federation.md A2)."""

JRD_TYPES = frozenset({"application/jrd+json", "application/json"})
JSON_TYPES = frozenset({"application/json"})
XRD_TYPES = frozenset({"application/xrd+xml"})

MAX_RETRY_AFTER = 86_400
EXCERPT = 2_000
REDIRECTS = frozenset({301, 302, 303, 307, 308})
KNOCK_AGAIN = frozenset({400, 401, 403})
"""Statuses that may only mean "not this signature scheme" (Mastodon 400 and 401, GoToSocial 401 and 403)."""

_TEMPORARY = frozenset({408, 421, 425, 429, 503})
_KEPT_HEADERS = ("Accept-Signature", "Content-Type", "Location", "Retry-After")


@dataclass(frozen=True, slots=True)
class Fetched:
    """A fetched JSON document; `url` is where it was found after redirects."""

    url: str
    document: dict[str, Any]
    content_type: str


@dataclass(frozen=True, slots=True)
class Answer:
    """The answer to a POST: `text` is an excerpt, `retry_after` seconds, `knocked` its request's scheme."""

    status: int
    headers: Mapping[str, str]
    text: str
    retry_after: int | None
    knocked: Scheme


@dataclass(frozen=True, slots=True)
class Page:
    """A fetched body, not yet understood."""

    url: str
    content_type: str
    data: bytes


def content_type_of(response: ClientResponse, types: frozenset[str]) -> str:
    """Return the media type when it is one of `types`; raises RemoteRefused.

    Exactly one header is accepted. `application/ld+json` counts only with the ActivityStreams profile, so
    that an uploaded file is never taken for an actor (CVE-2024-25623).
    """
    given = response.headers.getall("Content-Type", [])
    if len(given) != 1 or len(given[0]) > 500:
        raise RemoteRefused(reasons.CONTENT_TYPE)
    message = Message()
    message["Content-Type"] = given[0]
    media_type = message.get_content_type()
    profile = message.get_param("profile", "")
    profiles = profile.split() if isinstance(profile, str) else []
    if media_type not in types or (media_type == "application/ld+json" and AS_CONTEXT not in profiles):
        raise RemoteRefused(reasons.CONTENT_TYPE)
    return media_type


async def read_body(response: ClientResponse, limit: int) -> bytes:
    """Return the body, decompressed; raises RemoteRefused as soon as it is known to pass `limit` bytes.

    aiohttp decompresses piece by piece, so a bomb is noticed when `limit` bytes are there, never after.
    """
    if (response.content_length or 0) > limit:
        raise RemoteRefused(reasons.TOO_LARGE)
    data = bytearray()
    async for piece in response.content.iter_any():
        data += piece
        if len(data) > limit:
            raise RemoteRefused(reasons.TOO_LARGE)
    return bytes(data)


async def answer_of(response: ClientResponse, knocked: Scheme, now_ms: int) -> Answer:
    """Return the answer to a POST: the status stands even when the body breaks off or is odd."""
    text = b""
    try:
        text = await response.content.read(EXCERPT)
    except (ClientError, TimeoutError) as error:
        text = f"({type(error).__name__})".encode()
    headers = {name: response.headers[name][:EXCERPT] for name in _KEPT_HEADERS if name in response.headers}
    return Answer(
        status=response.status,
        headers=MappingProxyType(headers),
        text=text.decode("utf-8", "replace").replace("\x00", ""),
        retry_after=retry_after_of(response.headers.get("Retry-After"), now_ms),
        knocked=knocked,
    )


def retry_after_of(value: str | None, now_ms: int) -> int | None:
    """Return a Retry-After value (seconds, or an HTTP date) as seconds from 0 to one day, or None."""
    if value is None or len(value) > 100:
        return None
    value = value.strip()
    if value.isascii() and value.isdigit():
        return min(int(value), MAX_RETRY_AFTER)
    try:
        moment = parsedate_to_datetime(value)
    except (ValueError, OverflowError):  # OverflowError: a year of twenty digits
        return None
    # RFC 9110: an HTTP date is GMT, also where "-0000" makes Python leave the zone out.
    at = moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment
    return min(max(0, round(at.timestamp() - now_ms / 1000)), MAX_RETRY_AFTER)


def trouble_of(status: int, retry_after: int | None) -> RemoteError:
    """Return the error that a status other than 200 means for a fetch."""
    if status == 404:
        return RemoteMissing(reasons.MISSING)
    if status == 410:
        return RemoteGone(reasons.GONE)
    if status in _TEMPORARY:
        return RemoteUnreachable(reasons.LATER, retry_after)
    if status >= 500:
        return RemoteUnreachable(reasons.FAILING, retry_after)
    if status >= 400:
        return RemoteRefused(reasons.REFUSED)
    return RemoteNonsense(reasons.UNEXPECTED)
