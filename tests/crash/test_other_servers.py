"""Other servers that are silent, slow, cut off or not to be found: they cost themselves, and nobody else."""

from __future__ import annotations

import asyncio
import socket
import ssl
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from typing import Any

import pytest

from esnfed.activitypub import inbox as door
from esnfed.federation import authenticate, reasons
from esnfed.models import delivery, inbox_message, status
from tests.crash.knocking import Answered, knock
from tests.doubles.clock import Clock
from tests.doubles.server import Reply, streaming
from tests.federation.network import LiveNode, Network
from tests.federation.peer import Document, Peer

MINUTE = 60_000
PATIENCE = 30.0
SHORT = 0.3
"""Seconds in place of those that a slow server gets."""


async def followed(network: Network, live: LiveNode, *names: str) -> tuple[int, str, list[Peer]]:
    """Luz and her address, and servers each with an actor `pen` who follows her."""
    luz = await live.actor("luz")
    uri = (await live.row(luz))["uri"]
    peers = [await Peer.start_in(network, f"{name}.esn.test") for name in names]
    for peer in peers:
        assert await peer.post(live, peer.activity(peer.actor("pen"), "Follow", uri)) == 202
    await network.settle()
    for peer in peers:
        peer.seen.clear()
    return luz, uri, peers


def follow(peer: Peer, name: str, uri: str) -> Document:
    """One more Follow by somebody of the peer."""
    return peer.activity({"id": f"{peer.origin}/users/{name}", "followers": ""}, "Follow", uri)


async def answered(network: Network, live: LiveNode, activity: Document) -> Answered:
    """What the node answers to an activity."""
    return await knock(network.hosts[live.domain][1], live.domain, activity, live.node.runtime.clock())


async def test_when_no_name_can_be_looked_up_everything_waits_and_then_goes_on(
    network: Network, clock: Clock, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    live = await network.node("quito")
    luz, uri, (near,) = await followed(network, live, "near")
    stranger = await Peer.start_in(network, "stranger.esn.test")
    stranger.actor("new")
    await network.halt(live)
    await network.resume(live)  # no connection is open any more

    async def fail(*_: object, **__: object) -> Any:
        raise socket.gaierror(socket.EAI_AGAIN, "Temporary failure in name resolution")

    with monkeypatch.context() as patch:
        patch.setattr(live.node.transport._names, "resolve", fail)
        await live.post(luz, "Bonjour")
        assert await answered(network, live, follow(near, "pen", uri)) == Answered(202, None)
        assert await answered(network, live, follow(stranger, "new", uri)) == Answered(503, 60)
        await network.settle()
        waiting = await live.one(delivery, as_type="Create")
        assert (waiting["state"], waiting["last_error"]) == ("queued", reasons.UNKNOWN_NAME)
        assert near.received() == []
    clock.advance(10 * MINUTE)
    await network.settle()
    assert [one["type"] for one in near.received("Create")] == ["Create"]
    assert (await answered(network, live, follow(stranger, "new", uri))).status == 202
    assert "Traceback" not in caplog.text


async def test_a_server_that_never_answers_holds_up_nobody_else(network: Network, clock: Clock) -> None:
    live = await network.node("quito")
    luz, uri, (mute, near) = await followed(network, live, "mute", "near")
    mute.answers["/users/pen/inbox"] = mute.silent
    working = [
        asyncio.create_task(work())
        for work in (live.node.delivery_worker.run, live.node.inbox_worker.run, live.node.errand_worker.run)
    ]
    await live.post(luz, "Bonjour")
    async with asyncio.timeout(PATIENCE):
        while not (mute.received("Create") and near.received("Create")):
            await asyncio.sleep(0.01)
        await live.post(luz, "Encore")  # the silent server has not answered yet
        assert await answered(network, live, follow(near, "pen", uri)) == Answered(202, None)
        while len(near.received("Create")) < 2 or await live.rows(inbox_message, state="waiting"):
            await asyncio.sleep(0.01)
    assert len(mute.received("Create")) == 1
    for task in working:
        task.cancel()
    await asyncio.wait(working)
    mute.answers["/users/pen/inbox"] = Reply(202)
    for _ in range(12):
        clock.advance(MINUTE)
        await network.settle()
    assert {row["state"] for row in await live.rows(delivery)} == {"delivered"}


async def test_a_key_that_comes_byte_by_byte_is_503_and_others_are_served(
    network: Network, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    live = await network.node("quito")
    _, uri, (near,) = await followed(network, live, "near")
    slow = await Peer.start_in(network, "slow.esn.test")
    document = slow.actor("new")
    path, sent = document["id"].removeprefix(slow.origin), list[int]()
    slow.answers[path] = streaming(b" ", 0.05, {}, sent)
    monkeypatch.setattr(authenticate, "KEY_FETCH_SECONDS", SHORT)
    crowd = [asyncio.create_task(answered(network, live, follow(slow, "new", uri))) for _ in range(20)]
    async with asyncio.timeout(PATIENCE):
        while not sent:
            await asyncio.sleep(0.01)
        assert await answered(network, live, follow(near, "pen", uri)) == Answered(202, None)
        assert set(await asyncio.gather(*crowd)) == {Answered(503, 60)}
    slow.serve(document)
    monkeypatch.undo()
    clock.advance(10 * MINUTE)
    assert (await answered(network, live, follow(slow, "new", uri))).status == 202


async def test_a_body_that_comes_byte_by_byte_is_given_up_and_others_are_served(
    network: Network, monkeypatch: pytest.MonkeyPatch
) -> None:
    live = await network.node("quito")
    _, uri, (near,) = await followed(network, live, "near")
    monkeypatch.setattr(door, "BODY_SECONDS", SHORT)
    opening = [await _byte_by_byte(network, live) for _ in range(10)]
    assert await answered(network, live, follow(near, "pen", uri)) == Answered(202, None)
    async with asyncio.timeout(PATIENCE):
        lines = [await reader.readline() for reader, _ in opening]
    assert set(lines) == {b"HTTP/1.1 400 Bad Request\r\n"}
    for _, writer in opening:
        writer.close()
    assert len(await live.rows(inbox_message, host="near.esn.test")) == 2


async def _byte_by_byte(
    network: Network, live: LiveNode
) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    """Begin a POST whose body does not go on after its first byte."""
    blind = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    blind.check_hostname, blind.verify_mode = False, ssl.CERT_NONE
    port = network.hosts[live.domain][1]
    reader, writer = await asyncio.open_connection("127.0.0.1", port, ssl=blind, server_hostname=live.domain)
    head = (
        f"POST /inbox HTTP/1.1\r\nHost: {live.domain}\r\nContent-Type: application/activity+json\r\n"
        "Content-Length: 1000\r\nDigest: SHA-256=x\r\nDate: Thu, 01 Jan 2026 00:00:00 GMT\r\n"
        'Signature: keyId="https://near.esn.test/users/pen#main-key",algorithm="rsa-sha256",'
        'headers="(request-target) host date digest",signature="eA=="\r\n\r\n{'
    )
    writer.write(head.encode())
    await writer.drain()
    return reader, writer


Cut = Callable[[int, bool], bool]
"""`cut(bytes sent by the client, whether the server speaks)`: whether the connection ends here."""


@asynccontextmanager
async def proxy(target: tuple[str, int], cuts: list[Cut]) -> AsyncIterator[tuple[str, int]]:
    """Pass connections on; each uses up one of `cuts`, and when there is none left it stays whole."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        cut = cuts.pop(0) if cuts else lambda _sent, _answers: False
        there_reader, there_writer = await asyncio.open_connection(*target)
        sent = 0

        async def pump(source: asyncio.StreamReader, sink: asyncio.StreamWriter, answers: bool) -> None:
            nonlocal sent
            while data := await source.read(65_536):
                sent += 0 if answers else len(data)
                if cut(sent, answers):
                    break
                sink.write(data)
                await sink.drain()
            for end in (writer, there_writer):
                end.close()

        try:
            with suppress(ConnectionError):
                await asyncio.gather(pump(reader, there_writer, False), pump(there_reader, writer, True))
        finally:
            for end in (writer, there_writer):
                end.close()  # also when one side broke off

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    async with server:
        yield server.sockets[0].getsockname()


async def test_a_proxy_that_cuts_connections_makes_it_later_and_not_twice(
    network: Network, clock: Clock, caplog: pytest.LogCaptureFixture
) -> None:
    lyon, dakar = await network.node("lyon"), await network.node("dakar")
    amina, paul = await lyon.actor("amina"), await dakar.actor("paul")
    await dakar.follow(paul, await dakar.find("amina@lyon.esn.test"))
    await network.settle()
    await network.halt(lyon)
    await network.resume(lyon)  # its connections to dakar are closed
    cuts: list[Cut] = [
        lambda _sent, _answers: True,  # before the handshake
        lambda sent, answers: sent > 1_000 and not answers,  # amid the request
        lambda sent, answers: sent > 1_000 and answers,  # the request arrived, its answer does not
        lambda sent, answers: sent > 1_000 and answers,
    ]
    async with proxy(network.hosts["dakar.esn.test"], cuts) as where:
        network.hosts["dakar.esn.test"] = where
        await lyon.post(amina, "Une fois")
        for _ in range(60):
            await network.settle()
            clock.advance(MINUTE)
        assert cuts == []
        await network.halt(lyon)
    sent = await dakar.rows(status, local=False)
    assert [row["content"] for row in sent] == ["<p>Une fois</p>"]
    assert len(await dakar.rows(inbox_message, as_type="Create")) == 1
    await network.resume(lyon)
    assert (await lyon.one(delivery, as_type="Create"))["state"] == "delivered"
    assert "Traceback" not in caplog.text
