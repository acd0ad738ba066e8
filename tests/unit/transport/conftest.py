"""A world of loopback servers, a transport with an injected clock, and a memory of schemes."""

from __future__ import annotations

import socket
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from pathlib import Path
from random import Random
from typing import Any

import pytest
from aiohttp.abc import ResolveResult
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from esnfed.config import Config
from esnfed.context import Runtime
from esnfed.errors import RemoteError
from esnfed.federation.names import Names
from esnfed.federation.pacing import Limits
from esnfed.federation.parsed_signature import Scheme
from esnfed.federation.resolver import Resolver
from esnfed.federation.session import Timeouts
from esnfed.federation.signatures import Signer
from esnfed.federation.transport import Transport
from esnfed.ids import IdGenerator
from tests.doubles.authority import Authority
from tests.doubles.server import ServerDouble, document

NODE = "node.esn.test"
START = 1_780_000_000_000
NOTE = {"id": "https://peer.esn.test/notes/1", "type": "Note"}
URL = NOTE["id"]


class Clock:
    """Milliseconds that move only when told to, or when somebody sleeps."""

    def __init__(self) -> None:
        self.now = START
        self.slept: list[float] = []

    def __call__(self) -> int:
        return self.now

    def advance(self, seconds: float) -> None:
        self.now += round(seconds * 1000)

    async def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.advance(seconds)


class Doorway(Names):
    """Names with the rules of production, except for the doors of the test's own servers."""

    def __init__(
        self, clock: Callable[[], int], answers: dict[str, list[str]], doors: dict[str, tuple[str, int]]
    ) -> None:
        async def lookup(host: str) -> Sequence[str]:
            if host not in answers:
                raise socket.gaierror(socket.EAI_NONAME, "unknown name")
            return answers[host]

        super().__init__(Config(domain=NODE, data_dir=Path("/nonexistent")), clock, lookup)
        self._doors = doors

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
        return super().make_socket(where)


class World:
    """Servers by name, one node's transport, and what it learned."""

    def __init__(self, authority: Authority, folder: Path) -> None:
        self.authority = authority
        self.folder = folder
        self.clock = Clock()
        self.servers: dict[str, ServerDouble] = {}
        self.schemes: dict[str, Scheme] = {}
        self.learned: list[tuple[str, Scheme]] = []
        self.known: set[str] = set()
        self.blocked: set[str] = set()
        self.signer = Signer(f"https://{NODE}/relay#ed25519-key", Ed25519PrivateKey.generate())
        self._transports: list[Transport] = []

    async def server(self, name: str, *, tls: bool = True) -> ServerDouble:
        """Start a server under a name of `*.esn.test`."""
        double = ServerDouble(name)
        await double.start(self.authority.server_context(name, "127.0.0.1") if tls else None)
        self.servers[name] = double
        return double

    @property
    def doors(self) -> dict[str, tuple[str, int]]:
        return {name: double.door for name, double in self.servers.items()}

    def config(self, **settings: Any) -> Config:
        given: dict[str, Any] = {
            "domain": NODE,
            "environment": "test",
            "hosts": self.doors,
            "tls_authority": self.authority.path,
        }
        return Config(data_dir=self.folder, **(given | settings))

    def transport(
        self,
        *,
        limits: Limits | None = None,
        timeouts: Timeouts | None = None,
        names: Names | None = None,
        **settings: Any,
    ) -> Transport:
        """Make the node's transport; start the servers before, their ports are read here."""
        random = Random(1)
        runtime = Runtime(self.config(**settings), self.clock, random, IdGenerator(self.clock, random))
        transport = Transport(
            runtime,
            scheme_for=lambda authority: self.schemes.get(authority, "cavage"),
            on_learned=self._learn,
            knows=self.known.__contains__,
            is_blocked=self._is_blocked,
            sleep=self.clock.sleep,
            limits=limits,
            timeouts=timeouts,
            names=names,
        )
        self._transports.append(transport)
        return transport

    def resolver(self, transport: Transport) -> Resolver:
        return Resolver(transport, transport.config, lambda: self.signer)

    async def _is_blocked(self, authority: str) -> bool:
        return authority in self.blocked

    def _learn(self, authority: str, scheme: Scheme) -> None:
        self.learned.append((authority, scheme))
        self.schemes[authority] = scheme

    async def close(self) -> None:
        for transport in self._transports:
            await transport.close()
        for double in self.servers.values():
            await double.stop()


@pytest.fixture(scope="session")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return Authority(tmp_path_factory.mktemp("authority"))


@pytest.fixture
async def world(authority: Authority, tmp_path: Path) -> AsyncIterator[World]:
    made = World(authority, tmp_path)
    yield made
    await made.close()


@pytest.fixture
async def peer(world: World) -> ServerDouble:
    double = await world.server("peer.esn.test")
    double.answers["/notes/1"] = document(NOTE)
    return double


async def fails(awaitable: Awaitable[object], kind: type[RemoteError], reason: str) -> RemoteError:
    with pytest.raises(RemoteError) as caught:
        await awaitable
    assert (type(caught.value), str(caught.value)) == (kind, reason)
    return caught.value
