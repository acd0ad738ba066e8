"""What programs send, from their fixtures, with our actors in it: one program facing one node."""

from __future__ import annotations

import json
from pathlib import Path
from string import Template

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from esnfed.federation import proofs
from esnfed.federation.keys import generate_ed25519, load_private, multibase
from esnfed.models import follow, inbox_message, status
from esnfed.vocab import parse
from tests.doubles.server import Reply
from tests.federation.network import LiveNode, Network
from tests.federation.peer import PEM, Document, Peer

FIXTURES = Path(__file__).parent.parent / "fixtures"
GROUPS = ("community", "channel", "group")
"""What Lemmy, PeerTube and Mobilizon call the group that Alice writes in; the names of its fixtures."""

ED25519 = generate_ed25519()
"""The key of those who prove what they send (Mitra)."""


class Dialect:
    """One program facing Dakar: its documents, with Paul and his post put in."""

    def __init__(self, program: str, dakar: LiveNode, peer: Peer) -> None:
        self.program = program
        self.dakar = dakar
        self.peer = peer
        self.places = {"pem": json.dumps(PEM)[1:-1], "multibase": multibase(ED25519.public_der)}
        self.actor: Document = {}

    @staticmethod
    def folder(program: str) -> Path:
        """Where the fixtures of a program are."""
        return FIXTURES / program

    def has(self, name: str) -> bool:
        """Whether there is such a document of the program."""
        return (FIXTURES / self.program / f"{name}.json").exists()

    def read(self, name: str) -> Document:
        """A document of the program with the places filled in, and proven where the program proves."""
        text = (FIXTURES / self.program / f"{name}.json").read_text(encoding="utf-8")
        document: Document = json.loads(Template(text).safe_substitute(self.places))
        proof = document.get("proof")
        if proof is None:
            return document
        assert proof["proofValue"] == "${proof}"
        private = load_private(ED25519.private_der)
        assert isinstance(private, Ed25519PrivateKey)
        created = parse.timestamp(proof["created"])
        assert created is not None
        return proofs.add(document, proof["verificationMethod"], private, created)

    async def send(self, name: str) -> Document:
        """Send a document, if the program has it, and let it be dealt with."""
        document = self.read(name)
        key_uri = self.actor["publicKey"]["id"] if document["actor"] == self.actor["id"] else ""
        assert await self.peer.post(self.dakar, document, key_uri=key_uri) == 202
        while await self.dakar.node.inbox_worker.step():
            pass
        return document

    async def state_of(self, document: Document) -> str:
        """What became of an activity; those that may recur are stored under their id and signature."""
        uri = document.get("id")
        rows = await self.dakar.rows(inbox_message)
        known = [row for row in rows if row["uri"].partition("#signature:")[0] == uri]
        found = known if uri else [row for row in rows if row["as_type"] == "Delete"]
        return str(found[-1]["state"])


async def meet(network: Network, program: str) -> tuple[Dialect, int, int]:
    """Dakar's Paul with a post, and a running peer whose actor nobody has met yet."""
    dakar = await network.node("dakar")
    paul = await dakar.actor("paul")
    post = await dakar.post(paul, "Bonjour")
    peer = await Peer.start_in(network, f"{program}.esn.test")
    found = Dialect(program, dakar, peer)
    found.places |= {
        "paul": (await dakar.row(paul))["uri"],
        "post": (await dakar.one(status, id=post))["uri"],
    }
    found.actor = peer.serve(found.read("actor"))
    peer.finger("alice", found.actor["id"])
    for name, path in (("key", "/users/alice/main-key"), *((name, "") for name in GROUPS)):
        if found.has(name):
            other = peer.serve(found.read(name), path or None)
            if not path:
                peer.finger(other["preferredUsername"], other["id"])
    for inbox in (found.actor["inbox"], found.actor.get("endpoints", {}).get("sharedInbox", "")):
        peer.answers[inbox.removeprefix(peer.origin)] = Reply(202)
    return found, paul, post


async def become_friends(network: Network, found: Dialect, paul: int) -> None:
    """Follow in both directions, with the program's own Follow and Accept."""
    target = await found.dakar.find(f"alice@{found.peer.name}")
    await found.dakar.follow(paul, target)
    await network.settle()
    [asked] = found.peer.received("Follow")
    found.places["follow"] = asked["id"]
    assert await found.state_of(await found.send("accept")) == "done"
    assert (await found.dakar.one(follow, target_id=target))["state"] == "accepted"
    sent = await found.send("follow")
    assert (await found.dakar.one(follow, target_id=paul))["state"] == "accepted"
    await network.settle()
    [answer] = found.peer.received("Accept")
    assert answer["object"]["id"] == sent["id"]
