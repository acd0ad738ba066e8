"""Fetching: redirects, sizes, types, times, single flight, negative cache, pace, own address."""

from __future__ import annotations

import asyncio
import contextlib

import pytest
from aiohttp import web

from esnfed.errors import (
    RemoteError,
    RemoteGone,
    RemoteMissing,
    RemoteNonsense,
    RemoteRefused,
    RemoteUnreachable,
)
from esnfed.federation import reasons
from esnfed.federation.pacing import Budget, Limits
from esnfed.federation.session import Timeouts
from esnfed.vocab.terms import ACCEPT
from tests.doubles.server import ACTIVITY_JSON, Reply, ServerDouble, document, redirect, streaming
from tests.unit.transport.conftest import NODE, NOTE, URL, World, fails


async def test_document_is_fetched_with_our_headers_and_no_cookies(world: World, peer: ServerDouble) -> None:
    peer.answers["/notes/1"] = document(
        NOTE, f"{ACTIVITY_JSON}; charset=utf-8", **{"Set-Cookie": "a=b; Path=/"}
    )
    transport = world.transport()
    for _ in range(2):
        fetched = await transport.get_json(f"{URL}#fragment", signer=None)
    assert (fetched.url, fetched.document, fetched.content_type) == (URL, NOTE, ACTIVITY_JSON)
    headers = peer.seen[1].headers
    assert headers["User-Agent"] == f"esnfed/0.1.0 (+https://{NODE})"
    assert headers["Accept"] == ACCEPT
    assert headers["Host"] == "peer.esn.test"
    assert "Cookie" not in headers
    assert "Signature" not in headers


async def test_environment_proxies_are_not_asked(
    world: World, peer: ServerDouble, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("http_proxy", "https_proxy", "HTTPS_PROXY", "ALL_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    assert (await world.transport().get_json(URL, signer=None)).document == NOTE


@pytest.mark.parametrize("target", ["/a%2Fb?x=%7E&y", "/a/../b", "/~x/(1)'", "/%C3%A9"])
async def test_address_is_sent_as_it_was_written(world: World, peer: ServerDouble, target: str) -> None:
    peer.answers[target] = document(NOTE)
    await world.transport().get_json(f"https://peer.esn.test{target}", signer=world.signer)
    assert peer.targets() == [target]


async def test_address_that_is_not_ascii_is_encoded(world: World, peer: ServerDouble) -> None:
    peer.answers["/%C3%A9t%C3%A9?q=%C3%A9"] = document(NOTE)
    fetched = await world.transport().get_json("https://peer.esn.test/été?q=é", signer=world.signer)
    assert fetched.url == "https://peer.esn.test/%C3%A9t%C3%A9?q=%C3%A9"


@pytest.mark.parametrize(
    "url",
    [
        "https://user@peer.esn.test/notes/1",
        "https://user:secret@peer.esn.test/notes/1",
        "https://peer.esn.test\\@evil.example/",
        "https://peer.esn.test/notes/1\r\nX: y",
        "https:///notes/1",
        "https://peer.esn.test:0/notes/1",
        "https://peer.esn.test:99999/",
        "https://ｐeer.esn.test/notes/1",
        "file:///etc/passwd",
        "data:application/activity+json,{}",
        "ftp://peer.esn.test/",
        "gopher://peer.esn.test/",
        "//peer.esn.test/notes/1",
        "https://peer.esn.test/" + "a" * 3000,
        "",
    ],
)
async def test_odd_address_is_refused_unasked(world: World, peer: ServerDouble, url: str) -> None:
    await fails(world.transport().get_json(url, signer=None), RemoteRefused, reasons.ADDRESS)
    assert peer.seen == []


async def test_plain_http_is_refused_outside_the_demo(world: World, peer: ServerDouble) -> None:
    await fails(
        world.transport().get_json("http://peer.esn.test/", signer=None), RemoteRefused, reasons.SCHEME
    )


async def test_plain_http_serves_the_demo_and_may_be_upgraded(world: World) -> None:
    peer = await world.server("hub.localhost", tls=False)
    url = f"http://hub.localhost:{peer.port}/notes/1"
    peer.answers["/notes/1"] = document(NOTE)
    peer.answers["/up"] = redirect(f"https://hub.localhost:{peer.port}/notes/1")
    transport = world.transport(environment="demo", domain="union.localhost:8002", hosts={})
    assert (await transport.get_json(url, signer=world.signer)).url == url
    assert peer.seen[0].headers["Host"] == f"hub.localhost:{peer.port}"
    # The upgrade is followed: TLS is spoken to a plain server, which is an unreachable one.
    upgrade = transport.get_json(f"http://hub.localhost:{peer.port}/up", signer=None)
    await fails(upgrade, RemoteUnreachable, reasons.CERTIFICATE)


@pytest.mark.parametrize(
    "url",
    [f"https://{NODE}/ap/actors/1", f"https://{NODE.upper()}./relay", f"https://{NODE}:443/inbox"],
)
async def test_own_address_is_never_fetched(world: World, url: str) -> None:
    await world.server(NODE)
    transport = world.transport()
    await fails(transport.get_json(url, signer=None), RemoteRefused, reasons.OWN_ADDRESS)
    await fails(transport.post(url, b"{}", signer=world.signer), RemoteRefused, reasons.OWN_ADDRESS)
    assert world.servers[NODE].seen == []


async def test_redirect_to_our_own_address_is_refused(world: World, peer: ServerDouble) -> None:
    peer.answers["/notes/1"] = redirect(f"https://{NODE}/relay")
    await fails(world.transport().get_json(URL, signer=None), RemoteRefused, reasons.OWN_ADDRESS)


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
async def test_three_redirects_are_followed(world: World, peer: ServerDouble, status: int) -> None:
    other = await world.server("other.esn.test")
    peer.answers["/a"] = redirect("b", status)
    peer.answers["/b"] = redirect("https://other.esn.test/c", status)
    other.answers["/c"] = redirect("https://peer.esn.test/notes/1#x", status)
    fetched = await world.transport().get_json("https://peer.esn.test/a", signer=None)
    assert (fetched.url, fetched.document) == (URL, NOTE)


async def test_fourth_redirect_is_refused(world: World, peer: ServerDouble) -> None:
    for number in range(9):
        peer.answers[f"/{number}"] = redirect(f"/{number + 1}")
    first = world.transport().get_json("https://peer.esn.test/0", signer=None)
    await fails(first, RemoteRefused, reasons.TOO_MANY_HOPS)
    assert peer.targets() == ["/0", "/1", "/2", "/3"]


@pytest.mark.parametrize("location", ["/notes/1", URL, f"{URL}#again", "https://PEER.esn.test:443/notes/1"])
async def test_redirect_to_itself_is_a_loop(world: World, peer: ServerDouble, location: str) -> None:
    peer.answers["/notes/1"] = redirect(location)
    await fails(world.transport().get_json(URL, signer=None), RemoteRefused, reasons.LOOP)
    assert len(peer.seen) == 1


@pytest.mark.parametrize(
    ("location", "reason"),
    [
        ("http://peer.esn.test/notes/2", reasons.DOWNGRADE),
        ("https://user@peer.esn.test/", reasons.ADDRESS),
        ("file:///etc/passwd", reasons.ADDRESS),
        ("data:text/plain,x", reasons.ADDRESS),
        ("https://[::1/", reasons.ADDRESS),
        ("https://mastodon.social/", reasons.UNKNOWN_HERE),
        ("https://10.0.0.1/", reasons.NOT_ROUTABLE),
    ],
)
async def test_redirect_is_judged_like_an_address(
    world: World, peer: ServerDouble, location: str, reason: str
) -> None:
    peer.answers["/notes/1"] = redirect(location)
    await fails(world.transport().get_json(URL, signer=None), RemoteRefused, reason)


async def test_redirect_without_an_address_is_nonsense(world: World, peer: ServerDouble) -> None:
    peer.answers["/notes/1"] = Reply(302)
    await fails(world.transport().get_json(URL, signer=None), RemoteNonsense, reasons.UNEXPECTED)


async def test_dripping_server_is_left_after_the_total_time(world: World, peer: ServerDouble) -> None:
    peer.answers["/notes/1"] = streaming(b" ", 0.01, {}, [])
    transport = world.transport(timeouts=Timeouts(connect=5, read=5, total=0.2))
    await fails(transport.get_json(URL, signer=None), RemoteUnreachable, reasons.TOO_SLOW)


async def test_silent_server_is_left_after_the_read_time(world: World, peer: ServerDouble) -> None:
    peer.answers["/notes/1"] = peer.silent
    transport = world.transport(timeouts=Timeouts(connect=5, read=0.1, total=5))
    await fails(transport.get_json(URL, signer=None), RemoteUnreachable, reasons.TOO_SLOW)


async def test_server_that_breaks_off_is_unreachable(world: World, peer: ServerDouble) -> None:
    async def broken(request: web.BaseRequest) -> web.StreamResponse:
        assert request.transport is not None
        request.transport.abort()
        return web.Response()

    peer.answers["/notes/1"] = broken
    await fails(world.transport().get_json(URL, signer=None), RemoteUnreachable, reasons.BROKEN_OFF)


async def test_server_that_is_not_there_is_unreachable(world: World, peer: ServerDouble) -> None:
    transport = world.transport()
    await peer.stop()
    await fails(transport.get_json(URL, signer=None), RemoteUnreachable, reasons.NO_CONNECTION)


async def test_certificate_of_another_name_is_not_accepted(world: World, peer: ServerDouble) -> None:
    world.servers["other.esn.test"] = peer
    transport = world.transport()
    del world.servers["other.esn.test"]
    other = transport.get_json("https://other.esn.test/notes/1", signer=None)
    await fails(other, RemoteUnreachable, reasons.CERTIFICATE)


async def test_authority_of_tests_is_not_trusted_elsewhere(world: World, peer: ServerDouble) -> None:
    transport = world.transport(environment="demo")
    url = f"https://hub.localhost:{peer.port}/"
    await fails(transport.get_json(url, signer=None), RemoteUnreachable, reasons.CERTIFICATE)


@pytest.mark.parametrize(
    ("status", "kind"),
    [(404, RemoteMissing), (410, RemoteGone), (500, RemoteUnreachable), (403, RemoteRefused)],
)
async def test_failure_is_not_asked_again_for_five_minutes(
    world: World, peer: ServerDouble, status: int, kind: type[RemoteError]
) -> None:
    peer.answers["/notes/1"] = Reply(status)
    transport = world.transport()
    for _ in range(3):
        with pytest.raises(kind):
            await transport.get_json(URL, signer=None)
    assert len(peer.seen) == 1
    peer.answers["/notes/1"] = document(NOTE)
    world.clock.advance(300)
    assert (await transport.get_json(URL, signer=None)).document == NOTE


async def test_failures_of_a_peer_are_forgotten_when_it_is_heard(world: World, peer: ServerDouble) -> None:
    peer.answers["/notes/1"] = [Reply(500), document(NOTE)]
    transport = world.transport()
    with pytest.raises(RemoteUnreachable):
        await transport.get_json(URL, signer=None)
    transport.forget("peer.esn.test")
    assert (await transport.get_json(URL, signer=None)).document == NOTE


async def test_fifty_at_once_are_one_request_and_share_nothing(world: World, peer: ServerDouble) -> None:
    transport = world.transport()
    fetched = await asyncio.gather(*(transport.get_json(URL, signer=world.signer) for _ in range(50)))
    assert len(peer.seen) == 1
    fetched[0].document["type"] = "changed"
    assert fetched[1].document == NOTE


async def test_other_purposes_are_other_flights(world: World, peer: ServerDouble) -> None:
    transport = world.transport()
    with pytest.raises(RemoteRefused):
        await transport.get_json(URL, signer=None, types=frozenset({"application/json"}))
    assert (await transport.get_json(URL, signer=None)).document == NOTE
    await transport.get_json(URL, signer=world.signer)
    assert len(peer.seen) == 3


async def test_retry_after_of_a_fetch_pauses_the_whole_host(world: World, peer: ServerDouble) -> None:
    peer.answers["/busy"] = Reply(429, headers={"Retry-After": "90"})
    transport = world.transport()
    error = await fails(
        transport.get_json("https://peer.esn.test/busy", signer=None), RemoteUnreachable, reasons.LATER
    )
    assert isinstance(error, RemoteUnreachable)
    assert error.retry_after == 90
    await fails(transport.get_json(URL, signer=None), RemoteUnreachable, reasons.PAUSED)
    world.clock.advance(90)
    assert (await transport.get_json(URL, signer=None)).document == NOTE


async def test_one_host_is_asked_twice_a_second(world: World, peer: ServerDouble) -> None:
    transport = world.transport(limits=Limits(burst=2))
    begin = world.clock()
    for number in range(6):
        peer.answers[f"/{number}"] = document(NOTE)
        await transport.get_json(f"https://peer.esn.test/{number}", signer=None)
    assert world.clock() - begin == 2000


async def test_budget_ends_the_fetches_of_one_message(world: World, peer: ServerDouble) -> None:
    transport, budget = world.transport(), Budget(2)
    await transport.get_json(URL, signer=None, budget=budget)
    await transport.get_json(URL, signer=None, budget=budget)
    await fails(transport.get_json(URL, signer=None, budget=budget), RemoteRefused, reasons.BUDGET)
    assert (await transport.get_json(URL, signer=None, budget=Budget(1))).document == NOTE
    assert len(peer.seen) == 3


async def test_new_subdomains_are_counted_and_known_ones_are_not(world: World) -> None:
    hosts = [f"w{number}.evil.esn.test" for number in range(3)]
    for host in hosts:
        (await world.server(host)).answers["/"] = document(NOTE)
    transport = world.transport(limits=Limits(subdomains=2))
    for host in hosts[:2]:
        await transport.get_json(f"https://{host}/", signer=None)
    last = f"https://{hosts[2]}/"
    await fails(transport.get_json(last, signer=None), RemoteRefused, reasons.SUBDOMAINS)
    world.known.add(hosts[2])
    assert (await transport.get_json(last, signer=None)).document == NOTE


@pytest.mark.parametrize("status", [200, 401])
async def test_accept_signature_of_an_unsigned_fetch_teaches_rfc9421(
    world: World, peer: ServerDouble, status: int
) -> None:
    peer.answers["/notes/1"] = Reply(status, b"{}", headers={"Accept-Signature": 'sig1=("@method")'})
    transport = world.transport()
    for target in (URL, f"{URL}?again"):
        with contextlib.suppress(RemoteRefused):
            await transport.get_json(target, signer=None)
    assert world.learned == [("peer.esn.test", "rfc9421")]


async def test_blocked_server_is_not_asked_not_even_by_a_redirect(world: World, peer: ServerDouble) -> None:
    blocked = await world.server("blocked.esn.test")
    blocked.answers["/notes/1"] = document(NOTE)
    peer.answers["/notes/1"] = redirect("https://blocked.esn.test/notes/1")
    world.blocked.add("blocked.esn.test")
    transport = world.transport()
    for url in (URL, "https://blocked.esn.test/notes/1"):
        await fails(transport.get_json(url, signer=None), RemoteRefused, reasons.BLOCKED)
    assert blocked.seen == []
    world.blocked.clear()
    assert (await transport.get_json(URL, signer=None)).url == "https://blocked.esn.test/notes/1"
