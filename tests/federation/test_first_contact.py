"""First contact: a server that nobody here has met may deliver a little in its first hour, and no more."""

from __future__ import annotations

from typing import Any

import pytest

from esnfed.bus import Bus
from esnfed.cli import peer as peer_command
from esnfed.config import Config
from esnfed.database import Database
from esnfed.errors import TooMany
from esnfed.federation import first_contact, peers
from esnfed.federation.first_contact import HOUR, FirstContacts, is_unasked_mention
from esnfed.models import first_contact as counts
from esnfed.models import inbox_message, notification
from esnfed.vocab.activity import read_activity
from esnfed.vocab.terms import PUBLIC
from tests.conftest import MakeRuntime
from tests.doubles.clock import Clock
from tests.federation.network import LiveNode, Network
from tests.federation.peer import Document, Peer

STRANGER = "stranger.esn.test"


class Stranger:
    """Bob of a server that nobody has met, and Ada of Lyon, whom he writes to."""

    def __init__(self, network: Network, lyon: LiveNode, peer: Peer, ada: Document) -> None:
        self.network, self.lyon, self.peer, self.ada = network, lyon, peer, ada
        self.bob = peer.actor("bob")
        self.number = 0

    async def likes(self) -> int:
        """Send something that mentions nobody."""
        return await self.peer.post(self.lyon, self.peer.activity(self.bob, "Like", self.ada["post"]))

    async def mentions(self, **more: Any) -> int:
        """Send a post that names Ada."""
        self.number += 1
        note = self.peer.note(self.bob, f"n{self.number}", to=[PUBLIC], cc=[self.ada["id"]], **more)
        note["tag"] = [{"type": "Mention", "href": self.ada["id"], "name": "@ada"}]
        return await self.peer.post(
            self.lyon, self.peer.activity(self.bob, "Create", note, cc=[self.ada["id"]])
        )

    async def shown(self) -> Any:
        """What `esnfed peer show` says of the first hour."""
        await self.network.settle()
        return (await self.lyon.read(peer_command.show_peer, STRANGER))["first_contact"]


async def _scene(network: Network, **settings: Any) -> Stranger:
    settings = {"first_contact_activities": 4, "first_contact_mentions": 2} | settings
    lyon = await network.node("lyon", **settings)
    peer = await Peer.start_in(network, STRANGER)
    ada = await lyon.actor("ada")
    post = f"{lyon.origin}/ap/objects/{await lyon.post(ada, 'bonjour')}"
    return Stranger(network, lyon, peer, {"id": (await lyon.row(ada))["uri"], "post": post, "row": ada})


async def test_beyond_its_first_activities_a_stranger_is_told_when_to_come_back(network: Network) -> None:
    bob = await _scene(network)
    assert [await bob.likes() for _ in range(6)] == [202] * 4 + [429] * 2
    assert len(await bob.lyon.rows(inbox_message)) == 4
    assert await bob.shown() == {
        "began": (await bob.shown())["began"], "activities": 4, "mentions": 0, "refused": 2,
    }  # fmt: skip
    network.advance(HOUR + 1000)
    assert await bob.likes() == 202


async def test_the_answer_names_the_time(network: Network, monkeypatch: pytest.MonkeyPatch) -> None:
    bob = await _scene(network, first_contact_activities=1)
    assert await bob.likes() == 202
    network.advance(600_000)
    activity = read_activity(bob.peer.activity(bob.bob, "Like", bob.ada["post"]))
    with pytest.raises(TooMany) as caught:
        await bob.lyon.node.inbox.first_contacts.admit(STRANGER, activity)
    assert caught.value.retry_after == 3001


async def test_unasked_mentions_are_counted_apart(network: Network) -> None:
    bob = await _scene(network)
    assert [await bob.mentions() for _ in range(3)] == [202, 202, 429]
    assert await bob.likes() == 202
    await network.settle()
    assert len(await bob.lyon.rows(notification, kind="mention")) == 2
    shown = await bob.shown()
    assert (shown["activities"], shown["mentions"], shown["refused"]) == (3, 2, 1)


async def test_an_answer_to_a_post_of_ours_is_no_unasked_mention(network: Network) -> None:
    bob = await _scene(network, first_contact_mentions=0)
    assert await bob.mentions() == 429
    assert await bob.mentions(inReplyTo=bob.ada["post"]) == 202


async def test_a_server_that_is_allowed_has_no_limit(network: Network) -> None:
    bob = await _scene(network, first_contact_activities=1)
    assert [await bob.likes() for _ in range(2)] == [202, 429]
    await bob.lyon.write(peers.set_standing, STRANGER, "allowed", "")
    assert [await bob.likes() for _ in range(3)] == [202] * 3


async def test_a_server_that_somebody_here_follows_is_no_stranger(network: Network) -> None:
    bob = await _scene(network, first_contact_activities=1)
    assert [await bob.likes() for _ in range(2)] == [202, 429]
    await bob.lyon.follow(bob.ada["row"], await bob.lyon.find(bob.bob["id"]))
    network.advance(first_contact.LOOK_AGAIN)
    assert [await bob.likes() for _ in range(3)] == [202] * 3


async def test_a_restart_does_not_begin_the_hour_again(network: Network) -> None:
    bob = await _scene(network)
    assert [await bob.likes() for _ in range(4)] == [202] * 4
    await network.settle()
    await network.halt(bob.lyon)
    await network.resume(bob.lyon)
    assert await bob.likes() == 429


async def test_a_wrong_signature_counts_for_nobody(network: Network) -> None:
    bob = await _scene(network, first_contact_activities=1)
    activity = bob.peer.activity(bob.bob, "Like", bob.ada["post"])
    for _ in range(3):
        forged = await bob.peer.post(
            bob.lyon,
            activity,
            alter=lambda headers: headers | {"Signature": headers["Signature"][:-9] + 'AAAAAAA="'},
        )
        assert forged in (400, 401)
    assert await bob.likes() == 202


# What is kept


def _like(host: str) -> Any:
    return read_activity(
        {
            "type": "Like",
            "id": f"https://{host}/1",
            "actor": f"https://{host}/a",
            "object": "https://x.test/1",
        }
    )


async def test_what_is_kept_of_strangers_is_bounded_and_expires(
    database: Database, runtime: MakeRuntime, clock: Clock, bus: Bus, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(first_contact, "LIMIT", 5)
    contacts = FirstContacts(database, runtime(first_contact_activities=1), bus)
    for number in range(12):
        await contacts.admit(f"h{number}.example", _like(f"h{number}.example"))
        await contacts.step()
    assert len(contacts) == 5
    with pytest.raises(TooMany):  # one that was pushed out of memory is still in its rows
        await contacts.admit("h0.example", _like("h0.example"))
    assert await contacts.step()
    assert not await contacts.step()

    async def rows() -> int:
        return len(await database.read(lambda context: context.connection.execute(counts.select()).all()))

    assert await rows() == 12
    clock.advance(first_contact.KEPT + 1)
    await database.write(first_contact.prune, None)
    assert await rows() == 0


@pytest.mark.parametrize(
    ("content", "unasked"),
    [
        ({"to": ["https://lyon.esn.test/ap/actors/1"]}, True),
        ({"cc": "https://lyon.esn.test/ap/actors/1"}, True),
        ({"tag": {"type": "Mention", "href": "https://lyon.esn.test/ap/actors/1"}}, True),
        ({"tag": [{"type": "Mention", "href": ["x"]}, "odd", None]}, False),
        ({"to": ["https://elsewhere.example/ap/actors/1"]}, False),
        (
            {"to": ["https://lyon.esn.test/ap/actors/1"], "inReplyTo": "https://lyon.esn.test/ap/objects/1"},
            False,
        ),
        ({"to": ["https://lyon.esn.test/ap/actors/1"], "inReplyTo": "https://a.example/1"}, True),
    ],
)
def test_what_an_unasked_mention_is(runtime: MakeRuntime, content: dict[str, Any], unasked: bool) -> None:
    config: Config = runtime(domain="lyon.esn.test").config
    create = {
        "type": "Create",
        "actor": "https://a.example/a",
        "object": {"id": "https://a.example/n"} | content,
    }
    assert is_unasked_mention(config, read_activity(create)) is unasked
    assert not is_unasked_mention(config, read_activity(create | {"type": "Update"}))
