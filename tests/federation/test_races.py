"""Fifty at once on PostgreSQL: one effect, counters right, and nobody is told twice."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Iterable
from contextlib import asynccontextmanager
from typing import Any

import pytest

from esnfed.app import Node, open_node
from esnfed.context import Context
from esnfed.federation import inbox_worker, peers
from esnfed.models import (
    activity,
    actor,
    delivery,
    favourite,
    follow,
    inbox_message,
    notification,
    replay,
    status,
    tag,
    timeline_entry,
)
from esnfed.services import follows
from esnfed.vocab import parse
from tests.conftest import MakeRuntime, Prepare
from tests.doubles.authority import Authority
from tests.federation.network import LiveNode, Network, open_network
from tests.federation.test_inbox import Forger, scene

AT_ONCE = 50


@pytest.fixture
async def network(
    runtime: MakeRuntime, prepare_postgres: Prepare, authority: Authority
) -> AsyncIterator[Network]:
    """Live nodes on PostgreSQL, whose units of work really run side by side."""
    async with open_network(runtime, prepare_postgres, authority) as found:
        yield found


async def together(calls: Iterable[Awaitable[Any]]) -> list[Any]:
    return list(await asyncio.gather(*calls))


@asynccontextmanager
async def second_process(live: LiveNode) -> AsyncIterator[Node]:
    """Another node on the same database, as a second process would be."""
    async with open_node(live.node.config, clock=live.node.runtime.clock) as node:
        yield node


async def pair(network: Network) -> tuple[LiveNode, int, LiveNode, int]:
    lyon, dakar = await network.node("lyon"), await network.node("dakar")
    return lyon, await lyon.actor("amina"), dakar, await dakar.actor("paul")


async def test_the_same_follow_of_a_stranger_is_asked_once(network: Network) -> None:
    lyon, amina, dakar, paul = await pair(network)
    target = await dakar.find("amina@lyon.esn.test")
    states = await together(dakar.follow(paul, target) for _ in range(AT_ONCE))
    assert states == ["pending"] * AT_ONCE
    row = await dakar.one(follow)
    assert (await dakar.one(activity))["uri"] == row["uri"]
    assert len(await dakar.rows(delivery)) == 1
    await network.settle()
    assert (await lyon.row(amina))["followers_count"] == 1
    assert (await dakar.row(paul))["following_count"] == 1


async def test_the_same_follow_of_a_neighbour_counts_once(network: Network) -> None:
    dakar = await network.node("dakar")
    paul, awa = await dakar.actor("paul"), await dakar.actor("awa")
    await together(dakar.follow(paul, awa) for _ in range(AT_ONCE))
    assert (await dakar.one(follow))["state"] == "accepted"
    assert (await dakar.row(awa))["followers_count"] == 1
    assert (await dakar.row(paul))["following_count"] == 1
    assert [row["kind"] for row in await dakar.rows(notification)] == ["follow"]


async def test_the_same_follow_arriving_under_fifty_ids_counts_once(network: Network) -> None:
    lyon, amina, dakar, paul = await pair(network)
    await lyon.find("paul@dakar.esn.test")
    pen, target = Forger(network, lyon, amina), (await dakar.row(paul))["uri"]
    messages = [await pen.activity("Follow", target) for _ in range(AT_ONCE)]
    assert set(await together(pen.send(dakar, message) for message in messages)) == {202}
    await settle_with_two_workers(dakar)
    assert (await dakar.one(follow))["state"] == "accepted"
    assert (await dakar.row(paul))["followers_count"] == 1
    assert len(await dakar.rows(notification, kind="follow")) == 1
    assert {row["state"] for row in await dakar.rows(inbox_message)} == {"done"}


async def settle_with_two_workers(live: LiveNode) -> None:
    """Two processes apply the same waiting messages at the same time."""
    async with second_process(live) as other:
        while any(await together([live.node.inbox_worker.step(), other.inbox_worker.step()])):
            pass


@pytest.mark.parametrize(("name", "counter"), [("like", "favourites_count"), ("boost", "boosts_count")])
async def test_the_same_like_or_boost_is_made_once(network: Network, name: str, counter: str) -> None:
    lyon, amina, dakar, paul = await pair(network)
    await dakar.follow(paul, await dakar.find("amina@lyon.esn.test"))
    await network.settle()
    post = await lyon.post(amina, "Bonjour")
    await network.settle()
    there = (await dakar.home(paul))[0]["id"]
    done = await together(dakar.interact(name, paul, there) for _ in range(AT_ONCE))
    assert done.count(True) == 1 if name == "like" else len(set(done)) == 1
    as_type = "Like" if name == "like" else "Announce"
    assert len(await dakar.rows(activity, as_type=as_type)) == 1
    assert len(await dakar.rows(delivery, as_type=as_type)) == 1
    assert (await dakar.one(status, id=there))[counter] == 1
    await network.settle()
    assert (await lyon.one(status, id=post))[counter] == 1
    assert len(await lyon.rows(notification)) == 2  # the follow, and this
    undone = await together(dakar.interact(f"un{name}", paul, there) for _ in range(AT_ONCE))
    assert undone.count(True) == 1
    await network.settle()
    for node, number in ((lyon, post), (dakar, there)):
        assert (await node.one(status, id=number))[counter] == 0
    assert (await dakar.row(paul))["statuses_count"] == 0


@pytest.mark.parametrize(("as_type", "counter"), [("Like", "favourites_count"), ("Announce", "boosts_count")])
async def test_the_same_like_or_announce_arriving_under_fifty_ids_counts_once(
    network: Network, as_type: str, counter: str
) -> None:
    _, dakar, paul, pen = await scene(network)
    post = await dakar.post(paul, "Bonjour")
    uri = (await dakar.one(status, id=post))["uri"]
    messages = [await pen.activity(as_type, uri) for _ in range(AT_ONCE)]
    assert set(await together(pen.send(dakar, message) for message in messages)) == {202}
    await settle_with_two_workers(dakar)
    assert (await dakar.one(status, id=post))[counter] == 1
    kept = await dakar.rows(favourite) + await dakar.rows(status, as_type="Announce")
    assert len(kept) == 1
    assert len(await dakar.rows(notification)) == 1
    sender = await dakar.row(kept[0]["actor_id"])
    assert sender["statuses_count"] == (1 if as_type == "Announce" else 0)


async def test_fifty_people_like_boost_answer_and_follow_at_once_and_each_counts(network: Network) -> None:
    dakar = await network.node("dakar")
    paul = await dakar.actor("paul")
    post = await dakar.post(paul, "Bonjour")
    people = [await dakar.actor(f"p{number}") for number in range(AT_ONCE)]
    await together(
        call
        for person in people
        for call in (
            dakar.interact("like", person, post),
            dakar.interact("boost", person, post),
            dakar.post(person, "Oui", in_reply_to_id=post, tags=["Santé", "école"]),
            dakar.follow(person, paul),
        )
    )
    row = await dakar.one(status, id=post)
    counters = (row["favourites_count"], row["boosts_count"], row["replies_count"])
    assert counters == (AT_ONCE, AT_ONCE, AT_ONCE)
    assert (await dakar.row(paul))["followers_count"] == AT_ONCE
    assert len(await dakar.rows(tag)) == 2


async def test_identical_requests_store_one_message(network: Network) -> None:
    _, dakar, paul, pen = await scene(network)
    create = await pen.activity("Create", await pen.note("un"))
    before = len(await dakar.rows(replay))
    headers = await pen.headers(dakar, parse.dump(create))
    answers = await together(pen.send(dakar, create, headers=headers) for _ in range(AT_ONCE))
    assert answers == [202] * AT_ONCE
    assert len(await dakar.rows(inbox_message, uri=create["id"])) == 1
    assert len(await dakar.rows(replay)) == before + 1
    await settle_with_two_workers(dakar)
    assert len(await dakar.home(paul)) == 1


async def test_messages_applied_by_two_workers_have_one_effect_each(network: Network) -> None:
    lyon, dakar, paul, pen = await scene(network)
    tagged = [{"type": "Hashtag", "name": name} for name in ("#santé", "#école", "#paix")]
    for number in range(AT_ONCE):
        tags = tagged[number % 3 :] + tagged[: number % 3]  # in another order each time
        create = await pen.activity("Create", await pen.note(f"n{number}", tag=tags))
        assert await pen.send(dakar, create) == 202
    await settle_with_two_workers(dakar)
    assert len(await dakar.rows(timeline_entry, actor_id=paul)) == AT_ONCE
    author = await dakar.row(await dakar.find("mallory@lyon.esn.test"))
    assert author["statuses_count"] == AT_ONCE
    assert {row["state"] for row in await dakar.rows(inbox_message)} == {"done"}
    assert {row["attempts"] for row in await dakar.rows(inbox_message)} == {1}
    assert lyon in network.nodes


async def test_one_message_applied_fifty_times_at_once_has_one_effect(network: Network) -> None:
    _, dakar, paul, pen = await scene(network)
    create = await pen.activity("Create", await pen.note("un"))
    assert await pen.send(dakar, create) == 202
    message = await dakar.one(inbox_message, uri=create["id"])
    prepared = await dakar.read(inbox_worker.prepare_one, message, {})
    await together(dakar.write(inbox_worker.apply, message["id"], prepared.incoming) for _ in range(AT_ONCE))
    assert len(await dakar.home(paul)) == 1
    author = await dakar.row(await dakar.find("mallory@lyon.esn.test"))
    assert author["statuses_count"] == 1


async def counters_match(live: LiveNode, *people: int) -> None:
    for person in people:
        row = await live.row(person)
        following = await live.rows(follow, actor_id=person, state="accepted")
        followers = await live.rows(follow, target_id=person, state="accepted")
        assert (row["following_count"], row["followers_count"]) == (len(following), len(followers))


async def test_follow_and_unfollow_against_each_other_leave_the_counters_true(network: Network) -> None:
    dakar = await network.node("dakar")
    paul, awa = await dakar.actor("paul"), await dakar.actor("awa")
    await together(
        call for _ in range(AT_ONCE) for call in (dakar.follow(paul, awa), dakar.unfollow(paul, awa))
    )
    await counters_match(dakar, paul, awa)


async def test_an_answer_that_crosses_an_unfollow_leaves_the_counters_true(network: Network) -> None:
    """Both read the follow as pending; whichever comes second must see what the first one did."""
    dakar = await network.node("dakar")
    awa = await dakar.actor("awa", locked=True)
    people = [await dakar.actor(f"p{number}") for number in range(AT_ONCE // 2)]
    await together(dakar.follow(person, awa) for person in people)
    asked = await dakar.rows(follow)
    await together(
        call
        for number, row in enumerate(asked)
        for call in either_first(number, dakar.write(_removed, row), dakar.answer("accept", awa, row))
    )
    await counters_match(dakar, awa, *people)
    assert await dakar.rows(follow) == []


def either_first(number: int, one: Awaitable[Any], other: Awaitable[Any]) -> Iterable[Awaitable[Any]]:
    return (one, other) if number % 2 else (other, one)


def _removed(context: Context, row: Any) -> None:
    follows.removed(context, row)


async def test_accept_and_reject_at_once_agree_in_the_end(network: Network) -> None:
    dakar = await network.node("dakar")
    awa = await dakar.actor("awa", locked=True)
    people = [await dakar.actor(f"p{number}") for number in range(AT_ONCE // 2)]
    await together(dakar.follow(person, awa) for person in people)
    asked = await dakar.rows(follow)
    await together(
        call
        for number, row in enumerate(asked)
        for call in either_first(number, dakar.answer("reject", awa, row), dakar.answer("accept", awa, row))
    )
    await counters_match(dakar, awa, *people)
    assert {row["state"] for row in await dakar.rows(follow)} == {"rejected"}


async def test_a_stranger_met_by_fifty_requests_at_once_is_one_actor(network: Network) -> None:
    lyon, amina, dakar, paul = await pair(network)
    await dakar.write(peers.set_standing, lyon.domain, "allowed", "")  # no limit of a first contact
    pen = Forger(network, lyon, amina)
    to_paul = {"tag": [{"type": "Mention", "href": (await dakar.row(paul))["uri"]}]}
    messages = [await pen.activity("Create", await pen.note(f"n{n}", **to_paul)) for n in range(AT_ONCE)]
    answers = await together(pen.send(dakar, message) for message in messages)
    assert set(answers) == {202}
    assert len(await dakar.rows(actor, uri=(await lyon.row(amina))["uri"])) == 1
    await settle_with_two_workers(dakar)
    assert len(await dakar.rows(notification, kind="mention", actor_id=paul)) == AT_ONCE
