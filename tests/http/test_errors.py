"""How each door renders an error, and what an answer never says."""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from aiohttp import web

from esnfed.errors import (
    Busy,
    ConfigError,
    Conflict,
    EsnfedError,
    Gone,
    Ignored,
    Invalid,
    NotFound,
    Refused,
    RemoteUnreachable,
    TooMany,
    Unauthenticated,
)
from esnfed.i18n import N_
from esnfed.rendering import Renderer
from tests.conftest import MakeRuntime
from tests.http.site import make_app

Ask = Callable[..., Awaitable[Any]]


@pytest.fixture
async def ask(aiohttp_client: Any, runtime: MakeRuntime) -> Ask:
    """`ask(path, error, **request)`: the answer to a request whose handler raises `error`."""
    app = make_app(runtime())
    raised: list[Exception] = []

    async def fail(request: web.Request) -> web.Response:
        raise raised[-1]

    for path in ("/ap/x", "/api/v1/x", "/@ada", "/inbox"):
        app.router.add_get(path, fail)
    client = await aiohttp_client(app)

    async def request(path: str, error: Exception | None = None, method: str = "GET", **more: Any) -> Any:
        raised.extend([error] if error else [])
        return await client.request(method, path, **more)

    return request


async def test_servers_get_problem_details(ask: Ask) -> None:
    answer = await ask("/ap/x", Refused())
    assert (answer.status, answer.headers["Content-Type"]) == (403, "application/problem+json")
    assert answer.headers["Vary"] == "Accept, Signature"
    assert answer.headers["Cache-Control"] == "no-store"
    assert await answer.json() == {
        "type": "about:blank",
        "title": "Forbidden",
        "status": 403,
        "detail": "This is not allowed.",
    }


async def test_clients_get_the_error_and_the_name_of_the_wrong_field(ask: Ask) -> None:
    answer = await ask("/api/v1/x", Invalid("The title is missing.", "title"))
    assert (answer.status, answer.content_type) == (422, "application/json")
    assert await answer.json() == {"error": "The title is missing.", "field": "title"}
    assert answer.headers["Access-Control-Allow-Origin"] == "*"


@pytest.mark.parametrize(("language", "expected"), [("es", "es"), ("de", "fr")])
async def test_people_get_a_page_in_their_language(ask: Ask, language: str, expected: str) -> None:
    headers = {"Accept-Language": language, "Accept": "text/html"}
    answer = await ask("/@ada", NotFound(), headers=headers)
    text = await answer.text()
    assert (answer.status, answer.content_type) == (404, "text/html")
    assert f"error.html {expected} " in text
    assert "('status', 404)" in text
    assert answer.headers["Vary"] == "Accept, Accept-Language, Cookie"


async def test_a_server_at_a_page_address_gets_problem_details(ask: Ask) -> None:
    answer = await ask("/@ada", NotFound(), headers={"Accept": "application/activity+json"})
    assert answer.content_type == "application/problem+json"


@pytest.mark.parametrize("path", ["/ap/x", "/api/v1/x", "/@ada"])
async def test_an_unexpected_error_is_logged_and_its_cause_never_shown(
    ask: Ask, path: str, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.ERROR, "esnfed.http.errors"):
        answer = await ask(path, RuntimeError("password is hunter2"), headers={"Accept-Language": "en"})
    text = await answer.text()
    assert answer.status == 500
    assert "hunter2" not in text
    assert EsnfedError.default in text
    request_id = answer.headers["X-Request-Id"]
    assert len(request_id) == 16
    [record] = caplog.records
    assert request_id in record.getMessage()
    assert record.exc_info is not None
    assert "hunter2" in str(record.exc_info[1])


async def test_a_configuration_error_is_not_shown(ask: Ask) -> None:
    text = await (await ask("/ap/x", ConfigError("Setting database in /etc/esnfed.toml is wrong."))).text()
    assert "/etc" not in text


@pytest.mark.parametrize(
    ("error", "status", "header", "value"),
    [
        (Busy(retry_after=9), 503, "Retry-After", "9"),
        (TooMany(retry_after=3), 429, "Retry-After", "3"),
        (RemoteUnreachable(retry_after=120), 502, "Retry-After", "120"),
        (RemoteUnreachable(), 502, "Retry-After", None),
        (Unauthenticated(), 401, "WWW-Authenticate", "Signature"),
        (Conflict(), 409, "Retry-After", None),
    ],
)
async def test_headers_that_tell_what_to_do_next(
    ask: Ask, error: EsnfedError, status: int, header: str, value: str | None
) -> None:
    answer = await ask("/ap/x", error)
    assert (answer.status, answer.headers.get(header)) == (status, value)


async def test_a_client_is_asked_for_a_bearer_token(ask: Ask) -> None:
    assert (await ask("/api/v1/x", Unauthenticated())).headers["WWW-Authenticate"] == "Bearer"


async def test_ignored_is_accepted_with_an_empty_body(ask: Ask) -> None:
    answer = await ask("/inbox", Ignored())
    assert (answer.status, await answer.read()) == (202, b"")


async def test_gone_with_its_tombstone_and_without(ask: Ask) -> None:
    uri = "https://lyon.esn.test/ap/objects/1"
    told = await ask("/ap/x", Gone(uri=uri, former_type="Note", deleted_at=0))
    assert (told.status, (await told.json(content_type=None))["deleted"]) == (410, "1970-01-01T00:00:00.000Z")
    plain = await ask("/ap/x", Gone())
    assert (plain.status, plain.content_type) == (410, "application/problem+json")


@pytest.mark.parametrize(
    ("path", "kind"),
    [
        ("/ap/nothing", "application/problem+json"),
        ("/.well-known/nothing", "application/problem+json"),
        ("/api/v1/nothing", "application/json"),
        ("/nothing", "text/html"),
    ],
)
async def test_unknown_addresses_are_rendered_by_their_door(ask: Ask, path: str, kind: str) -> None:
    answer = await ask(path)
    assert (answer.status, answer.content_type) == (404, kind)


@pytest.mark.parametrize("path", ["/ap/x", "/api/v1/x", "/@ada"])
async def test_a_wrong_method_names_the_right_ones(ask: Ask, path: str) -> None:
    answer = await ask(path, method="DELETE")
    assert (answer.status, answer.headers["Allow"]) == (405, "GET,HEAD")


async def test_an_aiohttp_redirect_passes(ask: Ask) -> None:
    answer = await ask("/@ada", web.HTTPFound("/elsewhere"), allow_redirects=False)
    assert (answer.status, answer.headers["Location"]) == (302, "/elsewhere")


async def test_the_page_of_an_error_is_rendered_by_the_real_templates(
    aiohttp_client: Any, runtime: MakeRuntime
) -> None:
    made = runtime()
    app = make_app(made, Renderer(made.config))
    client = await aiohttp_client(app)
    answer = await client.get('/nowhere"><script>', headers={"Accept": "text/html", "Accept-Language": "es"})
    text = await answer.text()
    assert answer.status == 404
    assert '<html lang="es"' in text
    assert "<script>" not in text


async def test_a_text_is_translated_before_its_values_are_put_in(ask: Ask) -> None:
    refused = Invalid(N_("The filter “%(name)s” takes one value."), "status", name="status")
    french = {"Accept-Language": "fr"}
    answer = await ask("/api/v1/x", refused, headers=french)
    assert await answer.json() == {
        "error": "Le filtre «\u00a0status\u00a0» prend une seule valeur.",
        "field": "status",
    }
    assert (await (await ask("/ap/x")).json())["detail"] == "The filter “status” takes one value."
    assert "prend une seule valeur" in await (await ask("/@ada", headers=french)).text()
