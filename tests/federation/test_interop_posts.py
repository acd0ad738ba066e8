"""What each program is known for: stored as it is meant, and shown on a page, whole and harmless."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from typing import Any

import pytest
from aiohttp import ClientSession, TCPConnector
from selectolax.lexbor import LexborHTMLParser
from sqlalchemy import RowMapping

from esnfed.models import follow, media_attachment, status
from esnfed.vocab import parse
from tests.conftest import MakeRuntime, Prepare
from tests.docs.pages import page as documentation
from tests.doubles.authority import Authority
from tests.federation.dialect import GROUPS, Dialect, become_friends, meet
from tests.federation.network import LiveNode, Network, open_network
from tests.federation.test_interop_shapes import PROGRAMS


@pytest.fixture
async def network(
    runtime: MakeRuntime, prepare_sqlite: Prepare, authority: Authority
) -> AsyncIterator[Network]:
    """Live nodes on SQLite: pages read through the same services on both back ends."""
    async with open_network(runtime, prepare_sqlite, authority) as found:
        yield found


@dataclass(frozen=True)
class Expected:
    """What becomes of one document."""

    columns: dict[str, Any]
    facts: dict[str, Any] | None = None
    files: tuple[str, ...] = ()
    """Descriptions, or the last part of the address where there is none: what the page shows."""

    page: tuple[str, ...] = ()
    """Words that a reader sees."""

    folded: bool = field(default=False)
    """Whether a warning stands before the text."""


EXPECTED = {
    "misskey/create_quote": Expected(
        {"as_type": "Note", "sensitive": True, "summary": ""}, files=("3.webp",), page=("À lire", "RE: https")
    ),
    "mitra/create_quote": Expected(
        {"as_type": "Note", "sensitive": False, "language": "fr"}, page=("À lire", "RE: https")
    ),
    "lemmy/create_page": Expected(
        {"as_type": "Page", "title": "Une salle plus calme", "in_reply_to_uri": None},
        facts={"about": "https://example.org/acoustique"},
        files=("v.jpeg",),
        page=("Une salle plus calme", "Qui a essayé les panneaux ?", "https://example.org/acoustique"),
    ),
    "peertube/create_video": Expected(
        {
            "as_type": "Video",
            "title": "Leçon de silence",
            "content": "<p>Trois <strong>exercices</strong>.</p>\n",
            "url": "https://peertube.esn.test/w/aa",
        },
        files=("Leçon de silence",),
        page=("Leçon de silence", "Trois exercices."),
    ),
    "wordpress/create_article": Expected(
        {
            "as_type": "Article",
            "title": "Mesurer le bruit",
            "summary": "Trois écoles, un an.",
            "content": "<p><strong>Méthode</strong></p><p>Un capteur par classe.</p>",
            "language": "fr",
            "sensitive": False,
        },
        files=("Une classe",),
        page=("Mesurer le bruit", "Trois écoles, un an.", "Un capteur par classe."),
    ),
    "mobilizon/create_event": Expected(
        {"as_type": "Event", "title": "Assemblée", "content": "<p>Ordre du jour : <b>le bruit</b>.</p>"},
        facts={
            "starts_at": parse.timestamp("2026-02-28T17:00:00Z"),
            "ends_at": parse.timestamp("2026-02-28T19:00:00Z"),
            "timezone": "Europe/Paris",
            "about": "https://visio.example.org/assemblee",
            "places": [{"name": "Salle Moulin", "address": "rue Mercière 3, 69002, Lyon, France"}],
        },
        files=("Banner",),
        page=("Assemblée", "Salle Moulin", "rue Mercière 3", "28 février 2026", "Ordre du jour"),
    ),
    "friendica/create_article": Expected(
        {
            "as_type": "Article",
            "title": "Mesurer le bruit",
            "content": "<p><strong>Méthode</strong></p>Un capteur par classe.<br>",
        },
        page=("Mesurer le bruit", "Un capteur par classe."),
    ),
    "friendica/create_event": Expected(
        {"as_type": "Event", "title": "Café des délégués"},
        facts={
            "starts_at": parse.timestamp("2026-02-28T15:00:00Z"),
            "ends_at": parse.timestamp("2026-02-28T16:00:00Z"),
            "places": [{"name": "Parc de la Tête d'Or"}],
        },
        page=("Café des délégués", "Parc de la Tête d'Or", "Au grand air."),
    ),
    "bookwyrm/create_review": Expected(
        {"as_type": "Article", "title": 'Review of "L\'école bruyante" (4 stars): Clair', "summary": ""},
        files=("L'école bruyante (Print, 2020)",),
        page=('Review of "L\'école bruyante" (4 stars): Clair', "À lire."),
    ),
    "bookwyrm/create_quotation": Expected(
        {"as_type": "Note", "title": "", "sensitive": False},
        files=("L'école bruyante (Print, 2020)",),
        page=("Le bruit fatigue.", "Si vrai."),
    ),
    "pixelfed/create_album": Expected(
        {"as_type": "Note", "content": "Rentrée", "summary": "Enfants", "sensitive": True},
        files=("La cour", "2.jpg", "Le préau", "La récréation"),
        page=("Enfants", "Rentrée"),
        folded=True,
    ),
}


async def shown(
    network: Network, live: LiveNode, host: str, row: RowMapping, *, status: int = 200
) -> LexborHTMLParser:
    """The page of a post that came from `host`, in French."""
    port = network.hosts[live.domain][1]
    headers = {"Host": live.domain, "Accept": "text/html", "Accept-Language": "fr"}
    async with (
        ClientSession(connector=TCPConnector(ssl=False)) as session,
        session.get(
            f"https://127.0.0.1:{port}/@alice@{host}/{row['id']}", headers=headers, allow_redirects=False
        ) as answer,
    ):
        assert answer.status == status
        return LexborHTMLParser(await answer.text())


def text_of(page: LexborHTMLParser) -> str:
    """What a reader sees of the post itself, spaces made one."""
    card = page.css_first("article.post-main")
    assert card is not None
    assert not card.css("script, style, iframe, form, [onclick], [onerror], [style]")
    return " ".join(card.text(separator=" ").split())


async def friends(network: Network, program: str) -> Dialect:
    """A program that Paul's node knows and whose Alice he follows."""
    found, paul, _ = await meet(network, program)
    await become_friends(network, found, paul)
    return found


async def joined(network: Network, found: Dialect) -> int:
    """Let Paul follow the group of a program; return its row id."""
    name = next(name for name in GROUPS if found.has(name))
    group = found.read(name)
    paul = (await found.dakar.rows(follow))[0]["actor_id"]
    row_id = await found.dakar.find(group["id"])
    await found.dakar.follow(paul, row_id)
    await network.settle()
    asked = found.peer.received("Follow")[-1]
    accept = {"@context": group["@context"], "id": f"{group['id']}/accept", "type": "Accept"}
    accept |= {"actor": group["id"], "object": asked}
    assert await found.peer.post(found.dakar, accept) == 202
    await network.settle()
    assert (await found.dakar.one(follow, target_id=row_id))["state"] == "accepted"
    return row_id


@pytest.mark.parametrize("name", sorted(EXPECTED))
async def test_its_own_kind_of_post_is_stored_and_shown(network: Network, name: str) -> None:
    program, _, fixture = name.partition("/")
    expected, found = EXPECTED[name], await friends(network, program)
    sent = await found.send(fixture)
    assert await found.state_of(sent) == "done"
    row = await found.dakar.one(status, uri=sent["object"]["id"])
    assert {key: row[key] for key in expected.columns} == expected.columns
    assert row["facts"] == expected.facts
    page = await shown(network, found.dakar, found.peer.name, row)
    text = text_of(page)
    for words in expected.page:
        assert words in text
    links = [link.text(strip=True) for link in page.css("article.post-main .gallery a")]
    assert tuple(links) == expected.files
    assert bool(page.css("article.post-main details.warning")) == expected.folded


@pytest.mark.parametrize("program", PROGRAMS)
async def test_a_plain_post_its_edit_and_its_end_are_shown(network: Network, program: str) -> None:
    found = await friends(network, program)
    sent = await found.send("create")
    row = await found.dakar.one(status, uri=sent["object"]["id"])
    page = await shown(network, found.dakar, found.peer.name, row)
    assert "Bravo" in text_of(page)
    assert [link.text().partition("@")[2] for link in page.css(".u-in-reply-to")] == ["paul@dakar.esn.test"]
    files = await found.dakar.rows(media_attachment, status_id=row["id"])
    assert [link.text(strip=True) for link in page.css(".gallery a")] == [one["description"] for one in files]
    assert not page.css("article.post-main details.warning")
    if found.has("update"):
        network.advance(60_000)
        changed = await found.send("update")
        page = await shown(network, found.dakar, found.peer.name, row)
        assert "Corrigé" in text_of(page)
        assert page.css("article.post-main .dt-updated")
        assert bool(page.css("article.post-main details.warning")) == bool(changed["object"].get("summary"))
    await found.send("delete")
    await shown(network, found.dakar, found.peer.name, row, status=404)


@pytest.mark.parametrize(
    ("program", "fixture", "uri"),
    [
        ("lemmy", "announce_page", "https://lemmy.esn.test/post/3"),
        ("peertube", "announce_video", "https://peertube.esn.test/videos/watch/aa"),
        ("mobilizon", "announce_event", "https://mobilizon.esn.test/events/8cf7"),
    ],
)
async def test_what_a_group_passes_on_comes_from_its_origin(
    network: Network, program: str, fixture: str, uri: str
) -> None:
    found, paul, _ = await meet(network, program)
    await become_friends(network, found, paul)
    group = await joined(network, found)
    created = found.read(fixture.replace("announce", "create"))
    found.peer.serve({"@context": created["@context"]} | created["object"])
    await found.send(fixture)
    await network.settle()
    row = await found.dakar.one(status, uri=uri)
    assert row["title"] == created["object"]["name"]
    boosts = await found.dakar.rows(status, boost_of_id=row["id"])
    assert [boost["actor_id"] for boost in boosts] == [group]
    assert row["id"] in {entry["boost_of_id"] or entry["id"] for entry in await found.dakar.home(paul)}


@pytest.mark.parametrize(
    ("program", "fixture", "state"),
    [
        ("mastodon", "flag", "done"),
        ("gotosocial", "block", "done"),
        ("lemmy", "announce_comment", "ignored"),  # nobody follows the community
        ("mobilizon", "join", "ignored"),
    ],
)
async def test_what_is_no_post_leaves_none(network: Network, program: str, fixture: str, state: str) -> None:
    found = await friends(network, program)
    before = await found.dakar.rows(status)
    assert await found.state_of(await found.send(fixture)) == state
    assert await found.dakar.rows(status) == before


async def test_a_proof_that_is_wrong_makes_the_post_wrong(network: Network) -> None:
    found = await friends(network, "mitra")
    document = found.read("create")
    document["object"]["content"] = "<p>Altéré</p>"
    key_uri = found.actor["publicKey"]["id"]
    assert await found.peer.post(found.dakar, document, key_uri=key_uri) == 401
    assert await found.dakar.rows(status, uri=document["object"]["id"]) == []


def test_every_special_document_is_expected() -> None:
    from_fixtures = {
        f"{path.parent.name}/{path.stem}"
        for program in PROGRAMS
        for path in Dialect.folder(program).glob("create_*.json")
    }
    assert from_fixtures == set(EXPECTED)


def test_the_documentation_names_these_programs() -> None:
    rows = documentation("FEDERATION.md").section("What becomes of what others send").table()
    assert [row["Program"].lower() for row in rows] == list(PROGRAMS)
