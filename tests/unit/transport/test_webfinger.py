"""Handles and actors must name one another; host-meta as a way out; XML without surprises."""

from __future__ import annotations

from typing import Any

import pytest

from esnfed.errors import RemoteError, RemoteGone, RemoteMissing, RemoteNonsense, RemoteRefused
from esnfed.federation import reasons
from esnfed.federation.pacing import Budget
from esnfed.federation.transport import Transport
from esnfed.federation.webfinger import canonical_account, lookup, lrdd_template
from esnfed.vocab.terms import ACTIVITY_JSON, LD_JSON
from tests.doubles.server import Reply, ServerDouble, document, redirect
from tests.unit.transport.conftest import NODE, World

ALICE = "https://good.esn.test/users/alice"
ACTOR = {"id": ALICE, "type": "Person", "preferredUsername": "alice"}
FINGER = "/.well-known/webfinger"
JRD = "application/jrd+json"
XRD_NAMESPACE = "http://docs.oasis-open.org/ns/xri/xrd-1.0"


def jrd(
    subject: str, href: object = ALICE, media_type: str = ACTIVITY_JSON, content_type: str = JRD
) -> Reply:
    links = [{"rel": "http://webfinger.net/rel/profile-page", "href": "https://good.esn.test/@alice"}]
    return document(
        {"subject": subject, "links": [*links, {"rel": "self", "type": media_type, "href": href}]},
        content_type,
    )


@pytest.fixture
async def good(world: World) -> ServerDouble:
    double = await world.server("good.esn.test")
    double.answers[FINGER] = jrd("acct:alice@good.esn.test")
    double.answers["/users/alice"] = document(ACTOR)
    return double


@pytest.fixture
async def other(world: World) -> ServerDouble:
    return await world.server("other.esn.test")


@pytest.fixture
async def transport(world: World, good: ServerDouble, other: ServerDouble) -> Transport:
    return world.transport()


async def refused(transport: Transport, handle: str, reason: str) -> None:
    with pytest.raises(RemoteError) as caught:
        await lookup(transport, handle)
    assert str(caught.value) == reason


@pytest.mark.parametrize(
    "handle",
    ["alice@good.esn.test", "@alice@good.esn.test", "acct:alice@good.esn.test", "ALICE@Good.ESN.test."],
)
async def test_handle_leads_to_its_actor(transport: Transport, good: ServerDouble, handle: str) -> None:
    assert await lookup(transport, handle) == ("alice@good.esn.test", ALICE)
    name = "ALICE" if "ALICE" in handle else "alice"
    assert good.targets() == [f"{FINGER}?resource=acct:{name}@good.esn.test"]
    assert "Signature" not in good.seen[0].headers


@pytest.mark.parametrize("media_type", [ACTIVITY_JSON, LD_JSON])
async def test_both_media_types_name_an_actor(
    transport: Transport, good: ServerDouble, media_type: str
) -> None:
    good.answers[FINGER] = jrd(
        "acct:alice@good.esn.test", media_type=media_type, content_type="application/json"
    )
    assert (await lookup(transport, "alice@good.esn.test"))[1] == ALICE


@pytest.mark.parametrize(
    ("href", "media_type"),
    [
        (ALICE, "application/ld+json"),
        (ALICE, "application/json"),
        (ALICE, "text/html"),
        ("file:///etc/passwd", ACTIVITY_JSON),
        (None, ACTIVITY_JSON),
        (7, ACTIVITY_JSON),
    ],
)
async def test_other_self_link_names_nobody(
    transport: Transport, good: ServerDouble, href: object, media_type: str
) -> None:
    good.answers[FINGER] = jrd("acct:alice@good.esn.test", href, media_type)
    await refused(transport, "alice@good.esn.test", reasons.NO_SELF_LINK)


@pytest.mark.parametrize("links", [None, "x", [], [None, 1, "x"], {"rel": "self"}])
async def test_odd_links_name_nobody(transport: Transport, good: ServerDouble, links: object) -> None:
    good.answers[FINGER] = document({"subject": "acct:alice@good.esn.test", "links": links}, JRD)
    await refused(transport, "alice@good.esn.test", reasons.NO_SELF_LINK)


@pytest.mark.parametrize(
    "handle",
    [
        "",
        "alice",
        "@good.esn.test",
        "alice@",
        "al ice@good.esn.test",
        "alice/../@good.esn.test",
        "alice@good.esn.test/path",
        "alice@good.esn.test?x",
        "alice@good.esn.test:0",
        "alice@ｇood.esn.test",
        "-@good.esn.test",
        "a@b@good.esn.test",
        "a" * 600 + "@good.esn.test",
    ],
)
async def test_what_is_no_handle_is_not_asked(transport: Transport, good: ServerDouble, handle: str) -> None:
    await refused(transport, handle, reasons.HANDLE)
    assert good.seen == []


async def test_own_handles_are_not_asked(world: World) -> None:
    transport = world.transport(account_domain="esn.test")
    for domain in (NODE, "esn.test"):
        with pytest.raises(RemoteRefused, match="this server"):
            await lookup(transport, f"alice@{domain}")


async def test_one_hop_to_another_subject_that_confirms_itself(
    transport: Transport, good: ServerDouble, other: ServerDouble
) -> None:
    other.answers[FINGER] = jrd("acct:alice@good.esn.test", "https://other.esn.test/fake")
    assert await lookup(transport, "alice@other.esn.test") == ("alice@good.esn.test", ALICE)


async def test_second_hop_is_refused(transport: Transport, good: ServerDouble, other: ServerDouble) -> None:
    other.answers[FINGER] = jrd("acct:alice@good.esn.test")
    good.answers[FINGER] = jrd("acct:bob@other.esn.test")
    await refused(transport, "alice@other.esn.test", reasons.OTHER_SUBJECT)


@pytest.mark.parametrize("subject", ["", "https://good.esn.test/users/alice", None, 7])
async def test_answer_without_an_account_is_refused(
    transport: Transport, good: ServerDouble, subject: Any
) -> None:
    good.answers[FINGER] = jrd(subject)
    await refused(transport, "alice@good.esn.test", reasons.OTHER_SUBJECT)


async def test_deleted_handle_is_gone_without_asking_host_meta(
    transport: Transport, good: ServerDouble
) -> None:
    good.answers[FINGER] = Reply(410)
    with pytest.raises(RemoteGone):
        await lookup(transport, "alice@good.esn.test")
    assert len(good.seen) == 1


@pytest.mark.parametrize("content_type", ["text/html", "application/activity+json", "text/plain"])
async def test_other_content_type_is_refused(
    transport: Transport, good: ServerDouble, content_type: str
) -> None:
    good.answers[FINGER] = jrd("acct:alice@good.esn.test", content_type=content_type)
    await refused(transport, "alice@good.esn.test", reasons.CONTENT_TYPE)


async def test_discoveries_and_fetches_are_counted(transport: Transport) -> None:
    budget = Budget(fetches=5, discoveries=1)
    await lookup(transport, "alice@good.esn.test", budget)
    assert (budget.fetches, budget.discoveries) == (4, 0)
    with pytest.raises(RemoteRefused):
        await lookup(transport, "alice@good.esn.test", budget)


def xrd(template: str, rel: str = "lrdd", extra: str = "") -> bytes:
    link = f'<Link rel="{rel}" {extra} template="{template}"/>'
    return f'<?xml version="1.0"?><XRD xmlns="{XRD_NAMESPACE}">{link}</XRD>'.encode()


async def test_host_meta_shows_the_way_when_webfinger_is_missing(
    transport: Transport, good: ServerDouble, other: ServerDouble
) -> None:
    template = "https://good.esn.test/finger?q={uri}&amp;x=1"
    other.answers["/.well-known/host-meta"] = Reply(200, xrd(template), "application/xrd+xml; charset=utf-8")
    good.answers["/finger"] = jrd("acct:alice@other.esn.test")
    assert await lookup(transport, "alice@other.esn.test") == ("alice@other.esn.test", ALICE)
    assert good.targets() == ["/finger?q=acct%3Aalice%40other.esn.test&x=1"]


async def test_missing_everywhere_is_missing(transport: Transport, other: ServerDouble) -> None:
    with pytest.raises(RemoteMissing):
        await lookup(transport, "alice@other.esn.test")
    assert other.targets()[1:] == ["/.well-known/host-meta"]


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"<",
        b"<" * 60_000,
        b"\xff\xfe<",
        b"<XRD>",
        b'<!DOCTYPE x><XRD><Link rel="lrdd" template="https://a.example/{uri}"/></XRD>',
        b'<!DOCTYPE x [<!ENTITY a "b">]><XRD>&a;</XRD>',
        '<!DOCTYPE x [<!ENTITY a SYSTEM "file:///etc/passwd">]><XRD>&a;</XRD>'.encode("utf-16"),
        b"<?xml version='1.0' encoding='no-such'?><XRD/>",
    ],
)
def test_xml_with_a_document_type_or_errors_is_nonsense(data: bytes) -> None:
    with pytest.raises(RemoteNonsense):
        lrdd_template(data)


@pytest.mark.parametrize(
    "data",
    [
        xrd("https://a.example/{uri}", rel="self"),
        xrd("https://a.example/"),
        xrd("https://a.example/{uri}", extra='type="application/xrd+xml"'),
        b"<XRD/>",
    ],
)
def test_host_meta_without_a_usable_template_is_missing(data: bytes) -> None:
    with pytest.raises(RemoteMissing):
        lrdd_template(data)


async def test_host_meta_is_capped(transport: Transport, other: ServerDouble) -> None:
    data = xrd("https://good.esn.test/{uri}") + b" " * 64_000
    other.answers["/.well-known/host-meta"] = Reply(200, data, "application/xrd+xml")
    await refused(transport, "alice@other.esn.test", reasons.TOO_LARGE)


async def test_account_of_an_actor_is_confirmed_by_its_server(transport: Transport) -> None:
    assert await canonical_account(transport, ACTOR) == "alice@good.esn.test"


async def test_property_webfinger_comes_first(
    transport: Transport, good: ServerDouble, other: ServerDouble
) -> None:
    other.answers[FINGER] = jrd("acct:Alice@other.esn.test")
    assert (
        await canonical_account(transport, ACTOR | {"webfinger": "alice@other.esn.test"})
        == "Alice@other.esn.test"
    )
    assert good.seen == []


async def test_claimed_account_of_somebody_else_is_refused(transport: Transport, other: ServerDouble) -> None:
    mallory = {"id": "https://other.esn.test/mallory", "type": "Person", "webfinger": "alice@good.esn.test"}
    with pytest.raises(RemoteNonsense) as caught:
        await canonical_account(transport, mallory)
    assert str(caught.value) == reasons.OTHER_ACTOR


@pytest.mark.parametrize("actor", [{}, {"id": 7, "preferredUsername": "a"}, {"id": ALICE}])
async def test_actor_without_a_name_or_id_has_no_account(transport: Transport, actor: dict[str, Any]) -> None:
    with pytest.raises(RemoteNonsense):
        await canonical_account(transport, actor)


async def test_account_domain_may_differ_from_the_web_domain(
    transport: Transport, good: ServerDouble, other: ServerDouble
) -> None:
    other.answers[FINGER] = redirect(f"https://good.esn.test{FINGER}?resource=acct:alice@other.esn.test")
    good.answers[FINGER] = jrd("acct:alice@other.esn.test")
    for handle in ("alice@other.esn.test", "alice@good.esn.test"):
        assert await lookup(transport, handle) == ("alice@other.esn.test", ALICE)
    assert await canonical_account(transport, ACTOR) == "alice@other.esn.test"
