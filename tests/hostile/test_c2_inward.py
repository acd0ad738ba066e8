"""federation.md C2: no peer leads a fetch of ours inward, by literal, by name, by redirect, by rebinding."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

import pytest

from esnfed.context import Context
from esnfed.errors import EsnfedError, RemoteError, RemoteRefused
from esnfed.federation import nodeinfo, reasons
from esnfed.federation.pacing import Budget
from esnfed.models import actor, inbox_message
from esnfed.services import wanted
from tests.doubles.server import Reply, ServerDouble, document
from tests.federation.network import Network
from tests.federation.peer import JRD
from tests.hostile.fortress import Fortress
from tests.hostile.scene import EVIL, Scene, play

INWARD = (
    "0.0.0.0", "0.1.2.3", "10.0.0.1", "10.255.255.255", "100.64.0.1", "100.127.255.254", "127.0.0.1", "127.1.2.3",
    "169.254.169.254", "172.16.0.1", "172.31.255.255", "192.0.0.8", "192.0.2.1", "192.88.99.1", "192.168.0.1",
    "192.31.196.1", "192.52.193.1", "192.175.48.1", "198.18.0.1", "198.19.255.255", "198.51.100.1", "203.0.113.1",
    "224.0.0.1", "239.255.255.250", "240.0.0.1", "255.255.255.255", "::", "::1", "::127.0.0.1", "::10.0.0.1",
    "::ffff:127.0.0.1", "::ffff:10.0.0.1", "::ffff:0:127.0.0.1", "64:ff9b::127.0.0.1", "64:ff9b::10.0.0.1",
    "64:ff9b:1::1", "100::1", "2001::1", "2001:0:7f00:1::", "2001:2::1", "2001:10::1", "2001:20::1",
    "2001:db8::1", "2002:7f00:1::", "2002:a00:1::", "2002:c0a8:1::1", "2620:4f:8000::1", "3fff::1", "5f00::1",
    "fc00::1",
    "fd00:ec2::254", "fe80::1", "fec0::1", "ff02::1", "ff0e::1", "4000::1", "e000::1", "2001:0:0808:0808::f5ff:fffe",
    "fd12:3456:789a::1",
)  # fmt: skip
OUTWARD = ("8.8.8.8", "2606:4700:4700::1111", "64:ff9b::808:808", "2002:808:808::1")
SPELLINGS = (
    "127.1",
    "0x7f000001",
    "2130706433",
    "017700000001",
    "127.0.0.1.",
    "1",
    "127.0.0.0x1",
    "[::1%25lo]",
    "[::ffff:7f00:1]",
)


def literal(address: str) -> str:
    """An address as the host of a web address."""
    return f"[{address}]" if ":" in address else address


@pytest.fixture
async def guarded(fortress: Fortress, network: Network) -> Scene:
    """The scene under production's rules."""
    return await play(network)


async def test_cve_2026_22245_cve_2026_46348_cve_2026_50131_cve_2026_33693_not_globally_routable(
    guarded: Scene, fortress: Fortress
) -> None:
    """Protection: `addresses.globally_routable`, asked by `Names.check_host`, `resolve` and `make_socket`."""
    transport = guarded.dakar.node.transport
    for number, address in enumerate(INWARD):
        name = f"name{number}.example{number}.org"
        fortress.answers[name] = [[address]]
        fortress.answers[f"mixed.{name}"] = [["8.8.8.8", address]]
        hosts = (literal(address), name, f"mixed.{name}")
        for host in hosts:
            guarded.network.advance(30_000)
            with pytest.raises(RemoteRefused) as caught:
                await transport.get_json(f"https://{host}/x", signer=None)
            assert str(caught.value) == reasons.NOT_ROUTABLE, (host, address)
    for host in SPELLINGS:
        guarded.network.advance(30_000)
        with pytest.raises(RemoteError):
            await transport.get_json(f"https://{host}/x", signer=None)
    assert fortress.sockets == []
    for address in OUTWARD:
        guarded.network.advance(30_000)
        with pytest.raises(RemoteError):
            await transport.get_json(f"https://{literal(address)}/x", signer=None)
    assert fortress.sockets == list(OUTWARD)


async def test_cve_2026_77632_cve_2026_62857_owncast_federails_cve_2026_27477_led_inward_by_every_fetch_kind(
    guarded: Scene, fortress: Fortress
) -> None:
    """Protection: `Transport._admitted` judges every hop of the one client; only http and https exist."""
    inside = ServerDouble("inside")
    await inside.start(guarded.network.authority.server_context("127.0.0.1"))
    guarded.network.stack.push_async_callback(inside.stop)
    evil, dakar = guarded.evil, guarded.dakar
    thief = evil.actor("thief")
    evil.serve(evil.note(guarded.mallory, "un", replies=f"{evil.origin}/replies"))
    kinds: dict[str, Callable[[], Awaitable[object]]] = {
        "actor": lambda: dakar.find(f"{evil.origin}/users/other"),
        "account": lambda: dakar.find(f"other@{EVIL}"),
        "key": lambda: evil.post(dakar, evil.activity(thief, "Like", "x"), key_uri=f"{thief['id']}/key"),
        "object": lambda: guarded.send(evil.activity(guarded.mallory, "Announce", f"{evil.origin}/notes/9")),
        "nodeinfo": lambda: nodeinfo.probe(dakar.node.transport, EVIL),
        "page": lambda: dakar.node.discovery.page(f"{evil.origin}/replies", Budget()),
    }
    lures = (
        f"https://127.0.0.1:{inside.port}/", f"https://[::1]:{inside.port}/", "https://169.254.169.254/latest/meta-data",
        f"https://inward.example:{inside.port}/", "file:///etc/passwd", "data:application/activity+json,{}", "http://8.8.8.8/",
        "gopher://127.0.0.1/", "//127.0.0.1/", f"https://user:pw@127.0.0.1:{inside.port}/", "https://dakar.esn.test/relay",
    )  # fmt: skip
    fortress.answers["inward.example"] = [["127.0.0.1"]]
    evil.misbehave("lure", "/")
    for lure in lures:
        evil.lure = lure
        for kind, fetch in kinds.items():
            guarded.network.advance(400_000)
            if kind in ("key", "object"):
                assert await fetch() in (401, None), (kind, lure)
                continue
            with pytest.raises(EsnfedError):
                await fetch()
    assert inside.seen == []
    assert fortress.sockets == []
    assert [row for row in await dakar.rows(actor) if row["handle"] == "thief"] == []


async def test_host_meta_and_nodeinfo_links_that_point_inward(guarded: Scene, fortress: Fortress) -> None:
    """Protection: as above; and `nodeinfo.probe` stays on its origin (CVE-2026-62857)."""
    evil, dakar = guarded.evil, guarded.dakar
    fortress.answers["inward.example"] = [["10.0.0.1"]]
    for host in ("127.0.0.1:1", "[::1]", "inward.example", "10.0.0.1"):
        guarded.network.advance(400_000)
        xrd = f'<XRD><Link rel="lrdd" template="https://{host}/?q={{uri}}"/></XRD>'
        evil.answers["/.well-known/host-meta"] = Reply(200, xrd.encode(), "application/xrd+xml")
        with pytest.raises(RemoteRefused):
            await dakar.find(f"stranger@{EVIL}")
        links = [{"rel": "http://nodeinfo.diaspora.software/ns/schema/2.1", "href": f"https://{host}/ni"}]
        evil.answers["/.well-known/nodeinfo"] = document({"links": links}, "application/json")
        with pytest.raises(RemoteError):
            await nodeinfo.probe(dakar.node.transport, EVIL)
        self_link = [{"rel": "self", "type": "application/activity+json", "href": f"https://{host}/users/a"}]
        finger = document({"subject": f"acct:lured@{EVIL}", "links": self_link}, JRD)
        evil.answers[f"/.well-known/webfinger?resource=acct:lured@{EVIL}"] = finger
        with pytest.raises(RemoteRefused):
            await dakar.find(f"lured@{EVIL}")
    assert fortress.sockets == []


async def test_dns_rebinding(guarded: Scene, fortress: Fortress) -> None:
    """Protection: the connector gets the addresses that were judged, and `make_socket` judges once more."""
    fortress.answers["rebind.example"] = [["8.8.8.8"], ["127.0.0.1"], ["8.8.4.4"], ["10.0.0.1"]]
    transport = guarded.dakar.node.transport
    for _ in range(4):
        with pytest.raises(RemoteError):
            await transport.get_json("https://rebind.example/x", signer=None)
        guarded.network.advance(400_000)  # past what is remembered of names and failures
    assert fortress.sockets == ["8.8.8.8", "8.8.4.4"]
    assert fortress.asked == ["rebind.example"] * 4  # never a second look-up between judging and connecting


async def test_an_errand_that_is_led_inward_brings_nothing(guarded: Scene, fortress: Fortress) -> None:
    """Protection: errands use the same client; what cannot be had is left out."""
    evil = guarded.evil
    await guarded.send(guarded.create("un", inReplyTo="https://10.0.0.1/notes/1"))
    await guarded.send(guarded.create("deux", inReplyTo=f"{evil.origin}/parent"))
    evil.misbehave("lure", "/parent")
    await guarded.dakar.write(_ask, "https://127.0.0.1/notes/2")
    await guarded.network.settle()
    assert fortress.sockets == []
    assert await guarded.stuck() == []
    assert {row["state"] for row in await guarded.dakar.rows(inbox_message)} == {"done"}


def _ask(context: Context, uri: str) -> int | None:
    return wanted.ancestors(context, uri)
