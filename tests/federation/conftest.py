"""Fixtures of the live nodes."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from tests.conftest import MakeRuntime, Prepare
from tests.doubles.authority import Authority
from tests.federation.network import Network, open_network


@pytest.fixture(scope="session")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    """The certificate authority of every node of the test process."""
    return Authority(tmp_path_factory.mktemp("authority"))


@pytest.fixture
async def network(runtime: MakeRuntime, prepare: Prepare, authority: Authority) -> AsyncIterator[Network]:
    """A network of live nodes, on both back ends."""
    async with open_network(runtime, prepare, authority) as found:
        yield found
