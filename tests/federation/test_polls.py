"""Polls between live nodes and with servers that are not esnfed: asking, voting, counting, ending."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import pytest
from sqlalchemy import RowMapping

from esnfed.context import Context
from esnfed.errors import EsnfedError, Invalid, NotFound, Refused
from esnfed.models import activity, delivery, inbox_message, job, notification, poll, poll_vote, status
from esnfed.objects import note
from esnfed.services import actors, polls, statuses
from esnfed.services.poll_counts import GRACE, TALLY_DELAY
from esnfed.services.polls import LONGEST, SHORTEST, NewPoll
from esnfed.services.statuses import Draft
from esnfed.vocab import parse
from esnfed.vocab.terms import PUBLIC
from tests.federation.network import LiveNode, Network
from tests.federation.peer import Document, Peer

HOUR = 3600 * 1000


async def ask(live: LiveNode, actor_id: int, *options: str, **settings: Any) -> RowMapping:
    """Publish a poll; return its status row."""
    visibility = settings.pop("visibility", "public")
    settings.setdefault("expires_at", live.node.runtime.clock() + HOUR)
    draft = Draft(actor_id, visibility, {"fr": "<p>Quand ?</p>"})
    status_id = await live.write(polls.post, draft, NewPoll(options or ("Lundi", "Mardi"), **settings))
    return await live.one(status, id=status_id)


async def vote(live: LiveNode, actor_id: int, row: RowMapping, *choices: int) -> None:
    """Vote, by places from 0."""

    def cast(context: Context) -> None:
        polls.vote(context, actors.by_id(context, actor_id), statuses.by_id(context, row["id"]), choices)

    await live.write(cast)


async def tallies(live: LiveNode, uri: str) -> tuple[list[int], int | None]:
    """Return the votes for each answer and the number of voters."""
    row = await live.status(uri)
    assert row is not None
    found = await live.one(poll, status_id=row["id"])
    return found["tallies"], found["voters_count"]


async def sent(live: LiveNode, as_type: str) -> list[Document]:
    """Return the bodies of the activities of one type that a node sent."""
    return [json.loads(row["body"]) for row in await live.rows(activity, as_type=as_type)]


async def pair(
    network: Network, **settings: Any
) -> tuple[LiveNode, int, LiveNode, int, RowMapping, RowMapping]:
    """Lyon where Amina asks, Dakar where Paul follows her; the poll on both sides."""
    lyon, dakar = await network.node("lyon"), await network.node("dakar")
    amina, paul = await lyon.actor("amina"), await dakar.actor("paul")
    await dakar.follow(paul, await dakar.find("amina@lyon.esn.test"))
    await network.settle()
    here = await ask(lyon, amina, *settings.pop("options", ()), **settings)
    await network.settle()
    there = await dakar.status(here["uri"])
    assert there is not None
    return lyon, amina, dakar, paul, here, there


async def test_a_poll_arrives_with_its_answers_and_its_end(network: Network) -> None:
    lyon, _, dakar, paul, here, there = await pair(network, multiple=True)
    asked = await lyon.one(poll)
    found = await dakar.one(poll)
    assert there["as_type"] == "Question"
    assert there["content"] == "<p>Quand ?</p>"
    assert (found["options"], found["tallies"]) == (["Lundi", "Mardi"], [0, 0])
    assert (found["multiple"], found["expires_at"]) == (True, asked["expires_at"])
    assert [row["id"] for row in await dakar.home(paul)] == [there["id"]]
    assert here["as_type"] == "Question"


async def test_a_vote_travels_as_a_note_with_a_name_for_the_author_alone(network: Network) -> None:
    lyon, amina, dakar, paul, here, there = await pair(network)
    await vote(dakar, paul, there, 1)
    assert await tallies(dakar, here["uri"]) == ([0, 1], 1)
    await network.settle()
    assert await tallies(lyon, here["uri"]) == ([0, 1], 1)
    create = next(one for one in await sent(dakar, "Create") if one["object"].get("name"))
    author = (await lyon.row(amina))["uri"]
    assert create["object"] == {
        "id": create["object"]["id"],
        "type": "Note",
        "attributedTo": (await dakar.row(paul))["uri"],
        "inReplyTo": here["uri"],
        "name": "Mardi",
        "to": [author],
    }
    assert (create["to"], create["cc"]) == ([author], [])
    assert not (await dakar.one(activity, uri=create["id"]))["public"]
    assert len(await lyon.rows(status)) == 1
    assert {row["kind"] for row in await lyon.rows(notification)} == {"follow"}


async def test_counts_are_told_once_in_three_minutes_however_many_vote(network: Network) -> None:
    lyon, _, dakar, paul, here, there = await pair(network)
    other = await dakar.actor("awa")
    await vote(dakar, paul, there, 0)
    await vote(dakar, other, there, 1)
    await vote(lyon, await lyon.actor("zoe"), here, 1)
    await network.settle()
    assert await sent(lyon, "Update") == []
    network.advance(TALLY_DELAY)
    await network.settle()
    (update,) = await sent(lyon, "Update")
    assert [option["replies"]["totalItems"] for option in update["object"]["oneOf"]] == [1, 2]
    assert update["object"]["votersCount"] == 3
    assert "updated" not in update["object"]
    assert await tallies(dakar, here["uri"]) == ([1, 2], 3)
    row = await dakar.status(here["uri"])
    assert row is not None
    assert row["edited_at"] is None
    await vote(lyon, await lyon.actor("luc"), here, 0)
    network.advance(TALLY_DELAY)
    await network.settle()
    assert len(await sent(lyon, "Update")) == 2
    assert await tallies(dakar, here["uri"]) == ([2, 2], 4)


async def test_at_the_end_voters_and_followers_get_the_last_counts_and_voters_are_told(
    network: Network,
) -> None:
    lyon, amina, dakar, paul, here, there = await pair(network)
    oslo = await network.node("oslo")
    nora = await oslo.actor("nora")
    found = (await oslo.node.discovery.document(here["uri"])).document
    author_id = await oslo.find("amina@lyon.esn.test")

    def take(context: Context) -> None:
        note.store(context, found, actors.by_id(context, author_id))

    await oslo.write(take)
    elsewhere = await oslo.status(here["uri"])
    assert elsewhere is not None
    await vote(oslo, nora, elsewhere, 0)  # who follows nobody
    zoe = await lyon.actor("zoe")
    await vote(lyon, zoe, here, 0)
    await network.settle()
    network.advance(HOUR)
    await network.settle()
    assert await tallies(oslo, here["uri"]) == ([2, 0], 2)
    assert await tallies(dakar, here["uri"]) == ([2, 0], 2)
    last = (await sent(lyon, "Update"))[-1]
    assert last["object"]["closed"] == parse.iso((await lyon.one(poll))["expires_at"])
    told = [row for row in await lyon.rows(notification) if row["kind"] == "poll"]
    assert [(row["actor_id"], row["from_actor_id"], row["status_id"]) for row in told] == [
        (zoe, amina, here["id"])
    ]
    network.advance(GRACE)
    await network.settle()
    assert [row["actor_id"] for row in await oslo.rows(notification) if row["kind"] == "poll"] == [nora]
    assert [row for row in await dakar.rows(notification) if row["kind"] == "poll"] == []
    with pytest.raises(Refused):
        await vote(dakar, paul, there, 0)
    assert {row["state"] for row in await lyon.rows(job) if row["kind"].startswith("poll-")} == {"done"}


async def test_no_voter_is_named_in_anything_that_leaves_the_node_of_the_poll(network: Network) -> None:
    lyon, _, dakar, paul, here, there = await pair(network, multiple=True)
    zoe = await lyon.actor("zoe")
    await vote(lyon, zoe, here, 0, 1)
    await vote(dakar, paul, there, 0)
    await network.settle()
    network.advance(HOUR)
    await network.settle()
    voters = [(await lyon.row(zoe))["uri"], (await dakar.row(paul))["uri"]]
    about = [row["body"] for row in await lyon.rows(activity) if here["uri"] in row["body"]]
    assert len(about) >= 3
    served = (await dakar.node.discovery.document(here["uri"])).document
    for text in (*about, json.dumps(served)):
        assert not any(voter in text for voter in voters)
    assert served["votersCount"] == 2


@pytest.mark.parametrize(
    ("options", "settings", "field"),
    [
        (("un",), {}, "poll"),
        (tuple(map(str, range(21))), {}, "poll"),
        (("un", " "), {}, "poll"),
        (("un", "x" * 101), {}, "poll"),
        (("un", "UN "), {}, "poll"),
        (("un", "deux"), {"lasts": SHORTEST - 1}, "poll_until"),
        (("un", "deux"), {"lasts": LONGEST + 1}, "poll_until"),
    ],
    ids=["one", "too many", "empty", "too long", "twice the same", "too short", "too far"],
)
async def test_a_poll_that_nobody_could_answer_is_refused(
    network: Network, options: tuple[str, ...], settings: dict[str, int], field: str
) -> None:
    lyon = await network.node("lyon")
    amina = await lyon.actor("amina")
    expires_at = lyon.node.runtime.clock() + settings.get("lasts", HOUR)
    with pytest.raises(Invalid) as refused:
        await ask(lyon, amina, *options, expires_at=expires_at)
    assert refused.value.field == field
    assert await lyon.rows(status) == []


async def test_voting_rules_hold_for_our_own_people(network: Network) -> None:
    lyon = await network.node("lyon")
    amina, zoe = await lyon.actor("amina"), await lyon.actor("zoe")
    single, several = await ask(lyon, amina), await ask(lyon, amina, multiple=True)
    plain = await lyon.one(status, id=await lyon.post(amina, "Bonjour"))
    wrong: list[tuple[int, RowMapping, tuple[int, ...], type[EsnfedError]]] = [
        (amina, single, (0,), Refused),
        (zoe, plain, (0,), NotFound),
        (zoe, single, (), Invalid),
        (zoe, single, (2,), Invalid),
        (zoe, single, (-1,), Invalid),
        (zoe, single, (0, 1), Invalid),
    ]
    for voter, row, choices, error in wrong:
        with pytest.raises(error):
            await vote(lyon, voter, row, *choices)
    await vote(lyon, zoe, single, 0)
    await vote(lyon, zoe, single, 0)
    with pytest.raises(Refused):
        await vote(lyon, zoe, single, 1)
    await vote(lyon, zoe, several, 0)
    await vote(lyon, zoe, several, 0, 1)
    assert await tallies(lyon, single["uri"]) == ([1, 0], 1)
    assert await tallies(lyon, several["uri"]) == ([1, 1], 1)
    assert len(await lyon.rows(poll_vote)) == 3


async def test_votes_that_come_at_once_are_all_counted_and_each_once(network: Network) -> None:
    lyon = await network.node("lyon")
    row = await ask(lyon, await lyon.actor("amina"))
    voters = [await lyon.actor(f"voter{number}") for number in range(12)]
    await asyncio.gather(*(vote(lyon, voter, row, voter % 2) for voter in voters * 2))
    found, count = await tallies(lyon, row["uri"])
    assert (sum(found), count) == (12, 12)
    assert found == [sum(voter % 2 == choice for voter in voters) for choice in (0, 1)]
    assert len(await lyon.rows(poll_vote)) == 12


async def test_a_poll_for_followers_takes_no_vote_of_others(network: Network) -> None:
    lyon = await network.node("lyon")
    amina, zoe, luc = [await lyon.actor(name) for name in ("amina", "zoe", "luc")]
    await lyon.follow(zoe, amina)
    row = await ask(lyon, amina, visibility="followers")
    await vote(lyon, zoe, row, 0)
    with pytest.raises(Refused):
        await vote(lyon, luc, row, 0)
    assert await tallies(lyon, row["uri"]) == ([1, 0], 1)


async def stranger(network: Network) -> tuple[LiveNode, RowMapping, Peer, Document]:
    """A poll of ours, and somebody on a server that is not esnfed."""
    lyon = await network.node("lyon")
    row = await ask(lyon, await lyon.actor("amina"))
    peer = await Peer.start_in(network, "mastodon.esn.test")
    return lyon, row, peer, peer.actor("tom")


def ballot(peer: Peer, voter: Document, row: RowMapping, name: str = "Lundi", **changes: Any) -> Document:
    """Return the Create of a vote, as Mastodon sends it."""
    uri = f"{voter['id']}#votes/{peer._number}"
    content = {
        "id": uri,
        "type": "Note",
        "name": name,
        "attributedTo": voter["id"],
        "inReplyTo": row["uri"],
        "to": row["uri"].rpartition("/ap/")[0],
    } | changes
    return peer.activity(voter, "Create", content, to=content["to"], cc=[], id=f"{uri}/activity")


async def test_a_vote_is_counted_once_and_the_first_choice_stands(network: Network) -> None:
    lyon, row, peer, tom = await stranger(network)
    for name in ("Mardi", "Mardi", "Lundi"):
        assert await peer.post(lyon, ballot(peer, tom, row, name)) == 202
        await network.settle()
    assert await tallies(lyon, row["uri"]) == ([0, 1], 1)
    assert [each["state"] for each in await lyon.rows(inbox_message)] == ["done", "done", "ignored"]
    assert len(await lyon.rows(status)) == 1


@pytest.mark.parametrize(
    ("changes", "state"),
    [
        ({"name": "Mercredi"}, "ignored"),
        ({"id": "https://elsewhere.esn.test/votes/1"}, "ignored"),
        ({"attributedTo": "https://mastodon.esn.test/users/somebody"}, "ignored"),
        ({"content": "<p>Lundi, et toi ?</p>"}, "done"),
    ],
    ids=["answer not offered", "foreign id", "for somebody else", "an answer in words"],
)
async def test_what_is_no_vote_is_not_counted(network: Network, changes: Document, state: str) -> None:
    lyon, row, peer, tom = await stranger(network)
    assert await peer.post(lyon, ballot(peer, tom, row, **changes)) == 202
    await network.settle()
    assert await tallies(lyon, row["uri"]) == ([0, 0], 0)
    assert [each["state"] for each in await lyon.rows(inbox_message)] == [state]
    assert len(await lyon.rows(status)) == (2 if state == "done" else 1)


async def test_a_vote_after_the_end_and_one_for_a_plain_post_are_ignored(network: Network) -> None:
    lyon, row, peer, tom = await stranger(network)
    plain = await lyon.one(status, id=await lyon.post(row["actor_id"], "Bonjour"))
    network.advance(HOUR)
    for target in (row, plain):
        assert await peer.post(lyon, ballot(peer, tom, target)) == 202
    await network.settle()
    assert await lyon.rows(poll_vote) == []
    assert {each["state"] for each in await lyon.rows(inbox_message)} == {"ignored"}


async def test_our_own_posts_never_have_a_name_that_could_pass_for_a_vote(network: Network) -> None:
    lyon, row, _, _ = await stranger(network)
    zoe = await lyon.actor("zoe")
    await lyon.post(zoe, "Lundi", in_reply_to_id=row["id"])
    assert all("name" not in create["object"] for create in await sent(lyon, "Create"))
    assert await tallies(lyon, row["uri"]) == ([0, 0], 0)


def question(peer: Peer, author: Document, **changes: Any) -> Document:
    """Return a Question as Mastodon sends it."""
    now = peer._network.now()
    options = [
        {"type": "Note", "name": name, "replies": {"type": "Collection", "totalItems": votes}}
        for name, votes in (("Oui", 3), ("Non", 1))
    ]
    return (
        peer.note(author, "question", type="Question")
        | {
            "oneOf": options,
            "votersCount": 4,
            "endTime": parse.iso(now + HOUR),
        }
        | changes
    )


async def followed(network: Network) -> tuple[LiveNode, int, Peer, Document]:
    """Paul in Dakar, who follows Tom on a server that is not esnfed."""
    dakar = await network.node("dakar")
    paul = await dakar.actor("paul")
    peer = await Peer.start_in(network, "mastodon.esn.test")
    tom = peer.actor("tom")
    await dakar.follow(paul, await dakar.find("tom@mastodon.esn.test"))
    await network.settle()
    (follow,) = peer.received("Follow")
    assert await peer.post(dakar, peer.activity(tom, "Accept", follow)) == 202
    await network.settle()
    return dakar, paul, peer, tom


async def test_counts_from_elsewhere_replace_ours_and_are_no_edit(network: Network) -> None:
    dakar, paul, peer, tom = await followed(network)
    asked = question(peer, tom)
    assert await peer.post(dakar, peer.activity(tom, "Create", asked)) == 202
    await network.settle()
    row = await dakar.one(status)
    await vote(dakar, paul, row, 1)
    await network.settle()
    assert [one["object"]["name"] for one in peer.received("Create")] == ["Non"]
    assert await tallies(dakar, asked["id"]) == ([3, 2], 5)
    asked["oneOf"][0]["replies"]["totalItems"] = 9
    asked["oneOf"][1]["replies"]["totalItems"] = 2
    assert await peer.post(dakar, peer.activity(tom, "Update", asked | {"votersCount": 11})) == 202
    await network.settle()
    assert await tallies(dakar, asked["id"]) == ([9, 2], 11)
    row = await dakar.one(status)
    assert (row["edited_at"], row["version"]) == (None, 1)


async def test_a_poll_closed_before_its_time_tells_those_who_voted(network: Network) -> None:
    dakar, paul, peer, tom = await followed(network)
    asked = question(peer, tom)
    await peer.post(dakar, peer.activity(tom, "Create", asked))
    await network.settle()
    await vote(dakar, paul, await dakar.one(status), 0)
    closed = asked | {"closed": parse.iso(network.now())}
    assert await peer.post(dakar, peer.activity(tom, "Update", closed)) == 202
    await network.settle()
    assert [row["kind"] for row in await dakar.rows(notification)] == ["poll"]
    with pytest.raises(Refused):
        await vote(dakar, await dakar.actor("awa"), await dakar.one(status), 0)
    network.advance(HOUR + GRACE)
    await network.settle()
    assert len(await dakar.rows(notification)) == 1


async def test_other_answers_are_an_edit_and_void_what_was_chosen(network: Network) -> None:
    dakar, paul, peer, tom = await followed(network)
    asked = question(peer, tom)
    await peer.post(dakar, peer.activity(tom, "Create", asked))
    await network.settle()
    await vote(dakar, paul, await dakar.one(status), 0)
    network.advance(1000)
    options = [{"type": "Note", "name": name} for name in ("Oui", "Peut-être", "Non")]
    silent = asked | {"oneOf": options}
    assert await peer.post(dakar, peer.activity(tom, "Update", silent)) == 202
    await network.settle()
    assert (await dakar.one(poll))["options"] == ["Oui", "Non"]
    edited = silent | {"updated": parse.iso(network.now())}
    assert await peer.post(dakar, peer.activity(tom, "Update", edited)) == 202
    await network.settle()
    found = await dakar.one(poll)
    assert (found["options"], found["tallies"]) == (["Oui", "Peut-être", "Non"], [0, 0, 0])
    assert await dakar.rows(poll_vote) == []
    row = await dakar.one(status)
    assert row["edited_at"] == network.now()


async def test_an_edit_can_add_a_poll_and_take_it_away(network: Network) -> None:
    dakar, _, peer, tom = await followed(network)
    plain = peer.note(tom, "question")
    await peer.post(dakar, peer.activity(tom, "Create", plain))
    await network.settle()
    assert await dakar.rows(poll) == []
    network.advance(1000)
    asked = question(peer, tom, published=plain["published"], updated=parse.iso(network.now()))
    await peer.post(dakar, peer.activity(tom, "Update", asked))
    await network.settle()
    assert (await dakar.one(status))["as_type"] == "Question"
    assert (await dakar.one(poll))["tallies"] == [3, 1]
    network.advance(1000)
    await peer.post(dakar, peer.activity(tom, "Update", plain | {"updated": parse.iso(network.now())}))
    await network.settle()
    assert (await dakar.one(status))["as_type"] == "Note"
    assert await dakar.rows(poll) == []


async def test_a_deleted_poll_takes_its_votes_along_and_tells_nothing_more(network: Network) -> None:
    lyon, amina, dakar, paul, here, there = await pair(network)
    await vote(dakar, paul, there, 0)
    await network.settle()
    await lyon.remove(amina, here["id"])
    network.advance(HOUR + GRACE)
    await network.settle()
    for live in (lyon, dakar):
        assert await live.rows(poll) == []
        assert await live.rows(poll_vote) == []
        assert [row for row in await live.rows(notification) if row["kind"] == "poll"] == []
    assert await sent(lyon, "Update") == []
    assert {row["state"] for row in await lyon.rows(delivery)} == {"delivered"}


async def test_the_question_has_what_mastodon_reads(network: Network) -> None:
    lyon = await network.node("lyon")
    row = await ask(lyon, await lyon.actor("amina"), "Un", "Deux", multiple=True)
    (create,) = await sent(lyon, "Create")
    asked = create["object"]
    assert (asked["type"], asked["id"]) == ("Question", row["uri"])
    assert asked["anyOf"] == [
        {"type": "Note", "name": name, "replies": {"type": "Collection", "totalItems": 0}}
        for name in ("Un", "Deux")
    ]
    assert "oneOf" not in asked
    assert asked["endTime"] == parse.iso((await lyon.one(poll))["expires_at"])
    assert (asked["votersCount"], asked["to"]) == (0, [PUBLIC])
    assert create["@context"][1]["votersCount"] == "toot:votersCount"
