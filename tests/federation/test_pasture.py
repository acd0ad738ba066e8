"""The inputs of the Fediverse pasture: a golden table says what each of the 262 objects becomes here.

`tests/fixtures/pasture` holds the inputs as published (https://inputs.funfedi.dev/), and the
table, `golden.json`.
A change of the table is a change of what people read: `ESNFED_GOLDEN=write` writes it anew, for review.
"""

from __future__ import annotations

import json
import os
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from aiohttp import ClientSession, TCPConnector
from selectolax.lexbor import LexborHTMLParser
from sqlalchemy import RowMapping

from esnfed.models import inbox_message, media_attachment, mention, status_tag, tag
from tests.conftest import MakeRuntime, Prepare
from tests.doubles.authority import Authority
from tests.federation.network import LiveNode, Network, open_network
from tests.federation.peer import PEM, Document, Peer

PASTURE = Path(__file__).parent.parent / "fixtures" / "pasture"
GOLDEN = PASTURE / "golden.json"
SETS = sorted(path.stem for path in (PASTURE / "inputs").glob("*.json"))

THEIR_ORIGIN = "http://pasture-one-actor"
SKELETON_CONTEXT = [
    "https://www.w3.org/ns/activitystreams",
    {"Hashtag": "as:Hashtag", "sensitive": "as:sensitive"},
]
PUBLIC = "https://www.w3.org/ns/activitystreams#Public"
LONG = 160
"""Characters of a text of an input that the table repeats; one input holds a whole picture."""

PLAIN = {
    "title": "",
    "summary": "",
    "sensitive": False,
    "language": None,
    "content_map": None,
    "facts": None,
    "emojis": None,
    "edited_at": None,
    "in_reply_to_uri": None,
    "context_uri": None,
    "visibility": "public",
}
"""What a post of one paragraph has; the table tells only what differs."""

PLAIN_FILE = {
    "media_type": "",
    "description": "",
    "blurhash": None,
    "width": None,
    "height": None,
    "focus_x": None,
    "focus_y": None,
    "duration": None,
}


@pytest.fixture
async def network(
    runtime: MakeRuntime, prepare_sqlite: Prepare, authority: Authority
) -> AsyncIterator[Network]:
    """Live nodes on SQLite: how a document is read does not depend on the back end."""
    async with open_network(runtime, prepare_sqlite, authority) as found:
        yield found


class Pasture:
    """The server `pasture.esn.test` with its two actors, and Dakar, whose Paul follows both."""

    def __init__(
        self, network: Network, session: ClientSession, dakar: LiveNode, peer: Peer, paul: str
    ) -> None:
        self.network = network
        self.session = session
        self.dakar = dakar
        self.peer = peer
        self.paul = paul
        self.actor = f"{peer.origin}/actor"

    def placed(self, example: Document) -> Document:
        """An input with our peer in the place of theirs."""
        text = json.dumps(example).replace(THEIR_ORIGIN, self.peer.origin)
        placed: Document = json.loads(text)
        return placed

    def create(self, name: str, example: Document) -> Document:
        """The Create that the pasture builds around an input: a null says that a property is left out."""
        note = {
            "type": "Note",
            "attributedTo": self.actor,
            "to": [PUBLIC],
            "id": f"{self.peer.origin}/objects/{name}",
            "published": "2026-01-01T00:00:00Z",
        } | self.placed(example)
        note["to"] = [*note["to"], self.paul]
        context = note.get("@context", SKELETON_CONTEXT)
        activity = {
            "@context": context,
            "id": f"{self.peer.origin}/activities/{name}",
            "type": "Create",
            "actor": self.actor,
            "to": note["to"],
            "published": "2026-01-01T00:00:00Z",
            "object": {key: value for key, value in note.items() if value is not None},
        }
        return {key: value for key, value in activity.items() if value is not None}

    async def send(self, activities: list[Document]) -> list[int]:
        """Send activities; return the answers, once all that was taken has been dealt with."""
        answers = [
            await self.peer.post(self.dakar, activity, key_uri=f"{self.actor}#main-key")
            for activity in activities
        ]
        await self.network.settle()
        return answers

    async def became(self, sent: Document, answer: int) -> Document:
        """What an input that was sent became here."""
        if answer != 202:
            return {"answer": answer}
        message = await self.dakar.one(inbox_message, uri=sent["id"])
        if message["state"] != "done":
            return {message["state"]: message["note"]}
        row = await self.dakar.status(sent["object"]["id"])
        assert row is not None
        await self._seen_on_its_page(row)
        return await self._told(row)

    async def _told(self, row: RowMapping) -> Document:
        """A stored post in words that do not change from run to run."""
        told: Document = {"type": row["as_type"], "content": row["content"]}
        told |= {name: row[name] for name, usual in PLAIN.items() if row[name] != usual}
        if row["url"] != row["uri"]:
            told["url"] = row["url"]
        if row["in_reply_to_uri"]:
            told["parent"] = "here" if row["in_reply_to_id"] else "not here"
        linked = {one["tag_id"] for one in await self.dakar.rows(status_tag, status_id=row["id"])}
        more = {
            "mentions": [
                (await self.dakar.row(one["actor_id"]))["uri"]
                for one in await self.dakar.rows(mention, status_id=row["id"])
            ],
            "tags": sorted(one["display_name"] for one in await self.dakar.rows(tag) if one["id"] in linked),
            "files": [_file(one) for one in await self.dakar.rows(media_attachment, status_id=row["id"])],
        }
        return told | {name: found for name, found in more.items() if found}

    async def _seen_on_its_page(self, row: RowMapping) -> None:
        """The page of a post shows its text, title and files, without an element that could do harm."""
        port = self.network.hosts[self.dakar.domain][1]
        address = f"https://127.0.0.1:{port}/@actor@{self.peer.name}/{row['id']}"
        headers = {"Host": self.dakar.domain, "Accept": "text/html", "Accept-Language": "en"}
        async with self.session.get(address, headers=headers, allow_redirects=False) as answer:
            page = LexborHTMLParser(await answer.text())
            assert answer.status == 200, address
        card = page.css_first("article.post-main")
        assert card is not None
        texts = (row["content_map"] or {"": row["content"]}).values()  # the reader's language is shown first
        assert any(LexborHTMLParser(text).text(strip=True) in card.text(strip=True) for text in texts)
        assert row["title"] in card.text()
        assert row["summary"] in card.text()
        assert not card.css("script, style, form, iframe, object, head, meta, [style], [onclick], [onerror]")
        files = await self.dakar.rows(media_attachment, status_id=row["id"])
        assert len(card.css(".gallery li")) == len(files)


def _file(row: RowMapping) -> dict[str, Any]:
    differing = {name: row[name] for name, usual in PLAIN_FILE.items() if row[name] != usual}
    return {"type": row["as_type"], "url": row["url"]} | differing


async def arrive(network: Network) -> Pasture:
    """Start both servers; Paul follows both actors, and the notes that inputs point at are served."""
    dakar = await network.node("dakar")
    paul = await dakar.actor("paul")
    peer = await Peer.start_in(network, "pasture.esn.test")
    for name in ("actor", "second"):
        uri = f"{peer.origin}/{name}"
        key = {"id": f"{uri}#main-key", "owner": uri, "publicKeyPem": PEM}
        peer.actor(name, id=uri, inbox=f"{uri}/inbox", followers=f"{uri}/followers", publicKey=key)
        peer.finger(name, uri)
        target = await dakar.find(uri)
        await dakar.follow(paul, target)
        await network.settle()
        asked = peer.received("Follow")[-1]
        accept = {"@context": SKELETON_CONTEXT[0], "id": f"{uri}/accept", "type": "Accept", "actor": uri}
        assert await peer.post(dakar, accept | {"object": asked["id"]}) == 202
        await network.settle()
    for number in (1, 2):
        peer.serve(
            {
                "@context": SKELETON_CONTEXT[0],
                "id": f"{peer.origin}/assets/note{number}.jsonap",
                "type": "Note",
                "attributedTo": f"{peer.origin}/actor",
                "to": ["as:Public"],
                "content": f"<p>Note {number}</p>",
                "published": "2024-01-06T13:11:45Z",
            }
        )
    session = ClientSession(connector=TCPConnector(ssl=False))
    await network.stack.enter_async_context(session)
    return Pasture(network, session, dakar, peer, (await dakar.row(paul))["uri"])


def _inputs(name: str) -> list[Document]:
    found: Document = json.loads((PASTURE / "inputs" / f"{name}.json").read_text(encoding="utf-8"))
    examples: list[Document] = found["examples"]
    return examples


def _shortened(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _shortened(inner) for key, inner in value.items()}
    if isinstance(value, list):
        return [_shortened(inner) for inner in value]
    return f"{value[:LONG]}…" if isinstance(value, str) and len(value) > LONG else value


def _table() -> dict[str, list[Document]]:
    found: dict[str, list[Document]] = json.loads(GOLDEN.read_text(encoding="utf-8"))
    return found


@pytest.mark.parametrize("name", SETS)
async def test_each_input_becomes_what_the_table_says(network: Network, name: str) -> None:
    pasture = await arrive(network)
    examples = _inputs(name)
    sent = [pasture.create(f"{name}-{number}", example) for number, example in enumerate(examples, 1)]
    answers = await pasture.send(sent)
    rows = [
        {"input": _shortened(example), "becomes": await pasture.became(activity, answer)}
        for example, activity, answer in zip(examples, sent, answers, strict=True)
    ]
    if os.environ.get("ESNFED_GOLDEN") == "write":
        table = (_table() if GOLDEN.exists() else {}) | {name: rows}
        text = json.dumps(dict(sorted(table.items())), ensure_ascii=False, indent=1)
        GOLDEN.write_text(f"{text}\n", encoding="utf-8")
    assert rows == _table()[name]


def test_the_inputs_are_all_there_as_published() -> None:
    source = json.loads((PASTURE / "source.json").read_text(encoding="utf-8"))
    assert (source["version"], source["licence"]) == ("0.3.0", "MIT")
    assert (len(SETS), sum(len(_inputs(name)) for name in SETS)) == (source["sets"], source["examples"])
    assert (PASTURE / "LICENSE").read_text(encoding="utf-8").startswith("MIT License")
    assert set(_table()) == set(SETS)
