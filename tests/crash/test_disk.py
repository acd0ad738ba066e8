"""A disk that is full or read-only: 503 with Retry-After, one line in the log, and then it works again."""

from __future__ import annotations

import asyncio
import logging
import resource
import time
from typing import Any

import pytest
from sqlalchemy import text

from esnfed import jobs
from esnfed.context import Context
from esnfed.federation import errand_worker, inbox_worker
from esnfed.models import inbox_message
from tests.crash.conftest import Serve, database_of, strangers
from tests.crash.knocking import Answered, knock
from tests.doubles.clock import Clock
from tests.federation.network import LiveNode, Network

ATTEMPTS = 5
PATIENCE = 30.0


def pragma(context: Context, statement: str) -> Any:
    """Run a pragma on the writer's connection."""
    result = context.connection.execute(text(statement))
    return result.scalar() if result.returns_rows else None


async def fill(live: LiveNode) -> None:
    """Let the file grow no further."""
    pages = await live.write(pragma, "PRAGMA page_count")
    await live.write(pragma, f"PRAGMA max_page_count={pages}")


async def make_room(_network: Network, live: LiveNode) -> None:
    """Let it grow again, under the running node."""
    await live.write(pragma, "PRAGMA max_page_count=1000000")


async def seal(live: LiveNode) -> None:
    """Make the file read-only, as a file system that was mounted again after an error."""
    await live.write(pragma, "PRAGMA query_only=ON")


async def unseal(network: Network, live: LiveNode) -> None:
    """Start the node again on a file that is writable."""
    await network.halt(live)
    await network.resume(live)


@pytest.mark.parametrize(
    ("breaks", "mends", "line"),
    [(fill, make_room, "the disk is full: make room"), (seal, unseal, "it is read-only: look at the owner")],
)
async def test_a_disk_that_takes_nothing_is_503_one_line_and_nothing_lost(
    network: Network, clock: Clock, caplog: pytest.LogCaptureFixture, breaks: Any, mends: Any, line: str
) -> None:
    live = await network.node("quito")
    peer, pen = await strangers(network, live)
    luz = (await live.row(await live.actor("luz")))["uri"]
    create = peer.activity(pen, "Follow", luz, summary="x" * 200_000)
    where = (network.hosts[live.domain][1], live.domain, create)
    await breaks(live)
    caplog.set_level(logging.INFO)
    for _ in range(ATTEMPTS):
        assert await knock(*where, clock()) == Answered(503, 60)
        clock.advance(1000)
    told = [record for record in caplog.records if record.levelno >= logging.WARNING]
    assert [line in record.getMessage() for record in told] == [True], [each.getMessage() for each in told]
    assert "Traceback" not in caplog.text
    assert await live.rows(inbox_message, as_type="Follow") == []
    await mends(network, live)
    again = await knock(network.hosts[live.domain][1], live.domain, create, clock())
    assert again.status == 202
    assert ("the database can be written again" in caplog.text) is (mends is make_room)
    await network.settle()
    assert (await live.one(inbox_message, as_type="Follow"))["state"] == "done"


async def test_the_loops_of_a_node_rest_while_nothing_can_be_written(
    network: Network, clock: Clock, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Work that is due and that the database does not take must not be asked for again at once."""
    live = await network.node("quito")
    peer, pen = await strangers(network, live)
    create = peer.activity(pen, "Follow", f"{live.origin}/nobody")
    assert (await knock(network.hosts[live.domain][1], live.domain, create, clock())).status == 202
    await live.node.job_worker.schedule()
    clock.advance(24 * 3600 * 1000)
    await seal(live)
    pauses: list[float] = []
    resting = asyncio.Event()

    async def rest(seconds: float) -> None:
        pauses.append(seconds)
        if len(pauses) >= 2:
            resting.set()
        await asyncio.Event().wait()

    for module in (jobs, inbox_worker):
        monkeypatch.setattr(module, "asyncio", _Resting(rest))
    loops = [
        asyncio.create_task(live.node.job_worker.run()),
        asyncio.create_task(live.node.inbox_worker.run()),
    ]
    async with asyncio.timeout(PATIENCE):
        await resting.wait()
    for loop in loops:
        loop.cancel()
    await asyncio.wait(loops)
    assert pauses == [jobs.BUSY_SECONDS] * 2
    assert errand_worker.BUSY_SECONDS == jobs.BUSY_SECONDS
    assert [r.getMessage() for r in caplog.records if r.levelno >= logging.ERROR][1:] == []


class _Resting:
    """`asyncio` with another `sleep`."""

    def __init__(self, sleep: Any) -> None:
        self.sleep = sleep

    def __getattr__(self, name: str) -> Any:
        return getattr(asyncio, name)


async def test_a_process_on_a_full_disk_says_so_and_goes_on_when_there_is_room(
    network: Network, clock: Clock, serve: Serve
) -> None:
    clock.now = time.time_ns() // 1_000_000
    live = await network.node("quito", first_contact_activities=1_000_000)
    peer, pen = await strangers(network, live)
    served = await serve(live)
    await served.start()
    assert served.process is not None
    size = database_of(served.config).stat().st_size

    def create(number: int) -> Any:
        return peer.activity(pen, "Follow", f"{live.origin}/nobody/{number}", summary="x" * 100_000)

    _, hard = resource.prlimit(served.process.pid, resource.RLIMIT_FSIZE)
    resource.prlimit(served.process.pid, resource.RLIMIT_FSIZE, (min(size, 400_000), hard))
    for number in range(20):
        answer = await knock(served.port, served.config.domain, create(number), time.time_ns() // 1_000_000)
    assert answer == Answered(503, 60)
    await served.says("the database cannot be written: the disk is full")
    assert "Traceback" not in served.log
    resource.prlimit(served.process.pid, resource.RLIMIT_FSIZE, (hard, hard))
    answer = await knock(served.port, served.config.domain, create(20), time.time_ns() // 1_000_000)
    assert answer.status == 202
    await served.says("the database can be written again")
    log = await served.stop()
    assert "Traceback" not in log
    assert log.count("cannot be written") <= 2
