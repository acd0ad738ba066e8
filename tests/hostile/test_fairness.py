"""A thousand servers of which half are dead, slow or rude: the healthy ones are served as if they were alone."""

from __future__ import annotations

import asyncio

import pytest

from esnfed.bus import Bus
from esnfed.errors import RemoteUnreachable
from esnfed.federation import reasons
from esnfed.federation.keys import KeyPair, generate_rsa
from tests.conftest import MakeRuntime, Open, Prepare
from tests.doubles.clock import Clock
from tests.unit.delivery.doubles import Node, answer, inbox

HEALTHY = [f"good{number}.esn.test" for number in range(500)]
BAD = [f"bad{number}.esn.test" for number in range(500)]
SECOND = 1_000


@pytest.fixture
async def node(runtime: MakeRuntime, prepare_sqlite: Prepare, opened: Open, bus: Bus, clock: Clock) -> Node:
    """A node with everything that delivery needs, and a transport that is told what each server answers."""
    prepared = await prepare_sqlite(runtime())
    pair: KeyPair = generate_rsa()
    return await Node(await opened(prepared, bus), prepared, bus, clock, pair).start()


async def publish(node: Node, hosts: list[str], about: str) -> None:
    """Queue one post for each host, 500 rows a unit of work."""
    for start in range(0, len(hosts), 250):
        await node.publish("Create", *map(inbox, hosts[start : start + 250]), about=about)


async def rounds_until_served(node: Node, hosts: list[str]) -> int:
    """Turn the worker until every one of `hosts` was sent something; return how many rounds that took."""
    wanted = set(hosts)
    for number in range(1, 200):
        moved = await node.worker.step()
        if wanted <= {posted.host for posted in node.servers.posted}:
            return number
        if not moved:
            node.clock.advance(SECOND)
    raise AssertionError(f"{len(wanted - {posted.host for posted in node.servers.posted})} were never served")


def spoil(node: Node) -> None:
    """A third of the bad never answer, a third refuse, a third ask for patience."""
    for number, host in enumerate(BAD):
        ways = (
            RemoteUnreachable(reasons.TOO_SLOW),
            answer(500, text="no"),
            answer(429, retry_after=3_600),
        )
        node.servers.always[host] = ways[number % 3]


async def test_the_rounds_until_the_healthy_are_served_do_not_depend_on_the_others(node: Node) -> None:
    """A post reaches all healthy servers in twice the rounds at most, however often the others failed before."""
    await publish(node, HEALTHY, "https://node1.esn.test/ap/objects/0")
    alone = await rounds_until_served(node, HEALTHY)
    spoil(node)
    everybody = [host for two in zip(BAD, HEALTHY, strict=True) for host in two]
    node.servers.clear()
    await publish(node, everybody, "https://node1.esn.test/ap/objects/1")
    first = await rounds_until_served(node, HEALTHY)
    assert first <= 2 * alone + 2  # each bad server took one place, once
    rounds = []
    for number in range(2, 5):
        node.clock.advance(45 * SECOND)
        node.servers.clear()
        await publish(node, everybody, f"https://node1.esn.test/ap/objects/{number}")
        rounds.append(await rounds_until_served(node, HEALTHY))
        bad = [posted for posted in node.servers.posted if posted.host.startswith("bad")]
        assert len(bad) <= 8 * rounds[-1]  # probes never take more than their eight places
    # A round looks at 32 servers; of the failing half it tries eight and passes over the rest.
    assert max(rounds) <= 2 * alone, (alone, rounds)
    assert max(node.servers.most_per_host.values()) == 1


async def test_servers_that_never_answer_hold_no_place_of_the_healthy(node: Node) -> None:
    """While probes of the dead hang, healthy servers go on being served in the same rounds."""
    for host in BAD:
        await node.set_peer(host, health="failing", failures=1, failing_since=1, last_failure_at=1)
        node.servers.gates[host] = asyncio.Event()
    await publish(node, BAD, "https://node1.esn.test/ap/objects/1")
    await publish(node, HEALTHY, "https://node1.esn.test/ap/objects/2")
    loop = asyncio.create_task(node.worker.run())
    try:
        for _ in range(20_000):
            await asyncio.sleep(0)
            if len({posted.host for posted in node.servers.posted if posted.host in set(HEALTHY)}) == len(
                HEALTHY
            ):
                break
            node.servers.arrived.clear()
            async with asyncio.timeout(20):
                await node.servers.arrived.wait()
    finally:
        loop.cancel()
        await asyncio.wait([loop])
    served = [posted.host for posted in node.servers.posted]
    assert len(set(served) & set(HEALTHY)) == len(HEALTHY)
    assert len(set(served) & set(BAD)) <= 8
