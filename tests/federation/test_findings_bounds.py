"""Caches that a change overtakes, work that has a limit, and servers that are not asked."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from typing import Any

import pytest
from sqlalchemy import update

from esnfed.bus import ActorChanged, Bus
from esnfed.database import Database
from esnfed.errors import Malformed, RemoteRefused
from esnfed.federation import inbox_worker, peers, reasons
from esnfed.federation.claims import claim
from esnfed.federation.discovery import Post
from esnfed.federation.envelopes import Envelopes
from esnfed.federation.keys import KeyRing
from esnfed.federation.peer_book import PeerBook
from esnfed.federation.recollection import LIFETIME
from esnfed.models import actor, actor_key, inbox_message, status
from esnfed.objects import actor as actor_object
from esnfed.services import actors, arrivals, backfill
from tests.conftest import MakeRuntime, Prepare
from tests.doubles.authority import Authority
from tests.federation.network import LiveNode, Network, open_network
from tests.federation.test_inbox import Forger, scene

BAD = "bad.esn.test"
Overtake = Callable[[Callable[[], Any]], None]


@pytest.fixture
async def network(
    runtime: MakeRuntime, prepare_sqlite: Prepare, authority: Authority
) -> AsyncIterator[Network]:
    """Live nodes on SQLite."""
    async with open_network(runtime, prepare_sqlite, authority) as found:
        yield found


@pytest.fixture
def overtake(monkeypatch: pytest.MonkeyPatch) -> Overtake:
    """Let something happen between the next read and its answer."""
    original = Database.read
    waiting: list[Callable[[], Any]] = []

    async def read(database: Database, *args: Any, **settings: Any) -> Any:
        found = await original(database, *args, **settings)
        if waiting:
            await waiting.pop()()
        return found

    monkeypatch.setattr(Database, "read", read)
    return waiting.append


async def block(live: LiveNode, host: str) -> None:
    await live.write(peers.set_standing, host, "blocked", "")


async def test_a_block_that_overtakes_a_read_holds(network: Network, overtake: Overtake) -> None:
    live = await network.node("lyon")
    overtake(lambda: block(live, BAD))
    await live.node.book.is_blocked(BAD)
    assert await live.node.book.is_blocked(BAD)


async def test_a_block_whose_event_is_lost_holds_after_a_minute(network: Network) -> None:
    live = await network.node("lyon")
    book = PeerBook(live.node.database, live.node.runtime, Bus())  # a bus on which nothing is said
    assert not await book.is_blocked(BAD)
    await block(live, BAD)
    network.advance(LIFETIME)
    assert await book.is_blocked(BAD)


async def test_a_peer_is_noted_once_in_five_minutes_though_it_is_read_more_often(network: Network) -> None:
    book = (await network.node("lyon")).node.book
    heard = []
    for _ in range(6):
        await book.is_blocked(BAD)
        heard.append(book.heard(BAD))
        network.advance(LIFETIME)
    assert heard == [True, False, False, False, False, True]


async def retire(live: LiveNode, key_uri: str, *, tell: bool = True) -> None:
    """Retire a key, as a profile that lists it no more does."""

    def act(context: Any) -> None:
        row = context.connection.execute(
            update(actor_key)
            .where(actor_key.c.uri == key_uri)
            .values(retired_at=context.now())
            .returning(actor_key.c.actor_id)
        ).one()
        if tell:
            context.after_commit(ActorChanged(row.actor_id))

    await live.write(act)


@pytest.mark.parametrize("lost", [False, True])
async def test_a_key_retired_meanwhile_is_not_known(network: Network, overtake: Overtake, lost: bool) -> None:
    _, dakar, _, pen = await scene(network)
    key_uri = (await pen.signer()).key_uri
    known = dakar.node.authenticator.known
    network.advance(LIFETIME)  # what the scene left in mind is read anew
    overtake(lambda: retire(dakar, key_uri, tell=not lost))
    assert await known(key_uri) is not None
    network.advance(LIFETIME if lost else 0)
    assert await known(key_uri) is None


async def test_a_signer_whose_key_was_retired_meanwhile_is_not_kept(
    network: Network, overtake: Overtake
) -> None:
    lyon, _, _, pen = await scene(network)
    await lyon.post(pen._actor_id, "un")
    node, key_uri = lyon.node, (await pen.signer()).key_uri
    envelopes = Envelopes(node.database, KeyRing(), node.runtime.clock, node.bus)
    claims = await lyon.write(claim, ["dakar.esn.test"], [], 1)
    assert len(claims) == 1
    overtake(lambda: retire(lyon, key_uri))
    (first,) = (await envelopes.prepare(claims)).values()
    assert first[1] is not None
    (second,) = (await envelopes.prepare(claims)).values()
    assert second[1] is None


async def test_no_more_is_taken_up_while_many_senders_are_under_way(
    network: Network, monkeypatch: pytest.MonkeyPatch
) -> None:
    _, dakar, _, pen = await scene(network)
    create = await pen.activity("Create", await pen.note("un"))
    assert await pen.send(dakar, create) == 202
    worker = dakar.node.inbox_worker
    worker._busy.update(f"https://slow.esn.test/{number}" for number in range(inbox_worker.MAX_BUSY))
    assert await worker.step() is False
    assert (await dakar.one(inbox_message, uri=create["id"]))["state"] == "waiting"
    worker._busy.pop()
    assert await worker.step() is True
    assert (await dakar.one(inbox_message, uri=create["id"]))["state"] == "done"


async def test_a_stranger_that_sends_only_an_id_is_not_asked(
    network: Network, monkeypatch: pytest.MonkeyPatch
) -> None:
    lyon, dakar, paul, _ = await scene(network)
    eve = await lyon.actor("eve")
    pen = Forger(network, lyon, eve)
    asked: list[str] = []

    async def document(uri: str, budget: Any = None) -> Any:
        asked.append(uri)
        raise Malformed

    monkeypatch.setattr(dakar.node.discovery, "document", document)
    bare = await pen.activity("Create", f"{lyon.origin}/notes/1")
    named = await pen.activity("Create", f"{lyon.origin}/notes/2", cc=[(await dakar.row(paul))["uri"]])
    for create in (bare, named):
        assert await pen.send(dakar, create) == 202
    await dakar.node.inbox_worker.step()
    assert asked == [f"{lyon.origin}/notes/2"]
    assert (await dakar.one(inbox_message, uri=bare["id"]))["state"] == "ignored"


async def test_a_blocked_server_is_not_asked_for_a_handle(network: Network) -> None:
    lyon, dakar = await network.node("lyon"), await network.node("dakar")
    await lyon.actor("mallory")
    await block(dakar, lyon.domain)
    await lyon.runner.cleanup()  # were it asked, the answer would be that nobody is there
    with pytest.raises(RemoteRefused) as caught:
        await dakar.find(f"mallory@{lyon.domain}")
    assert str(caught.value) == reasons.BLOCKED


async def test_of_a_post_that_fails_half_way_nothing_stays(
    network: Network, monkeypatch: pytest.MonkeyPatch
) -> None:
    _, dakar, _, pen = await scene(network)
    document = await pen.note("un")
    original = arrivals.store

    def store(*args: Any) -> Any:
        original(*args)
        raise Malformed

    monkeypatch.setattr(arrivals, "store", store)

    def keep(context: Any) -> Any:
        author = actors.by_uri(context, document["attributedTo"])
        assert author is not None
        return backfill.keep(context, document, author, public=True)

    assert await dakar.write(keep) is None
    assert await dakar.rows(status) == []


async def test_of_an_author_that_fails_half_way_nothing_stays(
    network: Network, monkeypatch: pytest.MonkeyPatch
) -> None:
    lyon, dakar, _, _ = await scene(network)
    eve = await lyon.row(await lyon.actor("eve"))
    resolved = await dakar.node.discovery.document(eve["uri"])
    original = actor_object.store

    def store(*args: Any) -> Any:
        original(*args)
        raise Malformed

    monkeypatch.setattr(actor_object, "store", store)
    assert await dakar.write(backfill.author_of, Post({}, eve["uri"], resolved)) is None
    assert await dakar.rows(actor, uri=eve["uri"]) == []
