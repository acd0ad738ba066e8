"""FEP-8fcf between two live nodes: what a lost message left behind is found and set right."""

from __future__ import annotations

from typing import Any

import pytest
from sqlalchemy import delete, update

from esnfed.context import Context
from esnfed.errors import RemoteError
from esnfed.federation import followers_sync
from esnfed.federation.followers_sync import HEADER, Claimed, digest_of, read_header
from esnfed.models import delivery, errand, follow, status
from esnfed.services import followers_sync as service
from esnfed.vocab.parse import Document
from tests.doubles.server import document
from tests.federation.network import LiveNode, Network
from tests.federation.peer import Peer

EXAMPLE = ("https://testing.example.org/users/1", "https://testing.example.org/users/2")
EXAMPLE_DIGEST = "c33f48cd341ef046a206b8a72ec97af65079f9a3a9b90eef79c5920dce45c61f"


def test_the_digest_is_that_of_the_proposal() -> None:
    assert digest_of(EXAMPLE) == EXAMPLE_DIGEST
    assert digest_of(EXAMPLE[1:], digest_of(EXAMPLE[:1])) == EXAMPLE_DIGEST
    assert digest_of(()) == "0" * 64


@pytest.mark.parametrize(
    "value",
    [
        f'collectionId="c", url="u", digest="{EXAMPLE_DIGEST}"',
        f'digest="{EXAMPLE_DIGEST}",url="u",collectionId="c"',
        f'collectionId="c", url="u", digest="{EXAMPLE_DIGEST}", later="more"',
    ],
)
def test_the_header_is_read_in_any_order(value: str) -> None:
    assert read_header([value]) == Claimed("c", "u", EXAMPLE_DIGEST)


@pytest.mark.parametrize(
    "values",
    [
        [],
        [""],
        ['collectionId="c", url="u"'],
        ['collectionId="c", url="u", digest="00"'],
        [f'collectionId="c", url="u", digest="{EXAMPLE_DIGEST}", url="v"'],
        [f'collectionId="c" url="u" digest="{EXAMPLE_DIGEST}"'],
        [f'collectionId="{"c" * 6000}", url="u", digest="{EXAMPLE_DIGEST}"'],
        [f'collectionId="c", url="u", digest="{EXAMPLE_DIGEST}"'] * 2,
    ],
)
def test_a_header_that_is_not_understood_counts_as_none(values: list[str]) -> None:
    assert read_header(values) is None


async def _lose_deliveries(live: LiveNode) -> None:
    def lose(context: Context) -> None:
        context.connection.execute(delete(delivery).where(delivery.c.state == "queued"))

    await live.write(lose)


async def _scene(network: Network) -> tuple[LiveNode, LiveNode, int, int, int]:
    """Ada of Lyon, followed by Paul and Awa of Dakar."""
    lyon, dakar = await network.node("lyon"), await network.node("dakar")
    ada, paul, awa = await lyon.actor("ada"), await dakar.actor("paul"), await dakar.actor("awa")
    there = await dakar.find("ada@lyon.esn.test")
    for follower in (paul, awa):
        await dakar.follow(follower, there)
    await network.settle()
    return lyon, dakar, ada, paul, awa


async def _follows(live: LiveNode) -> list[tuple[int, str]]:
    return sorted((row["actor_id"], row["state"]) for row in await live.rows(follow))


async def test_when_both_sides_agree_nothing_is_asked(network: Network) -> None:
    lyon, dakar, ada, paul, _ = await _scene(network)
    await lyon.post(ada, "entre nous", visibility="followers")
    await network.settle()
    assert len(await dakar.home(paul)) == 1
    assert await dakar.rows(errand, kind=followers_sync.KIND) == []


async def test_a_lost_undo_is_sent_again(network: Network) -> None:
    lyon, dakar, ada, paul, awa = await _scene(network)
    await dakar.unfollow(paul, await dakar.find("ada@lyon.esn.test"))
    await _lose_deliveries(dakar)
    await network.settle()
    assert len(await _follows(lyon)) == 2
    await lyon.post(ada, "entre nous", visibility="followers")
    await network.settle()
    assert [row["state"] for row in await lyon.rows(follow)] == ["accepted"]
    assert await _follows(dakar) == [(awa, "accepted")]
    assert (await lyon.row(ada))["followers_count"] == 1


async def test_a_lost_reject_is_made_up_for(network: Network) -> None:
    lyon, dakar, ada, paul, awa = await _scene(network)
    there = await lyon.find("paul@dakar.esn.test")
    await lyon.answer("reject", ada, await lyon.one(follow, actor_id=there))
    await _lose_deliveries(lyon)
    await network.settle()
    assert await _follows(dakar) == [(paul, "accepted"), (awa, "accepted")]
    await lyon.post(ada, "entre nous", visibility="followers")
    await network.settle()
    assert await _follows(dakar) == [(paul, "rejected"), (awa, "accepted")]
    assert await dakar.home(paul) == []
    assert (await dakar.row(paul))["following_count"] == 0


async def test_a_lost_accept_is_made_up_for(network: Network) -> None:
    lyon, dakar, ada, paul, awa = await _scene(network)

    def forget_accept(context: Context) -> None:
        pending = update(follow).where(follow.c.actor_id == paul).values(state="pending", answered_at=None)
        context.connection.execute(pending)

    await dakar.write(forget_accept)
    await lyon.post(ada, "entre nous", visibility="followers")
    await network.settle()
    assert await _follows(dakar) == [(paul, "accepted"), (awa, "accepted")]


async def test_only_what_is_for_followers_only_says_who_they_are(network: Network) -> None:
    lyon = await network.node("lyon")
    peer = await Peer.start_in(network, "peer.esn.test")
    ada, bob = await lyon.actor("ada"), peer.actor("bob")
    follow_activity = peer.activity(bob, "Follow", (await lyon.row(ada))["uri"])
    assert await peer.post(lyon, follow_activity) == 202
    await network.settle()
    for visibility in ("public", "unlisted", "followers"):
        await lyon.post(ada, visibility, visibility=visibility)  # type: ignore[arg-type]  # a word of the list
        await network.settle()
    sent = [seen.headers.get(HEADER) for seen in peer.seen if seen.method == "POST"]
    assert [value is not None for value in sent] == [False, False, False, True]  # the first is the Accept
    row = await lyon.row(ada)
    assert read_header([sent[-1] or ""]) == Claimed(
        row["followers_uri"], f"{row['uri']}/followers_synchronization", digest_of([bob["id"]])
    )
    signature = peer.seen[-1].headers
    assert HEADER.lower() in (signature.get("Signature-Input") or signature["Signature"])


async def test_a_server_reads_its_own_followers_only_and_only_signed(network: Network) -> None:
    lyon, dakar, ada, paul, awa = await _scene(network)
    bonn = await network.node("bonn")
    eva = await bonn.actor("eva")
    await bonn.follow(eva, await bonn.find("ada@lyon.esn.test"))
    await network.settle()
    url = f"{(await lyon.row(ada))['uri']}/followers_synchronization"
    seen_by_dakar = await dakar.node.resolver.page(url)
    assert seen_by_dakar["orderedItems"] == [(await dakar.row(each))["uri"] for each in (paul, awa)]
    assert (await bonn.node.resolver.page(url))["orderedItems"] == [(await bonn.row(eva))["uri"]]
    with pytest.raises(RemoteError):
        await dakar.node.transport.get_json(url, signer=None)


async def test_a_long_list_goes_in_pages(network: Network, monkeypatch: pytest.MonkeyPatch) -> None:
    from_door = "esnfed.activitypub.followers_sync"
    monkeypatch.setattr(f"{from_door}.INLINE", 0)
    monkeypatch.setattr(f"{from_door}.PAGE_SIZE", 1)
    lyon, dakar, ada, paul, awa = await _scene(network)
    there = await lyon.find("paul@dakar.esn.test")
    await lyon.answer("reject", ada, await lyon.one(follow, actor_id=there))
    chi = await dakar.actor("chi")
    await dakar.follow(chi, await dakar.find("ada@lyon.esn.test"))
    await _lose_deliveries(lyon)
    await network.settle()
    await lyon.post(ada, "entre nous", visibility="followers")
    await network.settle()
    assert await _follows(dakar) == [(paul, "rejected"), (awa, "accepted"), (chi, "accepted")]


# What a peer may claim


class Claimant:
    """A peer whose actor is followed from Dakar, and that says of its followers what it is told."""

    def __init__(self, network: Network, dakar: LiveNode, peer: Peer, bob: Document) -> None:
        self.network, self.dakar, self.peer, self.bob = network, dakar, peer, bob
        self.number = 0

    async def says(self, url: str, digest: str) -> None:
        """Deliver a followers-only note with this claim."""
        self.number += 1
        note = self.peer.note(self.bob, f"n{self.number}", to=[self.bob["followers"]], cc=[])
        activity = self.peer.activity(self.bob, "Create", note, to=[self.bob["followers"]], cc=[])
        claim = f'collectionId="{self.bob["followers"]}", url="{url}", digest="{digest}"'
        taken = await self.peer.post(self.dakar, activity, alter=lambda headers: headers | {HEADER: claim})
        assert taken == 202
        await self.network.settle()

    def lists(self, *uris: str, path: str = "/sync", **more: Any) -> str:
        """Serve a list; return its address."""
        url = f"{self.peer.origin}{path}"
        content = {"id": url, "type": "OrderedCollection", "orderedItems": list(uris)} | more
        self.peer.answers[path] = document(content)
        return url


async def _claimant(network: Network) -> tuple[Claimant, int, str]:
    dakar = await network.node("dakar")
    peer = await Peer.start_in(network, "peer.esn.test")
    bob, paul = peer.actor("bob"), await dakar.actor("paul")
    there = await dakar.find(bob["id"])
    await dakar.follow(paul, there)
    row = await dakar.one(follow, actor_id=paul)
    accept = {
        "id": row["uri"],
        "type": "Follow",
        "actor": (await dakar.row(paul))["uri"],
        "object": bob["id"],
    }
    assert await peer.post(dakar, peer.activity(bob, "Accept", accept)) == 202
    await network.settle()
    return Claimant(network, dakar, peer, bob), paul, (await dakar.row(paul))["uri"]


async def test_nothing_is_removed_when_the_list_is_not_the_one_that_was_announced(network: Network) -> None:
    bob, paul, _ = await _claimant(network)
    url = bob.lists()
    await bob.says(url, digest_of(["https://dakar.esn.test/ap/actors/1"]))
    assert "/sync" in bob.peer.targets()
    assert await _follows(bob.dakar) == [(paul, "accepted")]
    network.advance(followers_sync.COOL_DOWN)
    await bob.says(url, digest_of([]))
    assert await _follows(bob.dakar) == [(paul, "rejected")]


async def test_a_list_is_asked_for_once_a_minute(network: Network) -> None:
    bob, _, uri = await _claimant(network)
    url = bob.lists(uri)
    for _ in range(3):
        await bob.says(url, digest_of(["https://dakar.esn.test/ap/actors/1"]))
    assert bob.peer.targets().count("/sync") == 1


async def test_a_list_elsewhere_or_of_another_collection_is_not_asked_for(network: Network) -> None:
    bob, paul, _ = await _claimant(network)
    other = await Peer.start_in(network, "other.esn.test")
    other.answers["/sync"] = document({"type": "OrderedCollection", "orderedItems": []})
    await bob.says(f"{other.origin}/sync", digest_of([]))
    bob.bob = bob.bob | {"followers": f"{bob.peer.origin}/users/eve/followers"}
    await bob.says(bob.lists(), digest_of([]))
    assert (other.targets(), "/sync" in bob.peer.targets()) == ([], False)
    assert await _follows(bob.dakar) == [(paul, "accepted")]


async def test_pages_without_end_are_read_ten_times(network: Network) -> None:
    bob, paul, _ = await _claimant(network)
    for number in range(service.MAX_PAGES + 5):
        bob.lists(path=f"/sync{number}", next=f"{bob.peer.origin}/sync{number + 1}")
    for _ in range(3):
        await bob.says(f"{bob.peer.origin}/sync0", digest_of([]))
        network.advance(10_000)  # the pace of fetches to one server
    asked = [target for target in bob.peer.targets() if target.startswith("/sync")]
    assert len(asked) == service.MAX_PAGES
    assert await _follows(bob.dakar) == [(paul, "accepted")]


async def test_a_page_that_leads_to_itself_ends_it(network: Network) -> None:
    bob, paul, _ = await _claimant(network)
    url = f"{bob.peer.origin}/sync"
    bob.lists(next=url)
    await bob.says(url, digest_of([]))
    assert bob.peer.targets().count("/sync") == 1
    assert await _follows(bob.dakar) == [(paul, "accepted")]


async def test_a_list_of_strangers_causes_no_more_undos_than_the_limit(
    network: Network, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(service, "MAX_UNDOS", 1)
    bob, _, uri = await _claimant(network)
    others = [(await bob.dakar.row(await bob.dakar.actor(f"x{n}")))["uri"] for n in range(3)]
    await bob.says(bob.lists(uri, *others), digest_of([uri, *others]))
    assert len(bob.peer.received("Undo")) == 1


async def test_what_is_stored_is_not_held_up_by_a_claim(network: Network) -> None:
    bob, _, _ = await _claimant(network)
    await bob.says("not an address", "0" * 64)
    assert len(await bob.dakar.rows(status)) == 1
