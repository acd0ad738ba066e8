"""PostgreSQL that is stopped and started again under load: 503 meanwhile, then all goes on by itself."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import time
from collections.abc import AsyncIterator, Iterator
from dataclasses import replace
from itertools import count, takewhile

import pytest
from aiohttp import ClientSession, TCPConnector

from esnfed import jobs
from esnfed.context import Runtime
from esnfed.database import listener, migrate
from esnfed.errors import Busy
from esnfed.federation import errand_worker, inbox_worker
from esnfed.models import delivery, follow, inbox_message, status
from esnfed.vocab.terms import ACTIVITY_JSON
from tests.conftest import MakeRuntime
from tests.crash.knocking import Answered, knock
from tests.crash.ledger import activity_of
from tests.doubles import postgres
from tests.doubles.authority import Authority
from tests.doubles.clock import Clock
from tests.doubles.postgres import Cluster, cluster
from tests.federation.network import LiveNode, Network, open_network
from tests.federation.peer import Document, Peer

PATIENCE = 60.0


class Stoppable:
    """A PostgreSQL server that can be stopped and started on the same data."""

    def __init__(self, found: Cluster) -> None:
        self.cluster = found
        self._again: subprocess.Popen[bytes] | None = None

    def stop(self) -> None:
        """End it at once, as `systemctl restart` does: open transactions are taken back."""
        pid = int((self.cluster.folder / "data" / "postmaster.pid").read_text().split()[0])
        os.kill(pid, signal.SIGINT)
        if self._again is not None:
            self._again.wait(PATIENCE)
            self._again = None
        deadline = time.monotonic() + PATIENCE
        while (self.cluster.folder / "data" / "postmaster.pid").exists() and time.monotonic() < deadline:
            time.sleep(0.02)

    async def start(self) -> None:
        """Start it again."""
        user, group = postgres.unprivileged()
        identity = {"user": user, "group": group, "extra_groups": []} if os.geteuid() == 0 else {}
        self._again = postgres._start(postgres.programs(), self.cluster.folder, identity)
        await postgres._ready(self.cluster, self._again)

    def close(self) -> None:
        """Leave nothing running."""
        if self._again is not None:
            self.stop()


@pytest.fixture
def server() -> Iterator[Stoppable]:
    """A server of this test alone."""
    with cluster() as found:
        stoppable = Stoppable(found)
        yield stoppable
        stoppable.close()


@pytest.fixture
async def on_postgres(
    server: Stoppable, runtime: MakeRuntime, authority: Authority
) -> AsyncIterator[Network]:
    """A network whose nodes live in databases of that server."""

    async def prepare(made: Runtime) -> Runtime:
        name = made.config.domain.partition(".")[0]
        await server.cluster.execute(f"CREATE DATABASE {name}")
        config = replace(made.config, database=server.cluster.url(name))
        await migrate(config)
        return replace(made, config=config)

    async with open_network(runtime, prepare, authority) as found:
        yield found


async def page(network: Network, live: LiveNode) -> Answered:
    """What a reader gets for the start page."""
    url = f"https://127.0.0.1:{network.hosts[live.domain][1]}/ap/actors/1"
    headers = {"Host": live.domain, "Accept": ACTIVITY_JSON}
    async with (
        ClientSession(connector=TCPConnector(ssl=False)) as session,
        session.get(url, headers=headers) as answer,
    ):
        later = answer.headers.get("Retry-After")
        return Answered(answer.status, None if later is None else int(later))


def follows_and_undos(peer: Peer, pen: Document, uri: str) -> Iterator[Document]:
    """What one actor sends to another, in turn, without end."""
    for number in count(1):
        activity = peer.activity(pen, "Follow" if number % 2 else "Undo", uri, id=f"{pen['id']}/{number}")
        if number % 2 == 0:
            activity["object"] = {"id": f"{pen['id']}/{number - 1}", "type": "Follow", "object": uri}
            activity["object"]["actor"] = pen["id"]
        yield activity


async def has_all_that_it_took(live: LiveNode, answers: list[tuple[str, Answered]]) -> None:
    """What was answered 202 is stored, once."""
    acknowledged = {uri for uri, answer in answers if answer.status == 202}
    stored = [row["uri"] for row in await live.rows(inbox_message)]
    assert len(stored) == len(set(stored))
    assert acknowledged <= {activity_of(uri) for uri in stored}


def be_quick(monkeypatch: pytest.MonkeyPatch, live: LiveNode) -> None:
    """Let nothing rest for long when the database is away."""
    for module in (listener, jobs, inbox_worker, errand_worker):
        name = "RETRY_SECONDS" if module is listener else "BUSY_SECONDS"
        monkeypatch.setattr(module, name, 0.2)
    live.node.delivery_worker._fault_pause = 0.2


async def test_a_node_outlives_its_database_server(
    on_postgres: Network,
    server: Stoppable,
    clock: Clock,
    caplog: pytest.LogCaptureFixture,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    network, live = on_postgres, await on_postgres.node("quito")
    be_quick(monkeypatch, live)
    luz = await live.actor("luz")
    uri = (await live.row(luz))["uri"]
    peer = await Peer.start_in(network, "near.esn.test")
    pens = [peer.actor(f"pen{number}") for number in range(8)]
    assert await peer.post(live, peer.activity(pens[0], "Follow", uri)) == 202
    await network.settle()
    node = live.node
    workers = (node.inbox_worker, node.delivery_worker, node.errand_worker, node.job_worker)
    loops = [asyncio.create_task(worker.run()) for worker in workers]
    answers: list[tuple[str, Answered]] = []
    over = asyncio.Event()
    port = network.hosts[live.domain][1]

    async def load(pen: Document) -> None:
        for activity in takewhile(lambda _: not over.is_set(), follows_and_undos(peer, pen, uri)):
            answers.append((activity["id"], await knock(port, live.domain, activity, clock())))
            await asyncio.sleep(0.02)

    loading = [asyncio.create_task(load(pen)) for pen in pens[1:]]
    async with asyncio.timeout(PATIENCE):
        while len(answers) < 20:
            await asyncio.sleep(0.02)
        await live.post(luz, "before")
        await asyncio.to_thread(server.stop)
        first = len(answers)
        while not any(answer.status == 503 for _, answer in answers[first:]):
            await asyncio.sleep(0.02)
        assert await page(network, live) == Answered(503, 60)
        with pytest.raises(Busy):
            await live.post(luz, "never")
        await server.start()
        first = len(answers)
        while sum(answer.status == 202 for _, answer in answers[first:]) < 20:
            await asyncio.sleep(0.02)
        await live.post(luz, "after")
        over.set()
        await asyncio.gather(*loading)
        while await live.rows(inbox_message, state="waiting") or await live.rows(delivery, state="queued"):
            clock.advance(1000)
            await asyncio.sleep(0.02)
    for loop in loops:
        assert not loop.done()
        loop.cancel()
    await asyncio.wait(loops)
    assert {answer for _, answer in answers} == {Answered(202, None), Answered(503, 60)}
    await has_all_that_it_took(live, answers)
    assert [row["content"] for row in await live.rows(status)] == ["<p>before</p>", "<p>after</p>"]
    assert (await live.row(luz))["followers_count"] == len(await live.rows(follow, state="accepted"))
    assert "the listening connection to PostgreSQL was lost" in caplog.text
    assert "Traceback" not in caplog.text
