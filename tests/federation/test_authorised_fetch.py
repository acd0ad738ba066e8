"""Authorised fetch: who may read what, what stays open, and that two strict nodes still meet."""

from __future__ import annotations

import json
from typing import Any

import pytest
from aiohttp import ClientSession, TCPConnector

from esnfed.federation import peers
from esnfed.federation.keys import load_private
from esnfed.federation.signatures import Signer, sign
from esnfed.models import follow
from esnfed.vocab.terms import ACTIVITY_JSON
from tests.federation.network import LiveNode, Network
from tests.federation.peer import RSA, Peer

Answer = tuple[int, dict[str, str], Any]


class Asker:
    """Asks a node for documents, unsigned or signed by an actor of a peer."""

    def __init__(self, network: Network, target: LiveNode, peer: Peer | None = None, scheme: Any = "cavage"):
        self.network, self.target, self.peer, self.scheme = network, target, peer, scheme

    async def get(self, path: str, *, alter: str = "", accept: str = ACTIVITY_JSON) -> Answer:
        """Return status, headers and body."""
        headers = {"Accept": accept, "Accept-Language": "en", "Host": self.target.domain}
        if self.peer is not None:
            signer = Signer(f"{self.peer.origin}/users/reader#main-key", load_private(RSA.private_der))
            now = self.target.node.runtime.clock()
            headers |= sign(self.scheme, signer, "GET", f"{self.target.origin}{path}{alter}", None, now)
        url = f"https://127.0.0.1:{self.network.hosts[self.target.domain][1]}{path}"
        async with (
            ClientSession(connector=TCPConnector(ssl=False)) as session,
            session.get(url, headers=headers, allow_redirects=False) as answer,
        ):
            text = await answer.text()
            body = json.loads(text) if "json" in answer.content_type else text
            return answer.status, dict(answer.headers), body


async def _peer(network: Network, domain: str = "peer.esn.test") -> Peer:
    peer = await Peer.start_in(network, domain)
    peer.actor("reader", type="Application")
    return peer


async def _scene(network: Network, *, strict: bool) -> tuple[LiveNode, int, list[str]]:
    """Lyon with a post by Ada, and the paths of everything public about the two."""
    lyon = await network.node("lyon", authorised_fetch=strict)
    ada = await lyon.actor("ada")
    post = await lyon.post(ada, "bonjour")
    outbox = (
        await Asker(network, lyon, await _peer(network, "seer.esn.test")).get(f"/ap/actors/{ada}/outbox/0")
    )[2]
    activity = outbox["orderedItems"][0]["id"].removeprefix(lyon.origin)
    paths = [
        f"/ap/actors/{ada}",
        *(f"/ap/actors/{ada}/{name}" for name in ("outbox", "outbox/0", "followers", "featured")),
        f"/ap/objects/{post}",
        *(f"/ap/objects/{post}/{name}" for name in ("replies", "replies/0", "context", "context/0")),
        activity,
    ]
    return lyon, ada, paths


async def test_in_open_mode_everything_public_is_given_unsigned_and_may_be_cached(network: Network) -> None:
    lyon, _, paths = await _scene(network, strict=False)
    for path in (path for path in paths if "followers" not in path):
        status, headers, _ = await Asker(network, lyon).get(path)
        assert (status, headers["Cache-Control"]) == (200, "public, max-age=180"), path
        assert headers["Vary"].startswith("Accept, Signature")


async def test_under_authorised_fetch_an_unsigned_request_gets_nothing(network: Network) -> None:
    lyon, _, paths = await _scene(network, strict=True)
    for path in [*paths, "/ap/objects/1", "/ap/actors/1", "/relay/outbox"]:
        status, headers, body = await Asker(network, lyon).get(path)
        assert (status, headers["Cache-Control"]) == (401, "no-store"), path
        assert "Signature" in headers["Vary"]
        assert "bonjour" not in str(body)


@pytest.mark.parametrize("scheme", ["cavage", "rfc9421"])
async def test_a_signed_request_is_answered_for_itself_alone(network: Network, scheme: str) -> None:
    lyon, _, paths = await _scene(network, strict=True)
    asker = Asker(network, lyon, await _peer(network), scheme)
    for path in paths:
        status, headers, _ = await asker.get(path)
        assert (status, headers["Cache-Control"]) == (200, "private, no-store"), path
        assert "Signature" in headers["Vary"]


async def test_a_wrong_signature_is_no_signature(network: Network) -> None:
    lyon, _, paths = await _scene(network, strict=True)
    asker = Asker(network, lyon, await _peer(network))
    for path in paths:
        assert (await asker.get(path, alter="/elsewhere"))[0] == 401, path


@pytest.mark.parametrize("strict", [False, True])
async def test_a_blocked_server_that_signs_gets_403_and_another_one_after_it_the_document(
    network: Network, strict: bool
) -> None:
    """CVE-2026-25540: what one asker got must not be what the next one gets."""
    lyon, _, paths = await _scene(network, strict=strict)
    rude = Asker(network, lyon, await _peer(network, "rude.esn.test"))
    good = Asker(network, lyon, await _peer(network, "good.esn.test"))
    assert (await rude.get(paths[0]))[0] == 200
    await lyon.write(peers.set_standing, "rude.esn.test", "blocked", "test")
    for path in [*paths, "/relay"]:
        status, headers, _ = await rude.get(path)
        assert (status, headers["Cache-Control"]) == (403, "no-store"), path
        status, headers, _ = await good.get(path)
        assert (status, headers["Cache-Control"]) == (200, "private, no-store"), path
        assert (await rude.get(path))[0] == 403


async def test_what_a_first_meeting_needs_stays_open(network: Network) -> None:
    lyon, ada, _ = await _scene(network, strict=True)
    stranger = Asker(network, lyon)
    status, _, node_actor = await stranger.get("/relay")
    assert (status, node_actor["type"]) == (200, "Application")
    for path in (
        "/.well-known/webfinger?resource=acct:ada@lyon.esn.test",
        "/.well-known/webfinger?resource=https://lyon.esn.test/",
        "/.well-known/nodeinfo",
        "/nodeinfo/2.1",
        "/.well-known/host-meta.json",
    ):
        assert (await stranger.get(path, accept="*/*"))[0] == 200, path
    status, headers, _ = await stranger.get(f"/ap/actors/{ada}", accept="text/html")
    assert (status, headers["Location"]) == (303, "https://lyon.esn.test/@ada")


async def test_two_strict_nodes_that_never_met_do_not_wait_for_each_other(network: Network) -> None:
    """Each needs the other's key before it answers, and the node actors give theirs to anybody."""
    lyon = await network.node("lyon", authorised_fetch=True)
    dakar = await network.node("dakar", authorised_fetch=True)
    ada, paul = await lyon.actor("ada"), await dakar.actor("paul")
    await dakar.follow(paul, await dakar.find("ada@lyon.esn.test"))
    await lyon.follow(ada, await lyon.find("paul@dakar.esn.test"))
    await network.settle()
    assert [row["state"] for row in await lyon.rows(follow)] == ["accepted", "accepted"]
    for visibility in ("public", "followers"):
        await lyon.post(ada, visibility, visibility=visibility)  # type: ignore[arg-type]  # a word of the list
    await dakar.post(paul, "oui")
    await network.settle()
    assert len(await dakar.home(paul)) == 3
    assert "<p>oui</p>" in [row["content"] for row in await lyon.home(ada)]


# Ghost replies: Misskey drops a reply whose parent it cannot fetch.


async def _reply(lyon: LiveNode, by: int, to: int, visibility: Any) -> int:
    return await lyon.post(by, "réponse", in_reply_to_id=to, visibility=visibility)


@pytest.mark.parametrize("strict", [False, True])
@pytest.mark.parametrize("visibility", ["public", "unlisted", "followers"])
async def test_the_node_actor_of_a_recipient_can_fetch_the_parent_of_our_reply(
    network: Network, strict: bool, visibility: Any
) -> None:
    lyon = await network.node("lyon", authorised_fetch=strict)
    dakar = await network.node("dakar")
    ada, paul = await lyon.actor("ada"), await dakar.actor("paul")
    parent = await lyon.post(ada, "avant", visibility=visibility)
    await dakar.follow(paul, await dakar.find("ada@lyon.esn.test"))
    await network.settle()
    await _reply(lyon, ada, parent, visibility)
    await network.settle()
    found = await dakar.node.resolver.document(f"https://lyon.esn.test/ap/objects/{parent}")
    assert found["content"] == "<p>avant</p>"


async def test_a_parent_that_the_asker_may_not_read_looks_like_none(network: Network) -> None:
    lyon = await network.node("lyon")
    peer = await _peer(network)
    ada, eve = await lyon.actor("ada"), await lyon.actor("eve")
    parent = await lyon.post(ada, "entre nous", visibility="followers")
    asker = Asker(network, lyon, peer)
    follows_eve = peer.activity(peer.actor("bob"), "Follow", (await lyon.row(eve))["uri"])
    assert await peer.post(lyon, follows_eve) == 202
    await network.settle()
    await _reply(lyon, eve, parent, "followers")  # goes to Bob, who does not follow Ada
    await network.settle()
    assert len(peer.received("Create")) == 1
    hidden, none = await asker.get(f"/ap/objects/{parent}"), await asker.get("/ap/objects/1")
    assert (hidden[0], hidden[2]) == (404, none[2])
    follows_ada = peer.activity(peer.actor("bob"), "Follow", (await lyon.row(ada))["uri"])
    assert await peer.post(lyon, follows_ada) == 202
    await network.settle()
    assert (await asker.get(f"/ap/objects/{parent}"))[0] == 200


async def test_the_proposals_about_finding_the_node_actor_are_kept(network: Network) -> None:
    """FEP-2677: the link in NodeInfo leads to an Application, unsigned; FEP-d556: WebFinger of the server."""
    lyon = await network.node("lyon", authorised_fetch=True)
    stranger = Asker(network, lyon)
    links = (await stranger.get("/.well-known/nodeinfo", accept="*/*"))[2]["links"]
    (link,) = [link for link in links if link["rel"] == "https://www.w3.org/ns/activitystreams#Application"]
    actor = (await stranger.get(link["href"].removeprefix(lyon.origin)))[2]
    assert (actor["id"], actor["type"]) == (link["href"], "Application")
    found = (await stranger.get(f"/.well-known/webfinger?resource={lyon.origin}/", accept="*/*"))[2]
    assert found["subject"] == f"{lyon.origin}/"
    rel = "https://www.w3.org/ns/activitystreams#Service"
    assert [(each["rel"], each["href"]) for each in found["links"]] == [(rel, actor["id"])]


async def test_no_intent_is_published_while_nobody_can_log_in(network: Network) -> None:
    """FEP-3b86 is for people who are logged in on their home server; a link there would lead nowhere."""
    lyon = await network.node("lyon")
    await lyon.actor("ada")
    account = "/.well-known/webfinger?resource=acct:ada@lyon.esn.test"
    found = (await Asker(network, lyon).get(account, accept="*/*"))[2]
    assert {link["rel"] for link in found["links"]} == {"self", "http://webfinger.net/rel/profile-page"}
    assert "template" not in str(found)
