"""Blocks between two live nodes: made here, made there, kept at home or told, and taken back."""

from __future__ import annotations

from typing import Any

import pytest

from esnfed.errors import Refused
from esnfed.models import activity, block, favourite, follow, inbox_message, notification, status
from esnfed.services import actors, blocks
from tests.federation.network import LiveNode, Network
from tests.federation.test_two_nodes import pair


async def shut(live: LiveNode, by: int, target: int, *, tell: bool) -> bool:
    """Let one actor block another."""

    def act(context: Any) -> bool:
        one, other = actors.by_id(context, by), actors.by_id(context, target)
        return blocks.block_actor(context, one, other, tell=tell)

    return bool(await live.write(act))


async def open_up(live: LiveNode, by: int, target: int) -> None:
    """Take a block back."""

    def act(context: Any) -> None:
        blocks.unblock(context, actors.by_id(context, by), actors.by_id(context, target))

    await live.write(act)


async def friends(network: Network) -> tuple[LiveNode, int, LiveNode, int, int, int]:
    """Lyon with Amina and Dakar with Paul, who follow one another; and each as the other node knows them."""
    lyon, amina, dakar, paul = await pair(network)
    paul_there, amina_there = await lyon.find("paul@dakar.esn.test"), await dakar.find("amina@lyon.esn.test")
    await lyon.follow(amina, paul_there)
    await network.settle()
    assert len(await lyon.rows(follow, state="accepted")) == 2
    return lyon, amina, dakar, paul, paul_there, amina_there


@pytest.mark.parametrize("tell", [True, False])
async def test_a_block_ends_the_follows_on_both_nodes(network: Network, tell: bool) -> None:
    lyon, amina, dakar, paul, paul_there, _ = await friends(network)
    await lyon.post(amina, "Avant")
    await dakar.post(paul, "Avant aussi")
    await network.settle()
    assert await shut(lyon, amina, paul_there, tell=tell)
    assert not await shut(lyon, amina, paul_there, tell=tell)
    await network.settle()
    assert await lyon.rows(follow) == []
    assert await dakar.rows(follow, state="accepted") == []
    for live, actor_id in ((lyon, amina), (dakar, paul)):
        row = await live.row(actor_id)
        assert (row["followers_count"], row["following_count"]) == (0, 0)
        assert {entry["actor_id"] for entry in await live.home(actor_id)} <= {actor_id}
    assert len(await dakar.rows(block)) == (1 if tell else 0)
    assert [row["as_type"] for row in await lyon.rows(activity, as_type="Block")] == ["Block"] * tell


async def test_who_is_blocked_elsewhere_cannot_follow_answer_or_favourite(network: Network) -> None:
    lyon, amina, dakar, paul, paul_there, amina_there = await friends(network)
    post = await lyon.post(amina, "Avant")
    await network.settle()
    there = (await dakar.home(paul))[0]["id"]
    await shut(lyon, amina, paul_there, tell=True)
    await network.settle()
    with pytest.raises(Refused):
        await dakar.follow(paul, amina_there)
    with pytest.raises(Refused):
        await dakar.post(paul, "Réponse", in_reply_to_id=there)
    with pytest.raises(Refused):
        await dakar.interact("like", paul, there)
    with pytest.raises(Refused):
        await dakar.interact("boost", paul, there)
    await network.settle()
    assert (await lyon.one(status, id=post))["replies_count"] == 0


async def test_what_the_blocked_send_has_no_effect_on_who_blocks(network: Network) -> None:
    """The block was never told: the other node knows of nothing and sends as before."""
    lyon, amina, dakar, paul, paul_there, amina_there = await friends(network)
    post = await lyon.post(amina, "Avant")
    await network.settle()
    there = (await dakar.home(paul))[0]["id"]
    await shut(lyon, amina, paul_there, tell=False)
    await network.settle()
    assert await lyon.rows(notification) == []
    assert await dakar.follow(paul, amina_there) == "pending"
    await dakar.interact("like", paul, there)
    await dakar.interact("boost", paul, there)
    await dakar.post(paul, "Réponse", in_reply_to_id=there)
    await dakar.post(paul, "Et toi ?", mentions=[amina_there])
    await network.settle()
    assert (await dakar.rows(follow))[0]["state"] == "rejected"
    assert await lyon.rows(follow) == []
    assert await lyon.rows(favourite) == []
    assert await lyon.rows(notification) == []
    assert await lyon.rows(status, local=False) == []
    assert (await lyon.one(status, id=post))["boosts_count"] == 0
    assert {row["state"] for row in await lyon.rows(inbox_message)} <= {"done", "ignored"}


async def test_boosts_of_the_blocked_stay_off_the_home_timeline(network: Network) -> None:
    lyon, amina, dakar, paul, paul_there, _ = await friends(network)
    sidi, zoe = await dakar.actor("sidi"), await lyon.actor("zoe")
    for reader in (amina, zoe):
        await lyon.follow(reader, await lyon.find("sidi@dakar.esn.test"))
    await network.settle()
    early = await dakar.post(paul, "Tôt")
    await dakar.interact("boost", sidi, early)
    await network.settle()
    assert len(await lyon.home(amina)) == 2
    await shut(lyon, amina, paul_there, tell=False)
    assert await lyon.home(amina) == []
    late = await dakar.post(paul, "Tard")
    await dakar.interact("boost", sidi, late)
    await network.settle()
    assert await lyon.home(amina) == []
    assert len(await lyon.home(zoe)) == 2


async def test_an_undone_block_lets_them_follow_again(network: Network) -> None:
    lyon, amina, dakar, paul, paul_there, amina_there = await friends(network)
    await shut(lyon, amina, paul_there, tell=True)
    await network.settle()
    await open_up(lyon, amina, paul_there)
    await network.settle()
    assert await lyon.rows(block) == await dakar.rows(block) == []
    assert await dakar.rows(inbox_message, as_type="Undo", state="ignored") == []
    assert await dakar.follow(paul, amina_there) == "pending"
    await network.settle()
    assert [row["state"] for row in await dakar.rows(follow)] == ["accepted"]
    await dakar.post(paul, "Merci", mentions=[amina_there])
    await network.settle()
    assert await lyon.rows(notification, kind="mention") != []


async def test_nobody_undoes_the_block_of_another(network: Network) -> None:
    lyon, amina, dakar, paul, paul_there, amina_there = await friends(network)
    await shut(lyon, amina, paul_there, tell=True)
    await network.settle()
    there = await dakar.one(block)
    assert (there["actor_id"], there["target_id"]) == (amina_there, paul)
    await dakar.follow(paul, await dakar.find("relay@lyon.esn.test"))
    await shut(dakar, paul, amina_there, tell=True)
    await open_up(dakar, paul, amina_there)
    await network.settle()
    assert [row["actor_id"] for row in await lyon.rows(block)] == [amina]
    assert [row["actor_id"] for row in await dakar.rows(block)] == [amina_there]


async def test_two_actors_of_one_node_are_kept_apart_without_a_word_outside(network: Network) -> None:
    lyon = await network.node("lyon")
    amina, zoe = await lyon.actor("amina"), await lyon.actor("zoe")
    await lyon.follow(zoe, amina)
    await lyon.follow(amina, zoe)
    await shut(lyon, amina, zoe, tell=True)
    assert await lyon.rows(follow) == []
    with pytest.raises(Refused):
        await lyon.follow(zoe, amina)
    assert await lyon.rows(activity) == []
