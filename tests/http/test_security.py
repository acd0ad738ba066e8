"""Host names, forwarding headers, client addresses and the headers of every answer."""

from __future__ import annotations

from ipaddress import ip_network
from typing import Any

import pytest
from aiohttp import web

from esnfed.http import security
from tests.conftest import MakeRuntime
from tests.http.site import make_app

LOOPBACK = (ip_network("127.0.0.0/8"),)


@pytest.fixture
def serve(aiohttp_client: Any, runtime: MakeRuntime) -> Any:
    """`serve(**settings)`: a client of a node that answers with what it sees of the request."""

    async def show(request: web.Request) -> web.Response:
        seen = security.signed_request(request)
        return web.json_response(
            {
                "authority": seen.authority,
                "scheme": seen.scheme,
                "target": seen.target,
                "client": security.client_address(request),
            }
        )

    async def page(request: web.Request) -> web.Response:
        return web.Response(text="<!doctype html>", content_type="text/html")

    async def start(**settings: Any) -> Any:
        app = make_app(runtime(**{"domain": "lyon.esn.test"} | settings))
        app.router.add_get("/ap/seen", show)
        app.router.add_get("/page", page)
        return await aiohttp_client(app)

    return start


@pytest.mark.parametrize("environment", ["demo", "test"])
@pytest.mark.parametrize(
    ("host", "status"),
    [
        ("localhost", 200),
        ("localhost:8001", 200),
        ("hub.localhost:8001", 200),
        ("HUB.Localhost", 200),
        ("127.0.0.1:9", 200),
        ("[::1]:8001", 200),
        ("lyon.esn.test", 200),
        ("esn.test.evil.org", 400),
        ("evil.org", 400),
        ("notlocalhost", 400),
        ("localhost.evil.org", 400),
        ("192.168.1.7", 400),
        ("a@localhost", 400),
        ("localhost:0", 400),
    ],
)
async def test_a_node_on_loopback_answers_loopback_names_alone(
    serve: Any, environment: str, host: str, status: int
) -> None:
    client = await serve(environment=environment)
    assert (await client.get("/ap/seen", headers={"Host": host})).status == status


@pytest.mark.parametrize(
    ("host", "status"),
    [
        ("lyon.example", 200),
        ("LYON.example:443", 200),
        ("lyon.example.", 200),
        ("example", 200),
        ("127.0.0.1:8000", 200),
        ("lyon.example:8443", 400),
        ("other.example", 400),
        ("hub.localhost", 400),
    ],
)
async def test_a_public_node_answers_its_own_names_and_the_machine_itself(
    serve: Any, host: str, status: int
) -> None:
    client = await serve(environment="production", domain="lyon.example", account_domain="example")
    assert (await client.get("/ap/seen", headers={"Host": host})).status == status


async def test_a_loopback_name_through_a_proxy_is_refused(serve: Any) -> None:
    client = await serve(environment="production", domain="lyon.example", trusted_proxies=LOOPBACK)
    headers = {"Host": "localhost", "X-Forwarded-For": "203.0.113.9"}
    assert (await client.get("/ap/seen", headers=headers)).status == 400


@pytest.mark.parametrize(("environment", "trusted"), [("demo", ()), ("demo", LOOPBACK), ("test", ())])
@pytest.mark.parametrize("name", sorted(security.FORWARDING))
async def test_demo_and_test_nodes_refuse_to_stand_behind_a_proxy(
    serve: Any, environment: str, trusted: Any, name: str
) -> None:
    client = await serve(environment=environment, trusted_proxies=trusted)
    assert (await client.get("/ap/seen", headers={name: "for=1"})).status == 400


FORWARDED = {"Host": "lyon.esn.test", "X-Forwarded-For": "203.0.113.9", "X-Forwarded-Host": "hub.esn.test"}


async def test_a_test_node_may_trust_a_proxy(serve: Any) -> None:
    client = await serve(trusted_proxies=LOOPBACK)
    seen = await (await client.get("/ap/seen?a=%20b", headers=FORWARDED)).json()
    assert seen == {
        "authority": "hub.esn.test",
        "scheme": "https",
        "target": "/ap/seen?a=%20b",
        "client": "203.0.113.9",
    }


async def test_forwarding_headers_of_strangers_are_not_believed(serve: Any) -> None:
    client = await serve(environment="production", trusted_proxies=(ip_network("10.0.0.0/8"),))
    seen = await (await client.get("/ap/seen", headers=FORWARDED)).json()
    assert (seen["authority"], seen["client"]) == ("lyon.esn.test", "127.0.0.1")


@pytest.mark.parametrize(
    ("forwarded", "client_address"),
    [
        ("203.0.113.9", "203.0.113.9"),
        ("198.51.100.1, 203.0.113.9", "203.0.113.9"),
        ("203.0.113.9, 127.0.0.5", "203.0.113.9"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
        ("::ffff:203.0.113.9", "203.0.113.9"),
        ("203.0.113.9, nonsense", "127.0.0.1"),
        ("", "127.0.0.1"),
        ("127.0.0.9", "127.0.0.9"),
    ],
)
async def test_the_client_is_the_last_address_that_no_proxy_of_ours_has(
    serve: Any, forwarded: str, client_address: str
) -> None:
    client = await serve(trusted_proxies=LOOPBACK)
    seen = await (await client.get("/ap/seen", headers={"X-Forwarded-For": forwarded})).json()
    assert seen["client"] == client_address


async def test_every_answer_has_the_security_headers_errors_included(serve: Any) -> None:
    client = await serve()
    for path, status in (("/ap/seen", 200), ("/ap/nothing", 404)):
        answer = await client.get(path)
        assert answer.status == status
        assert answer.headers["X-Content-Type-Options"] == "nosniff"
        assert answer.headers["Referrer-Policy"] == "same-origin"
        assert answer.headers["Server"] == "esnfed"
        assert "geolocation=()" in answer.headers["Permissions-Policy"]
        assert answer.headers["Content-Security-Policy"] == "default-src 'none'; frame-ancestors 'none'"
        assert "Strict-Transport-Security" not in answer.headers


async def test_a_page_allows_its_own_files_and_nothing_inline(serve: Any) -> None:
    client = await serve()
    policy = (await client.get("/page")).headers["Content-Security-Policy"]
    assert "default-src 'none'" in policy
    assert "script-src 'self';" in policy
    assert "style-src 'self';" in policy
    assert "form-action 'self'" in policy
    assert "frame-ancestors 'none'" in policy
    assert "unsafe" not in policy
    assert "http:" not in policy


@pytest.mark.parametrize(("environment", "value"), [("production", "max-age=31536000"), ("demo", None)])
async def test_only_production_insists_on_https(serve: Any, environment: str, value: str | None) -> None:
    client = await serve(environment=environment)
    answer = await client.get("/ap/seen", headers={"Host": "lyon.esn.test"})
    assert answer.headers.get("Strict-Transport-Security") == value


@pytest.mark.parametrize(
    ("path", "methods"),
    [("/ap/seen", "GET, HEAD"), ("/api/v1/x", "GET, HEAD, POST, PUT, PATCH, DELETE"), ("/page", None)],
)
async def test_a_preflight_is_answered_where_other_origins_may_come(
    serve: Any, path: str, methods: str | None
) -> None:
    client = await serve()
    answer = await client.options(
        path, headers={"Access-Control-Request-Method": "GET", "Origin": "https://x"}
    )
    assert answer.headers.get("Access-Control-Allow-Methods") == methods
    assert answer.headers.get("Access-Control-Allow-Origin") == ("*" if methods else None)
    if methods:
        assert answer.status == 204
        assert "Idempotency-Key" in answer.headers["Access-Control-Allow-Headers"]
        assert "Link" in answer.headers["Access-Control-Expose-Headers"]
