"""Delivering: the answer whatever its status, no redirects, second knock and what it teaches."""

from __future__ import annotations

import asyncio

import pytest
from aiohttp import web

from esnfed.errors import RemoteRefused, RemoteUnreachable
from esnfed.federation import reasons, signatures
from esnfed.federation.parsed_signature import Scheme
from esnfed.federation.session import Timeouts
from tests.doubles.server import Reply, Seen, ServerDouble, document, redirect
from tests.unit.transport.conftest import World

INBOX = "https://peer.esn.test/inbox"
BODY = b'{"type":"Create"}'


@pytest.fixture
async def peer(world: World) -> ServerDouble:
    double = await world.server("peer.esn.test")
    double.answers["/inbox"] = Reply(202)
    return double


def scheme_of(seen: Seen) -> Scheme:
    return "rfc9421" if "Signature-Input" in seen.headers else "cavage"


def verified(world: World, seen: Seen, authority: str) -> bool:
    """Verify what arrived, as an inbox does: a wrong signature raises."""
    parsed = signatures.parse(seen.method, seen.target, authority, "https", seen.headers)
    signatures.check(parsed, body=seen.body if seen.method == "POST" else None, now_ms=world.clock())
    signatures.verify(parsed, world.signer.private.public_key())
    return parsed.key_uri == world.signer.key_uri


@pytest.mark.parametrize("scheme", ["cavage", "rfc9421"])
async def test_delivery_is_signed_and_accepted(world: World, peer: ServerDouble, scheme: Scheme) -> None:
    answer = await world.transport().post(INBOX, BODY, signer=world.signer, scheme=scheme)
    (seen,) = peer.seen
    assert (answer.status, answer.knocked, seen.body) == (202, scheme, BODY)
    assert seen.headers["Content-Type"] == "application/activity+json"
    assert scheme_of(seen) == scheme
    assert verified(world, seen, "peer.esn.test")
    assert world.learned == []


async def test_first_scheme_is_what_is_known_of_the_peer(world: World, peer: ServerDouble) -> None:
    transport = world.transport()
    await transport.post(INBOX, BODY, signer=world.signer)
    world.schemes["peer.esn.test"] = "rfc9421"
    await transport.post(INBOX, BODY, signer=world.signer)
    assert [scheme_of(seen) for seen in peer.seen] == ["cavage", "rfc9421"]


@pytest.mark.parametrize("status", [200, 204, 302, 307, 308, 400, 401, 403, 404, 410, 422, 429, 500, 503])
async def test_every_status_is_an_answer_and_no_redirect_is_followed(
    world: World, peer: ServerDouble, status: int
) -> None:
    peer.answers["/inbox"] = Reply(status, headers={"Location": "/elsewhere"})
    answer = await world.transport().post(INBOX, BODY, signer=world.signer)
    assert answer.status == status
    assert set(peer.targets()) == {"/inbox"}


async def test_answer_carries_the_wish_and_an_excerpt(world: World, peer: ServerDouble) -> None:
    peer.answers["/inbox"] = Reply(429, b"\x00slow \xff" + b"x" * 9000, "text/plain", {"Retry-After": "120"})
    answer = await world.transport().post(INBOX, BODY, signer=world.signer)
    assert answer.retry_after == 120
    assert answer.text.startswith("slow \ufffdxxx")
    assert len(answer.text) <= 2000
    assert dict(answer.headers) == {"Content-Type": "text/plain", "Retry-After": "120"}


@pytest.mark.parametrize("status", [400, 401, 403])
@pytest.mark.parametrize("first", ["cavage", "rfc9421"])
async def test_second_knock_uses_the_other_scheme_and_is_remembered(
    world: World, peer: ServerDouble, status: int, first: Scheme
) -> None:
    peer.answers["/inbox"] = [Reply(status), Reply(202)]
    world.schemes["peer.esn.test"] = first
    transport = world.transport()
    answer = await transport.post(INBOX, BODY, signer=world.signer)
    other: Scheme = "rfc9421" if first == "cavage" else "cavage"
    assert (answer.status, answer.knocked) == (202, other)
    assert [scheme_of(seen) for seen in peer.seen] == [first, other]
    assert all(verified(world, seen, "peer.esn.test") for seen in peer.seen)
    assert world.learned == [("peer.esn.test", other)]
    await transport.post(INBOX, BODY, signer=world.signer)
    assert scheme_of(peer.seen[2]) == other


async def test_first_answer_stands_when_both_are_refused(world: World, peer: ServerDouble) -> None:
    peer.answers["/inbox"] = [Reply(403, b"blocked"), Reply(401, b"what is this")]
    answer = await world.transport().post(INBOX, BODY, signer=world.signer)
    assert (answer.status, answer.text, answer.knocked) == (403, "blocked", "cavage")
    assert (len(peer.seen), world.learned) == (2, [])


async def test_second_answer_that_is_no_success_teaches_nothing(world: World, peer: ServerDouble) -> None:
    peer.answers["/inbox"] = [Reply(401), Reply(503)]
    answer = await world.transport().post(INBOX, BODY, signer=world.signer)
    assert (answer.status, world.learned) == (503, [])


async def test_first_answer_stands_when_the_second_knock_is_not_heard(
    world: World, peer: ServerDouble
) -> None:
    knocks = 0

    async def once(request: web.BaseRequest) -> web.StreamResponse:
        nonlocal knocks
        knocks += 1
        if knocks > 1:
            return await peer.silent(request)
        return web.Response(status=401)

    peer.answers["/inbox"] = once
    transport = world.transport(timeouts=Timeouts(read=0.1))
    answer = await transport.post(INBOX, BODY, signer=world.signer)
    assert (answer.status, knocks) == (401, 2)


@pytest.mark.parametrize("status", [202, 401])
async def test_accept_signature_teaches_rfc9421(world: World, peer: ServerDouble, status: int) -> None:
    peer.answers["/inbox"] = Reply(status, headers={"Accept-Signature": 'sig1=("@method");created'})
    await world.transport().post(INBOX, BODY, signer=world.signer)
    assert world.learned == [("peer.esn.test", "rfc9421")]


async def test_delivery_needs_a_permitted_address(world: World, peer: ServerDouble) -> None:
    transport = world.transport()
    for url, reason in (
        ("http://peer.esn.test/inbox", reasons.SCHEME),
        ("https://mastodon.social/inbox", reasons.UNKNOWN_HERE),
        ("https://10.0.0.1/inbox", reasons.NOT_ROUTABLE),
        ("peer.esn.test", reasons.ADDRESS),
    ):
        with pytest.raises(RemoteRefused) as caught:
            await transport.post(url, BODY, signer=world.signer)
        assert str(caught.value) == reason
    assert peer.seen == []


async def test_silence_is_unreachable(world: World, peer: ServerDouble) -> None:
    peer.answers["/inbox"] = peer.silent
    with pytest.raises(RemoteUnreachable) as caught:
        await world.transport(timeouts=Timeouts(read=5, total=0.1)).post(INBOX, BODY, signer=world.signer)
    assert str(caught.value) == reasons.TOO_SLOW


async def test_kept_connection_that_was_closed_meanwhile_is_replaced_once(
    world: World, peer: ServerDouble
) -> None:
    tries = 0

    async def closing(request: web.BaseRequest) -> web.StreamResponse:
        nonlocal tries
        tries += 1
        if tries % 2:
            assert request.transport is not None
            request.transport.abort()
        return web.Response(status=202)

    peer.answers["/inbox"] = closing
    assert (await world.transport().post(INBOX, BODY, signer=world.signer)).status == 202
    assert tries == 2


async def test_deliveries_share_kept_connections(world: World, peer: ServerDouble) -> None:
    ports: set[object] = set()

    async def note(request: web.BaseRequest) -> web.StreamResponse:
        assert request.transport is not None
        ports.add(request.transport.get_extra_info("peername"))
        await asyncio.sleep(0)
        return web.Response(status=202)

    peer.answers["/inbox"] = note
    transport = world.transport()
    await asyncio.gather(*(transport.post(INBOX, BODY, signer=world.signer) for _ in range(20)))
    assert 1 <= len(ports) <= 4


@pytest.mark.parametrize("status", [400, 401, 403])
async def test_fetch_knocks_twice_and_remembers(world: World, peer: ServerDouble, status: int) -> None:
    peer.answers["/notes/1"] = [Reply(status), document({"id": "x"})]
    await world.transport().get_json("https://peer.esn.test/notes/1", signer=world.signer)
    assert [scheme_of(seen) for seen in peer.seen] == ["cavage", "rfc9421"]
    assert all(verified(world, seen, "peer.esn.test") for seen in peer.seen)
    assert world.learned == [("peer.esn.test", "rfc9421")]


async def test_fetch_that_is_refused_twice_is_refused(world: World, peer: ServerDouble) -> None:
    peer.answers["/notes/1"] = Reply(401)
    transport = world.transport()
    with pytest.raises(RemoteRefused):
        await transport.get_json("https://peer.esn.test/notes/1", signer=world.signer)
    assert (len(peer.seen), world.learned) == (2, [])
    with pytest.raises(RemoteRefused):
        await transport.get_json("https://peer.esn.test/notes/1", signer=None)
    assert len(peer.seen) == 3


async def test_every_hop_is_signed_anew_for_its_own_host(world: World, peer: ServerDouble) -> None:
    other = await world.server("other.esn.test")
    world.schemes["other.esn.test"] = "rfc9421"
    peer.answers["/notes/1"] = redirect("https://other.esn.test/notes/1?page=1")
    other.answers["/notes/1?page=1"] = document({"id": "x"})
    await world.transport().get_json("https://peer.esn.test/notes/1", signer=world.signer)
    assert verified(world, peer.seen[0], "peer.esn.test")
    assert verified(world, other.seen[0], "other.esn.test")
    assert [scheme_of(peer.seen[0]), scheme_of(other.seen[0])] == ["cavage", "rfc9421"]
