"""Object integrity proofs between live servers (FEP-8b32): which of ours carry one, whose are believed."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import orjson
import pytest
from aiohttp import ClientSession, TCPConnector
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from esnfed.federation import peers, proofs, proving
from esnfed.federation.keys import (
    KeyPair,
    from_multibase,
    generate_ed25519,
    load_private,
    load_public,
    multibase,
)
from esnfed.models import activity, inbox_message, replay, status
from esnfed.vocab import parse
from esnfed.vocab.terms import ACTIVITY_JSON, PUBLIC
from tests.federation.network import LiveNode, Network
from tests.federation.peer import Document, Peer

DAY = 24 * 3600 * 1000


def key_of(actor: Document) -> str:
    """The address of the key with which an actor of a peer proves."""
    return f"{actor['id']}#proof-key"


def listed(pair: KeyPair, uri: str, key_uri: str) -> Document:
    """A key as `assertionMethod` names it."""
    return {
        "id": key_uri,
        "type": "Multikey",
        "controller": uri,
        "publicKeyMultibase": multibase(pair.public_der),
    }


def prover(peer: Peer, name: str, pair: KeyPair) -> Document:
    """An actor of a peer that can prove."""
    uri = f"{peer.origin}/users/{name}"
    return peer.actor(name, assertionMethod=[listed(pair, uri, f"{uri}#proof-key")])


def proven(document: Document, pair: KeyPair, key_uri: str, created: int) -> Document:
    """The document with a proof."""
    private = load_private(pair.private_der)
    assert isinstance(private, Ed25519PrivateKey)
    return proofs.add(document, key_uri, private, created)


async def get(network: Network, node: LiveNode, path: str) -> bytes:
    """What anybody is answered."""
    url = f"https://127.0.0.1:{network.hosts[node.domain][1]}{path}"
    headers = {"Accept": ACTIVITY_JSON, "Host": node.domain}
    async with (
        ClientSession(connector=TCPConnector(ssl=False)) as session,
        session.get(url, headers=headers) as answer,
    ):
        assert answer.status == 200, (path, answer.status)
        return await answer.read()


class Audience:
    """A node with somebody of a peer who follows its actors, and so is sent what they publish."""

    def __init__(self, network: Network, node: LiveNode, peer: Peer, reader: Document) -> None:
        self.network, self.node, self.peer, self.reader = network, node, peer, reader

    @classmethod
    async def gather(cls, network: Network, **settings: Any) -> Audience:
        node = await network.node("lyon", **settings)
        peer = await Peer.start_in(network, "reader.esn.test")
        return cls(network, node, peer, peer.actor("rita"))

    async def author(self, handle: str, as_type: str) -> int:
        actor_id = await self.node.actor(handle, as_type)
        target = (await self.node.row(actor_id))["uri"]
        assert await self.peer.post(self.node, self.peer.activity(self.reader, "Follow", target)) == 202
        await self.network.settle()
        return actor_id

    def arrived(self, as_type: str) -> bytes:
        """The bytes of the last activity of a type that the reader was sent."""
        posted = [seen.body for seen in self.peer.seen if seen.method == "POST"]
        return [body for body in posted if orjson.loads(body)["type"] == as_type][-1]


async def test_what_is_sent_and_what_is_served_are_the_same_proven_bytes(network: Network) -> None:
    scene = await Audience.gather(network)
    author = await scene.author("sne", "Organization")
    await scene.node.post(author, "Été à Dakar")
    await network.settle()
    body = scene.arrived("Create")
    document = parse.load(body)
    path = document["id"].removeprefix(scene.node.origin)
    assert await get(network, scene.node, path) == body
    assert body in await get(network, scene.node, f"/ap/actors/{author}/outbox/0")
    stored = await scene.node.one(activity, uri=document["id"])
    assert "proof" not in parse.load(stored["body"].encode())
    actor = parse.load(await get(network, scene.node, f"/ap/actors/{author}"))
    [key] = actor["assertionMethod"]
    proof = proofs.find(document, network.now())
    assert proof is not None
    assert (proof.key_uri, key["controller"]) == (key["id"], document["actor"])
    assert proof.created == (parse.timestamp(document["published"]) or 0) // 1000 * 1000
    proofs.verify(proof, document, load_public(from_multibase(key["publicKeyMultibase"])))
    digest = next(seen.headers["Digest"] for seen in scene.peer.seen if seen.body == body)
    assert digest.startswith("SHA-256=")


async def test_every_public_activity_of_an_organisation_is_proven_and_none_that_is_not_public(
    network: Network,
) -> None:
    scene = await Audience.gather(network)
    author, node = await scene.author("sne", "Organization"), scene.node
    post = await node.post(author, "Bonjour")
    await node.revise(author, post, "Bonsoir")
    await node.interact("boost", author, post)
    await node.interact("unboost", author, post)
    await node.remove(author, post)
    await node.edit(author, name="SNE")
    unlisted = await node.post(author, "Pas sur la une", visibility="unlisted")
    await node.interact("like", author, unlisted)
    closed = [await node.post(author, "Entre nous", visibility=kind) for kind in ("followers", "direct")]
    await network.settle()
    rows = await node.rows(activity, actor_id=author)
    bodies = await node.read(proving.bodies, [row["id"] for row in rows])
    found = {row["id"]: parse.load(bodies[row["id"]].data) for row in rows}
    assert {row["as_type"] for row in rows} >= {"Create", "Update", "Announce", "Undo", "Delete", "Accept"}
    for row in rows:
        document = found[row["id"]]
        public = PUBLIC in (*document["to"], *document["cc"])
        assert ("proof" in document) == public, document
    assert {row["as_type"] for row in rows if "proof" not in found[row["id"]]} >= {"Create", "Accept"}
    hidden = [row for row in rows if row["object_uri"].endswith(tuple(map(str, closed)))]
    assert [bodies[row["id"]].data for row in hidden] == [row["body"].encode() for row in hidden]
    assert len(hidden) == 2


@pytest.mark.parametrize(("setting", "proves"), [("organisations", False), ("everybody", True)])
async def test_a_person_proves_only_where_the_node_chose_so(
    network: Network, setting: str, proves: bool
) -> None:
    scene = await Audience.gather(network, proofs=setting)
    author = await scene.author("amina", "Person")
    await scene.node.post(author, "Bonjour")
    await scene.node.post(author, "Entre nous", visibility="followers")
    await network.settle()
    closed, public = orjson.loads(scene.arrived("Create")), None
    for body in (seen.body for seen in scene.peer.seen if seen.method == "POST"):
        if PUBLIC in orjson.loads(body).get("to", []):
            public = orjson.loads(body)
    assert public is not None
    assert ("proof" in public) == proves
    assert "proof" not in closed
    assert "proof" not in orjson.loads(scene.arrived("Accept"))


@pytest.mark.parametrize(
    ("as_type", "actor_type", "public", "persons", "expected"),
    [
        ("Create", "Organization", True, False, True),
        ("Announce", "Group", True, False, True),
        ("Create", "Service", True, False, True),
        ("Update", "Application", True, False, True),
        ("Create", "Person", True, False, False),
        ("Create", "Person", True, True, True),
        ("Create", "Organization", False, True, False),
        ("Create", "Person", False, True, False),
        ("Accept", "Organization", True, True, False),
        ("Reject", "Application", True, True, False),
        ("Create", "Tombstone", True, True, False),
    ],
)
def test_who_proves_what(as_type: str, actor_type: str, public: bool, persons: bool, expected: bool) -> None:
    assert proving.is_proven(as_type, actor_type, public=public, persons=persons) is expected


class Relay:
    """Lyon, where Amina lives; Awa of one server, who proves; Bob of another, who delivers what she wrote."""

    def __init__(self, network: Network, lyon: LiveNode, there: Peer, carrier: Peer) -> None:
        self.network, self.lyon, self.there, self.carrier = network, lyon, there, carrier
        self.pair = generate_ed25519()
        self.awa, self.bob = prover(there, "awa", self.pair), carrier.actor("bob")
        self.amina = ""

    @classmethod
    async def gather(cls, network: Network) -> Relay:
        lyon = await network.node("lyon")
        there = await Peer.start_in(network, "awa.esn.test")
        carrier = await Peer.start_in(network, "bob.esn.test")
        scene = cls(network, lyon, there, carrier)
        scene.amina = (await lyon.row(await lyon.actor("amina")))["uri"]
        return scene

    def create(self, name: str = "un", **changes: Any) -> Document:
        note = self.there.note(self.awa, name, to=[PUBLIC, self.amina])
        return (
            self.there.activity(self.awa, "Create", note, published=parse.iso(self.network.now())) | changes
        )

    def prove(self, document: Document, created: int | None = None) -> Document:
        return proven(
            document, self.pair, key_of(self.awa), self.network.now() if created is None else created
        )

    async def deliver(self, document: Document) -> int:
        """Bob brings it."""
        return await self.carrier.post(self.lyon, document, key_uri=f"{self.bob['id']}#main-key")

    async def contents(self) -> list[tuple[str, str]]:
        """Who wrote what, as Lyon has it."""
        await self.network.settle()
        return [
            ((await self.lyon.row(row["actor_id"]))["uri"], row["content"])
            for row in await self.lyon.rows(status)
        ]


async def test_what_another_delivers_is_believed_by_its_proof_and_is_its_authors(network: Network) -> None:
    scene = await Relay.gather(network)
    create = scene.prove(scene.create())
    assert await scene.deliver(create) == 202
    message = await scene.lyon.one(inbox_message, uri=create["id"])
    assert (message["actor_uri"], message["host"]) == (scene.awa["id"], "awa.esn.test")
    assert message["scheme"] == "proof"
    assert await scene.contents() == [(scene.awa["id"], "<p>un</p>")]
    # Who wrote it may bring it too, and so may others again: it happens once.
    assert await scene.there.post(scene.lyon, create) == 202
    scene.network.advance(1000)
    assert await scene.deliver(create) == 202
    assert len(await scene.contents()) == 1
    assert len(await scene.lyon.rows(inbox_message, uri=create["id"])) == 1


def _changed(scene: Relay) -> Document:
    create = scene.prove(scene.create())
    create["object"]["content"] = "<p>deux</p>"
    return create


def _by_the_deliverer(scene: Relay) -> Document:
    """Bob's own key, which is good, for what Awa is said to have written."""
    other = generate_ed25519()
    scene.bob = prover(scene.carrier, "bob", other)
    return proven(scene.create(), other, key_of(scene.bob), scene.network.now())


def _by_a_neighbour(scene: Relay) -> Document:
    """Another actor of Awa's own server."""
    other = generate_ed25519()
    return proven(scene.create(), other, key_of(prover(scene.there, "eve", other)), scene.network.now())


def _by_an_unlisted_key(scene: Relay) -> Document:
    return proven(scene.create(), generate_ed25519(), f"{scene.awa['id']}#other-key", scene.network.now())


def _by_the_rsa_key(scene: Relay) -> Document:
    return proven(scene.create(), scene.pair, f"{scene.awa['id']}#main-key", scene.network.now())


def _of_another_controller(scene: Relay) -> Document:
    key = listed(scene.pair, scene.bob["id"], key_of(scene.awa))
    scene.awa = scene.there.actor("awa", assertionMethod=[key])
    return scene.prove(scene.create())


def _without_a_time(scene: Relay) -> Document:
    create = scene.prove(scene.create())
    del create["proof"]["created"]
    return create


def _too_large(scene: Relay) -> Document:
    create = scene.create()
    create["object"]["content"] = "x" * proofs.MAX_DOCUMENT
    return scene.prove(create)


REFUSED: dict[str, Callable[[Relay], Document]] = {
    "none": lambda scene: scene.create(),
    "changed": _changed,
    "by the deliverer": _by_the_deliverer,
    "by a neighbour": _by_a_neighbour,
    "by an unlisted key": _by_an_unlisted_key,
    "by the RSA key": _by_the_rsa_key,
    "of another controller": _of_another_controller,
    "without a time": _without_a_time,
    "of last week": lambda scene: scene.prove(scene.create(), scene.network.now() - 8 * DAY),
    "of tomorrow": lambda scene: scene.prove(scene.create(), scene.network.now() + DAY),
    "without an id": lambda scene: scene.prove(
        {name: value for name, value in scene.create().items() if name != "id"}
    ),
    "too large": _too_large,
    "a key that is a DID": lambda scene: proven(
        scene.create(),
        scene.pair,
        "did:key:z6MkrJVnaZkeFzdQyMZu1cgjg7k1pZZ6pvBQ7XJPt4swbTQ2",
        scene.network.now(),
    ),
}


@pytest.mark.parametrize("case", REFUSED)
async def test_what_another_delivers_is_refused_with_a_proof(network: Network, case: str) -> None:
    scene = await Relay.gather(network)
    document = REFUSED[case](scene)
    before = len(await scene.lyon.rows(replay))
    assert await scene.deliver(document) == 401
    assert await scene.lyon.rows(inbox_message) == []
    assert len(await scene.lyon.rows(replay)) == before
    assert await scene.contents() == []


async def test_a_key_on_another_server_is_not_even_asked_for(network: Network) -> None:
    scene = await Relay.gather(network)
    other, pair = await Peer.start_in(network, "eve.esn.test"), generate_ed25519()
    eve = prover(other, "eve", pair)
    assert await scene.deliver(proven(scene.create(), pair, key_of(eve), network.now())) == 401
    assert other.seen == []


@pytest.mark.parametrize("keyword", ["@graph", "@included", "@reverse"])
async def test_restructured_documents_are_refused_whatever_proves_them(
    network: Network, keyword: str
) -> None:
    scene = await Relay.gather(network)
    assert await scene.deliver(scene.prove(scene.create(**{keyword: []}))) == 400


@pytest.mark.parametrize("blocked", ["awa.esn.test", "bob.esn.test"])
async def test_neither_the_author_nor_the_deliverer_may_be_blocked(network: Network, blocked: str) -> None:
    scene = await Relay.gather(network)
    await scene.lyon.write(peers.set_standing, blocked, "blocked", "test")
    assert await scene.deliver(scene.prove(scene.create())) == 403
    assert await scene.lyon.rows(inbox_message) == []


async def test_a_key_that_changed_under_its_address_is_asked_for_again(network: Network) -> None:
    scene = await Relay.gather(network)
    assert await scene.deliver(scene.prove(scene.create("un"))) == 202
    scene.pair = generate_ed25519()
    prover(scene.there, "awa", scene.pair)
    scene.network.advance(600_000)
    assert await scene.deliver(scene.prove(scene.create("deux"))) == 202
    assert sorted(content for _, content in await scene.contents()) == ["<p>deux</p>", "<p>un</p>"]


async def test_who_signs_for_itself_needs_no_proof_but_a_wrong_one_is_not_let_through(
    network: Network,
) -> None:
    scene = await Relay.gather(network)
    lyon, there = scene.lyon, scene.there
    assert await there.post(lyon, scene.create("un")) == 202
    assert await there.post(lyon, scene.prove(scene.create("deux"))) == 202
    assert await there.post(lyon, _changed(scene)) == 401
    assert await there.post(lyon, _by_the_rsa_key(scene)) == 401
    # Of a kind, or by a key, that is not known here: the signature is enough.
    other = scene.prove(scene.create("trois"))
    other["proof"]["cryptosuite"] = "mldsa44-jcs-2024"
    assert await there.post(lyon, other) == 202
    assert await there.post(lyon, _by_an_unlisted_key(scene)) == 202
    assert len(await scene.lyon.rows(inbox_message)) == 4
    assert {row["scheme"] for row in await scene.lyon.rows(inbox_message)} == {"cavage"}
