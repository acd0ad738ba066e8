"""NodeInfo of other servers: same origin, newest schema, bounded."""

from __future__ import annotations

from typing import Any

import pytest

from esnfed.errors import RemoteNonsense
from esnfed.federation import reasons
from esnfed.federation.nodeinfo import NodeInfo, probe
from tests.doubles.server import Reply, ServerDouble, document, redirect
from tests.unit.transport.conftest import World

SCHEMA = "http://nodeinfo.diaspora.software/ns/schema/"
WELL_KNOWN = "/.well-known/nodeinfo"
MASTODON = {
    "version": "2.0",
    "software": {"name": "mastodon", "version": "4.5.1"},
    "protocols": ["activitypub"],
    "openRegistrations": False,
    "usage": {"users": {"total": 3}},
}


def links(*pairs: tuple[str, object]) -> Reply:
    return document(
        {"links": [{"rel": SCHEMA + version, "href": href} for version, href in pairs]}, "application/json"
    )


@pytest.fixture
async def peer(world: World) -> ServerDouble:
    double = await world.server("peer.esn.test")
    double.answers[WELL_KNOWN] = links(("2.0", "https://peer.esn.test/nodeinfo/2.0"))
    double.answers["/nodeinfo/2.0"] = document(MASTODON, "application/json; charset=utf-8")
    return double


async def refused(world: World, reason: str) -> None:
    with pytest.raises(RemoteNonsense) as caught:
        await probe(world.transport(), "peer.esn.test")
    assert str(caught.value) == reason


async def test_server_says_what_it_is(world: World, peer: ServerDouble) -> None:
    found = await probe(world.transport(), "peer.esn.test")
    assert found == NodeInfo("mastodon", "4.5.1", False, ("activitypub",))


async def test_newest_schema_is_read(world: World, peer: ServerDouble) -> None:
    peer.answers[WELL_KNOWN] = links(
        ("1.0", "https://peer.esn.test/1"),
        ("2.0", "https://peer.esn.test/2"),
        ("2.1", "https://peer.esn.test/3"),
    )
    peer.answers["/3"] = document(MASTODON, 'application/json; profile="http://nodeinfo.diaspora.software/"')
    await probe(world.transport(), "peer.esn.test")
    assert peer.targets() == [WELL_KNOWN, "/3"]


@pytest.mark.parametrize(
    "href",
    [
        "https://inside.esn.test/nodeinfo",
        "https://peer.esn.test:8443/nodeinfo",
        "http://peer.esn.test/nodeinfo",
        "https://127.0.0.1/nodeinfo",
        "https://169.254.169.254/latest/meta-data",
        "file:///etc/passwd",
        "/nodeinfo/2.0",
    ],
)
async def test_link_to_another_origin_is_refused_unasked(world: World, peer: ServerDouble, href: str) -> None:
    inside = await world.server("inside.esn.test")
    peer.answers[WELL_KNOWN] = links(("2.1", href))
    await refused(world, reasons.FOREIGN_NODEINFO)
    assert (peer.targets(), inside.seen) == ([WELL_KNOWN], [])


async def test_redirect_to_another_origin_is_refused(world: World, peer: ServerDouble) -> None:
    inside = await world.server("inside.esn.test")
    inside.answers["/n"] = document(MASTODON, "application/json")
    peer.answers["/nodeinfo/2.0"] = redirect("https://inside.esn.test/n")
    await refused(world, reasons.FOREIGN_NODEINFO)


@pytest.mark.parametrize(
    "body", [{}, {"links": None}, {"links": [1, {"rel": "self", "href": "x"}]}, {"links": "x"}]
)
async def test_no_link_is_no_nodeinfo(world: World, peer: ServerDouble, body: dict[str, Any]) -> None:
    peer.answers[WELL_KNOWN] = document(body, "application/json")
    await refused(world, reasons.NO_NODEINFO)


@pytest.mark.parametrize("software", [None, "mastodon", {}, {"name": 7}, {"name": ""}])
async def test_nameless_software_is_no_nodeinfo(world: World, peer: ServerDouble, software: object) -> None:
    peer.answers["/nodeinfo/2.0"] = document({"software": software}, "application/json")
    await refused(world, reasons.NO_NODEINFO)


async def test_everything_is_bounded(world: World, peer: ServerDouble) -> None:
    huge: dict[str, Any] = {
        "software": {"name": "n" * 5000, "version": "v" * 5000},
        "protocols": ["p" * 5000, 7, None] * 100,
        "openRegistrations": "yes",
    }
    peer.answers["/nodeinfo/2.0"] = document(huge, "application/json")
    found = await probe(world.transport(), "peer.esn.test")
    assert (len(found.software), len(found.version), found.open) == (100, 100, None)
    assert {len(protocol) for protocol in found.protocols} == {100}
    assert len(found.protocols) <= 20
