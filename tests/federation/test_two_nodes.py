"""Two live nodes: follow, accept, post, reply, like, boost, edit, delete and undo, in both directions."""

from __future__ import annotations

import pytest

from esnfed.models import delivery, favourite, follow, inbox_message, notification, status
from tests.federation.network import LiveNode, Network


async def pair(network: Network) -> tuple[LiveNode, int, LiveNode, int]:
    """Lyon with Amina, Dakar with Paul who follows her."""
    lyon, dakar = await network.node("lyon"), await network.node("dakar")
    amina, paul = await lyon.actor("amina"), await dakar.actor("paul")
    await dakar.follow(paul, await dakar.find("amina@lyon.esn.test"))
    await network.settle()
    return lyon, amina, dakar, paul


async def test_a_follow_is_accepted_and_the_next_post_arrives_on_the_home_timeline(network: Network) -> None:
    lyon, amina, dakar, paul = await pair(network)
    assert [row["state"] for row in await dakar.rows(follow)] == ["accepted"]
    assert [row["state"] for row in await lyon.rows(follow)] == ["accepted"]
    assert (await lyon.row(amina))["followers_count"] == 1
    assert (await dakar.row(paul))["following_count"] == 1
    post = await lyon.post(amina, "Bonjour")
    await network.settle()
    home = await dakar.home(paul)
    assert [row["content"] for row in home] == ["<p>Bonjour</p>"]
    assert home[0]["uri"].endswith(f"/ap/objects/{post}")
    assert {row["state"] for row in await dakar.rows(inbox_message)} == {"done"}
    assert {row["state"] for row in await lyon.rows(delivery)} == {"delivered"}


async def test_a_locked_actor_decides_and_a_refused_follower_gets_nothing(network: Network) -> None:
    lyon, dakar = await network.node("lyon"), await network.node("dakar")
    amina, paul = await lyon.actor("amina", locked=True), await dakar.actor("paul")
    assert await dakar.follow(paul, await dakar.find("amina@lyon.esn.test")) == "pending"
    await network.settle()
    request = (await lyon.rows(follow))[0]
    assert request["state"] == "pending"
    assert [row["kind"] for row in await lyon.rows(notification)] == ["follow_request"]
    await lyon.post(amina, "Avant", visibility="followers")
    await network.settle()
    assert await dakar.home(paul) == []
    assert await lyon.answer("accept", amina, request)
    await network.settle()
    assert (await dakar.rows(follow))[0]["state"] == "accepted"
    await lyon.post(amina, "Entre nous", visibility="followers")
    await network.settle()
    assert [row["visibility"] for row in await dakar.home(paul)] == ["followers"]
    assert await lyon.answer("reject", amina, (await lyon.rows(follow))[0])
    await network.settle()
    assert (await dakar.rows(follow))[0]["state"] == "rejected"
    await lyon.post(amina, "Sans toi", visibility="followers")
    await network.settle()
    assert await dakar.home(paul) == []
    assert not await dakar.rows(status, content="<p>Sans toi</p>")


async def test_replies_likes_and_boosts_travel_back_and_are_undone(network: Network) -> None:
    lyon, amina, dakar, paul = await pair(network)
    post = await lyon.post(amina, "Bonjour")
    await network.settle()
    there = (await dakar.home(paul))[0]
    reply = await dakar.post(paul, "Salut", in_reply_to_id=there["id"])
    assert await dakar.interact("like", paul, there["id"])
    boost = await dakar.interact("boost", paul, there["id"])
    await network.settle()
    original = await lyon.one(status, id=post)
    assert (original["replies_count"], original["favourites_count"], original["boosts_count"]) == (1, 1, 1)
    assert {row["kind"] for row in await lyon.rows(notification)} == {
        "follow",
        "mention",
        "favourite",
        "reblog",
    }
    arrived = await lyon.one(status, uri=(await dakar.one(status, id=reply))["uri"])
    assert (arrived["in_reply_to_id"], arrived["thread_id"]) == (post, post)
    assert (await lyon.one(status, boost_of_id=post))["uri"] == (await dakar.one(status, id=boost))["uri"]
    assert await dakar.interact("unlike", paul, there["id"])
    assert await dakar.interact("unboost", paul, there["id"])
    await network.settle()
    original = await lyon.one(status, id=post)
    assert (original["favourites_count"], original["boosts_count"]) == (0, 0)
    assert await lyon.rows(favourite) == []
    assert await lyon.rows(status, boost_of_id=post) == []


async def test_an_edit_replaces_the_text_and_a_delete_leaves_a_tombstone(network: Network) -> None:
    lyon, amina, dakar, paul = await pair(network)
    post = await lyon.post(amina, "Bonjuor", tags=["Santé"])
    await network.settle()
    lyon.node.runtime.clock.advance(1000)  # type: ignore[attr-defined]
    await lyon.revise(amina, post, "Bonjour")
    await network.settle()
    there = (await dakar.home(paul))[0]
    assert (there["content"], there["version"]) == ("<p>Bonjour</p>", 2)
    await lyon.remove(amina, post)
    await network.settle()
    assert await dakar.home(paul) == []
    assert (await dakar.one(status, uri=there["uri"]))["content"] == ""


async def test_unfollowing_stops_the_posts(network: Network) -> None:
    lyon, amina, dakar, paul = await pair(network)
    await lyon.post(amina, "Un")
    await network.settle()
    assert await dakar.unfollow(paul, await dakar.find("amina@lyon.esn.test"))
    await network.settle()
    assert await lyon.rows(follow) == []
    assert (await lyon.row(amina))["followers_count"] == 0
    await lyon.post(amina, "Deux")
    await network.settle()
    assert await dakar.home(paul) == []


@pytest.mark.parametrize("visibility", ["public", "unlisted", "followers", "direct"])
async def test_each_visibility_arrives_as_it_was_sent(network: Network, visibility: str) -> None:
    lyon, amina, dakar, paul = await pair(network)
    named = await lyon.find("paul@dakar.esn.test")
    await lyon.post(amina, "Pour toi", visibility=visibility, mentions=[named])  # type: ignore[arg-type]
    await network.settle()
    arrived = await dakar.one(status, content="<p>Pour toi</p>")
    assert arrived["visibility"] == visibility
    assert [row["actor_id"] for row in await dakar.rows(notification, kind="mention")] == [paul]
    assert len(await dakar.home(paul)) == (0 if visibility == "direct" else 1)


async def test_a_direct_post_never_reaches_a_third_node(network: Network) -> None:
    lyon, amina, dakar, _ = await pair(network)
    third = await network.node("quito")
    luz = await third.actor("luz")
    await third.follow(luz, await third.find("amina@lyon.esn.test"))
    await network.settle()
    named = await lyon.find("paul@dakar.esn.test")
    await lyon.post(amina, "Secret", visibility="direct", mentions=[named])
    await network.settle()
    assert await third.rows(status) == []
    assert len(await dakar.rows(status)) == 1


async def test_a_boost_fetches_the_post_from_its_own_origin(network: Network) -> None:
    lyon, amina, dakar, paul = await pair(network)
    third = await network.node("quito")
    luz = await third.actor("luz")
    await third.follow(luz, await third.find("paul@dakar.esn.test"))
    await network.settle()
    await lyon.post(amina, "À faire circuler")
    await network.settle()
    await dakar.interact("boost", paul, (await dakar.home(paul))[0]["id"])
    await network.settle()
    home = await third.home(luz)
    assert [row["as_type"] for row in home] == ["Announce"]
    boosted = await third.one(status, id=home[0]["boost_of_id"])
    assert boosted["content"] == "<p>À faire circuler</p>"
    assert (await third.row(boosted["actor_id"]))["domain"] == "lyon.esn.test"


async def test_a_profile_change_reaches_the_followers(network: Network) -> None:
    lyon, amina, dakar, _ = await pair(network)
    await lyon.edit(amina, name="Amina D.", fields=[{"name": "Rôle", "value": "enseignante"}])
    await network.settle()
    row = await dakar.row(await dakar.find("amina@lyon.esn.test"))
    assert (row["name"], row["fields"]) == ("Amina D.", [{"name": "Rôle", "value": "enseignante"}])


async def test_a_deleted_actor_is_gone_on_both_nodes(network: Network) -> None:
    lyon, amina, dakar, paul = await pair(network)
    await lyon.post(amina, "Adieu")
    await network.settle()
    there = await dakar.find("amina@lyon.esn.test")
    await lyon.delete_actor(amina)
    await network.settle()
    assert (await dakar.row(there))["deleted_at"] is not None
    assert await dakar.home(paul) == []
    assert await dakar.rows(status) == []
    assert await dakar.rows(follow) == []
    assert (await dakar.row(paul))["following_count"] == 0
