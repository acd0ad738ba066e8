"""What is read of an answer: its content type, its size, its JSON."""

from __future__ import annotations

import gzip
import tracemalloc
import zlib
from collections.abc import Callable

import pytest

from esnfed.errors import RemoteNonsense, RemoteRefused, RemoteUnreachable
from esnfed.federation import reasons
from esnfed.vocab.terms import LD_JSON
from tests.doubles.server import ACTIVITY_JSON, Reply, ServerDouble, document, raw, streaming
from tests.unit.transport.conftest import NOTE, URL, World, fails


@pytest.mark.parametrize(
    "content_type", [ACTIVITY_JSON, LD_JSON, f"{LD_JSON}; charset=utf-8", "Application/Activity+JSON"]
)
async def test_the_two_activity_types_are_accepted(
    world: World, peer: ServerDouble, content_type: str
) -> None:
    peer.answers["/notes/1"] = document(NOTE, content_type)
    assert (await world.transport().get_json(URL, signer=None)).document == NOTE


@pytest.mark.parametrize(
    "content_type",
    [
        "application/json",
        "application/ld+json",
        'application/ld+json; profile="https://example.org/other"',
        'application/ld+json; profile="https://www.w3.org/ns/activitystreams-not"',
        "text/html",
        "text/plain; application/activity+json",
        "application/activity+json, text/html",
        "application/octet-stream",
    ],
)
async def test_other_content_type_is_refused(world: World, peer: ServerDouble, content_type: str) -> None:
    peer.answers["/notes/1"] = document(NOTE, content_type)
    await fails(world.transport().get_json(URL, signer=None), RemoteRefused, reasons.CONTENT_TYPE)


@pytest.mark.parametrize(
    "lines",
    [
        b"",
        b"Content-Type:\r\n",
        b"Content-Type: application/activity+json\r\nContent-Type: text/html\r\n",
        b"Content-Type: application/activity+json\r\nContent-Type: application/activity+json\r\n",
    ],
)
async def test_missing_or_repeated_content_type_is_refused(
    world: World, peer: ServerDouble, lines: bytes
) -> None:
    peer.answers["/notes/1"] = raw(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n" + lines + b"\r\n{}")
    await fails(world.transport().get_json(URL, signer=None), RemoteRefused, reasons.CONTENT_TYPE)


async def test_answer_that_is_no_http_is_nonsense(world: World, peer: ServerDouble) -> None:
    peer.answers["/notes/1"] = raw(b"220 smtp.peer.esn.test ESMTP ready\r\n\r\n")
    await fails(world.transport().get_json(URL, signer=None), RemoteNonsense, reasons.NOT_HTTP)


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"[]",
        b'"x"',
        b"{",
        b"{} {}",
        b"\xff",
        b'{"a": {"@graph": []}}',
        b'{"a":' * 100 + b"1" + b"}" * 100,
    ],
)
async def test_body_that_is_no_safe_json_object_is_nonsense(
    world: World, peer: ServerDouble, body: bytes
) -> None:
    peer.answers["/notes/1"] = Reply(200, body)
    await fails(world.transport().get_json(URL, signer=None), RemoteNonsense, reasons.NOT_JSON)


async def test_a_megabyte_is_the_limit(world: World, peer: ServerDouble) -> None:
    exact = b'{"a":"' + b"x" * (1_000_000 - 8) + b'"}'
    peer.answers["/exact"] = Reply(200, exact)
    peer.answers["/over"] = Reply(200, exact + b" ")
    transport = world.transport()
    assert (
        len((await transport.get_json("https://peer.esn.test/exact", signer=None)).document["a"]) == 999_992
    )
    over = transport.get_json("https://peer.esn.test/over", signer=None)
    await fails(over, RemoteRefused, reasons.TOO_LARGE)


async def test_body_without_a_length_is_cut_off_at_the_limit(world: World, peer: ServerDouble) -> None:
    sent: list[int] = []
    peer.answers["/notes/1"] = streaming(b"x" * 50_000, 0, {}, sent)
    await fails(world.transport().get_json(URL, signer=None), RemoteRefused, reasons.TOO_LARGE)
    assert sum(sent) < 10_000_000


@pytest.mark.parametrize(("encoding", "pack"), [("gzip", gzip.compress), ("deflate", zlib.compress)])
async def test_decompression_bomb_is_refused_before_it_unfolds(
    world: World, peer: ServerDouble, encoding: str, pack: Callable[[bytes], bytes]
) -> None:
    bomb = pack(b'{"a":"' + b"0" * 100_000_000 + b'"}')
    assert len(bomb) < 1_000_000
    peer.answers["/notes/1"] = Reply(200, bomb, headers={"Content-Encoding": encoding})
    transport = world.transport()
    tracemalloc.start()
    try:
        await fails(transport.get_json(URL, signer=None), RemoteRefused, reasons.TOO_LARGE)
        assert tracemalloc.get_traced_memory()[1] < 10_000_000
    finally:
        tracemalloc.stop()


async def test_compressed_answer_is_understood(world: World, peer: ServerDouble) -> None:
    peer.answers["/notes/1"] = Reply(200, gzip.compress(b'{"a":1}'), headers={"Content-Encoding": "gzip"})
    assert (await world.transport().get_json(URL, signer=None)).document == {"a": 1}
    assert peer.seen[0].headers["Accept-Encoding"] == "gzip, deflate"


@pytest.mark.parametrize("encoding", ["gzip", "br", "zstd"])
async def test_wrong_compression_is_an_error_of_theirs(
    world: World, peer: ServerDouble, encoding: str
) -> None:
    peer.answers["/notes/1"] = Reply(200, b'{"a":1}', headers={"Content-Encoding": encoding})
    with pytest.raises((RemoteNonsense, RemoteUnreachable)):
        await world.transport().get_json(URL, signer=None)


async def test_bytes_are_fetched_up_to_their_own_limit(world: World, peer: ServerDouble) -> None:
    types = frozenset({"application/xrd+xml"})
    peer.answers["/meta"] = Reply(200, b"<XRD/>", "application/xrd+xml")
    transport = world.transport()
    url = "https://peer.esn.test/meta"
    page = await transport.get_bytes(url, accept="application/xrd+xml", types=types, limit=6)
    assert page.data == b"<XRD/>"
    smaller = transport.get_bytes(url, accept="application/xrd+xml", types=types, limit=5)
    await fails(smaller, RemoteRefused, reasons.TOO_LARGE)
