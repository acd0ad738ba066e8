"""Order: what one actor did arrives and is applied as it was done, one after the other."""

from __future__ import annotations

from random import Random

import pytest

from esnfed.models import delivery, favourite, follow, inbox_message, status
from tests.doubles.server import Reply
from tests.federation.network import Network
from tests.federation.peer import Peer
from tests.federation.test_inbox import Forger, scene

PAIRS = 12


async def test_a_like_and_its_undo_in_one_batch_leave_nothing(network: Network) -> None:
    _, dakar, paul, pen = await scene(network)
    posts = [await dakar.post(paul, f"n{number}") for number in range(PAIRS)]
    for post in posts:
        like = await pen.activity("Like", (await dakar.one(status, id=post))["uri"])
        for activity in (like, await pen.activity("Undo", like)):
            assert await pen.send(dakar, activity) == 202
    await network.settle()
    assert await dakar.rows(favourite) == []
    assert {row["state"] for row in await dakar.rows(inbox_message)} == {"done"}


async def test_a_follow_and_its_undo_in_one_batch_leave_nothing(network: Network) -> None:
    _, dakar, _, pen = await scene(network)
    people = [await dakar.actor(f"p{number}") for number in range(PAIRS)]
    for person in people:
        asked = await pen.activity("Follow", (await dakar.row(person))["uri"])
        for activity in (asked, await pen.activity("Undo", asked)):
            assert await pen.send(dakar, activity) == 202
    await network.settle()
    assert [row for row in await dakar.rows(follow) if row["target_id"] in people] == []
    assert {(await dakar.row(person))["followers_count"] for person in people} == {0}


async def test_a_thread_in_one_batch_hangs_together(network: Network) -> None:
    _, dakar, _, pen = await scene(network)
    parent = None
    for number in range(PAIRS):
        more = {"inReplyTo": parent} if parent else {}
        note = await pen.note(f"n{number}", **more)
        assert await pen.send(dakar, await pen.activity("Create", note)) == 202
        parent = note["id"]
    await network.settle()
    rows = sorted(await dakar.rows(status), key=lambda row: int(row["content"][4:-4]))
    assert {row["thread_id"] for row in rows} == {rows[0]["id"]}
    assert [row["in_reply_to_id"] for row in rows[1:]] == [row["id"] for row in rows[:-1]]
    assert [row["replies_count"] for row in rows] == [1] * (PAIRS - 1) + [0]


async def test_the_first_post_and_boost_after_an_accept_are_not_lost(network: Network) -> None:
    """All three wait together: that the follow is accepted must be seen by what comes after it."""
    dakar = await network.node("dakar")
    paul = await dakar.actor("paul")
    peer = await Peer.start_in(network, "peer.esn.test")
    mira, boosted = peer.actor("mira", manuallyApprovesFollowers=True), peer.actor("other")
    peer.serve(peer.note(boosted, "boosted"))
    await dakar.follow(paul, await dakar.find("mira@peer.esn.test"))
    await network.settle()
    [asked] = peer.received("Follow")
    for activity in (
        peer.activity(mira, "Accept", asked),
        peer.activity(mira, "Create", peer.note(mira, "first")),
        peer.activity(mira, "Announce", f"{peer.origin}/notes/boosted"),
    ):
        assert await peer.post(dakar, activity) == 202
    await network.settle()
    assert {row["content"] for row in await dakar.home(paul)} == {"<p>first</p>", ""}
    assert len(await dakar.rows(status, as_type="Announce")) == 1
    assert (await dakar.one(status, content="<p>boosted</p>"))["boosts_count"] == 1


@pytest.mark.parametrize("verb", ["like", "boost", "follow"])
async def test_an_undo_never_overtakes_what_it_undoes(network: Network, verb: str) -> None:
    """A server that chokes on the first of them delays both: else it would keep what was taken back."""
    dakar = await network.node("dakar")
    paul = await dakar.actor("paul")
    peer = await Peer.start_in(network, "peer.esn.test")
    mira = peer.actor("mira")
    target = await dakar.find("mira@peer.esn.test")
    await dakar.follow(paul, target)
    await network.settle()
    [asked] = peer.received("Follow")
    note = peer.note(mira, "un")
    for activity in (peer.activity(mira, "Accept", asked), peer.activity(mira, "Create", note)):
        assert await peer.post(dakar, activity) == 202
        await network.settle()
    if verb == "follow":
        await dakar.unfollow(paul, target)
        await network.settle()
    peer.answers["/users/mira/inbox"] = [Reply(500), Reply(202)]
    before = len(peer.received())
    if verb == "follow":
        await dakar.follow(paul, target)
        await network.settle()
        await dakar.unfollow(paul, target)
    else:
        post = (await dakar.one(status, uri=note["id"]))["id"]
        await dakar.interact(verb, paul, post)
        await network.settle()
        await dakar.interact(f"un{verb}", paul, post)
    for _ in range(20):
        await network.settle()
        network.advance(60_000)
    assert await dakar.rows(delivery, state="queued") == []
    done = {"like": "Like", "boost": "Announce", "follow": "Follow"}[verb]
    assert [one["type"] for one in peer.received()[before:]] == [done, done, "Undo"]
    assert peer.received()[before]["id"] == peer.received()[before + 1]["id"]


async def test_posts_and_boosts_of_one_moment_never_take_the_same_id(
    network: Network, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Mastodon's times are whole seconds: of many back-dated ids of one moment two will be drawn the same."""
    _, dakar, paul, pen = await scene(network)
    local = await dakar.post(paul, "Bonjour")
    runtime = dakar.node.runtime
    monkeypatch.setattr(runtime.ids, "_random", Repeating(runtime.random))
    for number in range(PAIRS):
        note = await pen.note(f"n{number}", published="2025-12-31T00:00:00Z")
        assert await pen.send(dakar, await pen.activity("Create", note)) == 202
    uri = (await dakar.one(status, id=local))["uri"]
    boost = await pen.activity("Announce", uri, published="2025-12-31T00:00:00Z")
    assert await pen.send(dakar, boost) == 202
    for _ in range(3):
        await network.settle()
        network.advance(60_000)
    messages = await dakar.rows(inbox_message)
    assert {row["state"] for row in messages} == {"done"}
    assert {row["attempts"] for row in messages if row["as_type"] == "Create"} == {1}
    assert len(await dakar.rows(status, local=False)) == PAIRS + 1
    assert (await dakar.one(status, id=local))["boosts_count"] == 1


class Repeating:
    """Gives every number twice."""

    def __init__(self, random: Random) -> None:
        self._random = random
        self._last: int | None = None

    def getrandbits(self, bits: int) -> int:
        """The number given last, or a new one."""
        if self._last is None:
            self._last = self._random.getrandbits(bits)
            return self._last
        again, self._last = self._last, None
        return again


async def test_a_neighbour_cannot_keep_out_a_post_that_has_not_arrived(network: Network) -> None:
    """A Delete of something unknown is remembered for its sender alone."""
    _, dakar, paul, pen = await scene(network)
    lyon = network.nodes[0]
    neighbour = Forger(network, lyon, await lyon.actor("neighbour"))
    note = await pen.note("un")
    assert await neighbour.send(dakar, await neighbour.activity("Delete", note["id"])) == 202
    await network.settle()
    assert await pen.send(dakar, await pen.activity("Create", note)) == 202
    await network.settle()
    assert [row["content"] for row in await dakar.home(paul)] == ["<p>un</p>"]
