"""Documents with anything anywhere, through the real inbox and the real handlers, on both back ends.

Whatever comes, the inbox answers 202 or names the sender's fault, and every stored message is dealt with:
nothing is parked, nothing waits, nothing unexpected is logged.
"""

from __future__ import annotations

import asyncio
import json
import logging
from copy import deepcopy
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from esnfed.models import follow, inbox_message
from esnfed.vocab.terms import PUBLIC
from tests.doubles.server import Reply
from tests.federation.network import LiveNode, Network
from tests.federation.peer import Document, Peer

BATCH = 20
NODE = "https://dakar.esn.test"
PEER = "https://odd.esn.test"
MALLORY = f"{PEER}/users/mallory"

TEXTS = (
    "",
    " ",
    "\x00",
    "a\x00b",
    "\ud800",
    "x\udfffy",
    "\u202e",
    "💥" * 50,
    "a" * 5_000,
    "<p>" * 500,
    "<svg><math><script>alert(1)</script>",
    "&#xD800;&#0;",
    "#",
    "@@",
    "Note",
    "Person",
    "Tombstone",
    "fr",
    "xx-" * 20,
    "2026-13-45T99:99:99Z",
    "0001-01-01T00:00:00Z",
    "9999-12-31T23:59:59.999999+14:00",
    "-0001-01-01",
    PUBLIC,
    "as:Public",
    "about:blank",
    "javascript:alert(1)",
    "https://",
    "https://[::1",
    "https://odd.esn.test:99999/",
    "https://nowhere.invalid/x",
    "//odd.esn.test/x",
    "https://odd.esn.test/missing",
    "https://odd.esn.test/\x00",
    "https://odd.esn.test/\u2028",
    MALLORY,
    f"{MALLORY}/followers",
    f"{PEER}/notes/known",
    f"{NODE}/",
    f"{NODE}/relay",
    f"{NODE}/ap/actors/0",
    f"{NODE}/ap/objects/99999999999999999999",
)
NUMBERS = (0, -1, 1, 2**31, 2**63, -(2**63), 2**64 - 1, 0.5, -0.0, 1e308, True, False)

scalars = st.one_of(st.none(), st.sampled_from(TEXTS), st.sampled_from(NUMBERS))
odd: st.SearchStrategy[Any] = st.recursive(
    scalars,
    lambda inner: st.one_of(
        st.lists(inner, max_size=4),
        st.dictionaries(
            st.sampled_from(
                (
                    "id",
                    "type",
                    "href",
                    "url",
                    "name",
                    "content",
                    "object",
                    "actor",
                    "icon",
                    "kind",
                    "fr",
                    "\x00",
                )
            ),
            inner,
            max_size=4,
        ),
    ),
    max_leaves=6,
)

NOTE: Document = {
    "id": f"{PEER}/notes/NUMBER",
    "type": "Note",
    "attributedTo": MALLORY,
    "to": [PUBLIC],
    "cc": [f"{MALLORY}/followers", f"{NODE}/ap/actors/PAUL"],
    "published": "2026-01-01T00:00:00Z",
    "updated": "2026-01-01T00:00:00Z",
    "url": [{"type": "Link", "mediaType": "text/html", "href": f"{PEER}/@mallory/NUMBER"}],
    "summary": "Attention",
    "sensitive": True,
    "name": None,
    "content": "<p>Bonjour</p>",
    "contentMap": {"fr": "<p>Bonjour</p>", "en": "<p>Hello</p>"},
    "inReplyTo": f"{PEER}/notes/known",
    "context": f"{PEER}/contexts/1",
    "conversation": "tag:odd.esn.test,2026:1",
    "tag": [
        {"type": "Mention", "href": f"{NODE}/ap/actors/PAUL", "name": "@paul"},
        {"type": "Hashtag", "name": "#Santé", "href": f"{PEER}/tags/sante"},
        {"type": "Emoji", "name": ":x:", "icon": {"type": "Image", "url": f"{PEER}/x.png"}},
    ],
    "attachment": [
        {
            "type": "Document",
            "mediaType": "image/png",
            "url": f"{PEER}/a.png",
            "name": "alt",
            "summary": "alt",
            "blurhash": "U",
            "width": 1,
            "height": 1,
            "focalPoint": [0.1, -0.1],
        }
    ],
    "esn:record": {
        "kind": "project",
        "schema": 1,
        "version": 1,
        "title": {"fr": "Projet"},
        "summary": {"fr": "Résumé"},
        "territories": ["FR"],
        "themes": ["pupils-health"],
        "sdg": ["3"],
        "status": "implementation",
        "state": "open",
    },
}
ACTOR: Document = {
    "id": MALLORY,
    "type": "Person",
    "preferredUsername": "mallory",
    "name": "Mallory",
    "summary": "<p>Moi</p>",
    "inbox": f"{MALLORY}/inbox",
    "outbox": f"{MALLORY}/outbox",
    "followers": f"{MALLORY}/followers",
    "url": f"{PEER}/@mallory",
    "endpoints": {"sharedInbox": f"{PEER}/inbox"},
    "icon": {"type": "Image", "url": f"{PEER}/i.png", "summary": "alt"},
    "attachment": [{"type": "PropertyValue", "name": "a", "value": "b"}],
    "tag": [{"type": "Emoji", "name": ":x:", "icon": {"url": f"{PEER}/x.png"}}],
    "alsoKnownAs": [f"{PEER}/users/old"],
    "published": "2026-01-01T00:00:00Z",
    "updated": "2026-01-01T00:00:00Z",
    "manuallyApprovesFollowers": False,
}
OBJECTS: dict[str, tuple[Any, ...]] = {
    "Create": (NOTE,),
    "Update": (NOTE, NOTE | {"id": f"{PEER}/notes/known"}, ACTOR),
    "Delete": ({"id": f"{PEER}/notes/NUMBER", "type": "Tombstone", "formerType": "Note"}, MALLORY + "x"),
    "Announce": (f"{PEER}/notes/known", f"{PEER}/odd/NUMBER", NOTE),
    "Follow": (f"{NODE}/ap/actors/PAUL",),
    "Accept": ({"id": "FOLLOW", "type": "Follow", "actor": f"{NODE}/ap/actors/PAUL", "object": MALLORY},),
    "Reject": ({"id": f"{PEER}/1", "type": "Follow", "actor": f"{NODE}/ap/actors/PAUL", "object": MALLORY},),
    "Like": (f"{PEER}/notes/known",),
    "Undo": (
        {"id": f"{PEER}/1", "type": "Like", "actor": MALLORY, "object": f"{PEER}/notes/known"},
        {"id": f"{PEER}/1", "type": "Announce", "actor": MALLORY, "object": f"{PEER}/notes/known"},
        {"id": f"{PEER}/1", "type": "Follow", "actor": MALLORY, "object": f"{NODE}/ap/actors/PAUL"},
        f"{PEER}/1",
    ),
}


def places(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """The path of every value inside a document, the document itself included."""
    found = [path]
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, inner in items:
        found += places(inner, (*path, key))
    return found


def put(document: Any, path: tuple[Any, ...], value: Any) -> Any:
    """Replace the value at a path; a path that an earlier change took away changes nothing."""
    if not path:
        return value
    place = document
    for key in path[:-1]:
        try:
            place = place[key]
        except (KeyError, IndexError, TypeError):
            return document
    if isinstance(place, dict) or (isinstance(place, list) and path[-1] < len(place)):
        place[path[-1]] = value
    return document


@st.composite
def activities(draw: st.DrawFn) -> Document:
    """An activity of Mallory's with one to three odd values anywhere but in `actor` and the activity's id."""
    as_type = draw(st.sampled_from(sorted(OBJECTS)))
    content = deepcopy(draw(st.sampled_from(OBJECTS[as_type])))
    envelope = {"to": [PUBLIC], "cc": [f"{MALLORY}/followers"], "published": "2026-01-01T00:00:00Z"}
    document = {"@context": "https://www.w3.org/ns/activitystreams", "type": as_type} | envelope
    document["object"] = content
    for _ in range(draw(st.integers(1, 3))):
        paths = [path for path in places(document) if path and path != ("type",)]
        document = put(document, draw(st.sampled_from(paths)), draw(odd))
    return document | {"actor": MALLORY}


class Scene:
    """Dakar with Paul, who follows Mallory of the odd peer."""

    def __init__(self, network: Network, dakar: LiveNode, paul: int, peer: Peer) -> None:
        self.network = network
        self.dakar = dakar
        self.paul = paul
        self.peer = peer
        self.number = 0

    async def post(self, document: Document) -> int:
        """Fill in what makes the document of this scene and this moment, and send it."""
        self.number += 1
        text = json.dumps(document | {"id": f"{PEER}/activities/{self.number}"})
        text = text.replace("NUMBER", str(self.number)).replace("PAUL", str(self.paul))
        return await self.peer.post(self.dakar, text.encode(), key_uri=f"{MALLORY}#main-key")

    async def serve_odd(self, document: Document) -> None:
        """Let the object of the next activity be what a fetch brings, when it is a document at all."""
        content = document.get("object")
        text = json.dumps(content).replace("PAUL", str(self.paul))
        self.peer.answers[f"/odd/{self.number + 1}"] = Reply(200, text.encode())


@pytest.fixture
async def scene(network: Network) -> Scene:
    dakar = await network.node("dakar")
    paul = await dakar.actor("paul")
    peer = await Peer.start_in(network, "odd.esn.test")
    mallory = peer.actor("mallory")
    await dakar.follow(paul, await dakar.find("mallory@odd.esn.test"))
    await network.settle()
    [asked] = peer.received("Follow")
    known = peer.note(mallory, "known")
    for activity in (peer.activity(mallory, "Accept", asked), peer.activity(mallory, "Create", known)):
        assert await peer.post(dakar, activity | {"id": f"{activity['id']}/first"}) == 202
    await network.settle()
    assert [row["state"] for row in await dakar.rows(follow)] == ["accepted"]
    assert len(await dakar.home(paul)) == 1
    return Scene(network, dakar, paul, peer)


SWEPT: tuple[Any, ...] = ("a\x00b", None, 2**63, 0.5, True, [], {"id": None}, [[{}]])
STEP = 10


async def test_no_odd_value_in_any_place_breaks_a_handler(
    scene: Scene, caplog: pytest.LogCaptureFixture
) -> None:
    """Every place of every kind of activity, with every sort of value that does not belong there."""
    swept = []
    for as_type, contents in OBJECTS.items():
        content = ACTOR if as_type == "Update" else contents[0]
        document = {"type": as_type, "actor": MALLORY, "to": [PUBLIC], "cc": [], "object": content}
        swept += [
            put(deepcopy(document), path, value)
            for path in places(document)
            if path and path[0] != "actor"
            for value in SWEPT
        ]
    for start in range(0, len(swept), STEP):
        scene.network.advance(10_000)  # what is fetched waits for its turn
        answers = [await scene.post(document) for document in swept[start : start + STEP]]
        assert set(answers) <= {202, 400}
        await scene.dakar.node.inbox_worker.step()
    await settled(scene, caplog)


EASY = settings(
    max_examples=8,
    deadline=None,
    derandomize=True,
    database=None,
    suppress_health_check=list(HealthCheck),
)


@given(batch=st.lists(activities(), min_size=BATCH, max_size=BATCH))
@EASY
async def test_no_document_breaks_the_inbox_or_a_handler(
    scene: Scene, caplog: pytest.LogCaptureFixture, batch: list[Document]
) -> None:
    caplog.clear()
    scene.network.advance(60_000)
    answers = await asyncio.gather(*(scene.post(document) for document in batch))
    assert set(answers) <= {202, 400, 401}, [
        document for document, status in zip(batch, answers, strict=True) if status not in (202, 400, 401)
    ]
    await settled(scene, caplog)


@given(documents=st.lists(activities(), min_size=BATCH, max_size=BATCH))
@EASY
async def test_no_fetched_document_breaks_a_handler(
    scene: Scene, caplog: pytest.LogCaptureFixture, documents: list[Document]
) -> None:
    """What an Announce, a Create or an Update names by id alone is as odd as what it may embed."""
    caplog.clear()
    for index, document in enumerate(documents):
        await scene.serve_odd(document)
        scene.network.advance(10_000)
        as_type = ("Announce", "Create", "Update")[index % 3]
        plain = {"type": as_type, "actor": MALLORY, "to": [PUBLIC], "object": f"{PEER}/odd/NUMBER"}
        assert await scene.post(plain) == 202
        await scene.dakar.node.inbox_worker.step()  # one by one: fetches wait for their turn
    await settled(scene, caplog)


async def settled(scene: Scene, caplog: pytest.LogCaptureFixture) -> None:
    await scene.network.settle()
    unexpected = [record for record in caplog.records if record.levelno >= logging.ERROR]
    assert unexpected == []
    left = [row for row in await scene.dakar.rows(inbox_message) if row["state"] not in ("done", "ignored")]
    assert [(row["as_type"], row["state"], row["note"], row["body"]) for row in left] == []
