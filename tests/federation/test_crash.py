"""Crashes: whatever was acknowledged is there afterwards, and no effect is there twice."""

from __future__ import annotations

import asyncio
import json
import socket
import sys
import time
from asyncio.subprocess import DEVNULL, PIPE, Process
from contextlib import suppress
from pathlib import Path
from random import Random
from typing import Any

import pytest

from esnfed.config import Config
from esnfed.federation import inbox_worker
from esnfed.models import delivery, favourite, follow, inbox_message, notification, replay, status
from esnfed.vocab import parse
from tests.doubles.clock import Clock
from tests.federation.network import LiveNode, Network
from tests.federation.test_inbox import scene

CYCLES = 5
POSTS = 8
PAUSE = 40_000
"""Milliseconds after which a server that failed once is tried again, for certain."""


async def test_a_message_stored_before_a_crash_is_applied_after_it(network: Network) -> None:
    _, dakar, paul, pen = await scene(network)
    create = await pen.activity("Create", await pen.note("un"))
    headers = await pen.headers(dakar, parse.dump(create))
    assert await pen.send(dakar, create, headers=headers) == 202
    assert (await dakar.one(inbox_message, uri=create["id"]))["state"] == "waiting"
    await network.halt(dakar)
    await network.resume(dakar)
    before = len(await dakar.rows(replay))
    assert await pen.send(dakar, create, headers=headers) == 202  # the sender never saw the first answer
    await network.settle()
    assert len(await dakar.rows(replay)) == before
    assert [row["content"] for row in await dakar.home(paul)] == ["<p>un</p>"]
    assert (await dakar.one(inbox_message, uri=create["id"]))["state"] == "done"


async def test_a_crash_in_the_middle_of_applying_leaves_all_or_nothing(
    network: Network, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The unit of work ends after its last statement and before its commit, and nothing is written down."""
    _, dakar, _, pen = await scene(network)
    post = await dakar.post(await dakar.actor("luz"), "Bonjour")
    like = await pen.activity("Like", (await dakar.one(status, id=post))["uri"])
    assert await pen.send(dakar, like) == 202
    reached: list[object] = []

    def die(*arguments: object) -> None:
        reached.append(arguments)
        raise MemoryError("the process is killed here")

    async def nothing(*_: object) -> None:
        """A process that is gone writes nothing down."""

    with monkeypatch.context() as patch:
        patch.setattr(inbox_worker, "MessageHandled", die)
        patch.setattr(dakar.node.inbox_worker, "_finish", nothing)
        await dakar.node.inbox_worker.step()
    assert reached
    assert await dakar.rows(favourite) == []
    assert (await dakar.one(status, id=post))["favourites_count"] == 0
    assert (await dakar.one(inbox_message, uri=like["id"]))["state"] == "waiting"
    await network.halt(dakar)
    await network.resume(dakar)
    await network.settle()
    assert len(await dakar.rows(favourite)) == 1
    assert (await dakar.one(status, id=post))["favourites_count"] == 1


async def pair(network: Network) -> tuple[LiveNode, int, LiveNode, int]:
    lyon, dakar = await network.node("lyon"), await network.node("dakar")
    amina, paul = await lyon.actor("amina"), await dakar.actor("paul")
    await dakar.follow(paul, await dakar.find("amina@lyon.esn.test"))
    await network.settle()
    return lyon, amina, dakar, paul


async def break_off(live: LiveNode, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let one delivery arrive, and end its sender before it sees the answer."""
    arrived = asyncio.Event()
    post = live.node.transport.post

    async def post_and_hang(*arguments: Any, **settings: Any) -> Any:
        await post(*arguments, **settings)
        arrived.set()
        await asyncio.Event().wait()

    with monkeypatch.context() as patch:
        patch.setattr(live.node.transport, "post", post_and_hang)
        step = asyncio.create_task(live.node.delivery_worker.step())
        await arrived.wait()
        step.cancel()
        with suppress(asyncio.CancelledError):
            await step


async def test_a_delivery_whose_answer_was_never_recorded_goes_again_and_counts_once(
    network: Network, monkeypatch: pytest.MonkeyPatch
) -> None:
    lyon, amina, dakar, paul = await pair(network)
    await lyon.post(amina, "Une fois")
    await break_off(lyon, monkeypatch)
    lost = await lyon.one(delivery, as_type="Create")
    assert (lost["state"], lost["attempts"], lost["done_at"]) == ("queued", 0, None)
    assert lost["begun_at"] is not None
    await network.settle(dakar)
    assert len(await dakar.home(paul)) == 1
    await network.halt(lyon)
    await network.resume(lyon)
    await network.settle()
    assert (await lyon.one(delivery, as_type="Create"))["state"] == "delivered"
    assert [row["content"] for row in await dakar.home(paul)] == ["<p>Une fois</p>"]
    assert len(await dakar.rows(inbox_message, as_type="Create")) == 1
    assert (await dakar.row(await dakar.find("amina@lyon.esn.test")))["statuses_count"] == 1


async def test_a_create_that_may_have_arrived_before_the_crash_is_followed_by_its_delete(
    network: Network, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Only what was never begun annihilates (decisions.md 9): the peer may hold the post."""
    lyon, amina, dakar, paul = await pair(network)
    post = await lyon.post(amina, "Oups")
    await break_off(lyon, monkeypatch)
    await network.halt(lyon)
    await network.resume(lyon)
    await lyon.remove(amina, post)
    waiting = {row["as_type"] for row in await lyon.rows(delivery, state="queued")}
    assert waiting == {"Create", "Delete"}
    await network.settle()
    assert await dakar.home(paul) == []
    assert {row["as_type"] for row in await dakar.rows(inbox_message)} >= {"Create", "Delete"}


class Doomed:
    """`esnfed serve` in a process of its own, which is killed without a word."""

    def __init__(self, network: Network, config: Config, folder: Path) -> None:
        self._network = network
        self._config = config
        self._folder = folder
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self._port = int(free.getsockname()[1])
        self._process: Process | None = None
        self._drain: asyncio.Task[bytes] | None = None

    async def start(self) -> None:
        """Run the node until it listens."""
        file = self._folder / "doomed.toml"
        file.write_text(self._toml(), encoding="utf-8")
        self._process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "esnfed", "--config", str(file), "serve"), stdout=DEVNULL, stderr=PIPE
        )
        assert self._process.stderr is not None
        said = b""
        while b"esnfed serves" not in said:
            line = await self._process.stderr.readline()
            assert line, said.decode()
            said += line
        self._network.hosts[self._config.domain] = ("127.0.0.1", self._port)
        self._drain = asyncio.create_task(self._process.stderr.read())

    async def end(self) -> None:
        """Leave nothing behind when a test failed half-way."""
        if self._process is not None and self._process.returncode is None:
            await self.kill()

    def _toml(self) -> str:
        certificate = self._network.authority.files(self._config.domain)
        values = {
            "domain": self._config.domain,
            "environment": "test",
            "data_dir": str(self._config.data_dir),
            "database": self._config.database,
            "port": self._port,
            "tls_authority": str(self._config.tls_authority),
            "tls_certificate": [str(path) for path in certificate],
        }
        lines = [f"{name} = {json.dumps(value)}" for name, value in values.items() if value]
        places = (f'"{name}" = "{host}:{port}"' for name, (host, port) in self._network.hosts.items())
        return "\n".join([*lines, "[hosts]", *places])

    async def kill(self) -> str:
        """SIGKILL; return what the node had logged until then."""
        assert self._process is not None
        assert self._drain is not None
        assert self._process.returncode is None
        self._process.kill()
        await self._process.wait()
        return (await self._drain).decode()


async def test_a_node_that_is_killed_again_and_again_loses_nothing_and_repeats_nothing(
    network: Network, clock: Clock, tmp_path: Path
) -> None:
    clock.now = time.time_ns() // 1_000_000
    dakar, quito = await network.node("dakar"), await network.node("quito")
    paul, luz = await dakar.actor("paul"), await quito.actor("luz")
    await dakar.follow(paul, await dakar.find("luz@quito.esn.test"))
    await quito.follow(luz, await quito.find("paul@dakar.esn.test"))
    await network.settle()
    liked = await quito.post(luz, "À aimer")
    await network.settle()
    there = (await dakar.home(paul))[0]["id"]
    for number in range(CYCLES * 3):
        await quito.post(luz, f"Luz {number}")  # waits until the process sends it
    await network.halt(quito)
    doomed, chance = Doomed(network, quito.node.config, tmp_path), Random(2)
    network.stack.push_async_callback(doomed.end)
    for cycle in range(CYCLES):
        await doomed.start()
        clock.advance(PAUSE)
        fan = await dakar.actor(f"fan{cycle}")
        await dakar.follow(fan, await dakar.find("luz@quito.esn.test"))
        await dakar.interact("like", fan, there)
        for number in range(POSTS):
            await dakar.post(paul, f"Paul {cycle}.{number}")
        dead = asyncio.Event()
        turning = asyncio.create_task(turn_until(dead, network, dakar))
        await asyncio.sleep(chance.uniform(0.05, 0.5))
        log = await doomed.kill()
        dead.set()
        await turning
        assert "Traceback" not in log, log
    acknowledged = await dakar.rows(delivery, state="delivered", host="quito.esn.test")
    await network.resume(quito)
    kept = {row["uri"] for row in await quito.rows(inbox_message)}
    assert len(acknowledged) > CYCLES
    assert len(kept) >= len(acknowledged)
    clock.advance(PAUSE)
    await run_dry(network, dakar, quito)
    await nothing_lost_and_nothing_double(dakar, paul, quito, luz)
    post = await quito.one(status, id=liked)
    assert post["favourites_count"] == len(await quito.rows(favourite)) == CYCLES
    assert len(await quito.rows(notification, kind="favourite")) == CYCLES


async def turn_until(dead: asyncio.Event, network: Network, live: LiveNode) -> None:
    """Turn the workers of a node while another one lives and dies; a second passes in each turn."""
    while not dead.is_set():
        await live.turn()
        network.advance(1000)


async def run_dry(network: Network, *nodes: LiveNode) -> None:
    for _ in range(200):
        await network.settle()
        network.advance(1000)
        if not any([await node.rows(delivery, state="queued") for node in nodes]):
            return
    raise AssertionError("something is queued for ever")


async def nothing_lost_and_nothing_double(dakar: LiveNode, paul: int, quito: LiveNode, luz: int) -> None:
    sent = {f"<p>Paul {cycle}.{number}</p>" for cycle in range(CYCLES) for number in range(POSTS)}
    arrived = [row["content"] for row in await quito.rows(status, local=False)]
    assert sorted(arrived) == sorted(sent)
    author = await quito.row(await quito.find("paul@dakar.esn.test"))
    assert author["statuses_count"] == len(sent)
    answered = [row["content"] for row in await dakar.rows(status, local=False)]
    assert sorted(answered) == sorted(["<p>À aimer</p>", *(f"<p>Luz {n}</p>" for n in range(CYCLES * 3))])
    assert {row["state"] for row in await dakar.rows(follow)} == {"accepted"}
    assert (await quito.row(luz))["followers_count"] == CYCLES + 1
    assert (await dakar.row(paul))["followers_count"] == 1
    for node in (dakar, quito):
        assert {row["state"] for row in await node.rows(inbox_message)} == {"done"}
        assert {row["state"] for row in await node.rows(delivery)} == {"delivered"}
