"""A process that runs out of file descriptors says so, and takes connections again when it has some."""

from __future__ import annotations

import asyncio
import resource
import time
from pathlib import Path

from tests.crash.conftest import Serve, strangers
from tests.crash.knocking import knock
from tests.doubles.clock import Clock
from tests.federation.network import Network

CROWD = 12


async def test_a_node_without_file_descriptors_says_so_and_recovers(
    network: Network, clock: Clock, serve: Serve
) -> None:
    clock.now = time.time_ns() // 1_000_000
    live = await network.node("quito")
    peer, pen = await strangers(network, live)
    served = await serve(live)
    await served.start()
    assert served.process is not None
    pid = served.process.pid
    before = resource.prlimit(pid, resource.RLIMIT_NOFILE)
    highest = max(int(path.name) for path in Path(f"/proc/{pid}/fd").iterdir())
    resource.prlimit(pid, resource.RLIMIT_NOFILE, (highest + 4, before[1]))
    crowd = [await asyncio.open_connection("127.0.0.1", served.port) for _ in range(CROWD)]
    await served.says("no file descriptor is left of [0-9]+: connections are refused")
    for _, writer in crowd:
        writer.close()
    resource.prlimit(pid, resource.RLIMIT_NOFILE, before)
    activity = peer.activity(pen, "Follow", f"{live.origin}/nobody")
    async with asyncio.timeout(30):
        answer = await knock(served.port, served.config.domain, activity, time.time_ns() // 1_000_000)
    assert answer.status == 202
    await served.says("there are file descriptors again")
    log = await served.stop()
    assert "Traceback" not in log, log
    assert log.count("no file descriptor is left") == 1
