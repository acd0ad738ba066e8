"""The one aiohttp session of a node: its connections, its deadlines, and what its errors mean."""

from __future__ import annotations

import asyncio
import re
import ssl
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from urllib.parse import quote

import aiohttp
from aiohttp.http import HttpProcessingError
from yarl import URL

from esnfed import __version__
from esnfed.config import Config
from esnfed.errors import Malformed, RemoteError, RemoteNonsense, RemoteRefused, RemoteUnreachable
from esnfed.federation import reasons
from esnfed.federation.names import ForbiddenAddressError, Names
from esnfed.federation.pacing import Limits
from esnfed.vocab.authority import Address, parse_address

_PRINTABLE = "".join(map(chr, range(33, 127)))


@dataclass(frozen=True, slots=True)
class Timeouts:
    """Seconds for a connection, for the next bytes, and for one fetch or one knock in all (Mastodon's)."""

    connect: float = 5.0
    read: float = 10.0
    total: float = 30.0


class Session:
    """Connections to judged addresses only; no cookies, no proxy from the environment, no redirects."""

    def __init__(self, config: Config, names: Names, timeouts: Timeouts, limits: Limits) -> None:
        self._total = timeouts.total
        connector = aiohttp.TCPConnector(
            limit=limits.connections,
            limit_per_host=limits.connections_per_host,
            keepalive_timeout=60,
            use_dns_cache=False,
            resolver=names,
            socket_factory=names.make_socket,
            ssl=_tls(config),
        )
        self._client = aiohttp.ClientSession(
            connector=connector,
            cookie_jar=aiohttp.DummyCookieJar(),
            headers={
                "User-Agent": f"esnfed/{__version__} (+{config.origin})",
                "Accept-Encoding": "gzip, deflate",
            },
            timeout=aiohttp.ClientTimeout(total=None, sock_connect=timeouts.connect, sock_read=timeouts.read),
            trust_env=False,
        )

    @asynccontextmanager
    async def deadline(self) -> AsyncIterator[None]:
        """Bound what happens inside to the total time; raises RemoteUnreachable after it."""
        try:
            async with asyncio.timeout(self._total):
                yield
        except TimeoutError:
            raise RemoteUnreachable(reasons.TOO_SLOW) from None

    @asynccontextmanager
    async def exchange(
        self, method: str, address: Address, headers: Mapping[str, str], body: bytes | None = None
    ) -> AsyncIterator[aiohttp.ClientResponse]:
        """Send one request to an admitted address, byte for byte as it was signed, and give the response.

        What the client raises, also while the body is read inside, becomes a RemoteError.
        """
        where = URL(url_of(address), encoded=True)
        try:
            async with self._client.request(
                method, where, headers=headers, data=body, allow_redirects=False
            ) as response:
                yield response
        except (aiohttp.ClientError, HttpProcessingError, OSError) as error:
            raise failure_of(error) from error

    async def close(self) -> None:
        """Close every connection."""
        await self._client.close()


def _tls(config: Config) -> ssl.SSLContext:
    """Make the one context (50 ms with the system's authorities); a throwaway authority only in tests."""
    return ssl.create_default_context(cafile=config.tls_authority if config.environment == "test" else None)


def outgoing(url: str) -> Address:
    """Take an address apart as it goes over the wire, percent-encoded; raises RemoteRefused."""
    try:
        if isinstance(url, str) and not url.isascii():  # what is no text is refused by parse_address
            scheme, separator, rest = url.partition("://")
            authority = re.split("[/?#]", rest, maxsplit=1)[0]
            url = f"{scheme}{separator}{authority}{quote(rest[len(authority) :], safe=_PRINTABLE)}"
        return parse_address(url)
    except (Malformed, UnicodeEncodeError):
        raise RemoteRefused(reasons.ADDRESS) from None


def url_of(address: Address) -> str:
    """Return the address in the spelling that is signed, sent and remembered: no fragment."""
    return f"{address.origin}{address.target}"


def failure_of(error: Exception) -> RemoteError:
    """Return what an error of the HTTP client means: our refusal, no connection, or no proper HTTP."""
    if isinstance(error, TimeoutError):
        return RemoteUnreachable(reasons.TOO_SLOW)
    if isinstance(error, aiohttp.InvalidURL):
        return RemoteRefused(reasons.ADDRESS)
    if isinstance(error, aiohttp.ClientConnectorDNSError):
        return RemoteUnreachable(reasons.UNKNOWN_NAME)
    if isinstance(error, aiohttp.ClientSSLError):
        return RemoteUnreachable(reasons.CERTIFICATE)
    if isinstance(error, aiohttp.ClientConnectorError):
        refused = isinstance(error.os_error, ForbiddenAddressError)
        return RemoteRefused(reasons.NOT_ROUTABLE) if refused else RemoteUnreachable(reasons.NO_CONNECTION)
    if isinstance(error, aiohttp.ClientResponseError | HttpProcessingError):
        return RemoteNonsense(reasons.NOT_HTTP)
    return RemoteUnreachable(reasons.BROKEN_OFF)
