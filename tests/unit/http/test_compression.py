"""Text travels small to those who accept it; what is vouched for byte by byte is left alone."""

from __future__ import annotations

import gzip
from typing import Any

import pytest
from aiohttp import web

from esnfed.http import compression

LONG = "x" * 5_000


@pytest.mark.parametrize(
    ("header", "accepted"),
    [
        ("gzip", True),
        ("br, GZIP;q=0.5", True),
        ("x-gzip", True),
        ("*", True),
        ("*;q=0, gzip", True),
        ("", False),
        ("br", False),
        ("gzip;q=0", False),
        ("*, gzip; q=0.000", False),
        ("identity", False),
    ],
)
def test_the_header_is_read_as_the_standard_says(header: str, accepted: bool) -> None:
    assert compression.accepts_gzip(header) is accepted


async def answer(
    aiohttp_client: Any, response: web.StreamResponse, method: str = "GET", accepts: str = "gzip"
) -> Any:
    """What a client gets of a response."""

    async def handle(_: web.Request) -> web.StreamResponse:
        return response

    app = web.Application(middlewares=[compression.middleware])
    app.router.add_route("*", "/", handle)
    client = await aiohttp_client(app, auto_decompress=False)
    found = await client.request(method, "/", headers={"Accept-Encoding": accepts})
    await found.read()
    return found


@pytest.mark.parametrize(
    "content_type",
    ["text/html", "text/css", "image/svg+xml", "application/json", "application/activity+json"],
)
async def test_long_texts_are_compressed(aiohttp_client: Any, content_type: str) -> None:
    response = web.Response(text=LONG, content_type=content_type, headers={"Vary": "Accept"})
    found = await answer(aiohttp_client, response)
    assert found.headers["Content-Encoding"] == "gzip"
    assert found.headers["Vary"] == "Accept, Accept-Encoding"
    body = await found.read()
    assert len(body) == int(found.headers["Content-Length"]) < 200
    assert gzip.decompress(body).decode() == LONG


async def test_who_does_not_accept_it_gets_the_same_text_and_the_same_vary(aiohttp_client: Any) -> None:
    found = await answer(aiohttp_client, web.Response(text=LONG), accepts="br")
    assert "Content-Encoding" not in found.headers
    assert found.headers["Vary"] == "Accept-Encoding"
    assert await found.text() == LONG


@pytest.mark.parametrize(
    "response",
    [
        {"text": "short"},
        {"body": LONG.encode(), "content_type": "image/png"},
        {"text": LONG, "headers": {"Content-Digest": "sha-256=:x:"}},
        {"text": LONG, "headers": {"Digest": "SHA-256=x"}},
        {"text": LONG, "headers": {"Signature": "x"}},
        {"text": LONG, "headers": {"Content-Encoding": "identity"}},
    ],
)
async def test_what_gains_nothing_or_is_vouched_for_stays_as_it_is(
    aiohttp_client: Any, response: dict[str, Any]
) -> None:
    found = await answer(aiohttp_client, web.Response(**response))
    assert found.headers.get("Content-Encoding") != "gzip"
    assert "Vary" not in found.headers


async def test_a_head_request_says_what_a_get_would_send(aiohttp_client: Any) -> None:
    found = await answer(aiohttp_client, web.Response(text=LONG), method="HEAD")
    assert found.headers["Content-Encoding"] == "gzip"
    assert await found.read() == b""


async def test_streams_pass(aiohttp_client: Any) -> None:
    async def handle(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse(headers={"Content-Type": "text/html"})
        await response.prepare(request)
        await response.write(LONG.encode())
        return response

    app = web.Application(middlewares=[compression.middleware])
    app.router.add_get("/", handle)
    client = await aiohttp_client(app)
    assert await (await client.get("/", headers={"Accept-Encoding": "gzip"})).text() == LONG


def test_vary_is_named_once() -> None:
    response = web.Response(headers={"Vary": "accept-encoding, Accept"})
    compression.add_vary(response)
    assert response.headers["Vary"] == "accept-encoding, Accept"
