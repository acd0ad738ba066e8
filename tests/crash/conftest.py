"""Fixtures of the crashes: a network of live nodes on SQLite, and one process of a node."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack
from dataclasses import replace
from itertools import count
from pathlib import Path
from typing import Any

import pytest

from esnfed.config import Config
from esnfed.database import database_path
from tests.conftest import MakeRuntime, Prepare
from tests.crash.served import Served
from tests.doubles.authority import Authority
from tests.federation.network import LiveNode, Network, open_network
from tests.federation.peer import Peer

Serve = Callable[..., Awaitable[Served]]
"""`serve(live)`: halt a live node and make a process of it, not yet started, on the same data."""


@pytest.fixture(scope="session")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    """The certificate authority of every node of the test process."""
    return Authority(tmp_path_factory.mktemp("authority"))


@pytest.fixture
async def network(
    runtime: MakeRuntime, prepare_sqlite: Prepare, authority: Authority
) -> AsyncIterator[Network]:
    """A network of live nodes on SQLite."""
    async with open_network(runtime, prepare_sqlite, authority) as found:
        yield found


@pytest.fixture
async def serve(network: Network, authority: Authority, tmp_path: Path) -> AsyncIterator[Serve]:
    """Makes processes of live nodes; none of them outlives the test."""
    numbers = count()
    async with AsyncExitStack() as stack:

        async def make(live: LiveNode, **settings: Any) -> Served:
            if live in network.nodes:
                await network.halt(live)
            folder = tmp_path / f"served{next(numbers)}"
            folder.mkdir()
            served = Served(replace(live.node.config, **settings), folder, authority, network.hosts)
            stack.push_async_callback(served.close)
            return served

        yield make


async def strangers(network: Network, live: LiveNode) -> tuple[Peer, Any]:
    """A peer that is not esnfed, with one actor whom the node knows already."""
    peer = await Peer.start_in(network, "peer.esn.test")
    pen = peer.actor("pen")
    await live.find(pen["id"])
    return peer, pen


def database_of(config: Config) -> Path:
    """The file of a node."""
    return database_path(config)
