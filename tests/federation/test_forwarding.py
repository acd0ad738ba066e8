"""Forwarding from the inbox (ActivityPub 7.1.2): proven answers reach the followers of whom they answer."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import orjson
import pytest
from sqlalchemy import delete

from esnfed.context import Context
from esnfed.federation import forwarding, peers
from esnfed.federation.keys import generate_ed25519
from esnfed.models import activity, actor, counter, delivery, follow, inbox_message, status
from esnfed.vocab import parse
from esnfed.vocab.terms import PUBLIC
from tests.federation.network import LiveNode, Network
from tests.federation.peer import Document, Peer
from tests.federation.test_proofs import key_of, proven, prover


class Thread:
    """Amina of Lyon wrote a post; Rita and Remi of one server follow her; Awa of another answers, proven."""

    def __init__(self, network: Network, lyon: LiveNode, readers: Peer, there: Peer) -> None:
        self.network, self.lyon, self.readers, self.there = network, lyon, readers, there
        self.pair = generate_ed25519()
        self.awa = prover(there, "awa", self.pair)
        self.amina: Any = None
        self.post = ""

    @classmethod
    async def begin(cls, network: Network, *, visibility: Any = "public") -> Thread:
        lyon = await network.node("lyon")
        readers = await Peer.start_in(network, "readers.esn.test")
        scene = cls(network, lyon, readers, await Peer.start_in(network, "awa.esn.test"))
        amina = await lyon.actor("amina")
        scene.amina = await lyon.row(amina)
        endpoints = {"sharedInbox": f"{readers.origin}/inbox"}
        followers = [readers.actor(name, endpoints=endpoints) for name in ("rita", "remi")]
        for peer, follower in ((readers, followers[0]), (readers, followers[1]), (scene.there, scene.awa)):
            assert await peer.post(lyon, peer.activity(follower, "Follow", scene.amina["uri"])) == 202
        await network.settle()
        post = await lyon.post(amina, "Bonjour", visibility=visibility)
        scene.post = (await lyon.one(status, id=post))["uri"]
        await network.settle()
        return scene

    def reply(self, name: str = "un", **changes: Any) -> Document:
        note = self.there.note(self.awa, name, inReplyTo=self.post, **self.addressed()) | changes
        return self.act("Create", note)

    def act(self, as_type: str, content: Any, **changes: Any) -> Document:
        published = parse.iso(self.network.now())
        return self.there.activity(
            self.awa, as_type, content, published=published, **(self.addressed() | changes)
        )

    def addressed(self) -> Document:
        return {"to": [PUBLIC], "cc": [self.amina["followers_uri"], self.amina["uri"]]}

    def prove(self, document: Document) -> Document:
        return proven(document, self.pair, key_of(self.awa), self.network.now())

    async def send(self, document: Document | bytes) -> None:
        """Awa's server sends it to Lyon, and all come to rest."""
        assert await self.there.post(self.lyon, document) == 202
        await self.network.settle()

    def forwarded(self) -> list[bytes]:
        """What of Awa's reached the readers' server."""
        posted = [seen.body for seen in self.readers.seen if seen.method == "POST"]
        return [body for body in posted if orjson.loads(body)["actor"] == self.awa["id"]]


async def test_the_bytes_go_on_unchanged_signed_by_whom_they_answer(network: Network) -> None:
    scene = await Thread.begin(network)
    body = orjson.dumps(scene.prove(scene.reply("Été")), option=orjson.OPT_INDENT_2) + b"\n"
    await scene.send(body)
    assert scene.forwarded() == [body]
    [request] = [seen for seen in scene.readers.seen if seen.body == body]
    assert f'keyId="{scene.amina["uri"]}#main-key"' in request.headers["Signature"]
    assert request.target == "/inbox"
    assert [seen for seen in scene.there.seen if seen.body == body] == []


async def test_what_was_forwarded_is_shown_neither_by_its_id_nor_in_the_outbox(network: Network) -> None:
    scene = await Thread.begin(network)
    create = scene.prove(scene.reply())
    await scene.send(create)
    row = await scene.lyon.one(activity, uri=create["id"])
    assert (row["public"], row["actor_id"]) == (False, scene.amina["id"])
    assert row["body"].encode() == scene.forwarded()[0]


async def test_another_node_believes_what_is_forwarded_to_it(network: Network) -> None:
    scene = await Thread.begin(network)
    dakar = await network.node("dakar")
    paul = await dakar.actor("paul")
    await dakar.follow(paul, await dakar.find("amina@lyon.esn.test"))
    await network.settle()
    post = await scene.lyon.post(scene.amina["id"], "Encore")
    await network.settle()
    scene.post = (await scene.lyon.one(status, id=post))["uri"]
    create = scene.prove(scene.reply())
    await scene.send(create)
    message = await dakar.one(inbox_message, uri=create["id"])
    assert (message["actor_uri"], message["scheme"], message["state"]) == (scene.awa["id"], "proof", "done")
    row = await dakar.status(create["object"]["id"])
    assert row is not None
    assert (row["content"], row["in_reply_to_uri"]) == ("<p>un</p>", scene.post)


async def test_an_edit_and_a_deletion_follow_their_answer(network: Network) -> None:
    scene = await Thread.begin(network)
    create = scene.prove(scene.reply())
    await scene.send(create)
    scene.network.advance(1000)
    note = create["object"] | {"content": "<p>deux</p>", "updated": parse.iso(scene.network.now())}
    update = scene.prove(scene.act("Update", note))
    await scene.send(update)
    removal = scene.prove(scene.act("Delete", {"id": note["id"], "type": "Tombstone"}))
    await scene.send(removal)
    assert [orjson.loads(body) for body in scene.forwarded()] == [create, update, removal]


async def test_nothing_is_forwarded_twice(network: Network) -> None:
    scene = await Thread.begin(network)
    create = scene.prove(scene.reply())
    await scene.send(create)
    scene.network.advance(1000)
    await scene.send(create)
    # Even when the inbox has forgotten it.
    await scene.lyon.write(lambda context: context.connection.execute(delete(inbox_message)).rowcount)
    scene.network.advance(1000)
    await scene.send(create)
    assert (await scene.lyon.one(inbox_message, uri=create["id"]))["state"] == "done"
    assert len(scene.forwarded()) == 1


async def test_what_is_no_change_of_an_answer_stays_here(network: Network) -> None:
    scene = await Thread.begin(network)
    create = scene.reply()
    await scene.send(create)
    boost = scene.prove(scene.act("Announce", create["object"]["id"]))
    await scene.send(boost)
    await scene.lyon.one(inbox_message, uri=boost["id"])
    assert scene.forwarded() == []


def _changed(scene: Thread) -> Document:
    """The signature is good, and the key of the proof is not known: the answer is kept, and stays here."""
    create = proven(scene.reply(), generate_ed25519(), f"{scene.awa['id']}#new-key", scene.network.now())
    create["object"]["content"] = "<p>deux</p>"
    return create


def _boost(scene: Thread) -> Document:
    return scene.prove(scene.act("Announce", scene.post))


NOT: dict[str, Callable[[Thread], Document]] = {
    "without a proof": lambda scene: scene.reply(),
    "with a proof by an unknown key": _changed,
    "to others than the followers": lambda scene: scene.prove(scene.reply() | {"cc": [scene.amina["uri"]]}),
    "an activity that is not public": lambda scene: scene.prove(
        scene.reply() | {"to": [], "cc": [scene.amina["followers_uri"], scene.amina["uri"]]}
    ),
    "a post that is not public": lambda scene: scene.prove(
        scene.reply(to=[scene.amina["uri"]], cc=[scene.amina["followers_uri"]])
    ),
    "no answer": lambda scene: scene.prove(scene.reply(inReplyTo=None)),
    "an answer to another": lambda scene: scene.prove(scene.reply(inReplyTo=f"{scene.there.origin}/notes/0")),
    "a like": lambda scene: scene.prove(scene.act("Like", scene.post)),
    "a boost": _boost,
}


@pytest.mark.parametrize("case", NOT)
async def test_not_forwarded(network: Network, case: str) -> None:
    scene = await Thread.begin(network)
    document = NOT[case](scene)
    await scene.send(document)
    assert (await scene.lyon.one(inbox_message, uri=document["id"]))["state"] == "done"
    assert scene.forwarded() == []
    assert await scene.lyon.rows(activity, uri=document["id"]) == []


async def test_what_answers_a_post_for_followers_stays_here(network: Network) -> None:
    scene = await Thread.begin(network, visibility="followers")
    await scene.send(scene.prove(scene.reply()))
    assert await scene.lyon.status(f"{scene.there.origin}/notes/un") is not None
    assert scene.forwarded() == []


async def test_a_blocked_server_is_forwarded_nothing(network: Network) -> None:
    scene = await Thread.begin(network)
    await scene.lyon.write(peers.set_standing, "readers.esn.test", "blocked", "test")
    await scene.send(scene.prove(scene.reply()))
    assert scene.forwarded() == []


async def test_the_number_in_an_hour_is_bounded(network: Network, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(forwarding, "MAX_IN_HOUR", 2)
    scene = await Thread.begin(network)
    for name in ("un", "deux", "trois"):
        await scene.send(scene.prove(scene.reply(name)))
    assert len(scene.forwarded()) == 2
    counted = {(row["name"], row["key"]): row["count"] for row in await scene.lyon.rows(counter)}
    assert counted == {("not-forwarded", "awa.esn.test"): 1}
    scene.network.advance(forwarding.HOUR + 1)
    await scene.send(scene.prove(scene.reply("quatre")))
    assert len(scene.forwarded()) == 3


async def test_the_number_of_inboxes_is_bounded(network: Network) -> None:
    scene = await Thread.begin(network)
    await scene.lyon.write(_followers, scene.amina["id"], forwarding.MAX_INBOXES + 20)
    create = scene.prove(scene.reply())
    assert await scene.there.post(scene.lyon, create) == 202
    await scene.lyon.node.inbox_worker.step()
    row = await scene.lyon.one(activity, uri=create["id"])
    assert len(await scene.lyon.rows(delivery, activity_id=row["id"])) == forwarding.MAX_INBOXES


def _followers(context: Context, target_id: int, number: int) -> None:
    """Rows of followers on as many servers."""
    for index in range(number):
        host = f"s{index}.esn.test"
        uri = f"https://{host}/users/x"
        actor_id = context.new_id()
        context.connection.execute(
            actor.insert(),
            {
                "id": actor_id, "as_type": "Person", "local": False, "handle": "x",
                "domain": host, "host": host, "uri": uri,
                "inbox": f"{uri}/inbox", "created_at": 0, "updated_at": 0,
            },
        )  # fmt: skip
        context.connection.execute(
            follow.insert(),
            {
                "id": context.new_id(), "actor_id": actor_id, "target_id": target_id, "state": "accepted",
                "uri": f"{uri}/follows/1", "created_at": 0,
            },
        )  # fmt: skip
