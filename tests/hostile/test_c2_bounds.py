"""federation.md C2: what a peer's answers may cost: hops, time, bytes, memory; and what is never asked."""

from __future__ import annotations

import asyncio
import tracemalloc
from collections.abc import Callable
from urllib.parse import parse_qsl, urlsplit

import pytest

from esnfed.context import Context
from esnfed.errors import EsnfedError, RemoteRefused, RemoteUnreachable
from esnfed.federation import peers, reasons
from esnfed.models import inbox_message, peer, status
from esnfed.text import sanitise
from tests.doubles.server import Reply
from tests.federation.network import Network
from tests.hostile.scene import EVIL, Scene, play, start_hostile

DAY = 24 * 3600 * 1000


async def test_cve_2026_34148_fedify_redirect_loops_and_negative_key_caching(scene: Scene) -> None:
    """Protection: `Transport._travel` counts hops and visits nothing twice; `Flights` remembers a failure."""
    evil, transport = scene.evil, scene.dakar.node.transport
    for manner, hops, why in (("loop", 1, reasons.LOOP), ("maze", 4, reasons.TOO_MANY_HOPS)):
        evil.misbehave(manner, f"/{manner}")
        evil.seen.clear()
        scene.network.advance(60_000)
        for _ in range(5):
            with pytest.raises(RemoteRefused) as caught:
                await transport.get_json(f"{evil.origin}/{manner}", signer=None)
            assert str(caught.value) == why
        assert len(evil.seen) == hops  # four more wishes within five minutes asked nobody
    evil.seen.clear()
    thief = f"{evil.origin}/loop/users/thief"
    like = evil.activity(scene.mallory, "Like", "x") | {"actor": thief, "id": f"{thief}#1"}
    for _ in range(5):
        assert await evil.post(scene.dakar, like, key_uri=f"{thief}#main-key") == 401
    assert len(evil.seen) == 1
    scene.network.advance(301_000)
    assert await evil.post(scene.dakar, like, key_uri=f"{thief}#main-key") == 401
    assert len(evil.seen) == 2


SLOW = ("silent", "drip", "endless", "bomb", "half", "garbage", "headers", "later", "date", "failing", "deep")


async def test_cve_2023_36461_mastodon_slow_responses(network: Network, hasty: Callable[..., None]) -> None:
    """Protection: `Session.deadline` over the whole fetch, `read_body` stops at a megabyte, JSON is capped."""
    hasty()
    scene = await play(network)
    evil = scene.evil
    for manner in SLOW:
        evil.misbehave(manner, f"/{manner}")
        scene.network.advance(90_000_000)
        uri = f"{evil.origin}/{manner}"
        tracemalloc.start()
        try:
            with pytest.raises(EsnfedError):
                await scene.dakar.find(uri)
            peak = tracemalloc.get_traced_memory()[1]
        finally:
            tracemalloc.stop()
        assert peak < 12_000_000, (manner, peak)  # a bomb of thirty million never unfolds
        scene.network.advance(90_000_000)
        await scene.send(evil.activity(scene.mallory, "Announce", uri))
    for _ in range(12):  # what may come later is tried eight times, and is then over
        scene.network.advance(90_000_000)
        await scene.network.settle()
    rows = [row for row in await scene.dakar.rows(inbox_message) if row["as_type"] == "Announce"]
    assert len(rows) == len(SLOW)
    assert {row["state"] for row in rows} == {"ignored"}
    await scene.honest()


async def test_a_silent_key_server_is_a_503_and_holds_up_nobody(
    network: Network, hasty: Callable[..., None]
) -> None:
    """Protection: the eight seconds and sixteen places of `Authenticator._fetch` (decisions.md 4); one 503."""
    hasty(read=0.4, total=0.8)
    scene = await play(network)
    evil = scene.evil
    evil.misbehave("silent", "/users/s")
    strangers = [f"{evil.origin}/users/s{number}" for number in range(8)]
    likes = [
        evil.activity(scene.mallory, "Like", "x") | {"actor": uri, "id": f"{uri}#1"} for uri in strangers
    ]
    knocks = [evil.post(scene.dakar, like, key_uri=f"{like['actor']}#main-key") for like in likes]
    waiting = asyncio.gather(*knocks)
    await asyncio.sleep(0)
    await scene.honest()
    assert not waiting.done()  # the honest note went through while all of these still waited
    assert set(await waiting) == {503}


async def test_cve_2025_68475_fedify_redos_in_html(scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    """Protection: `sanitise._bounded`: what is parsed has at most so many brackets and ampersands."""
    parsed: list[tuple[int, int]] = []
    original = sanitise._POST

    class Counting:
        def clean(self, html: str) -> str:
            parsed.append((html.count("<"), html.count("&")))
            return original.clean(html)

    monkeypatch.setattr(sanitise, "_POST", Counting())
    pieces = (
        "<",
        "<b>",
        "<a href='",
        "<!--",
        "&",
        "&#",
        "<p><table>",
        "<h1 ",
        "<svg><math>",
        "</",
        "<i a=1><b b=2>",
        "<![CDATA[",
    )
    for number, piece in enumerate(pieces):
        await scene.send(scene.create(f"n{number}", content=piece * (900_000 // len(piece))))
    assert len(parsed) >= len(pieces)
    assert max(brackets for brackets, _ in parsed) <= sanitise.BRACKET_LIMIT * 3  # headings become two each
    assert max(ampersands for _, ampersands in parsed) <= sanitise.AMPERSAND_LIMIT
    assert len(await scene.dakar.rows(status)) == len(pieces)
    assert await scene.stuck() == []


async def test_cve_2026_69132_unbounded_per_host_state(scene: Scene) -> None:
    """Protection: `peers.forget_idle`; in memory the caps that test_state.py proves one by one."""
    await scene.dakar.write(_meet, [f"h{number}.example" for number in range(10_000)])
    assert len(await scene.dakar.rows(peer)) >= 10_000
    scene.network.advance(31 * DAY)
    while await scene.dakar.write(peers.forget_idle):
        pass
    assert len(await scene.dakar.rows(peer)) <= 3


def _meet(context: Context, hosts: list[str]) -> None:
    peers.know(context, hosts)


async def test_mastodon_4486_cve_2024_49363_previews_and_proxies_that_are_not_there(scene: Scene) -> None:
    """Protection: nothing fetches what a post links to; an address of our own is refused by the transport."""
    link = f"{scene.evil.origin}/page"
    own = "https://dakar.esn.test/proxy?url=https://dakar.esn.test/proxy"
    for number in range(100):
        content = f'<p><a href="{link}">x</a> <a href="{own}">y</a></p>'
        image = {"type": "Image", "mediaType": "image/png", "url": link}
        note = scene.create(
            f"n{number}", content=content, attachment=[image, image | {"url": own}], icon=image
        )
        assert await scene.evil.post(scene.dakar, note) == 202
    await scene.network.settle()
    assert len(await scene.dakar.rows(status)) == 100
    assert [target for target in scene.evil.targets() if target.startswith("/page")] == []
    with pytest.raises(RemoteRefused):
        await scene.dakar.node.transport.get_bytes(own, accept="*/*", types=frozenset({"image/png"}), limit=9)


async def test_cve_2026_29178_lemmy_parameter_injection(scene: Scene) -> None:
    """Protection: `webfinger._NAME` and `quote`: what a peer names is one value of one parameter."""
    evil = scene.evil
    evil.answers["/.well-known/webfinger"] = Reply(404)
    template = f'<XRD><Link rel="lrdd" template="{evil.origin}/finger?resource={{uri}}&amp;proxy=no"/></XRD>'
    evil.answers["/.well-known/host-meta"] = Reply(200, template.encode(), "application/xrd+xml")
    names = (
        "a&rel=x",
        "a?b=c",
        "a#b",
        "a/../b",
        "a%26proxy=yes",
        "a b",
        "a\r\nX: y",
        "acct:a&b",
        "a;b",
        "{uri}",
        "é",
        "a=b",
        "",
    )
    for number, name in enumerate(names):
        scene.network.advance(60_000)
        with pytest.raises(EsnfedError):
            await scene.dakar.find(f"{name}@{EVIL}")
        uri = f"{evil.origin}/users/n{number}"
        evil.serve(
            scene.mallory
            | {"id": uri, "preferredUsername": name or "x", "inbox": f"{uri}/inbox", "publicKey": {}}
        )
        with pytest.raises(EsnfedError):
            await scene.dakar.find(f"{name}@{EVIL}/x?y=")
    with pytest.raises(EsnfedError):
        await scene.dakar.find(f"plain.name@{EVIL}")
    for target in evil.targets():
        query = parse_qsl(urlsplit(target).query, keep_blank_values=True)
        if "finger" in target:
            assert [name for name, _ in query] in (["resource"], ["resource", "proxy"]), target
            assert dict(query)["resource"].endswith(f"@{EVIL}")
    assert "/finger?resource=acct%3Aplain.name%40evil.esn.test&proxy=no" in evil.targets()


async def test_retry_after_of_any_kind_is_a_day_at_most(scene: Scene) -> None:
    """Protection: `answers.retry_after_of`; found by the fuzzer: a year of twenty digits was an exception."""
    transport = scene.dakar.node.transport
    for number, manner in enumerate(("later", "date")):
        later = await start_hostile(scene.network, f"later{number}.esn.test")
        later.misbehave(manner)
        with pytest.raises(RemoteUnreachable) as caught:
            await transport.get_json(f"{later.origin}/x", signer=None)
        assert (caught.value.retry_after or 0) <= 86_400
