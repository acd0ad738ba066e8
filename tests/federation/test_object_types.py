"""What other programs send beside Notes, each in its own shape: stored, shown, changed and deleted."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from aiohttp import ClientSession, TCPConnector
from selectolax.lexbor import LexborHTMLParser

from esnfed.models import counter, inbox_message, media_attachment, poll, status, tombstone
from esnfed.vocab import parse
from tests.conftest import MakeRuntime, Prepare
from tests.doubles.authority import Authority
from tests.federation.network import LiveNode, Network, open_network
from tests.federation.peer import Document, Peer

FIXTURES = Path(__file__).parent.parent / "fixtures"


@pytest.fixture
async def network(
    runtime: MakeRuntime, prepare_sqlite: Prepare, authority: Authority
) -> AsyncIterator[Network]:
    """Live nodes on SQLite: how a document is read does not depend on the back end."""
    async with open_network(runtime, prepare_sqlite, authority) as found:
        yield found


def at(text: str) -> int:
    """Return an RFC 3339 time in milliseconds."""
    found = parse.timestamp(text)
    assert found is not None
    return found


@dataclass(frozen=True)
class Expected:
    """What becomes of an object: columns of its status, its media, what its page says."""

    columns: dict[str, Any]
    media: tuple[tuple[str, str, str], ...] = ()
    """(type, address, alternative text)"""

    page: tuple[str, ...] = ()
    tallies: tuple[int, ...] = ()
    more: dict[str, Any] = field(default_factory=dict)


EXPECTED = {
    "mastodon/question": Expected(
        {"as_type": "Question", "title": "", "content": "<p>On se retrouve quand ?</p>", "language": "fr"},
        page=("Lundi", "2 votes (67%)", "3 people voted.", "Open until January 2, 2026"),
        tallies=(2, 1),
        more={"multiple": False, "voters_count": 3, "expires_at": at("2026-01-02T00:00:00Z")},
    ),
    "misskey/question": Expected(
        {"as_type": "Question", "content": "<p><span>Quelle langue ?</span></p>"},
        page=("Français", "4 votes (67%)", "Several choices are allowed."),
        tallies=(4, 2),
        more={"multiple": True, "voters_count": None},
    ),
    "akkoma/question": Expected(
        {"as_type": "Question", "content": "Qui vient ?"},
        page=("Pas moi", "0 votes"),
        tallies=(0, 0),
        more={"voters_count": 0, "expires_at": None},
    ),
    "lemmy/page": Expected(
        {
            "as_type": "Page",
            "title": "Une salle de classe plus calme",
            "summary": "",
            "content": "<p>Qui a essayé les panneaux <strong>acoustiques</strong> ?</p>\n",
            "facts": {"about": "https://example.org/acoustique"},
            "visibility": "public",
        },
        media=(("Image", "https://lemmy.esn.test/pictrs/image/vignette.jpeg", ""),),
        page=("Une salle de classe plus calme", "panneaux acoustiques", "https://example.org/acoustique"),
    ),
    "peertube/video": Expected(
        {
            "as_type": "Video",
            "title": "Leçon de silence",
            "content": "<p>Trois <strong>exercices</strong>.</p>\n"
            "<p>&lt;script&gt;alert(1)&lt;/script&gt;</p>\n",
            "url": "https://peertube.esn.test/w/aa",
        },
        media=(
            (
                "Video",
                "https://peertube.esn.test/static/streaming-playlists/hls/aa/1080.mp4",
                "Leçon de silence",
            ),
        ),
        page=("Leçon de silence", "Read on its own site"),
        more={"duration": 125.0, "width": 1920, "media_type": "video/mp4"},
    ),
    "wordpress/article": Expected(
        {
            "as_type": "Article",
            "title": "Mesurer le bruit",
            "summary": "Trois écoles, un an de mesures.",
            "sensitive": False,
            "content": "<p><strong>Méthode</strong></p><p>Un capteur par classe.</p>",
            "url": "https://wordpress.esn.test/2026/01/01/mesurer/",
        },
        media=(("Image", "https://wordpress.esn.test/wp-content/uploads/1.jpg", "Un capteur"),),
        page=("Mesurer le bruit", "Trois écoles, un an de mesures.", "Un capteur par classe."),
    ),
    "wordpress/event": Expected(
        {
            "as_type": "Event",
            "title": "Café des délégués",
            "facts": {
                "starts_at": at("2026-02-28T15:00:00Z"),
                "ends_at": at("2026-02-28T16:00:00Z"),
                "timezone": "Europe/Vienna",
                "places": [
                    {"name": "Maison des syndicats", "address": "Ring 1, 1010, Vienne, Autriche"},
                    {"url": "https://wordpress.esn.test/visio"},
                ],
            },
        },
        page=("Café des délégués", "16:00 (UTC+1)", "Maison des syndicats, Ring 1, 1010, Vienne, Autriche"),
    ),
    "mobilizon/event": Expected(
        {
            "as_type": "Event",
            "title": "Assemblée",
            "summary": "28 février à Lyon",
            "content": "<p>Ordre du jour : <b>le bruit</b>.</p>",
            "facts": {
                "about": "https://example.org/assemblee",
                "starts_at": at("2026-02-28T17:00:00Z"),
                "ends_at": at("2026-02-28T19:00:00Z"),
                "timezone": "Europe/Paris",
                "places": [{"name": "Salle Moulin", "address": "rue Mercière 3, 69002, Lyon, France"}],
            },
        },
        media=(("Document", "https://mobilizon.esn.test/media/affiche.png", "Banner"),),
        page=("Assemblée", "28 février à Lyon", "18:00 (UTC+1)", "Salle Moulin"),
    ),
    "gancio/event": Expected(
        {
            "as_type": "Event",
            "facts": {
                "starts_at": at("2026-03-01T19:00:00Z"),
                "places": [{"name": "Place des Terreaux", "address": "Place des Terreaux, Lyon"}],
            },
        },
        media=(("Document", "https://gancio.esn.test/media/fete.jpg", "Affiche"),),
        page=("Fête", "19:00 (UTC)"),
    ),
    "funkwhale/audio": Expected(
        {"as_type": "Audio", "title": "La leçon - Chorale", "summary": "Enregistré en classe"},
        media=(
            (
                "Audio",
                "https://funkwhale.esn.test/api/v1/listen/5/?download=false",
                "La leçon - Chorale",
            ),
            ("Image", "https://funkwhale.esn.test/media/cover.jpg", ""),
        ),
        page=("La leçon - Chorale", "Enregistré en classe"),
        more={"duration": 3723.5},
    ),
    "plain/image": Expected(
        {"as_type": "Image", "title": "Une cour d'école", "content": ""},
        media=(("Image", "https://plain.esn.test/files/1.png", "Une cour d'école"),),
        page=("Une cour d'école",),
        more={"width": 800, "height": 600},
    ),
    "bookwyrm/article": Expected(
        {"as_type": "Article", "title": "Review of “L'école bruyante” (4 stars): Clair"},
        media=(
            ("Document", "https://bookwyrm.esn.test/images/covers/2.jpg", "L'école bruyante (Print, 2020)"),
        ),
        page=("Review of “L'école bruyante” (4 stars): Clair", "À lire."),
    ),
}


def shape(name: str) -> Document:
    """Return the object of one program."""
    program, _, kind = name.partition("/")
    text = (FIXTURES / program / f"object_{kind}.json").read_text(encoding="utf-8")
    document: Document = json.loads(text)
    return document


async def meet(network: Network, program: str) -> tuple[LiveNode, Peer, Document]:
    """Dakar, where somebody follows Alice of a server of that program."""
    dakar = await network.node("dakar")
    paul = await dakar.actor("paul")
    peer = await Peer.start_in(network, f"{program}.esn.test")
    alice = peer.actor("alice")
    await dakar.follow(paul, await dakar.find(f"alice@{program}.esn.test"))
    await network.settle()
    (follow,) = peer.received("Follow")
    assert await peer.post(dakar, peer.activity(alice, "Accept", follow)) == 202
    await network.settle()
    return dakar, peer, alice


async def read_page(network: Network, live: LiveNode, path: str) -> LexborHTMLParser:
    """Return a page of a node, in English."""
    url = f"https://127.0.0.1:{network.hosts[live.domain][1]}{path}"
    headers = {"Host": live.domain, "Accept": "text/html", "Accept-Language": "en"}
    async with (
        ClientSession(connector=TCPConnector(ssl=False)) as session,
        session.get(url, headers=headers, allow_redirects=False) as answer,
    ):
        assert answer.status == 200, answer.status
        return LexborHTMLParser(await answer.text())


@pytest.mark.parametrize("name", sorted(EXPECTED))
async def test_what_a_program_sends_is_stored_shown_changed_and_deleted(network: Network, name: str) -> None:
    expected, program = EXPECTED[name], name.partition("/")[0]
    dakar, peer, alice = await meet(network, program)
    document = shape(name)
    create = peer.activity(alice, "Create", document)
    assert await peer.post(dakar, create) == 202
    await network.settle()
    row = await dakar.one(status)
    assert {key: row[key] for key in expected.columns} == expected.columns
    files = await dakar.rows(media_attachment)
    assert tuple((file["as_type"], file["url"], file["description"]) for file in files) == expected.media
    polls = await dakar.rows(poll)
    assert tuple(votes for found in polls for votes in found["tallies"]) == expected.tallies
    for holder in (*polls, *files)[:1]:
        assert {key: holder[key] for key in expected.more} == expected.more

    path = f"/@alice@{program}.esn.test/{row['id']}"
    page = await read_page(network, dakar, path)
    card = page.css_first("article.post-main").text(separator=" ", strip=True)
    for words in expected.page:
        assert words in " ".join(card.split()), words
    assert page.css_first("article.post-main details.warning") is None
    assert not page.css("article script, article img:not(.avatar)")

    network.advance(60_000)
    markdown = document.get("mediaType") == "text/markdown"
    content = "Corrigé" if markdown else "<p>Corrigé</p>"
    changed = document | {"updated": parse.iso(network.now()), "content": content}
    changed |= {"name": "Autre titre"} if row["title"] else {}
    changed.pop("contentMap", None)
    assert await peer.post(dakar, peer.activity(alice, "Update", changed)) == 202
    await network.settle()
    edited = await dakar.one(status)
    assert edited["content"].strip() == "<p>Corrigé</p>"
    assert edited["title"] == ("Autre titre" if row["title"] else "")
    assert (edited["id"], edited["edited_at"], edited["version"]) == (row["id"], network.now(), 2)
    assert len(await dakar.rows(media_attachment)) == len(files)

    assert await peer.post(dakar, peer.activity(alice, "Delete", document["id"])) == 202
    await network.settle()
    gone = await dakar.one(status)
    assert (gone["content"], gone["title"], gone["summary"], gone["facts"]) == ("", "", "", None)
    assert await dakar.rows(poll) == await dakar.rows(media_attachment) == []
    assert (await dakar.one(tombstone, uri=document["id"]))["former_type"] == row["as_type"]
    assert {message["state"] for message in await dakar.rows(inbox_message)} == {"done"}


async def test_in_a_list_a_titled_post_is_title_teaser_facts_and_link_without_its_text(
    network: Network,
) -> None:
    dakar, peer, alice = await meet(network, "mobilizon")
    assert await peer.post(dakar, peer.activity(alice, "Create", shape("mobilizon/event"))) == 202
    await network.settle()
    profile = await read_page(network, dakar, "/@alice@mobilizon.esn.test")
    card = profile.css_first("article.post")
    text = " ".join(card.text(separator=" ", strip=True).split())
    assert "Assemblée" in text
    assert "28 février à Lyon" in text
    assert "Salle Moulin" in text
    assert "Ordre du jour" not in text
    links = {link.attributes["href"] for link in card.css("a")}
    assert "https://mobilizon.esn.test/events/8cf7" in links


@pytest.mark.parametrize("as_type", ["Place", "Profile", "Document", "Proposal", "Tombstone", "Collection"])
async def test_objects_of_other_types_are_counted_and_leave_nothing(network: Network, as_type: str) -> None:
    dakar, peer, alice = await meet(network, "plain")
    assert await peer.post(dakar, peer.activity(alice, "Create", peer.note(alice, "x", type=as_type))) == 202
    await network.settle()
    counted = {(row["name"], row["key"]): row["count"] for row in await dakar.rows(counter)}
    assert counted == {("unsupported-object", as_type): 1}
    assert await dakar.rows(status) == []


async def test_a_list_of_types_is_no_type(network: Network) -> None:
    dakar, peer, alice = await meet(network, "plain")
    note = peer.note(alice, "x", type=["Event", "Note"])
    assert await peer.post(dakar, peer.activity(alice, "Create", note)) == 202
    await network.settle()
    assert await dakar.rows(status) == []
    assert [(row["name"], row["key"]) for row in await dakar.rows(counter)] == [
        ("unsupported-object", "Create")
    ]


async def test_an_update_to_an_unknown_type_leaves_the_post_as_it_was(network: Network) -> None:
    dakar, peer, alice = await meet(network, "plain")
    note = peer.note(alice, "x")
    await peer.post(dakar, peer.activity(alice, "Create", note))
    await network.settle()
    network.advance(1000)
    changed = note | {"type": "Place", "updated": parse.iso(network.now())}
    await peer.post(dakar, peer.activity(alice, "Update", changed))
    await network.settle()
    assert (await dakar.one(status))["as_type"] == "Note"
    assert [(row["name"], row["key"]) for row in await dakar.rows(counter)] == [
        ("unsupported-object", "Place")
    ]


async def test_a_video_boosted_by_its_channel_belongs_to_the_person(network: Network) -> None:
    dakar = await network.node("dakar")
    paul = await dakar.actor("paul")
    peer = await Peer.start_in(network, "peertube.esn.test")
    peer.actor("alice")
    channel = peer.actor("classe", type="Group")
    await dakar.follow(paul, await dakar.find("classe@peertube.esn.test"))
    await network.settle()
    (follow,) = peer.received("Follow")
    await peer.post(dakar, peer.activity(channel, "Accept", follow))
    video = peer.serve(shape("peertube/video") | {"attributedTo": [
        {"type": "Group", "id": channel["id"]},
        {"type": "Person", "id": f"{peer.origin}/users/alice"},
    ]})  # fmt: skip
    assert await peer.post(dakar, peer.activity(channel, "Announce", video["id"])) == 202
    await network.settle()
    row = await dakar.status(video["id"])
    assert row is not None
    assert (await dakar.row(row["actor_id"]))["handle"] == "alice"
    assert [home["boost_of_id"] for home in await dakar.home(paul)] == [row["id"]]


async def test_one_of_several_authors_on_one_server_may_change_a_post_and_nobody_else(
    network: Network,
) -> None:
    dakar, peer, alice = await meet(network, "mobilizon")
    group, other = peer.actor("collectif", type="Group"), peer.actor("bob")
    event = shape("mobilizon/event") | {"attributedTo": group["id"]}
    await peer.post(dakar, peer.activity(alice, "Create", event))
    await network.settle()
    network.advance(1000)
    changed = event | {"name": "Reportée", "updated": parse.iso(network.now()), "status": "CANCELLED"}
    peer.serve(changed)
    await peer.post(dakar, peer.activity(other, "Update", changed))
    await network.settle()
    assert (await dakar.one(status))["title"] == "Assemblée"
    await peer.post(dakar, peer.activity(group, "Update", changed))
    await network.settle()
    row = await dakar.one(status)
    assert row["title"] == "Reportée"
    assert row["facts"]["cancelled"] is True
