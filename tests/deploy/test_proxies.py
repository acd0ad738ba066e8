"""The example configurations, tried against the real Caddy and nginx of Debian."""

from __future__ import annotations

import hashlib
import json
from collections.abc import AsyncIterator

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from tests.deploy.proxies import COMMANDS, DOMAIN, Proxy, running

pytestmark = pytest.mark.enable_socket


async def socket(request: web.Request) -> web.WebSocketResponse:
    """Accept a WebSocket and close it."""
    response = web.WebSocketResponse(timeout=0.01)
    await response.prepare(request)
    await response.close()
    return response


async def echo(request: web.Request) -> web.Response:
    """Answer with what arrived."""
    body = await request.read()
    return web.json_response(
        {
            "target": request.raw_path,
            "host": request.headers.getall("Host"),
            "body": hashlib.sha256(body).hexdigest(),
            "remote": request.remote,
            "headers": [[name.lower(), value] for name, value in request.headers.items()],
        }
    )


@pytest.fixture(params=sorted(COMMANDS))
async def proxy(request: pytest.FixtureRequest) -> AsyncIterator[Proxy]:
    app = web.Application(client_max_size=100_000_000)
    app.router.add_get("/socket", socket)
    app.router.add_route("*", "/{rest:.*}", echo)
    server = TestServer(app, host="127.0.0.1")
    await server.start_server()
    try:
        async with running(request.param, server.port) as started:
            yield started
    finally:
        await server.close()


def raw(method: str, target: str, headers: dict[str, str] | None = None, body: bytes = b"") -> bytes:
    lines = {"Host": DOMAIN, "Connection": "close", "Content-Length": str(len(body)), **(headers or {})}
    head = "".join(f"{name}: {value}\r\n" for name, value in lines.items())
    return f"{method} {target} HTTP/1.1\r\n{head}\r\n".encode() + body


def arrived(answer: tuple[bytes, bytes]) -> dict[str, object]:
    head, body = answer
    assert head.startswith(b"HTTP/1.1 200"), head
    return json.loads(body)


def values(seen: dict[str, object], name: str) -> list[str]:
    return [value for key, value in seen["headers"] if key == name]


@pytest.mark.parametrize(
    "target",
    [
        "/ap/actors/1/outbox/22?page=true",
        "/a%2Fb/%C3%A9/caf%c3%a9",
        "/@marie/../x//y/./z",
        "/q?a=1&a=2&&b=%2f%20+;c&d",
        "/.well-known/webfinger?resource=acct:marie@esn.example.org",
        "/trailing?",
    ],
)
async def test_path_and_query_survive_byte_for_byte(proxy: Proxy, target: str) -> None:
    assert arrived(await proxy.exchange(raw("GET", target)))["target"] == target


@pytest.mark.parametrize("host", [DOMAIN, "ESN.Example.org"])
async def test_host_survives_as_sent(proxy: Proxy, host: str) -> None:
    assert arrived(await proxy.exchange(raw("GET", "/", {"Host": host})))["host"] == [host]


async def test_a_large_body_and_its_signature_survive(proxy: Proxy) -> None:
    body = bytes(range(256)) * 12_000
    signed = {
        "Content-Type": "application/activity+json",
        "Date": "Sat, 01 Mar 2025 10:00:00 GMT",
        "Digest": "SHA-256=" + "A" * 43 + "=",
        "Signature": 'keyId="https://a.example/u#main-key",headers="host date",signature="a+/="',
        "Signature-Input": 'sig1=("@method" "@target-uri");created=1;keyid="k"',
    }
    seen = arrived(await proxy.exchange(raw("POST", "/inbox", signed, body)))
    assert seen["body"] == hashlib.sha256(body).hexdigest()
    for name, value in signed.items():
        assert values(seen, name.lower()) == [value]


async def test_what_a_client_claims_about_itself_is_replaced(proxy: Proxy) -> None:
    claims = {"X-Forwarded-For": "198.51.100.7", "X-Forwarded-Proto": "http"}
    seen = arrived(await proxy.exchange(raw("GET", "/", claims)))
    assert seen["remote"] == "127.0.0.1"
    assert values(seen, "x-forwarded-for") == ["127.0.0.1"]
    assert values(seen, "x-forwarded-proto") == ["https"]


async def test_an_upgrade_to_a_websocket_is_handed_on(proxy: Proxy) -> None:
    upgrade = {
        "Connection": "Upgrade",
        "Upgrade": "websocket",
        "Sec-WebSocket-Version": "13",
        "Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ==",
    }
    head, _body = await proxy.exchange(raw("GET", "/socket", upgrade))
    assert head.startswith(b"HTTP/1.1 101")


async def test_http_is_sent_to_https(proxy: Proxy) -> None:
    head, _body = await proxy.exchange(raw("GET", "/@marie?x=%2F"), secure=False)
    status, _, headers = head.decode().partition("\r\n")
    location = next(
        line.split(": ")[1] for line in headers.splitlines() if line.lower().startswith("location")
    )
    assert status.split()[1] in ("301", "308")
    assert location.startswith(f"https://{DOMAIN}")
    assert location.endswith("/@marie?x=%2F")
