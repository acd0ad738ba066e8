"""One post to 1,000 followers on 100 servers: counted, not timed (performance.md 6)."""

from __future__ import annotations

import pytest

from esnfed.bus import Bus
from esnfed.federation import envelopes
from esnfed.federation.digests import sha256_base64
from esnfed.federation.keys import generate_rsa
from tests.conftest import MakeRuntime, Open, Prepare
from tests.doubles.clock import Clock
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
