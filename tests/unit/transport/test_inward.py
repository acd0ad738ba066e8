"""No kind of fetch is led inward: by literal, by name, by redirect, by rebinding (federation.md C2)."""

from __future__ import annotations

import socket
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest
from aiohttp.abc import ResolveResult

from esnfed.config import Config
from esnfed.errors import RemoteRefused, RemoteUnreachable
from esnfed.federation import reasons
from esnfed.federation.names import Names
from esnfed.federation.nodeinfo import probe
from esnfed.federation.pacing import Budget
from esnfed.federation.transport import Transport
from esnfed.federation.webfinger import canonical_account, lookup
from tests.doubles.server import Reply, ServerDouble, redirect
from tests.unit.transport.conftest import NODE, Doorway, World

PEER = "peer.esn.test"
ORIGIN = f"https://{PEER}"

Fetch = Callable[[World, Transport], Awaitable[object]]

FETCHES: dict[str, Fetch] = {
    "document": lambda world, transport: world.resolver(transport).document(f"{ORIGIN}/users/a"),
    "key": lambda world, transport: world.resolver(transport).key_document(f"{ORIGIN}/users/a#main-key"),
    "webfinger": lambda world, transport: lookup(transport, f"a@{PEER}"),
    "account": lambda world, transport: canonical_account(
        transport, {"id": f"{ORIGIN}/users/a", "preferredUsername": "a"}
    ),
    "nodeinfo": lambda world, transport: probe(transport, PEER),
    "unsigned": lambda world, transport: transport.get_json(f"{ORIGIN}/x", signer=None),
    "bytes": lambda world, transport: transport.get_bytes(
        f"{ORIGIN}/x", accept="*/*", types=frozenset({"text/plain"}), limit=9
    ),
}

INWARD = [
    "https://127.0.0.1:{port}/",
    "https://[::1]:{port}/",
    "https://[::ffff:127.0.0.1]:{port}/",
    "https://[64:ff9b::7f00:1]:{port}/",
    "https://0.0.0.0:{port}/",
    "https://169.254.169.254/latest/meta-data",
    "https://inward.example:{port}/",
    "https://mixed.example:{port}/",
]


@pytest.fixture
async def peer(world: World) -> ServerDouble:
    return await world.server(PEER)


@pytest.fixture
async def inside(world: World) -> ServerDouble:
    return await world.server("inside.esn.test")


@pytest.fixture
async def transport(world: World, peer: ServerDouble, inside: ServerDouble) -> Transport:
    """A transport with the rules of production, which can reach `peer` and nothing else."""
    answers = {"inward.example": ["127.0.0.1"], "mixed.example": ["8.8.8.8", "10.0.0.1"]}
    return world.transport(names=Doorway(world.clock, answers, {PEER: peer.door}))


async def refused(fetch: Awaitable[object]) -> None:
    with pytest.raises(RemoteRefused) as caught:
        await fetch
    assert str(caught.value) == reasons.NOT_ROUTABLE


@pytest.mark.parametrize("target", INWARD)
@pytest.mark.parametrize("kind", FETCHES)
async def test_redirect_inward_is_refused_for_every_kind_of_fetch(
    world: World, transport: Transport, peer: ServerDouble, inside: ServerDouble, kind: str, target: str
) -> None:
    inward = redirect(target.format(port=inside.port))
    for path in ("/users/a", "/.well-known/webfinger", "/.well-known/nodeinfo", "/x"):
        peer.answers[path] = inward
    await refused(FETCHES[kind](world, transport))
    assert len(peer.seen) == 1
    assert inside.seen == []


@pytest.mark.parametrize("target", INWARD)
async def test_address_inward_is_refused_for_fetch_and_delivery(
    world: World, transport: Transport, inside: ServerDouble, target: str
) -> None:
    url = target.format(port=inside.port)
    await refused(transport.get_json(url, signer=world.signer))
    await refused(transport.post(url, b"{}", signer=world.signer))
    assert inside.seen == []


@pytest.mark.parametrize("target", INWARD)
async def test_host_meta_template_inward_is_refused(
    world: World, transport: Transport, peer: ServerDouble, inside: ServerDouble, target: str
) -> None:
    link = f'<Link rel="lrdd" template="{target.format(port=inside.port)}?q={{uri}}"/>'
    peer.answers["/.well-known/host-meta"] = Reply(200, f"<XRD>{link}</XRD>".encode(), "application/xrd+xml")
    await refused(lookup(transport, f"a@{PEER}"))
    assert inside.seen == []


class Rebinding(Names):
    """A resolver gone wrong: it judges nothing and answers loopback, as a second look-up would."""

    def __init__(self, world: World, port: int) -> None:
        super().__init__(Config(domain=NODE, data_dir=Path("/nonexistent")), world.clock)
        self._port = port

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_UNSPEC
    ) -> list[ResolveResult]:
        return [
            ResolveResult(
                hostname=host, host=address, port=self._port, family=socket.AF_INET, proto=0, flags=0
            )
            for address in ("127.0.0.1", "127.0.0.2")
        ]


async def test_connected_address_is_judged_again(world: World, inside: ServerDouble) -> None:
    """Nothing is sent, not even a TLS greeting, whatever the name service said in between."""
    transport = world.transport(names=Rebinding(world, inside.port))
    await refused(transport.get_json("https://inside.esn.test/", signer=None))
    await refused(transport.post("https://inside.esn.test/", b"{}", signer=world.signer))
    assert inside.seen == []


async def test_names_are_looked_up_once_per_connection(world: World, peer: ServerDouble) -> None:
    """The connector has no look-up of its own: what was judged is what is connected to."""
    asked: list[str] = []

    class Counting(Doorway):
        async def resolve(
            self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_UNSPEC
        ) -> list[ResolveResult]:
            asked.append(host)
            return await super().resolve(host, port, family)

    peer.answers["/inbox"] = Reply(202)
    transport = world.transport(names=Counting(world.clock, {}, {PEER: peer.door}))
    for _ in range(2):
        assert (await transport.post(f"{ORIGIN}/inbox", b"{}", signer=world.signer)).status == 202
    assert asked == [PEER]


async def test_unknown_name_is_unreachable_and_not_refused(world: World, transport: Transport) -> None:
    with pytest.raises(RemoteUnreachable, match="name service"):
        await transport.get_json("https://nowhere.example/", signer=None)


async def test_literal_address_is_refused_before_anything_is_spent(
    world: World, transport: Transport
) -> None:
    await refused(transport.get_json("https://10.0.0.1/", signer=None, budget=Budget(0)))
