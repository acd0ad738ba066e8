"""Filling in threads and outboxes: from each post's own origin, within caps, and without telling anybody."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import pytest

from esnfed import registry
from esnfed.cli import threads as thread_command
from esnfed.context import Context
from esnfed.errors import RemoteUnreachable
from esnfed.federation import errands, peers, reasons
from esnfed.federation.discovery import Discovery
from esnfed.federation.errands import Found, Turn
from esnfed.federation.pacing import Limits
from esnfed.models import errand, follow, notification, status, timeline_entry
from esnfed.services import backfill, conversation, wanted
from esnfed.vocab import parse
from esnfed.vocab.terms import PUBLIC
from tests.doubles.server import Reply, document
from tests.federation.network import LiveNode, Network
from tests.federation.peer import Document, Peer
from tests.federation.test_authorised_fetch import Asker

DAY = 24 * 3600 * 1000


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """No pauses between fetches from one server: the clock of the tests stands still."""
    monkeypatch.setattr("esnfed.federation.transport.Limits", partial(Limits, burst=100_000))


class Reader:
    """Paul of Dakar, who follows Bob of a peer; and what the peer writes."""

    def __init__(self, network: Network, dakar: LiveNode, peer: Peer, paul: int) -> None:
        self.network, self.dakar, self.peer, self.paul = network, dakar, peer, paul
        self.bob = peer.actor("bob")

    def note(self, name: str, *, answers: str | None = None, **more: Any) -> Document:
        """Serve a note by Bob, and return it."""
        content = self.peer.note(self.bob, name, **more)
        if answers:
            content["inReplyTo"] = answers
        return self.peer.serve(content)

    def chain(self, length: int) -> list[Document]:
        """Serve notes of which each answers the one before."""
        notes = [self.note("c0")]
        for number in range(1, length):
            notes.append(self.note(f"c{number}", answers=notes[-1]["id"]))
        return notes

    def collection(self, path: str, *uris: Any, **more: Any) -> str:
        """Serve a collection; return its id."""
        uri = f"{self.peer.origin}{path}"
        content = {"id": uri, "type": "OrderedCollection", "orderedItems": list(uris)} | more
        self.peer.answers[path] = document(content)
        return uri

    async def receives(self, content: Document) -> None:
        """Let Bob deliver a note, and everything that follows from it happen."""
        assert await self.peer.post(self.dakar, self.peer.activity(self.bob, "Create", content)) == 202
        await self.network.settle()

    async def here(self) -> set[str]:
        """The addresses of the peers' posts that Dakar has."""
        return {row["uri"].partition("/notes/")[2] for row in await self.dakar.rows(status, local=False)}

    async def written_home(self) -> set[str]:
        """What was put on Paul's home timeline; reading on, he comes to all posts of whom he follows."""
        ids = {row["status_id"] for row in await self.dakar.rows(timeline_entry, actor_id=self.paul)}
        rows = await self.dakar.rows(status, local=False)
        return {row["uri"].partition("/notes/")[2] for row in rows if row["id"] in ids}

    def asked(self, path: str) -> int:
        """How often the peer was asked for a path."""
        return self.peer.targets().count(path)


async def _scene(network: Network, *, outbox: Callable[[Reader], None] | None = None) -> Reader:
    dakar = await network.node("dakar")
    peer = await Peer.start_in(network, "peer.esn.test")
    paul = await dakar.actor("paul")
    reader = Reader(network, dakar, peer, paul)
    if outbox:
        outbox(reader)
    await dakar.follow(paul, await dakar.find(reader.bob["id"]))
    accept = peer.activity(reader.bob, "Accept", (await dakar.one(follow))["uri"])
    assert await peer.post(dakar, accept) == 202
    await network.settle()
    return reader


# Ancestors


async def test_what_a_reply_answers_is_fetched_to_the_top_of_the_thread(network: Network) -> None:
    bob = await _scene(network)
    notes = bob.chain(4)
    await bob.receives(notes[-1])
    assert await bob.here() == {"c0", "c1", "c2", "c3"}
    rows = [await bob.dakar.status(each["id"]) for each in notes]
    assert len({row["thread_id"] for row in rows if row}) == 1
    assert [row["in_reply_to_uri"] for row in rows[1:] if row] == [each["id"] for each in notes[:-1]]


async def test_each_ancestor_comes_from_its_own_origin_with_its_author(network: Network) -> None:
    bob = await _scene(network)
    far = await Peer.start_in(network, "far.esn.test")
    eve = far.actor("eve")
    top = far.serve(far.note(eve, "top"))
    await bob.receives(bob.note("answer", answers=top["id"]))
    assert await bob.here() == {"top", "answer"}
    assert "/notes/top" in far.targets()
    assert (await bob.dakar.row(await bob.dakar.find(eve["id"])))["handle"] == "eve"


async def test_a_post_that_another_server_serves_under_a_foreign_id_is_not_kept(network: Network) -> None:
    bob = await _scene(network)
    far = await Peer.start_in(network, "far.esn.test")
    forged = bob.peer.note(bob.bob, "forged")
    far.serve(forged, path="/notes/top")
    await bob.receives(bob.note("answer", answers=f"{far.origin}/notes/top"))
    assert await bob.here() == {"answer"}


async def test_the_climb_ends_at_its_depth_and_in_a_circle(
    network: Network, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(backfill, "MAX_DEPTH", 3)
    bob = await _scene(network)
    await bob.receives(bob.chain(8)[-1])
    assert await bob.here() == {"c7", "c6", "c5", "c4"}
    one = bob.note("one", answers=f"{bob.peer.origin}/notes/two")
    bob.note("two", answers=one["id"])
    await bob.receives(one)
    assert {"one", "two"} <= await bob.here()


def test_the_depth_is_that_of_the_rules() -> None:
    assert (backfill.MAX_DEPTH, conversation.MAX_REPLIES) == (50, 500)
    assert (conversation.MAX_POSTS, conversation.MAX_PAGES) == (1_000, 500)
    assert wanted.THREAD_COOL_DOWN == 15 * 60 * 1000


async def test_what_is_fetched_tells_nobody_and_is_at_home_only_while_it_is_fresh(network: Network) -> None:
    bob = await _scene(network)
    paul = (await bob.dakar.row(bob.paul))["uri"]
    tag = [{"type": "Mention", "href": paul, "name": "@paul"}]
    ago = parse.iso(network.now() - DAY - 1000)
    old = bob.note("old", published=ago, tag=tag, cc=[paul])
    fresh = bob.note("fresh", answers=old["id"], tag=tag, cc=[paul])
    await bob.receives(bob.note("new", answers=fresh["id"]))
    assert await bob.here() == {"old", "fresh", "new"}
    assert await bob.dakar.rows(notification, kind="mention") == []
    assert await bob.written_home() == {"fresh", "new"}


async def test_a_direct_post_above_is_not_kept(network: Network) -> None:
    bob = await _scene(network)
    secret = bob.note("secret", to=["https://far.esn.test/users/eve"], cc=[])
    await bob.receives(bob.note("answer", answers=secret["id"]))
    assert await bob.here() == {"answer"}


async def test_a_parent_on_a_blocked_server_is_not_asked_for(network: Network) -> None:
    bob = await _scene(network)
    far = await Peer.start_in(network, "far.esn.test")
    top = far.serve(far.note(far.actor("eve"), "top"))
    await bob.dakar.write(peers.set_standing, "far.esn.test", "blocked", "")
    await bob.receives(bob.note("answer", answers=top["id"]))
    assert (far.targets(), await bob.here()) == ([], {"answer"})


# Threads


async def _thread(bob: Reader, **root: Any) -> Document:
    """Deliver an answer to a root that Dakar does not have yet."""
    top = bob.note("root", **root)
    await bob.receives(bob.note("mine", answers=top["id"]))
    return top


async def test_the_owners_collection_fills_the_thread(network: Network) -> None:
    """FEP-7888, FEP-f228: the root's `context` names the whole conversation, from several servers."""
    bob = await _scene(network)
    far = await Peer.start_in(network, "far.esn.test")
    eve, origin = far.actor("eve"), bob.peer.origin
    context = f"{origin}/contexts/1"
    one = bob.note("one", answers=f"{origin}/notes/root", context=context)
    two = far.serve(far.note(eve, "two", inReplyTo=one["id"], context=context))
    alien = far.serve(far.note(eve, "alien"))
    bob.collection("/contexts/1", f"{origin}/notes/root", one["id"], two["id"], alien["id"])
    bob.collection("/replies")
    await _thread(bob, context=context, replies=f"{origin}/replies")
    assert await bob.here() == {"root", "mine", "one", "two"}  # the alien says itself that it is elsewhere
    assert bob.asked("/replies") == 0


@pytest.mark.parametrize("answer", [Reply(404), document({"type": "Note"}), document({"orderedItems": []})])
async def test_without_a_context_the_replies_are_read(network: Network, answer: Reply) -> None:
    bob = await _scene(network)
    origin = bob.peer.origin
    bob.peer.answers["/contexts/1"] = answer
    one = bob.note("one", answers=f"{origin}/notes/root", replies=f"{origin}/replies/one")
    two = bob.note("two", answers=one["id"])
    bob.collection("/replies/root", one["id"])
    bob.collection("/replies/one", two["id"])
    await _thread(bob, context=f"{origin}/contexts/1", replies=f"{origin}/replies/root")
    assert await bob.here() == {"root", "mine", "one", "two"}


async def test_a_context_elsewhere_is_not_asked_for(network: Network) -> None:
    bob = await _scene(network)
    far = await Peer.start_in(network, "far.esn.test")
    await _thread(bob, context=f"{far.origin}/contexts/1", replies=f"{far.origin}/replies")
    assert far.targets() == []


async def test_replies_come_embedded_and_in_pages(network: Network) -> None:
    """As Mastodon gives them: a collection with its first page inside, the next one by address."""
    bob = await _scene(network)
    origin = bob.peer.origin
    names = [bob.note(f"r{number}", answers=f"{origin}/notes/root")["id"] for number in range(3)]
    first = {"type": "CollectionPage", "items": names[:1], "next": f"{origin}/replies?page=2"}
    bob.peer.answers["/replies"] = document({"id": f"{origin}/replies", "type": "Collection", "first": first})
    bob.collection("/replies?page=2", names[1], next=f"{origin}/replies?page=3")
    bob.collection("/replies?page=3", names[2])
    inside = {"id": f"{origin}/replies", "type": "Collection", "first": first}
    await _thread(bob, replies=inside)
    assert await bob.here() == {"root", "mine", "r0", "r1", "r2"}


async def test_a_post_that_answers_something_else_is_not_kept(network: Network) -> None:
    bob = await _scene(network)
    origin = bob.peer.origin
    stray, other = bob.note("stray"), bob.note("other", answers=f"{origin}/notes/elsewhere")
    bob.collection("/replies", stray["id"], other["id"])
    await _thread(bob, replies=f"{origin}/replies")
    assert await bob.here() == {"root", "mine"}


async def test_pages_on_another_origin_and_pages_read_before_are_not_followed(network: Network) -> None:
    bob = await _scene(network)
    far = await Peer.start_in(network, "far.esn.test")
    origin = bob.peer.origin
    bob.collection("/replies", first=f"{far.origin}/page", next=f"{origin}/again")
    bob.collection("/again", next=f"{origin}/again")
    await _thread(bob, replies=f"{origin}/replies")
    assert (far.targets(), bob.asked("/again")) == ([], 1)


async def test_fresh_pages_for_ever_end_at_the_cap(network: Network, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(conversation, "MAX_PAGES", 6)
    bob = await _scene(network)
    for number in range(20):
        bob.collection(f"/pages/{number}", next=f"{bob.peer.origin}/pages/{number + 1}")
    await _thread(bob, replies=f"{bob.peer.origin}/pages/0")
    assert len([target for target in bob.peer.targets() if target.startswith("/pages/")]) == 6


async def test_posts_end_at_the_caps_of_one_post_and_of_all(
    network: Network, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(conversation, "MAX_REPLIES", 4)
    monkeypatch.setattr(conversation, "MAX_POSTS", 7)
    bob = await _scene(network)
    origin = bob.peer.origin
    for number in range(10):
        bob.note(f"r{number}", answers=f"{origin}/notes/root", replies=f"{origin}/under/{number}")
        under = [bob.note(f"u{number}-{n}", answers=f"{origin}/notes/r{number}")["id"] for n in range(3)]
        bob.collection(f"/under/{number}", *under)
    bob.collection("/replies", *(f"{origin}/notes/r{number}" for number in range(10)))
    await _thread(bob, replies=f"{origin}/replies")
    found = await bob.here() - {"root", "mine"}
    assert {name for name in found if name.startswith("r")} == {"r0", "r1", "r2", "r3"}
    assert len(found) == 6  # and the root is the seventh


async def test_a_thread_is_asked_for_once_in_a_quarter_of_an_hour(network: Network) -> None:
    bob = await _scene(network)
    bob.collection("/replies")
    root = await _thread(bob, replies=f"{bob.peer.origin}/replies")
    await bob.receives(bob.note("again", answers=f"{bob.peer.origin}/notes/gone"))

    async def ask() -> Any:
        row = await bob.dakar.status(root["id"])
        asked = await bob.dakar.write(wanted.thread, row)
        await network.settle()
        return asked

    assert bob.asked("/replies") == 1
    assert await ask() is None
    network.advance(wanted.THREAD_COOL_DOWN)
    assert await ask() is not None
    assert bob.asked("/replies") == 2


# Outboxes


def _create(bob: Reader, content: Any, **more: Any) -> Document:
    return bob.peer.activity(bob.bob, "Create", content, **more)


async def test_whom_somebody_begins_to_follow_brings_the_newest_public_posts(network: Network) -> None:
    def outbox(bob: Reader) -> None:
        ago = parse.iso(network.now() - 3 * DAY)
        followers = {"to": [bob.bob["followers"]], "cc": []}
        items = [
            _create(bob, bob.peer.note(bob.bob, "fresh")),
            _create(bob, bob.peer.note(bob.bob, "old", published=ago)),
            _create(bob, bob.note("named", published=ago)["id"]),
            _create(bob, bob.peer.note(bob.bob, "private", **followers)),
            bob.peer.activity(bob.bob, "Announce", "https://far.esn.test/notes/1"),
            _create(bob, bob.peer.note(bob.bob, "alien") | {"id": "https://far.esn.test/notes/alien"}),
            _create(bob, bob.peer.note(bob.bob, "eves") | {"attributedTo": f"{bob.peer.origin}/users/eve"}),
            "an id alone",
        ]
        first = bob.collection("/users/bob/outbox/1", *items, next=f"{bob.peer.origin}/users/bob/outbox/2")
        bob.collection("/users/bob/outbox", first=first)

    bob = await _scene(network, outbox=outbox)
    assert await bob.here() == {"fresh", "old", "named"}
    assert await bob.written_home() == {"fresh"}
    assert bob.asked("/users/bob/outbox/2") == 0


async def test_an_outbox_gives_twenty_posts_at_most(network: Network) -> None:
    def outbox(bob: Reader) -> None:
        notes = [bob.peer.note(bob.bob, f"n{number}") for number in range(30)]
        bob.collection("/users/bob/outbox", *(_create(bob, content) for content in notes))

    bob = await _scene(network, outbox=outbox)
    assert await bob.here() == {f"n{number}" for number in range(20)}


# Between live nodes


async def test_a_thread_page_says_that_more_may_come_and_then_has_it(network: Network) -> None:
    lyon, dakar, bonn = [await network.node(name) for name in ("lyon", "dakar", "bonn")]
    ada, paul, eva = await lyon.actor("ada"), await dakar.actor("paul"), await bonn.actor("eva")
    await dakar.follow(paul, await dakar.find("ada@lyon.esn.test"))
    await bonn.follow(eva, await bonn.find("ada@lyon.esn.test"))
    await network.settle()
    post = await lyon.post(ada, "question")
    await network.settle()
    uri = f"https://lyon.esn.test/ap/objects/{post}"
    there = await bonn.status(uri)
    assert there is not None
    await bonn.post(eva, "réponse d'Eva", in_reply_to_id=there["id"])
    await network.settle()
    row = await dakar.status(uri)
    assert row is not None
    path = f"/@ada@lyon.esn.test/{row['id']}"
    page = await _page(network, dakar, path)
    assert ("Eva" in page, "More replies may still be arriving" in page) == (False, True)
    await network.settle()
    page = await _page(network, dakar, path)
    assert ("Eva" in page, "More replies may still be arriving" in page) == (True, False)


async def _page(network: Network, live: LiveNode, path: str) -> str:
    status_code, _, page = await Asker(network, live).get(path, accept="text/html")
    assert status_code == 200
    return str(page)


async def test_the_command_prints_the_thread_with_what_was_missing(network: Network) -> None:
    lyon, dakar, bonn = [await network.node(name) for name in ("lyon", "dakar", "bonn")]
    ada, eva = await lyon.actor("ada"), await bonn.actor("eva")
    await bonn.follow(eva, await bonn.find("ada@lyon.esn.test"))
    await network.settle()
    post = await lyon.post(ada, "question")
    await network.settle()
    there = await bonn.status(f"https://lyon.esn.test/ap/objects/{post}")
    assert there is not None
    answer = await bonn.post(eva, "réponse", in_reply_to_id=there["id"])
    await network.settle()
    shown = await thread_command.thread(dakar.node, name=f"https://bonn.esn.test/ap/objects/{answer}")
    assert shown["complete"]
    assert [(each["author"], each["depth"], each["asked"]) for each in shown["posts"]] == [
        ("ada@lyon.esn.test", 0, False),
        ("eva@bonn.esn.test", 1, True),
    ]


# The errands themselves


async def test_one_server_gives_cause_for_so_many_errands_and_no_more(
    network: Network, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(errands, "PER_HOST", 3)
    dakar = await network.node("dakar")

    def ask(context: Context) -> list[bool]:
        addresses = [f"https://far.esn.test/{number}" for number in range(5)]
        sent = [wanted.ancestors(context, uri) is not None for uri in (*addresses, addresses[0])]
        return [*sent, wanted.ancestors(context, "https://other.esn.test/1") is not None]

    assert await dakar.write(ask) == [True] * 3 + [False] * 3 + [True]


async def test_a_crash_between_fetch_and_write_is_only_a_delay(
    network: Network, monkeypatch: pytest.MonkeyPatch
) -> None:
    bob = await _scene(network)
    notes = bob.chain(3)
    assert await bob.peer.post(bob.dakar, _create(bob, notes[-1])) == 202
    await bob.dakar.node.inbox_worker.step()
    assert await bob.dakar.write(errands.claim) is not None  # and the process dies
    await network.settle()
    assert await bob.here() == {"c2"}
    network.advance(errands.LEASE)
    await network.settle()
    assert await bob.here() == {"c0", "c1", "c2"}


async def test_a_server_that_asks_for_patience_is_asked_again_later(
    network: Network, monkeypatch: pytest.MonkeyPatch
) -> None:
    bob = await _scene(network)
    notes = bob.chain(2)
    original = Discovery.post

    async def crowded(*_arguments: Any) -> Any:
        raise RemoteUnreachable(reasons.CROWDED, 7)

    monkeypatch.setattr(Discovery, "post", crowded)
    await bob.receives(notes[-1])
    monkeypatch.setattr(Discovery, "post", original)
    await network.settle()
    assert await bob.here() == {"c1"}
    network.advance(7_000)
    await network.settle()
    assert await bob.here() == {"c0", "c1"}


async def test_a_turn_that_fails_is_tried_again_and_given_up_in_the_end(
    network: Network, monkeypatch: pytest.MonkeyPatch
) -> None:
    dakar = await network.node("dakar")

    def fail(_context: Context, _arguments: Any, _cursor: Any, _found: Found) -> Turn | None:
        raise ZeroDivisionError

    monkeypatch.setitem(registry.errands._values, wanted.ANCESTORS, fail)
    await dakar.write(wanted.ancestors, "https://far.esn.test/1")
    for _ in range(errands.MAX_ATTEMPTS):
        await network.settle()
        network.advance(60_000)
    row = await dakar.one(errand)
    assert (row["state"], row["attempts"], row["error"]) == (
        "failed",
        errands.MAX_ATTEMPTS,
        "ZeroDivisionError: ",
    )
    network.advance(errands.KEPT + 1)
    await dakar.write(errands.prune, None)
    assert await dakar.rows(errand) == []


async def test_public_is_written_out_in_the_collections_that_peers_read(network: Network) -> None:
    """The `context` of a local post: owner, items in order, and its id in every post of the thread."""
    lyon = await network.node("lyon")
    ada = await lyon.actor("ada")
    first = await lyon.post(ada, "un")
    second = await lyon.post(ada, "deux", in_reply_to_id=first)
    asker = Asker(network, lyon)
    root = (await asker.get(f"/ap/objects/{first}"))[2]
    answer = (await asker.get(f"/ap/objects/{second}"))[2]
    assert (root["to"], root["context"]) == ([PUBLIC], answer["context"])
    found = (await asker.get(root["context"].removeprefix(lyon.origin)))[2]
    assert (found["type"], found["attributedTo"]) == ("OrderedCollection", root["attributedTo"])
    page = (await asker.get(found["first"].removeprefix(lyon.origin)))[2]
    assert page["orderedItems"] == [root["id"], answer["id"]]
