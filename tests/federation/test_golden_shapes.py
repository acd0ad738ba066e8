"""The exact shape of everything we send, one file each in `tests/fixtures/golden`.

A change of a golden file is a change of the wire: `ESNFED_GOLDEN=write` writes them anew, for review.
"""

from __future__ import annotations

import json
import os
import re
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from aiohttp import ClientSession, TCPConnector

from esnfed.models import follow
from esnfed.records import service
from esnfed.services import statuses
from esnfed.vocab.terms import ACTIVITY_JSON
from tests.conftest import MakeRuntime, Prepare
from tests.doubles.authority import Authority
from tests.federation.network import LiveNode, Network, open_network
from tests.federation.peer import Document, Peer
from tests.unit.records.sheets import call, project

GOLDEN = Path(__file__).parent.parent / "fixtures" / "golden"

_NUMBER = re.compile(r"\d{15,}")
_KEYS = (
    (re.compile(r"-----BEGIN PUBLIC KEY-----[^-]*-----END PUBLIC KEY-----(\\n)?"), "PEM"),
    (re.compile(r'(?<="publicKeyMultibase": ")[^"]+'), "MULTIBASE"),
    (re.compile(r'(?<="proofValue": ")[^"]+'), "PROOF"),
)


@pytest.fixture
async def network(
    runtime: MakeRuntime, prepare_sqlite: Prepare, authority: Authority
) -> AsyncIterator[Network]:
    """Live nodes on SQLite: documents are composed from rows, alike on both back ends."""
    async with open_network(runtime, prepare_sqlite, authority) as found:
        yield found


def golden(name: str, document: Document) -> None:
    """Compare a document with its golden file, order of properties included, ids and keys apart."""
    text = json.dumps(document, ensure_ascii=False, indent=2)
    for pattern, word in _KEYS:
        text = pattern.sub(word, text)
    numbers: dict[str, str] = {}
    text = _NUMBER.sub(lambda found: numbers.setdefault(found[0], f"ID{len(numbers) + 1}"), text) + "\n"
    path = GOLDEN / f"{name}.json"
    if os.environ.get("ESNFED_GOLDEN") == "write":
        path.write_text(text, encoding="utf-8")
    assert json.loads(text) == json.loads(path.read_text(encoding="utf-8"))
    assert text == path.read_text(encoding="utf-8")


class Desk:
    """Dakar with Paul and a union, and a peer whose Mira they know; it keeps what Dakar sends."""

    def __init__(self, network: Network, dakar: LiveNode, peer: Peer, mira: Document) -> None:
        self.network = network
        self.dakar = dakar
        self.peer = peer
        self.mira = mira

    async def hear(self, activity: Document) -> None:
        """Let Mira send an activity."""
        assert await self.peer.post(self.dakar, activity) == 202
        await self.network.settle()

    async def sent(self, as_type: str) -> Document:
        """The last activity of a type that arrived at the peer."""
        await self.network.settle()
        return self.peer.received(as_type)[-1]

    async def served(self, uri: str) -> Document:
        """A document as the peer gets it when it asks for its id."""
        host, port = self.network.hosts[self.dakar.domain]
        url = uri.replace(self.dakar.origin, f"https://{host}:{port}")
        headers = {"Host": self.dakar.domain, "Accept": ACTIVITY_JSON}
        async with (
            ClientSession(connector=TCPConnector(ssl=False)) as session,
            session.get(url, headers=headers) as answer,
        ):
            assert answer.status in (200, 410)
            document: Document = await answer.json(content_type=ACTIVITY_JSON)
            return document


@pytest.fixture
async def desk(network: Network) -> Desk:
    dakar = await network.node("dakar")
    peer = await Peer.start_in(network, "peer.esn.test")
    return Desk(network, dakar, peer, peer.actor("mira"))


async def friends(desk: Desk, actor_id: int) -> int:
    """Let Mira follow a local actor; return Mira's row id."""
    uri = (await desk.dakar.row(actor_id))["uri"]
    mira = await desk.dakar.find("mira@peer.esn.test")
    await desk.hear(desk.peer.activity(desk.mira, "Follow", uri))
    return mira


async def test_actors(desk: Desk) -> None:
    person = await desk.dakar.actor(
        "paul",
        name="Paul Diop",
        summary="<p>Instituteur</p>",
        fields=[{"name": "Rôle", "value": "enseignant"}],
        locked=True,
    )
    union = await desk.dakar.actor("sne", "Organization", name="SNE", discoverable=True, indexable=True)
    golden("person", await desk.served((await desk.dakar.row(person))["uri"]))
    golden("organization", await desk.served((await desk.dakar.row(union))["uri"]))
    golden("application", await desk.served("https://dakar.esn.test/relay"))


async def test_create_update_and_delete_of_a_plain_post(desk: Desk) -> None:
    paul = await desk.dakar.actor("paul")
    await friends(desk, paul)
    post = await desk.dakar.post(paul, "Bonjour")
    golden("create", await desk.sent("Create"))
    uri = f"https://dakar.esn.test/ap/objects/{post}"
    golden("note", await desk.served(uri))
    desk.network.advance(1000)
    await desk.dakar.revise(paul, post, "Bonsoir")
    golden("update_note", await desk.sent("Update"))
    await desk.dakar.remove(paul, post)
    golden("delete", await desk.sent("Delete"))
    golden("tombstone", await desk.served(uri))


async def test_a_reply_with_everything_that_a_note_can_carry(desk: Desk) -> None:
    paul = await desk.dakar.actor("paul")
    mira = await friends(desk, paul)
    note = desk.peer.note(desk.mira, "un", cc=[desk.mira["followers"], (await desk.dakar.row(paul))["uri"]])
    await desk.hear(desk.peer.activity(desk.mira, "Create", note))
    parent = (await desk.dakar.status(note["id"])) or {}
    draft = statuses.Draft(
        paul,
        "unlisted",
        {"fr": "<p>Santé !</p>", "en": "<p>Health!</p>", "es": "<p>¡Salud!</p>"},
        tags=["Santé", "École"],
        mentions=[mira],
        summary="Sujet sensible",
        in_reply_to_id=parent["id"],
    )
    await desk.dakar.write(statuses.post, draft)
    golden("create_reply", await desk.sent("Create"))


@pytest.mark.parametrize("visibility", ["followers", "direct"])
async def test_a_post_that_is_not_public(desk: Desk, visibility: str) -> None:
    paul = await desk.dakar.actor("paul")
    mira = await friends(desk, paul)
    await desk.dakar.post(paul, "Entre nous", visibility=visibility, mentions=[mira])  # type: ignore[arg-type]
    golden(f"create_{visibility}", await desk.sent("Create"))


@pytest.mark.parametrize(("kind", "sheet"), [("project", project()), ("call", call())])
async def test_a_note_with_a_record(desk: Desk, kind: str, sheet: Document) -> None:
    union = await desk.dakar.actor("sne", "Organization", name="SNE")
    await friends(desk, union)
    plan = await desk.dakar.read(service.prepare_announcement, union, kind, sheet)
    await desk.dakar.write(service.apply_announcement, plan)
    golden(f"create_{kind}", await desk.sent("Create"))
    desk.network.advance(1000)
    closing = await desk.dakar.read(service.prepare_closing, union, plan.status_id)
    await desk.dakar.write(service.apply_revision, closing)
    golden(f"update_{kind}_closed", await desk.sent("Update"))


async def test_likes_and_boosts(desk: Desk) -> None:
    paul = await desk.dakar.actor("paul")
    await friends(desk, paul)
    note = desk.peer.note(desk.mira, "un", cc=[(await desk.dakar.row(paul))["uri"]])
    await desk.hear(desk.peer.activity(desk.mira, "Create", note))
    post = ((await desk.dakar.status(note["id"])) or {})["id"]
    for name, as_type in (("like", "Like"), ("boost", "Announce")):
        await desk.dakar.interact(name, paul, post)
        golden(as_type.lower(), await desk.sent(as_type))
        await desk.dakar.interact(f"un{name}", paul, post)
        golden(f"undo_{as_type.lower()}", await desk.sent("Undo"))


async def test_follows_and_their_answers(desk: Desk) -> None:
    paul, locked = await desk.dakar.actor("paul"), await desk.dakar.actor("awa", locked=True)
    mira = await friends(desk, paul)
    golden("accept", await desk.sent("Accept"))
    await desk.dakar.follow(paul, mira)
    golden("follow", await desk.sent("Follow"))
    await desk.dakar.unfollow(paul, mira)
    golden("undo_follow", await desk.sent("Undo"))
    await friends(desk, locked)
    [asked] = [row for row in await desk.dakar.rows(follow) if row["target_id"] == locked]
    await desk.dakar.answer("reject", locked, asked)
    golden("reject", await desk.sent("Reject"))


async def test_a_profile_change_and_the_end_of_an_actor(desk: Desk) -> None:
    paul = await desk.dakar.actor("paul")
    await friends(desk, paul)
    desk.network.advance(1000)
    await desk.dakar.edit(paul, name="Paul D.")
    golden("update_person", await desk.sent("Update"))
    await desk.dakar.delete_actor(paul)
    golden("delete_person", await desk.sent("Delete"))


def test_every_golden_file_belongs_to_a_test() -> None:
    """A file that nothing compares would be a promise that nobody keeps."""
    source = Path(__file__).read_text(encoding="utf-8")
    made = {"like", "undo_like", "announce", "undo_announce", "create_followers", "create_direct"}
    made |= {f"create_{kind}" for kind in ("project", "call")}
    made |= {f"update_{kind}_closed" for kind in ("project", "call")}
    for path in GOLDEN.glob("*.json"):
        assert path.stem in made or f'golden("{path.stem}"' in source, path.stem
