"""Fixtures of the hostile peer: live nodes on SQLite, with the address rules of the test or of production."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable

import pytest

from esnfed.federation import transport
from esnfed.federation.session import Timeouts
from tests.conftest import MakeRuntime, Prepare
from tests.doubles.authority import Authority
from tests.federation.network import Network, open_network
from tests.hostile.fortress import Fortress
from tests.hostile.scene import Scene, play


@pytest.fixture(scope="session")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    """The certificate authority of every node and peer of the test process."""
    return Authority(tmp_path_factory.mktemp("authority"))


@pytest.fixture
async def network(
    runtime: MakeRuntime, prepare_sqlite: Prepare, authority: Authority
) -> AsyncIterator[Network]:
    """Live nodes on SQLite: what is refused never reaches a statement that could differ."""
    async with open_network(runtime, prepare_sqlite, authority) as found:
        yield found


@pytest.fixture
async def scene(network: Network) -> Scene:
    """Dakar, Lyon and the hostile peer."""
    return await play(network)


@pytest.fixture
def hasty(monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """`hasty(connect, read, total)`: nodes opened from then on have these time-outs, in seconds."""

    def hurry(connect: float = 2.0, read: float = 0.2, total: float = 0.5) -> None:
        monkeypatch.setattr(transport, "Timeouts", lambda: Timeouts(connect, read, total))

    return hurry


@pytest.fixture
def fortress(monkeypatch: pytest.MonkeyPatch) -> Fortress:
    """Nodes opened from then on judge addresses as in production, but find the test's own servers."""
    found = Fortress()
    monkeypatch.setattr(transport, "Names", found.names)
    return found
