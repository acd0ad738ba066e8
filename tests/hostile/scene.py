"""Dakar with Paul, who follows the honest Amina of Lyon and Mallory of the hostile peer."""

from __future__ import annotations

import json
from dataclasses import dataclass
from math import ceil
from typing import Any

from sqlalchemy import Table

from esnfed.models import actor, actor_key, delivery, follow, inbox_message, job, status
from tests.doubles.hostile import HostileServer
from tests.federation.network import LiveNode, Network
from tests.federation.peer import Document, Peer

EVIL = "evil.esn.test"


class HostilePeer(Peer, HostileServer):
    """A peer that can sign, serve, and misbehave; `alias` gives it further names."""

    def alias(self, network: Network, *names: str) -> None:
        """Let further names lead here; the certificate must be for them (see `start_hostile`)."""
        network.hosts.update(dict.fromkeys(names, self.door))


async def start_hostile(network: Network, domain: str = EVIL, *more: str) -> HostilePeer:
    """Start a hostile peer under a domain and further names (`*.` covers one level); it ends with the network."""
    peer = HostilePeer(network, domain)
    await peer.start(network.authority.server_context(domain, *more))
    network.hosts[domain] = peer.door
    network.stack.push_async_callback(peer.stop)
    return peer


@dataclass(frozen=True)
class Scene:
    """The four of them."""

    network: Network
    lyon: LiveNode
    amina: int
    dakar: LiveNode
    paul: int
    evil: HostilePeer
    mallory: Document

    async def uri(self, node: LiveNode, actor_id: int) -> str:
        """The id of an actor on the wire."""
        return str((await node.row(actor_id))["uri"])

    async def victim(self) -> str:
        """Amina's id."""
        return await self.uri(self.lyon, self.amina)

    async def send(self, *activities: Document | bytes, status: int = 202, **settings: Any) -> None:
        """Post each to Dakar with Mallory's signature, and let Dakar deal with them."""
        for activity in activities:
            settings.setdefault("key_uri", self.mallory["publicKey"]["id"])
            found = await self.evil.post(self.dakar, activity, **settings)
            assert found == status, (found, str(activity)[:300])
        await self.network.settle()

    def create(self, name: str = "un", **changes: Any) -> Document:
        """A Create of a note of Mallory's."""
        return self.evil.activity(self.mallory, "Create", self.evil.note(self.mallory, name, **changes))

    async def honest(self, name: str = "après") -> None:
        """Check that an honest note of Mallory's still comes through: else a refusal would prove nothing."""
        await self.send(self.create(name))
        assert f"<p>{name}</p>" in [row["content"] for row in await self.dakar.home(self.paul)]

    async def notes(self) -> list[str]:
        """What each message came to, those without effect only."""
        return [row["note"] for row in await self.dakar.rows(inbox_message, state="ignored")]

    async def stuck(self) -> list[str]:
        """Messages that neither were dealt with nor ignored."""
        rows = await self.dakar.rows(inbox_message)
        return [f"{row['state']} {row['note']}" for row in rows if row["state"] not in ("done", "ignored")]

    async def snapshot(self, *tables: Table) -> str:
        """Everything in these tables of Dakar; by default all that somebody's deed could change."""
        chosen = tables or (actor_key, delivery, follow, inbox_message, job, status)
        identities = [
            (row["uri"], row["name"], row["domain"], row["inbox"], row["deleted_at"])
            for row in await self.dakar.rows(actor)
        ]
        return repr([identities, [await self.dakar.rows(table) for table in chosen]])


def pace_by_the_clock(network: Network, node: LiveNode) -> None:
    """Let fetches that wait for their turn move the clock, and sleep for no time at all."""

    async def sleep(seconds: float) -> None:
        network.advance(ceil(seconds * 1000))

    node.node.transport._pacer._sleep = sleep


async def play(network: Network) -> Scene:
    """Set the scene: both follows are accepted."""
    lyon, dakar = await network.node("lyon"), await network.node("dakar")
    pace_by_the_clock(network, dakar)
    amina, paul = await lyon.actor("amina"), await dakar.actor("paul")
    evil = await start_hostile(network)
    mallory = evil.actor("mallory")
    await dakar.follow(paul, await dakar.find("amina@lyon.esn.test"))
    await dakar.follow(paul, await dakar.find(f"mallory@{EVIL}"))
    await network.settle()
    scene = Scene(network, lyon, amina, dakar, paul, evil, mallory)
    [asked] = evil.received("Follow")
    await scene.send(evil.activity(mallory, "Accept", asked))
    assert {row["state"] for row in await dakar.rows(follow)} == {"accepted"}
    evil.seen.clear()
    return scene


def dumped(document: Document) -> bytes:
    """A document as bytes."""
    return json.dumps(document).encode()
