"""A clock that jumps: ids stay rising, signatures are judged by the time there is, work keeps its pace."""

from __future__ import annotations

import pytest

from esnfed.models import delivery, inbox_message, job, status
from tests.crash.conftest import strangers
from tests.crash.knocking import knock
from tests.doubles.clock import Clock
from tests.doubles.server import Reply
from tests.federation.network import LiveNode, Network
from tests.federation.peer import Peer

HOUR = 3_600_000
DAY = 24 * HOUR


async def posts(live: LiveNode, author: int, number: int) -> list[int]:
    """Write posts; return their ids in the order of writing."""
    return [await live.post(author, f"{each}") for each in range(number)]


async def test_ids_rise_when_the_clock_goes_back_also_after_a_start(
    network: Network, clock: Clock, caplog: pytest.LogCaptureFixture
) -> None:
    live = await network.node("quito")
    luz = await live.actor("luz")
    ids = await posts(live, luz, 3)
    clock.advance(-HOUR)
    ids += await posts(live, luz, 3)
    await network.halt(live)
    await network.resume(live)
    assert "the newest rows are 60 minutes ahead of the clock; is it right?" in caplog.text
    ids += await posts(live, luz, 3)
    clock.advance(DAY)
    ids += await posts(live, luz, 3)
    assert ids == sorted(set(ids))
    rows = await live.rows(status)
    written = [row["content"] for row in sorted(rows, key=lambda row: row["id"])]
    assert written == 4 * ["<p>0</p>", "<p>1</p>", "<p>2</p>"]


async def test_signatures_are_judged_by_the_time_there_is_and_messages_go_on(
    network: Network, clock: Clock
) -> None:
    live = await network.node("quito")
    peer, pen = await strangers(network, live)
    luz = (await live.row(await live.actor("luz")))["uri"]
    right = clock.now

    async def follow(number: int) -> int:
        activity = peer.activity(pen, "Follow", luz, id=f"{peer.origin}/follows/{number}")
        return (await knock(network.hosts[live.domain][1], live.domain, activity, right)).status

    assert await follow(1) == 202  # stored, not yet applied, when the clock jumps
    clock.advance(DAY)
    assert await follow(2) == 401
    await network.settle()
    assert (await live.one(inbox_message))["state"] == "done"
    clock.now = right
    assert await follow(3) == 202
    clock.advance(-HOUR)
    assert await follow(4) == 202  # an hour's difference is let pass
    await network.settle()
    clock.advance(HOUR)
    await network.settle()
    assert {row["state"] for row in await live.rows(inbox_message)} == {"done"}


async def crowd(network: Network, live: LiveNode, luz: str, number: int) -> list[Peer]:
    """Servers with one follower of luz each."""
    peers = []
    for each in range(number):
        peer = await Peer.start_in(network, f"p{each}.esn.test")
        pen = peer.actor("pen")
        assert await peer.post(live, peer.activity(pen, "Follow", luz)) == 202
        peers.append(peer)
    await network.settle()
    return peers


async def rest(network: Network, clock: Clock, minutes: int) -> None:
    """Let so many minutes pass, one by one."""
    for _ in range(minutes):
        await network.settle()
        clock.advance(60_000)


async def test_a_day_at_once_is_no_stampede_and_an_hour_back_no_halt(network: Network, clock: Clock) -> None:
    live = await network.node("quito")
    luz = await live.actor("luz")
    peers = await crowd(network, live, (await live.row(luz))["uri"], 4)
    for peer in peers:
        peer.answers["/users/pen/inbox"] = Reply(503)
    for number in range(5):
        await live.post(luz, f"{number}")
    await network.settle()
    for peer in peers:
        peer.answers["/users/pen/inbox"] = Reply(202)
        peer.seen.clear()
    clock.advance(DAY)
    await live.node.delivery_worker.step()
    assert [len(peer.received()) for peer in peers] == [1] * 4  # one probe each, not all that waits
    await rest(network, clock, 30)
    clock.advance(-HOUR)
    await live.post(luz, "after")
    await rest(network, clock, 70)
    rows = await live.rows(delivery, as_type="Create")
    assert {row["state"] for row in rows} == {"delivered"}
    assert len(rows) == 6 * 4


async def test_periodic_work_neither_stops_nor_runs_for_every_hour_that_was_missed(
    network: Network, clock: Clock
) -> None:
    live = await network.node("quito")
    await live.node.job_worker.schedule()
    clock.advance(DAY)
    turns = 0
    while await live.node.job_worker.step():
        turns += 1
    jobs = await live.rows(job)
    assert turns <= 2 * len(jobs)  # once each, and what has a second step
    clock.advance(-HOUR)
    assert not await live.node.job_worker.step()
    clock.advance(2 * DAY)
    assert await live.node.job_worker.step()
