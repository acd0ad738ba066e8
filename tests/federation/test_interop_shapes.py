"""What other programs send, each in its own dialect: every document means here what it meant there."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass

import pytest

from esnfed.models import counter, favourite, inbox_message, media_attachment, mention, status, tag
from tests.conftest import MakeRuntime, Prepare
from tests.doubles.authority import Authority
from tests.federation.dialect import FIXTURES, become_friends, meet
from tests.federation.network import Network, open_network

PROGRAMS = (
    "mastodon",
    "gotosocial",
    "akkoma",
    "misskey",
    "lemmy",
    "mobilizon",
    "peertube",
    "wordpress",
    "mitra",
    "friendica",
    "bookwyrm",
    "pixelfed",
)


@pytest.fixture
async def network(
    runtime: MakeRuntime, prepare_sqlite: Prepare, authority: Authority
) -> AsyncIterator[Network]:
    """Live nodes on SQLite: how a document is read does not depend on the back end."""
    async with open_network(runtime, prepare_sqlite, authority) as found:
        yield found


@dataclass(frozen=True)
class Expected:
    """What becomes of `create.json` and `actor.json` of a program."""

    content: str
    language: str | None = "fr"
    tags: tuple[str, ...] = ()
    media: tuple[str, ...] = ()
    """Alternative text of each attachment."""

    emojis: tuple[str, ...] = ()
    conversation: str | None = None
    page: str = ""
    """`url` of the post; empty: its id."""

    fields: tuple[str, ...] = ("Site",)
    shared_inbox: str = "/inbox"
    unsupported: tuple[tuple[str, str], ...] = ()


EXPECTED = {
    "mastodon": Expected(
        '<p><span class="h-card" translate="no"><a href="https://dakar.esn.test/@paul" class="u-url mention" '
        'rel="nofollow noopener noreferrer">@<span>paul</span></a></span> Bravo '
        '<a href="https://mastodon.esn.test/tags/SanteScolaire" class="mention hashtag" '
        'rel="nofollow noopener noreferrer tag">#<span>SanteScolaire</span></a></p>',
        tags=("santescolaire",),
        media=("Une classe",),
        conversation="https://mastodon.esn.test/contexts/9-112",
        page="/@alice/112",
    ),
    "gotosocial": Expected(
        "<p>Bravo</p>",
        media=("Une classe",),
        page="/@alice/statuses/01HQ",
    ),
    "akkoma": Expected(
        "Bravo :kiwi:<br>à tous",
        media=("Une classe",),
        emojis=("kiwi",),
        conversation="https://akkoma.esn.test/contexts/5",
        unsupported=(("unsupported-activity", "EmojiReact"),),
    ),
    "misskey": Expected(
        '<p><a href="https://dakar.esn.test/@paul" class="u-url mention" rel="nofollow noopener noreferrer">'
        "@paul@dakar.esn.test</a><span> Bravo</span></p>",
        language=None,
        tags=("ecole",),
        media=("Une classe",),
    ),
    "lemmy": Expected("<p>Bravo</p>\n", language=None, fields=()),
    "peertube": Expected("<p>Bravo</p>\n", language=None, fields=()),
    "wordpress": Expected(
        '<p>Bravo <a rel="nofollow noopener noreferrer tag" class="hashtag u-tag u-category" '
        'href="https://wordpress.esn.test/tag/ecole/">#ecole</a></p>',
        tags=("ecole",),
        media=("Une classe",),
        page="/2026/01/01/bravo/",
        shared_inbox="/wp-json/activitypub/1.0/inbox",
    ),
    "mobilizon": Expected("<p>Bravo</p>", language=None, tags=("ecole",), fields=()),
    "mitra": Expected(
        "<p>Bravo</p>",
        media=("Une classe",),
        conversation="https://mitra.esn.test/collections/conversations/018e",
        page="/post/018e",
        unsupported=(("unsupported-activity", "EmojiReact"),),
    ),
    "friendica": Expected(
        '<a href="https://dakar.esn.test/@paul" class="mention u-url" rel="nofollow noopener noreferrer">'
        "@paul</a> Bravo",
        media=("Une classe",),
        conversation="https://friendica.esn.test/objects/c1#context",
        page="/display/c1",
        unsupported=(("unsupported-activity", "Dislike"),),
    ),
    "bookwyrm": Expected(
        '<p>Bravo <a href="https://dakar.esn.test/@paul" rel="nofollow noopener noreferrer">'
        "@paul@dakar.esn.test</a></p>",
        language=None,
        fields=(),
    ),
    "pixelfed": Expected(
        'Bravo <a href="https://pixelfed.esn.test/discover/tags/ecole?src=hash" class="u-url hashtag" '
        'rel="nofollow noopener noreferrer">#ecole</a>',
        language=None,
        fields=(),
        shared_inbox="/f/inbox",
        unsupported=(("unsupported-object", "Story"),),
    ),
}


@pytest.mark.parametrize("program", PROGRAMS)
async def test_an_actor_is_read_as_its_program_means_it(network: Network, program: str) -> None:
    found, _, _ = await meet(network, program)
    row = await found.dakar.row(await found.dakar.find(f"alice@{program}.esn.test"))
    expected = EXPECTED[program]
    assert (row["handle"], row["domain"], row["name"]) == ("alice", f"{program}.esn.test", "Alice")
    assert row["shared_inbox"] == found.peer.origin + expected.shared_inbox
    assert tuple(field["name"] for field in row["fields"]) == expected.fields
    assert row["followers_uri"] == found.actor.get("followers")
    assert row["url"].startswith(found.peer.origin)
    assert row["icon_url"].startswith(found.peer.origin)
    assert (row["locked"], row["deleted_at"]) == (False, None)


@pytest.mark.parametrize("program", PROGRAMS)
async def test_a_follow_its_answer_and_its_undo_are_understood(network: Network, program: str) -> None:
    found, paul, _ = await meet(network, program)
    await become_friends(network, found, paul)
    assert (await found.dakar.row(paul))["followers_count"] == 1
    assert await found.state_of(await found.send("undo_follow")) == "done"
    assert (await found.dakar.row(paul))["followers_count"] == 0


@pytest.mark.parametrize("program", PROGRAMS)
async def test_a_post_its_update_and_its_delete_are_understood(network: Network, program: str) -> None:
    found, paul, post = await meet(network, program)
    await become_friends(network, found, paul)
    created = await found.send("create")
    row, expected = await found.dakar.one(status, uri=created["object"]["id"]), EXPECTED[program]
    assert row["content"] == expected.content
    assert (row["visibility"], row["language"]) == ("public", expected.language)
    assert (row["in_reply_to_id"], row["sensitive"], row["summary"]) == (post, False, "")
    assert row["url"] == (found.peer.origin + expected.page if expected.page else row["url"])
    assert expected.conversation in (None, row["context_uri"])
    assert tuple(emoji["shortcode"] for emoji in row["emojis"] or ()) == expected.emojis
    assert tuple(sorted(entry["name"] for entry in await found.dakar.rows(tag))) == expected.tags
    media = await found.dakar.rows(media_attachment, status_id=row["id"])
    assert tuple(entry["description"] for entry in media) == expected.media
    assert [entry["actor_id"] for entry in await found.dakar.rows(mention, status_id=row["id"])] == [paul]
    assert (await found.dakar.one(status, id=post))["replies_count"] == 1
    if found.has("update"):
        network.advance(60_000)
        changed = await found.send("update")
        row = await found.dakar.one(status, id=row["id"])
        assert "Corrigé" in row["content"]
        warning = changed["object"].get("summary") or ""
        assert (row["version"], row["summary"], row["sensitive"]) == (2, warning, bool(warning))
    await found.send("delete")
    assert (await found.dakar.one(status, id=row["id"]))["deleted_at"] is not None
    assert (await found.dakar.one(status, id=post))["replies_count"] == 0


@pytest.mark.parametrize("program", PROGRAMS)
async def test_likes_and_boosts_and_their_undoing_are_understood(network: Network, program: str) -> None:
    found, paul, post = await meet(network, program)
    await become_friends(network, found, paul)
    if found.has("like"):
        await found.send("like")
        assert (await found.dakar.one(status, id=post))["favourites_count"] == 1
        await found.send("undo_like")
        assert await found.dakar.rows(favourite) == []
    if found.has("announce"):
        await found.send("announce")
        assert (await found.dakar.one(status, id=post))["boosts_count"] == 1
        await found.send("undo_announce")
    row = await found.dakar.one(status, id=post)
    assert (row["favourites_count"], row["boosts_count"]) == (0, 0)


@pytest.mark.parametrize("program", PROGRAMS)
async def test_what_is_not_understood_is_counted_and_leaves_nothing(network: Network, program: str) -> None:
    found, paul, _ = await meet(network, program)
    await become_friends(network, found, paul)
    before = await found.dakar.rows(status)
    for path in sorted((FIXTURES / program).glob("unsupported_*.json")):
        await found.send(path.stem)
    if found.has("update_actor"):
        await found.send("update_actor")
        name = (await found.dakar.row(await found.dakar.find(found.actor["id"])))["name"]
        assert name == "Alice B."
    assert await found.dakar.rows(status) == before
    counted = {(row["name"], row["key"]) for row in await found.dakar.rows(counter)}
    assert counted >= set(EXPECTED[program].unsupported)
    assert {row["state"] for row in await found.dakar.rows(inbox_message)} <= {"done", "ignored"}


def test_every_program_has_the_documents_that_it_is_known_for() -> None:
    for program in PROGRAMS:
        names = {path.stem for path in (FIXTURES / program).glob("*.json")}
        needed = {"actor", "follow", "undo_follow", "accept", "create", "delete", "like", "undo_like"}
        if program == "mobilizon":
            needed -= {"like", "undo_like"}  # nobody likes there
        assert needed <= names, program
