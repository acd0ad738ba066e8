"""Fedify 2.3.6 as a live peer: every activity in both directions, with both signature schemes."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from esnfed.models import favourite, follow, status
from esnfed.vocab.terms import PUBLIC
from tests.conftest import MakeRuntime, Prepare
from tests.oracles.fedify.scene import Scene, open_scene


@pytest.fixture(scope="module")
def key_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where the keys of Fedify's person are kept."""
    return tmp_path_factory.mktemp("keys") / "keys.json"


@pytest.fixture(params=["cavage", "rfc9421"])
async def scene(
    request: pytest.FixtureRequest,
    runtime: MakeRuntime,
    prepare_sqlite: Prepare,
    tmp_path: Path,
    key_file: Path,
) -> AsyncIterator[Scene]:
    """Lyon and Fedify, which knocks with either scheme first."""
    async with open_scene(runtime, prepare_sqlite, tmp_path, request.param, key_file) as found:
        yield found


async def test_we_follow_fedify_accepts_we_read_and_leave(scene: Scene) -> None:
    lyon = scene.lyon
    asked = await scene.following_fedify()
    assert (asked["actor"], asked["object"]) == (await scene.uri(scene.amina), scene.fedify.actor)
    assert await scene.scheme_of(asked) == "cavage"
    row = await scene.fedify_posts("<p>Bonjour de Dakar</p>")
    assert [entry["content"] for entry in await lyon.home(scene.amina)] == ["<p>Bonjour de Dakar</p>"]
    assert (row["language"], row["visibility"]) == ("fr", "public")
    assert await lyon.unfollow(scene.amina, await scene.paul())
    undone = await scene.arrival("Undo")
    assert (undone["embedded"]["type"], undone["embedded"]["id"]) == ("Follow", asked["id"])
    assert await scene.scheme_of(undone) == scene.scheme
    assert await scene.fedify.ask("followers") == []


async def test_fedify_follows_we_accept_it_reads_and_leaves(scene: Scene) -> None:
    lyon, fedify = scene.lyon, scene.fedify
    asked = await scene.followed_by_fedify()
    accepted = await scene.arrival("Accept")
    assert (accepted["object"], accepted["actor"]) == (asked, await scene.uri(scene.amina))
    # What a peer was heard to use is written down every few seconds; until then the first knock is cavage.
    assert await scene.scheme_of(accepted) in ("cavage", scene.scheme)
    assert [row["state"] for row in await lyon.rows(follow)] == ["accepted"]
    post = await lyon.post(scene.amina, "Bonjuor")
    created = await scene.arrival("Create")
    assert (created["embedded"]["type"], created["embedded"]["content"]) == ("Note", "<p>Bonjuor</p>")
    await lyon.revise(scene.amina, post, "Bonjour")
    updated = await scene.arrival("Update")
    assert updated["embedded"]["id"] == created["embedded"]["id"]
    assert updated["embedded"]["content"] == "<p>Bonjour</p>"
    assert updated["embedded"]["updated"] >= created["embedded"]["published"]
    await lyon.remove(scene.amina, post)
    deleted = await scene.arrival("Delete")
    assert (deleted["embedded"]["type"], deleted["embedded"]["id"]) == (
        "Tombstone",
        created["embedded"]["id"],
    )
    for entry in (created, updated, deleted):
        assert (entry["actor"], entry["to"]) == (await scene.uri(scene.amina), [PUBLIC])
        assert await scene.scheme_of(entry) == scene.scheme
    await scene.applied(await fedify.ask("undo", id=asked))
    assert await lyon.rows(follow) == []
    assert (await lyon.row(scene.amina))["followers_count"] == 0


async def test_we_reply_like_boost_and_take_it_back(scene: Scene) -> None:
    lyon = scene.lyon
    await scene.following_fedify()
    theirs = await scene.fedify_posts("<p>Un projet ?</p>")
    reply = await lyon.post(scene.amina, "Oui", in_reply_to_id=theirs["id"])
    answered = (await scene.arrival("Create"))["embedded"]
    assert (answered["id"], answered["inReplyTo"]) == (
        (await lyon.one(status, id=reply))["uri"],
        theirs["uri"],
    )
    assert ["Mention", f"@{scene.fedify.handle}", scene.fedify.actor] in answered["tags"]
    assert scene.fedify.actor in answered["cc"]
    assert await lyon.interact("like", scene.amina, theirs["id"])
    liked = await scene.arrival("Like")
    await lyon.interact("boost", scene.amina, theirs["id"])
    boosted = await scene.arrival("Announce")
    assert liked["object"] == boosted["object"] == theirs["uri"]
    assert await lyon.interact("unlike", scene.amina, theirs["id"])
    unliked = await scene.arrival("Undo", 1)
    assert await lyon.interact("unboost", scene.amina, theirs["id"])
    unboosted = await scene.arrival("Undo", 2)
    assert [unliked["embedded"]["type"], unboosted["embedded"]["type"]] == ["Like", "Announce"]
    assert unliked["embedded"]["id"] == liked["id"]
    assert unboosted["embedded"]["id"] == boosted["id"]
    for entry in (liked, boosted, unliked, unboosted):
        assert await scene.scheme_of(entry) == scene.scheme


async def test_fedify_replies_likes_announces_and_takes_it_back(scene: Scene) -> None:
    lyon, fedify = scene.lyon, scene.fedify
    post = await lyon.post(scene.amina, "Bonjour")
    uri = (await lyon.one(status, id=post))["uri"]
    reply = await fedify.ask("reply", target=uri, content="<p>Salut</p>")
    arrived = await scene.applied(reply["activity"])
    assert (arrived["as_type"], arrived["scheme"]) == ("Create", scene.scheme)
    assert {"proof", "signature"} <= json.loads(arrived["body"]).keys()  # more than we ask for does no harm
    answer = await lyon.one(status, uri=reply["object"])
    assert (answer["in_reply_to_id"], answer["thread_id"]) == (post, post)
    await lyon.follow(scene.amina, await scene.paul())
    await scene.applied(await fedify.ask("accept", id=(await scene.arrival("Follow"))["id"]))
    like, announce = await fedify.ask("like", target=uri), await fedify.ask("announce", target=uri)
    for activity in (like, announce):
        assert (await scene.applied(activity))["scheme"] == scene.scheme
    counted = await lyon.one(status, id=post)
    assert [counted[f"{name}_count"] for name in ("replies", "favourites", "boosts")] == [1, 1, 1]
    assert (await lyon.one(favourite))["uri"] == like
    for activity in (like, announce):
        assert (await scene.applied(await fedify.ask("undo", id=activity)))["scheme"] == scene.scheme
    counted = await lyon.one(status, id=post)
    assert [counted[f"{name}_count"] for name in ("replies", "favourites", "boosts")] == [1, 0, 0]


async def test_fedify_changes_and_deletes_its_post(scene: Scene) -> None:
    lyon, fedify = scene.lyon, scene.fedify
    await scene.following_fedify()
    row = await scene.fedify_posts("<p>Bonjuor</p>")
    changed = await fedify.ask("update", object=row["uri"], content="<p>Bonjour <b>Lyon</b></p>")
    assert (await scene.applied(changed))["scheme"] == scene.scheme
    now = await lyon.one(status, id=row["id"])
    assert (now["content"], now["version"]) == ("<p>Bonjour <b>Lyon</b></p>", 2)
    assert (await scene.applied(await fedify.ask("delete", object=row["uri"])))["scheme"] == scene.scheme
    assert await lyon.home(scene.amina) == []
    gone = await lyon.one(status, id=row["id"])
    assert gone["content"] == ""
    assert gone["deleted_at"] is not None
