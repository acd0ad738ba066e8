"""A node that cannot start says in one sentence what is wrong and what to do."""

from __future__ import annotations

import ctypes
import os
import socket
from collections.abc import Callable

import pytest

from tests.crash.conftest import Serve, database_of
from tests.crash.served import Served
from tests.federation.network import Network

PR_CAPBSET_DROP = 24
OVERRIDES = (1, 2)
"""CAP_DAC_OVERRIDE and CAP_DAC_READ_SEARCH, by which root passes over permissions."""


def mortal() -> Callable[[], None] | None:
    """What makes permissions count in a process that root starts; None for everybody else."""
    if os.geteuid() != 0:
        return None
    prctl = ctypes.CDLL(None).prctl

    def drop() -> None:
        for capability in OVERRIDES:
            prctl(PR_CAPBSET_DROP, capability, 0, 0, 0)

    return drop


async def refusal(served: Served, before: Callable[[], None] | None = None) -> str:
    """Start a node that must refuse; return its one sentence."""
    await served.begin(before)
    log = await served.ended()
    assert served.process is not None
    assert served.process.returncode == 1, log
    sentences = [line for line in log.splitlines() if " INFO " not in line]
    assert len(sentences) == 1, log
    return sentences[0]


@pytest.fixture
async def stopped(network: Network, serve: Serve) -> Served:
    """A node that has been made and is not running."""
    return await serve(await network.node("quito"))


async def test_a_data_folder_that_cannot_be_written(stopped: Served) -> None:
    folder = stopped.config.data_dir
    folder.chmod(0o500)
    assert await refusal(stopped, mortal()) == (
        f"The data folder {folder} cannot be used: Permission denied; run the command as the node's user."
    )
    (folder / "lock").touch()
    said = await refusal(stopped, mortal())
    assert said.startswith(f"The database {database_of(stopped.config)} cannot be opened for writing (")
    assert said.endswith("its folder and all files in it must belong to the user who runs the node.")
    folder.chmod(0o700)
    await stopped.start()


@pytest.mark.parametrize("mode", [0o000, 0o400])
async def test_a_database_without_permission(stopped: Served, mode: int) -> None:
    path = database_of(stopped.config)
    path.chmod(mode)
    said = await refusal(stopped, mortal())
    assert said.startswith(f"The database {path} cannot be opened for writing (")
    assert said.endswith("its folder and all files in it must belong to the user who runs the node.")
    for each in path.parent.glob(f"{path.name}*"):  # SQLite gives the files beside it the same mode
        each.chmod(0o600)
    await stopped.start(mortal())


@pytest.mark.parametrize("spoil", ["head", "schema", "short"])
async def test_a_damaged_database(stopped: Served, spoil: str) -> None:
    path = database_of(stopped.config)
    whole = path.read_bytes()
    spoilt = {
        "head": b"not a database, but text".ljust(4096) + whole[4096:],
        "schema": whole[:100] + b"\xff" * 4000 + whole[4100:],
        "short": whole[: len(whole) // 8],
    }
    path.write_bytes(spoilt[spoil])
    said = await refusal(stopped)
    assert said.startswith(f"The database {path} is damaged (")
    assert said.endswith("put the last backup in its place.")
    path.write_bytes(whole)
    await stopped.start()


async def test_a_lock_that_another_node_holds(network: Network, serve: Serve) -> None:
    live = await network.node("quito")
    first, second = await serve(live), await serve(live)
    await first.start()
    assert await refusal(second) == (
        f"The data folder {first.config.data_dir} is already in use by a node or a command."
    )
    await first.kill()  # the lock goes with its process, the socket stays behind
    await second.start()
    assert await second.ask("post-list") == []


async def test_a_port_that_is_taken(stopped: Served) -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", stopped.port))
        other.listen()
        said = await refusal(stopped)
    assert said.startswith(
        f"The node cannot listen on 127.0.0.1 port {stopped.port} (settings “listen”, “port”): "
    )
    assert said.endswith("address already in use.")
    await stopped.start()
