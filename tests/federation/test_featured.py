"""Pinned posts between live nodes: told by Add and Remove, listed in `featured`, asked for once a day."""

from __future__ import annotations

from typing import Any

import pytest
from sqlalchemy import delete

from esnfed.errors import Conflict, Refused
from esnfed.models import follow, inbox_message, status
from esnfed.services import actors, featured, follows, pins, statuses
from tests.federation.network import LiveNode, Network
from tests.federation.peer import Peer
from tests.federation.test_inbox import Forger
from tests.federation.test_two_nodes import pair


async def act(live: LiveNode, fn: Any, actor_id: int, status_id: int) -> bool:
    """Pin or unpin a post."""

    def run(context: Any) -> bool:
        return bool(fn(context, actors.by_id(context, actor_id), statuses.by_id(context, status_id)))

    return bool(await live.write(run))


async def pinned(live: LiveNode, actor_id: int) -> list[str]:
    """The pinned posts of an actor as a node knows them."""
    return [row["content"] for row in await live.read(pins.of, actor_id)]


@pytest.mark.parametrize("way", ["out", "back"])
async def test_pins_travel_by_add_and_remove(network: Network, way: str) -> None:
    lyon, amina, dakar, paul = await pair(network)
    await lyon.follow(amina, await lyon.find("paul@dakar.esn.test"))
    await network.settle()
    here, author, there = (lyon, amina, dakar) if way == "out" else (dakar, paul, lyon)
    first, second = await here.post(author, "Un"), await here.post(author, "Deux")
    await network.settle()
    known = await there.find((await here.row(author))["uri"])
    assert await act(here, pins.pin_status, author, first)
    assert not await act(here, pins.pin_status, author, first)
    assert await act(here, pins.pin_status, author, second)
    await network.settle()
    assert await pinned(there, known) == await pinned(here, author) == ["<p>Deux</p>", "<p>Un</p>"]
    assert await act(here, pins.unpin_status, author, second)
    assert not await act(here, pins.unpin_status, author, second)
    await network.settle()
    assert await pinned(there, known) == ["<p>Un</p>"]
    await here.remove(author, first)
    await network.settle()
    assert await pinned(there, known) == await pinned(here, author) == []


async def test_an_old_post_that_is_not_here_is_fetched_when_it_is_pinned(network: Network) -> None:
    lyon, dakar = await network.node("lyon"), await network.node("dakar")
    amina, paul = await lyon.actor("amina"), await dakar.actor("paul")
    old = await lyon.post(amina, "Il y a longtemps")
    there = await dakar.find("amina@lyon.esn.test")
    await dakar.follow(paul, there)
    await network.settle()
    await dakar.write(lambda context: context.connection.execute(delete(status)))
    await act(lyon, pins.pin_status, amina, old)
    await network.settle()
    assert await pinned(dakar, there) == ["<p>Il y a longtemps</p>"]


async def test_pins_made_before_anybody_followed_are_asked_for_and_again_after_a_day(
    network: Network,
) -> None:
    lyon, dakar = await network.node("lyon"), await network.node("dakar")
    amina, paul = await lyon.actor("amina"), await dakar.actor("paul")
    posts = [await lyon.post(amina, f"Message {number}") for number in range(3)]
    await act(lyon, pins.pin_status, amina, posts[0])
    await act(lyon, pins.pin_status, amina, posts[1])
    there = await dakar.find("amina@lyon.esn.test")
    assert await dakar.write(featured.ask, None) is None  # nobody follows her yet
    await dakar.follow(paul, there)
    await network.settle()
    assert await dakar.write(featured.ask, None)
    assert await dakar.write(featured.ask, None) is None
    await network.settle()
    assert await pinned(dakar, there) == ["<p>Message 1</p>", "<p>Message 0</p>"]
    # As GoToSocial does: pins change, and nobody is told.
    await lyon.write(pins.remove, amina, posts[1])
    await lyon.write(lambda context: pins.store(context, amina, statuses.by_id(context, posts[2])))
    await network.settle()
    assert await dakar.write(featured.ask, None) is None
    network.advance(featured.DAY + 1000)
    assert await dakar.write(featured.ask, None)
    await network.settle()
    assert await pinned(dakar, there) == ["<p>Message 2</p>", "<p>Message 0</p>"]


@pytest.mark.parametrize("form", ["items", "embedded page", "page of its own", "too many", "not theirs"])
async def test_the_collection_is_read_in_each_form_that_peers_write(network: Network, form: str) -> None:
    dakar = await network.node("dakar")
    paul = await dakar.actor("paul")
    peer = await Peer.start_in(network, "other.esn.test")
    uri = f"{peer.origin}/users/ada/collections/featured"
    ada = peer.actor("ada", featured=uri)
    notes = [peer.serve(peer.note(ada, f"n{number}")) for number in range(8)]
    ids: list[Any] = [one["id"] for one in notes]
    collection: dict[str, Any] = {"id": uri, "type": "OrderedCollection", "totalItems": 2}
    expected = 2
    if form == "items":
        collection["orderedItems"] = [notes[0], ids[1]]
    elif form == "embedded page":
        collection["first"] = {"type": "OrderedCollectionPage", "orderedItems": ids[:2]}
    elif form == "page of its own":
        collection["first"] = f"{uri}/1"
        peer.serve({"id": f"{uri}/1", "type": "OrderedCollectionPage", "orderedItems": ids[:2]})
    elif form == "too many":
        collection["orderedItems"] = ids
        expected = pins.MAX_PINS
    else:
        eve = peer.actor("eve")
        collection["orderedItems"] = [
            peer.serve(peer.note(eve, "hers"))["id"],
            "https://elsewhere.test/notes/1",
            7,
            *ids[:2],
        ]
    peer.serve(collection)
    there = await dakar.find("ada@other.esn.test")
    await dakar.follow(paul, there)
    row = await dakar.one(follow)
    await dakar.write(follows.accepted, row)
    assert await dakar.write(featured.ask, None)
    await network.settle()
    found = await dakar.read(pins.of, there)
    assert [pin["uri"] for pin in found] == ids[:expected]


async def test_only_the_own_public_posts_and_five_of_them_can_be_pinned(network: Network) -> None:
    lyon, amina, _dakar, _paul = await pair(network)
    zoe = await lyon.actor("zoe")
    with pytest.raises(Refused):
        await act(lyon, pins.pin_status, zoe, await lyon.post(amina, "Pas à toi"))
    with pytest.raises(Refused):
        await act(lyon, pins.pin_status, zoe, await lyon.post(zoe, "Privé", visibility="followers"))
    posts = [await lyon.post(zoe, f"Message {number}") for number in range(6)]
    for post in posts[:5]:
        assert await act(lyon, pins.pin_status, zoe, post)
    with pytest.raises(Conflict):
        await act(lyon, pins.pin_status, zoe, posts[5])


@pytest.mark.parametrize("trick", ["other's post", "other collection", "no target", "private"])
async def test_an_add_that_is_not_the_senders_pin_changes_nothing(network: Network, trick: str) -> None:
    lyon, amina, dakar, paul = await pair(network)
    zoe = await lyon.actor("zoe")
    there = await dakar.find("amina@lyon.esn.test")
    await dakar.follow(paul, await dakar.find("zoe@lyon.esn.test"))
    await network.settle()
    post = await lyon.post(amina, "À moi")
    hers = await lyon.post(zoe, "À elle")
    private = await lyon.post(amina, "Entre nous", visibility="followers")
    await network.settle()
    base = (await lyon.row(amina))["uri"]
    chosen = {"other's post": hers, "private": private}.get(trick, post)
    target: dict[str, Any] = {"target": f"{base}/featured"}
    if trick == "other collection":
        target = {"target": f"{base}/followers"}
    elif trick == "no target":
        target = {}
    pen = Forger(network, lyon, amina)
    add = await pen.activity("Add", f"{lyon.origin}/ap/objects/{chosen}", **target)
    assert await pen.send(dakar, add) == 202
    await network.settle()
    assert await pinned(dakar, there) == []
    assert [row["state"] for row in await dakar.rows(inbox_message, as_type="Add")] == ["ignored"]
