"""The name service and the address rules of production, for live nodes on loopback."""

from __future__ import annotations

import socket
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from aiohttp.abc import ResolveResult

from esnfed.config import Config
from esnfed.federation.names import ForbiddenAddressError, Names


@dataclass
class Fortress:
    """`answers` is what the name service says, one list after the other; the last one stays."""

    answers: dict[str, list[Sequence[str]]] = field(default_factory=dict)
    asked: list[str] = field(default_factory=list)
    sockets: list[str] = field(default_factory=list)
    """Addresses that passed every check, so that a socket would have been made for them."""

    def names(self, config: Config, clock: Callable[[], int]) -> Names:
        """Stands in for the class that the transport makes its resolver of."""
        return _Guarded(self, config, clock)

    async def lookup(self, host: str) -> Sequence[str]:
        """The name service."""
        self.asked.append(host)
        said = self.answers.get(host)
        if said is None:
            raise socket.gaierror(socket.EAI_NONAME, "unknown name")
        return said.pop(0) if len(said) > 1 else said[0]


class _Guarded(Names):
    """Production's `Names`, with doors to the servers of the test; nothing else is ever connected to."""

    def __init__(self, fortress: Fortress, config: Config, clock: Callable[[], int]) -> None:
        super().__init__(replace(config, environment="production", hosts={}), clock, fortress.lookup)
        self._fortress = fortress
        self._doors = config.hosts

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_UNSPEC
    ) -> list[ResolveResult]:
        if host not in self._doors:
            return await super().resolve(host, port, family)
        address, port = self._doors[host]
        return [
            ResolveResult(hostname=host, host=address, port=port, family=socket.AF_INET, proto=0, flags=0)
        ]

    def make_socket(self, where: tuple[Any, Any, int, str, tuple[Any, ...]]) -> socket.socket:
        if tuple(where[4][:2]) in self._doors.values():
            return socket.socket(family=where[0], type=where[1], proto=where[2])
        super().make_socket(where).close()
        self._fortress.sockets.append(str(where[4][0]))
        raise ForbiddenAddressError("a test connects to nobody")
