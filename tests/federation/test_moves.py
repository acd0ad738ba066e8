"""Moves between live nodes: followers go along, both accounts must want it, and nobody moves in circles."""

from __future__ import annotations

from typing import Any

import pytest
from aiohttp import ClientSession, TCPConnector

from esnfed.cli import moving  # noqa: F401 - registers the operations
from esnfed.cli.operations import perform
from esnfed.errors import Conflict, Invalid, Refused
from esnfed.models import follow, inbox_message, job
from esnfed.services import follows, moves
from tests.federation.network import LiveNode, Network
from tests.federation.peer import Peer
from tests.federation.test_inbox import Forger

DAY = 24 * 3600 * 1000


async def alias(live: LiveNode, actor_id: int, *uris: str) -> None:
    """Name the other accounts of an actor, as the command does."""
    arguments = {"handle": (await live.row(actor_id))["handle"], "added": list(uris), "removed": []}
    await perform(live.node, "actor-alias", arguments)


async def go(live: LiveNode, actor_id: int, account: str) -> None:
    """Move an actor, as the command does."""
    arguments = {"handle": (await live.row(actor_id))["handle"], "name": account}
    await perform(live.node, "actor-move", arguments)


async def scene(network: Network) -> tuple[LiveNode, LiveNode, LiveNode, dict[str, int]]:
    """Amina of Lyon goes to Dakar as amina2; Paul of Dakar, Luz of Quito and Zoé of Lyon follow her."""
    lyon, dakar, quito = [await network.node(name) for name in ("lyon", "dakar", "quito")]
    ids = {
        "amina": await lyon.actor("amina"),
        "zoe": await lyon.actor("zoe"),
        "amina2": await dakar.actor("amina2"),
        "paul": await dakar.actor("paul"),
        "luz": await quito.actor("luz"),
    }
    await lyon.follow(ids["zoe"], ids["amina"])
    await dakar.follow(ids["paul"], await dakar.find("amina@lyon.esn.test"))
    await quito.follow(ids["luz"], await quito.find("amina@lyon.esn.test"))
    await network.settle()
    return lyon, dakar, quito, ids


async def followed(live: LiveNode, follower_id: int) -> set[tuple[str, str]]:
    """Accounts that an actor follows, with the state."""
    rows = await live.rows(follow, actor_id=follower_id)
    return {((await live.row(row["target_id"]))["handle"], row["state"]) for row in rows}


async def test_followers_on_every_node_follow_the_new_account(network: Network) -> None:
    lyon, dakar, quito, ids = await scene(network)
    await alias(dakar, ids["amina2"], (await lyon.row(ids["amina"]))["uri"])
    await go(lyon, ids["amina"], "amina2@dakar.esn.test")
    await network.settle()
    for live, name in ((lyon, "zoe"), (dakar, "paul"), (quito, "luz")):
        assert await followed(live, ids[name]) == {("amina2", "accepted")}, name
    old, new = await lyon.row(ids["amina"]), await dakar.row(ids["amina2"])
    assert (old["followers_count"], new["followers_count"]) == (0, 3)
    assert old["moved_to_uri"] == new["uri"]
    known = await quito.row(await quito.find("amina@lyon.esn.test"))
    assert known["moved_to_uri"] == new["uri"]
    told = await lyon.read(lambda context: moves.progress(context, old))
    assert told["servers"] == [("dakar.esn.test", "delivered", None), ("quito.esn.test", "delivered", None)]
    assert (told["to"], told["local_left"], told["remote_left"]) == (new["uri"], 0, 0)
    await dakar.post(ids["amina2"], "Me voici")
    await network.settle()
    assert [row["content"] for row in await quito.home(ids["luz"])] == ["<p>Me voici</p>"]


async def test_nobody_follows_the_old_account_any_more(network: Network) -> None:
    lyon, dakar, quito, ids = await scene(network)
    await alias(dakar, ids["amina2"], (await lyon.row(ids["amina"]))["uri"])
    await go(lyon, ids["amina"], "amina2@dakar.esn.test")
    sidi, eve = await dakar.actor("sidi"), await lyon.actor("eve")
    assert await dakar.follow(sidi, await dakar.find("amina@lyon.esn.test")) == "pending"  # before it heard
    await network.settle()
    assert ("amina", "rejected") in await followed(dakar, sidi)
    for live, actor_id in ((dakar, sidi), (lyon, eve), (quito, ids["luz"])):
        with pytest.raises(Refused, match="has moved"):
            await live.follow(actor_id, await live.find("amina@lyon.esn.test"))


async def test_a_move_waits_for_the_alias_and_then_for_seven_days(network: Network) -> None:
    lyon, dakar, _, ids = await scene(network)
    with pytest.raises(Refused, match="alias"):
        await go(lyon, ids["amina"], "amina2@dakar.esn.test")
    with pytest.raises(Invalid):
        await go(lyon, ids["amina"], "amina@lyon.esn.test")
    uri = (await lyon.row(ids["amina"]))["uri"]
    third = await dakar.actor("amina3")
    await alias(dakar, ids["amina2"], uri)
    await alias(dakar, third, uri)
    await go(lyon, ids["amina"], "amina2@dakar.esn.test")
    await network.settle()
    network.advance(7 * DAY - 60_000)
    with pytest.raises(Conflict, match="seven days"):
        await go(lyon, ids["amina"], "amina3@dakar.esn.test")
    network.advance(120_000)
    await go(lyon, ids["amina"], "amina3@dakar.esn.test")
    assert (await lyon.row(ids["amina"]))["moved_to_uri"] == (await dakar.row(third))["uri"]


async def test_a_circle_of_moves_ends(network: Network) -> None:
    lyon, dakar, quito, ids = await scene(network)
    old, new = (await lyon.row(ids["amina"]))["uri"], (await dakar.row(ids["amina2"]))["uri"]
    await alias(dakar, ids["amina2"], old)
    await alias(lyon, ids["amina"], new)
    await go(lyon, ids["amina"], "amina2@dakar.esn.test")
    await network.settle()
    with pytest.raises(Refused, match="moved itself"):
        await go(dakar, ids["amina2"], "amina@lyon.esn.test")
    pen = Forger(network, dakar, ids["amina2"])
    assert await pen.send(quito, await pen.activity("Move", new, target=old)) == 202
    await network.settle()
    assert await followed(quito, ids["luz"]) == {("amina2", "accepted")}
    assert "moved itself" in (await quito.rows(inbox_message, as_type="Move", state="ignored"))[0]["note"]


@pytest.mark.parametrize("trick", ["no alias", "not theirs", "to itself", "no target"])
async def test_a_move_that_is_not_wanted_by_both_changes_nothing(network: Network, trick: str) -> None:
    lyon, dakar, quito, ids = await scene(network)
    old, new = (await lyon.row(ids["amina"]))["uri"], (await dakar.row(ids["amina2"]))["uri"]
    await quito.follow(ids["luz"], await quito.find("paul@dakar.esn.test"))
    await network.settle()
    before = await followed(quito, ids["luz"])
    pen = Forger(network, lyon, ids["amina"])
    paul = (await dakar.row(ids["paul"]))["uri"]
    activity = {
        "no alias": await pen.activity("Move", old, target=new),
        "not theirs": await pen.activity("Move", paul, target=new),
        "to itself": await pen.activity("Move", old, target=old),
        "no target": await pen.activity("Move", old),
    }[trick]
    assert await pen.send(quito, activity) == 202
    await network.settle()
    assert await followed(quito, ids["luz"]) == before
    assert [row["state"] for row in await quito.rows(inbox_message, as_type="Move")] == ["ignored"]
    assert await quito.rows(job, kind="move-followers") == []


async def test_the_new_account_can_fetch_the_followers_when_the_old_one_says_so(network: Network) -> None:
    """FEP-7628, pull mode: the old server no longer sends, but still serves `movedTo`."""
    dakar, quito = await network.node("dakar"), await network.node("quito")
    amina2, luz = await dakar.actor("amina2"), await quito.actor("luz")
    new = (await dakar.row(amina2))["uri"]
    peer = await Peer.start_in(network, "old.esn.test")
    old = peer.actor("amina")
    there = await quito.find("amina@old.esn.test")
    await quito.follow(luz, there)
    await quito.write(_accept, luz, there)
    await alias(dakar, amina2, old["id"])
    pen = Forger(network, dakar, amina2)
    assert await pen.send(quito, await pen.activity("Move", old["id"], target=new)) == 202
    await network.settle()
    assert await followed(quito, luz) == {("amina", "accepted")}
    peer.actor("amina", movedTo=new)
    assert await pen.send(quito, await pen.activity("Move", old["id"], target=new)) == 202
    await network.settle()
    assert await followed(quito, luz) == {("amina2", "accepted")}


def _accept(context: Any, follower_id: int, target_id: int) -> None:
    row = follows.between(context, follower_id, target_id)
    assert row is not None
    follows.accepted(context, row)


async def test_many_followers_are_led_in_steps_that_go_on_after_a_crash(
    network: Network, monkeypatch: pytest.MonkeyPatch
) -> None:
    lyon, dakar = await network.node("lyon"), await network.node("dakar")
    amina, amina2 = await lyon.actor("amina"), await dakar.actor("amina2")
    there = await dakar.find("amina@lyon.esn.test")
    monkeypatch.setattr(moves, "STEP", 3)
    followers = [await dakar.actor(f"reader{number}") for number in range(5)]
    for reader in followers:
        await dakar.follow(reader, there)
    await network.settle()
    await alias(dakar, amina2, (await lyon.row(amina))["uri"])
    await go(lyon, amina, "amina2@dakar.esn.test")
    await lyon.node.delivery_worker.drain()
    while await dakar.node.inbox_worker.step():
        pass
    assert await dakar.node.job_worker.step()
    waiting = await dakar.one(job, kind="move-followers")
    assert waiting["state"] == "waiting"
    assert (await dakar.row(amina2))["followers_count"] == 3
    await network.halt(dakar)
    await network.resume(dakar)
    await network.settle()
    assert (await dakar.row(amina2))["followers_count"] == 5
    assert (await lyon.row(amina))["followers_count"] == 0


@pytest.mark.parametrize("on_lyon", [True, False])
async def test_the_page_says_where_it_went(network: Network, on_lyon: bool) -> None:
    lyon, dakar, _, ids = await scene(network)
    await alias(dakar, ids["amina2"], (await lyon.row(ids["amina"]))["uri"])
    await go(lyon, ids["amina"], "amina2@dakar.esn.test")
    await network.settle()
    where, path = (lyon, "/@amina") if on_lyon else (dakar, "/@amina@lyon.esn.test")
    url = f"https://127.0.0.1:{network.hosts[where.domain][1]}{path}"
    async with (
        ClientSession(connector=TCPConnector(ssl=False)) as session,
        session.get(url, headers={"Host": where.domain, "Accept": "text/html"}) as answer,
    ):
        page = await answer.text()
    assert answer.status == 200
    target = "/@amina2@dakar.esn.test" if on_lyon else "/@amina2"
    assert f'<a href="{target}" rel="nofollow noopener">@amina2@dakar.esn.test</a>' in page
