"""Host names to addresses that may be connected to: judged when resolved, and once more when connected to.

There is no second look-up between judging a name and connecting (DNS rebinding, federation.md C2): the
connector gets the very addresses that were judged, and the socket is made only for an address that passes.
"""

from __future__ import annotations

import asyncio
import re
import socket
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Sequence
from ipaddress import ip_address
from typing import Any

from aiohttp.abc import AbstractResolver, ResolveResult

from esnfed.config import Config
from esnfed.errors import RemoteRefused, RemoteUnreachable
from esnfed.federation import reasons
from esnfed.federation.addresses import globally_routable

Lookup = Callable[[str], Awaitable[Sequence[str]]]
"""Host name to IP addresses; raises OSError when the name is not known."""

CACHE_MS = 30_000
CACHE_NAMES = 1_000
LOOKUP_SECONDS = 5.0

_LOCAL_NAMES = (".localhost", ".esn.test")
_NUMERIC = re.compile(r"(?:0x[0-9a-f]*|[0-9]+)\Z")


class ForbiddenAddressError(OSError):
    """An address that must not be connected to reached the socket.

    An OSError, because that is what the connector lets through; the session turns it into RemoteRefused.
    """


async def system_lookup(host: str) -> Sequence[str]:
    """Ask the system's name service in a thread; raises OSError when the name is not known."""
    loop = asyncio.get_running_loop()
    answers = await loop.getaddrinfo(host, None, type=socket.SOCK_STREAM, flags=socket.AI_ADDRCONFIG)
    return list(dict.fromkeys(str(sockaddr[0]) for _, _, _, _, sockaddr in answers))


class Names(AbstractResolver):
    """The resolver of a node's one client: system names in production, local test names in demo and test.

    `clock` returns milliseconds; `lookup` is what asks the name service.
    """

    def __init__(self, config: Config, clock: Callable[[], int], lookup: Lookup = system_lookup) -> None:
        self._loopback_only = config.loopback_only
        self._hosts = config.hosts
        self._clock = clock
        self._lookup = lookup
        self._known: OrderedDict[str, tuple[int, Sequence[str]]] = OrderedDict()

    def may_connect(self, address: str) -> bool:
        """Say whether an IP address may be connected to: in demo and test loopback only, else global only."""
        if not self._loopback_only:
            return globally_routable(address)
        try:
            return ip_address(address).is_loopback
        except ValueError:
            return False

    def check_host(self, host: str) -> None:
        """Judge the host of an address before anything is sent; raises RemoteRefused.

        Literal addresses are judged here, because the connector does not ask a resolver for them. A host
        that ends in a number but is no address in its one spelling (`127.1`, `0x7f000001`) is refused.
        """
        bare = host.removeprefix("[").removesuffix("]")
        try:
            ip_address(bare)
        except ValueError:
            if _NUMERIC.match(bare.rpartition(".")[2]):
                raise RemoteRefused(reasons.ADDRESS) from None
            if self._loopback_only and not self._is_local(bare):
                raise RemoteRefused(reasons.UNKNOWN_HERE) from None
            return
        if not self.may_connect(bare):
            raise RemoteRefused(reasons.NOT_ROUTABLE)

    def _is_local(self, host: str) -> bool:
        return host == "localhost" or host.endswith(_LOCAL_NAMES)

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_UNSPEC
    ) -> list[ResolveResult]:
        """Return where to connect for a host; raises RemoteRefused, and OSError for an unknown name.

        A name is refused when any of its answers is not globally routable: an honest name has no such answer.
        """
        host = host.lower().removesuffix(".")
        if self._loopback_only:
            addresses, port = self._local(host, port)
        else:
            addresses = await self._remote(host)
        if not all(self.may_connect(address) for address in addresses):
            raise RemoteRefused(reasons.NOT_ROUTABLE)
        results = [_result(host, address, port) for address in addresses]
        wanted = [result for result in results if family in (socket.AF_UNSPEC, result["family"])]
        if not wanted:
            raise OSError(f"no usable address for {host}")
        return wanted

    def _local(self, host: str, port: int) -> tuple[Sequence[str], int]:
        if not self._is_local(host):
            raise RemoteRefused(reasons.UNKNOWN_HERE)
        address, mapped = self._hosts.get(host, ("127.0.0.1", port))
        return (address,), mapped

    async def _remote(self, host: str) -> Sequence[str]:
        now = self._clock()
        known = self._known.get(host)
        if known and known[0] > now:
            return known[1]
        try:
            async with asyncio.timeout(LOOKUP_SECONDS):
                addresses = await self._lookup(host)
        except TimeoutError:
            raise RemoteUnreachable(reasons.UNKNOWN_NAME) from None
        self._known[host] = (now + CACHE_MS, addresses)
        self._known.move_to_end(host)
        while len(self._known) > CACHE_NAMES:
            self._known.popitem(last=False)
        return addresses

    def make_socket(self, where: tuple[Any, Any, int, str, tuple[Any, ...]]) -> socket.socket:
        """Make the socket for one connection, as the connector's last step; raises ForbiddenAddressError.

        `where` is (family, kind, protocol, canonical name, socket address). Nothing was sent before this.
        """
        family, kind, protocol, _, address = where
        if not self.may_connect(str(address[0])):
            raise ForbiddenAddressError(reasons.NOT_ROUTABLE)
        return socket.socket(family=family, type=kind, proto=protocol)

    async def close(self) -> None:
        """Forget what was resolved."""
        self._known.clear()


def _result(host: str, address: str, port: int) -> ResolveResult:
    return ResolveResult(
        hostname=host,
        host=address,
        port=port,
        family=socket.AF_INET6 if ":" in address else socket.AF_INET,
        proto=0,
        flags=socket.AI_NUMERICHOST | socket.AI_NUMERICSERV,
    )
