"""One post to 1,000 followers on 100 servers: counted, not timed (performance.md 6)."""

from __future__ import annotations

from typing import Any

import pytest
from aiohttp import web

from esnfed.bus import Bus
from esnfed.context import Context
from esnfed.federation import envelopes, signatures, signing
from esnfed.federation.digests import sha256_base64
from esnfed.federation.keys import generate_rsa
from esnfed.models import actor, follow, insert
from tests.conftest import MakeRuntime, Open, Prepare
from tests.doubles.authority import Authority
from tests.doubles.clock import Clock
from tests.doubles.server import ServerDouble
from tests.federation.network import Network
from tests.unit.delivery.doubles import Node, inbox


async def test_a_thousand_followers_on_a_hundred_servers_cost_a_hundred_signatures_and_one_digest(
    runtime: MakeRuntime,
    prepare: Prepare,
    opened: Open,
    bus: Bus,
    clock: Clock,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    digests: list[int] = []

    def counted(body: bytes) -> str:
        digests.append(len(body))
        return sha256_base64(body)

    monkeypatch.setattr(envelopes, "sha256_base64", counted)
    monkeypatch.setattr("esnfed.federation.signatures.sha256_base64", counted)
    prepared = await prepare(runtime())
    node = await Node(await opened(prepared, bus), prepared, bus, clock, generate_rsa()).start()
    followers = [inbox(f"s{number % 100}.esn.test") for number in range(1_000)]
    await node.publish("Create", *followers)
    await node.worker.drain()
    assert len(node.servers.posted) == 100
    assert node.servers.signatures == 100
    assert len(digests) == 1
    assert len({posted.digest for posted in node.servers.posted}) == 1
    assert {posted.host for posted in node.servers.posted} == {f"s{number}.esn.test" for number in range(100)}
    assert {row.state for row in await node.rows()} == {"delivered"}
    assert max(node.servers.most_per_host.values()) == 1


HOSTS = [f"s{number}.esn.test" for number in range(100)]


class Sink:
    """A hundred servers behind one door: counts what they are sent, and over how many connections."""

    def __init__(self) -> None:
        self.server = ServerDouble("sink")
        self.server.answers["/inbox"] = self._accept
        self.posted: list[str] = []
        self.connections: set[Any] = set()

    async def _accept(self, request: web.BaseRequest) -> web.Response:
        assert request.transport is not None
        self.posted.append(request.headers["Host"])
        self.connections.add(request.transport.get_extra_info("peername"))
        return web.Response(status=202)


def _follow(context: Context, author_id: int, numbers: range) -> None:
    """Give an author followers of other servers, each with the shared inbox of its server."""
    now = context.now()
    people = [
        {
            "id": context.new_id(),
            "as_type": "Person",
            "local": False,
            "handle": f"follower{number}",
            "domain": HOSTS[number % 100],
            "host": HOSTS[number % 100],
            "uri": f"https://{HOSTS[number % 100]}/users/{number}",
            "inbox": f"https://{HOSTS[number % 100]}/users/{number}/inbox",
            "shared_inbox": f"https://{HOSTS[number % 100]}/inbox",
            "created_at": now,
            "updated_at": now,
        }
        for number in numbers
    ]
    follows = [
        {
            "id": context.new_id(),
            "actor_id": person["id"],
            "target_id": author_id,
            "state": "accepted",
            "uri": f"{person['uri']}#follow",
            "created_at": now,
        }
        for person in people
    ]
    context.connection.execute(insert(actor), people)
    context.connection.execute(insert(follow), follows)


async def test_two_posts_to_a_hundred_servers_over_the_real_transport_open_a_hundred_connections(
    network: Network, authority: Authority, monkeypatch: pytest.MonkeyPatch
) -> None:
    sink, signed, digests = Sink(), [], []

    def counted(*args: Any) -> dict[str, str]:
        signed.append(args)
        return signatures.sign(*args)

    def digesting(body: bytes) -> str:
        digests.append(len(body))
        return sha256_base64(body)

    monkeypatch.setattr(signing, "sign", counted)
    monkeypatch.setattr(envelopes, "sha256_base64", digesting)
    monkeypatch.setattr(signatures, "sha256_base64", digesting)
    await sink.server.start(authority.server_context(*HOSTS))
    try:
        network.hosts.update(dict.fromkeys(HOSTS, sink.server.door))
        lyon = await network.node("lyon")
        marie = await lyon.actor("marie")
        for start in range(0, 1_000, 250):
            await lyon.write(_follow, marie, range(start, start + 250))
        for number in (1, 2):
            await lyon.post(marie, f"Bonjour {number}")
            await network.settle()
            assert sorted(sink.posted) == sorted(HOSTS * number)
            assert (len(signed), len(digests)) == (100 * number, number)
            assert len(sink.connections) <= 100
    finally:
        await sink.server.stop()
