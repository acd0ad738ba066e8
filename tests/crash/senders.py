"""The other side of the load: actors of a signing peer that send until they are answered 202, and sinks."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from random import Random
from typing import Any

from aiohttp import ClientError, ClientSession, TCPConnector, web

from esnfed.federation.keys import load_private
from esnfed.federation.signatures import Signer, sign
from esnfed.vocab import parse
from esnfed.vocab.terms import ACTIVITY_JSON
from tests.doubles.server import Handler
from tests.federation.network import Network
from tests.federation.peer import RSA, Document, Peer

PRIVATE = load_private(RSA.private_der)
DAY = 24 * 3600 * 1000
REPEATED = 0.1
"""How often a peer sends again what was answered, as if the answer had been lost."""


class SigningPeer(Peer):
    """A peer whose clock is that of the network also while no node of it runs in this process."""

    def now(self) -> int:
        """The time, in milliseconds."""
        return int(self._network.nodes[0].node.runtime.clock())


@dataclass
class Expected:
    """What must be true of one pen in the end, if everything it sent has exactly one effect."""

    notes: dict[str, str] = field(default_factory=dict)
    """Notes that live: id -> content."""

    answers: dict[str, str] = field(default_factory=dict)
    """Replies among them: id -> id of the local post."""

    likes: dict[str, str] = field(default_factory=dict)
    boosts: dict[str, str] = field(default_factory=dict)
    """Local post -> id of the activity that stands."""

    follows: bool = False


class Pen:
    """An actor of the peer: sends one activity after the other, each until it is acknowledged."""

    def __init__(
        self, peer: SigningPeer, name: str, chance: Random, targets: list[str], followed: str
    ) -> None:
        self.peer = peer
        self.document = peer.actor(name)
        self.expected = Expected()
        self.acknowledged: list[str] = []
        self.sent = 0
        self.refusals: dict[int, int] = {}
        self._name = name
        self._chance = chance
        self._targets = targets
        self._followed = followed
        self._follow_uri = ""
        self._head: Document | None = None
        self._number = 0
        self._epoch = self.peer.now() - 7 * DAY

    def next(self) -> Document:
        """The activity that is sent now: the one that was not yet acknowledged, or a new one."""
        if self._head is None:
            deeds = (self._write, self._write, self._answer, self._like, self._boost, self._follow)
            self._head = self._chance.choice((*deeds, self._revise, self._delete))()
        return self._head

    def _write(self, **changes: Any) -> Document:
        self._number += 1
        note = self.peer.note(self.document, f"{self._name}-{self._number}", **changes)
        self.expected.notes[note["id"]] = note["content"]
        return self.peer.activity(self.document, "Create", note)

    def _answer(self) -> Document:
        target = self._chance.choice(self._targets)
        create = self._write(inReplyTo=target)
        self.expected.answers[create["object"]["id"]] = target
        return create

    def _revise(self) -> Document:
        if not self.expected.notes:
            return self._write()
        uri = self._chance.choice(sorted(self.expected.notes))
        self._number += 1
        note = self.peer.note(self.document, uri.rpartition("/")[2])
        note["content"] = self.expected.notes[uri] = f"<p>revised {self._number}</p>"
        if uri in self.expected.answers:
            note["inReplyTo"] = self.expected.answers[uri]
        note["updated"] = parse.iso(self._epoch + self._number * 1000)  # rises, however fast they follow
        return self.peer.activity(self.document, "Update", note)

    def _delete(self) -> Document:
        if not self.expected.notes:
            return self._write()
        uri = self._chance.choice(sorted(self.expected.notes))
        del self.expected.notes[uri]
        self.expected.answers.pop(uri, None)
        return self.peer.activity(self.document, "Delete", {"id": uri, "type": "Tombstone"})

    def _like(self) -> Document:
        return self._toggle("Like", self.expected.likes)

    def _boost(self) -> Document:
        return self._toggle("Announce", self.expected.boosts)

    def _toggle(self, as_type: str, standing: dict[str, str]) -> Document:
        target = self._chance.choice(self._targets)
        if target in standing:
            inner = {
                "id": standing.pop(target),
                "type": as_type,
                "actor": self.document["id"],
                "object": target,
            }
            return self.peer.activity(self.document, "Undo", inner)
        made = self.peer.activity(self.document, as_type, target)
        standing[target] = made["id"]
        return made

    def _follow(self) -> Document:
        if self.expected.follows:
            self.expected.follows = False
            actor = self.document["id"]
            inner = {"id": self._follow_uri, "type": "Follow", "actor": actor, "object": self._followed}
            return self.peer.activity(self.document, "Undo", inner)
        self.expected.follows = True
        made = self.peer.activity(self.document, "Follow", self._followed)
        self._follow_uri = made["id"]
        return made

    async def send_until(self, over: asyncio.Event, session: ClientSession, port: int, domain: str) -> None:
        """Send without a pause until the event; what is under way then is broken off."""
        while not over.is_set():
            activity = self.next()
            if await self.deliver(activity, session, port, domain):
                self._head = None
                if self._chance.random() < REPEATED:
                    await self.deliver(activity, session, port, domain)

    async def finish(self, session: ClientSession, port: int, domain: str) -> None:
        """Send what was begun, to a node that stays up."""
        if self._head is not None:
            assert await self.deliver(self._head, session, port, domain)
            self._head = None

    async def deliver(self, activity: Document, session: ClientSession, port: int, domain: str) -> bool:
        """Sign and send one activity; True when it was answered 202."""
        body = json.dumps(activity).encode()
        signer = Signer(f"{self.document['id']}#main-key", PRIVATE)
        headers = sign("cavage", signer, "POST", f"https://{domain}/inbox", body, self.peer.now())
        headers |= {"Content-Type": ACTIVITY_JSON, "Host": domain}
        self.sent += 1
        try:
            async with session.post(f"https://127.0.0.1:{port}/inbox", data=body, headers=headers) as answer:
                status = answer.status
        except (ClientError, OSError):
            await asyncio.sleep(0.01)
            return False
        if status == 202:
            if activity["id"] not in self.acknowledged[-1:]:
                self.acknowledged.append(activity["id"])
            return True
        self.refusals[status] = self.refusals.get(status, 0) + 1
        await asyncio.sleep(0.05)
        return False


@dataclass(frozen=True)
class Arrival:
    """One activity that reached a sink, whatever the sink answered."""

    number: int
    """The local id of the activity: it rises with time."""

    as_type: str
    object_uri: str
    content: str


class Sink:
    """An inbox on a server of its own that answers, refuses or hangs, as its mood is."""

    def __init__(self, peer: Peer, mood: str, chance: Random) -> None:
        self.peer = peer
        self.mood = mood
        self.arrivals: list[Arrival] = []
        self.document = peer.actor("reader")
        self._chance = chance
        self._moods: dict[str, Handler] = {"kind": self._kind, "surly": self._surly, "mute": peer.silent}
        peer.answers["/users/reader/inbox"] = self._receive

    async def _receive(self, request: web.BaseRequest) -> web.StreamResponse:
        document = json.loads(self.peer.seen.pop().body)
        content = document.get("object")
        if isinstance(content, dict) and document["type"] in ("Create", "Update", "Delete"):
            number = int(document["id"].rpartition("/")[2].partition("#")[0])
            text = str(content.get("content", ""))
            self.arrivals.append(Arrival(number, document["type"], content["id"], text))
        answer: Callable[[web.BaseRequest], Awaitable[web.StreamResponse]] = self._moods[self.mood]
        return await answer(request)

    async def _kind(self, _request: web.BaseRequest) -> web.StreamResponse:
        return web.Response(status=202)

    async def _surly(self, request: web.BaseRequest) -> web.StreamResponse:
        what = self._chance.random()
        if what < 0.6:
            return web.Response(status=202)
        if what < 0.8:
            return web.Response(status=503)
        assert request.transport is not None
        request.transport.abort()
        return web.Response(status=500)


async def peer_in(network: Network, domain: str) -> SigningPeer:
    """Start a peer of the network."""
    peer = SigningPeer(network, domain)
    await peer.start(network.authority.server_context(domain))
    network.hosts[domain] = peer.door
    network.stack.push_async_callback(peer.stop)
    return peer


def client() -> ClientSession:
    """A client that keeps its connections, as a real peer does."""
    return ClientSession(connector=TCPConnector(ssl=False, limit=0))
