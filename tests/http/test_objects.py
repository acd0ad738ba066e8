"""Object and activity documents over HTTP: who may read what, and what hidden things look like."""

from __future__ import annotations

import pytest

from esnfed.models import actor, status
from esnfed.vocab import parse, paths
from tests.http.site import AP, HTML, NOW, ORIGIN, SIGNER, Site

PEER = "other.esn.test"
SIGNED = AP | {SIGNER: PEER}


@pytest.mark.parametrize("visibility", ["public", "unlisted"])
async def test_a_public_post_is_served_without_a_signature(site: Site, visibility: str) -> None:
    post = await site.post(await site.local_actor("ada"), visibility)
    answer = await site.client.get(f"/ap/objects/{post}", headers=AP)
    assert answer.status == 200
    assert answer.headers["Content-Type"] == "application/activity+json"
    assert answer.headers["Vary"] == "Accept, Signature"
    assert answer.headers["Cache-Control"] == "public, max-age=180"
    document = parse.load(await answer.read())
    assert (document["id"], document["type"]) == (f"{ORIGIN}/ap/objects/{post}", "Note")
    assert site.authenticator.asked == []


async def test_html_leads_to_the_page_of_the_post(site: Site) -> None:
    post = await site.post(await site.local_actor("ada"))
    answer = await site.client.get(f"/ap/objects/{post}", headers=HTML, allow_redirects=False)
    assert (answer.status, answer.headers["Location"]) == (303, f"{ORIGIN}/@ada/{post}")
    assert answer.headers["Vary"] == "Accept"


async def test_a_followers_post_is_served_to_a_server_with_a_follower(site: Site) -> None:
    author = await site.local_actor("ada")
    post = await site.post(author, "followers")
    await site.follow(await site.remote_actor("bob", PEER), author)
    answer = await site.client.get(f"/ap/objects/{post}", headers=SIGNED)
    assert answer.status == 200
    assert answer.headers["Vary"] == "Accept, Signature"
    assert answer.headers["Cache-Control"] == "private, no-store"


async def test_a_direct_post_is_served_to_a_server_that_is_addressed(site: Site) -> None:
    post = await site.post(await site.local_actor("ada"), "direct")
    await site.mention(post, await site.remote_actor("bob", PEER))
    assert (await site.client.get(f"/ap/objects/{post}", headers=SIGNED)).status == 200


@pytest.mark.parametrize("visibility", ["followers", "direct"])
@pytest.mark.parametrize("signer", [None, "third.esn.test"])
async def test_a_hidden_post_and_an_absent_one_get_the_same_answer(
    site: Site, visibility: str, signer: str | None
) -> None:
    author = await site.local_actor("ada")
    post = await site.post(author, visibility)
    follower = await site.remote_actor("bob", PEER)
    await site.follow(follower, author)
    await site.mention(post, follower)
    headers = AP | ({SIGNER: signer} if signer else {})
    answers = []
    for number in (post, post + 1):
        answer = await site.client.get(f"/ap/objects/{number}", headers=headers)
        known = {name: value for name, value in answer.headers.items() if name != "Date"}
        answers.append((answer.status, known, await answer.read()))
    assert answers[0] == answers[1]
    assert answers[0][0] == 404
    assert answers[0][1]["Vary"] == "Accept, Signature"
    assert answers[0][1]["Cache-Control"] == "no-store"


@pytest.mark.parametrize(("standing", "signer", "expected"), [("blocked", PEER, 403), ("open", "wrong", 401)])
async def test_a_blocked_or_unproven_asker_learns_nothing_about_existence(
    site: Site, standing: str, signer: str, expected: int
) -> None:
    post = await site.post(await site.local_actor("ada"), "direct")
    await site.mention(post, await site.remote_actor("bob", PEER))
    await site.peer(PEER, standing)
    for number in (post, post + 1):
        answer = await site.client.get(f"/ap/objects/{number}", headers=AP | {SIGNER: signer})
        assert answer.status == expected


async def test_a_follow_that_waits_shows_nothing(site: Site) -> None:
    author = await site.local_actor("ada")
    post = await site.post(author, "followers")
    await site.follow(await site.remote_actor("bob", PEER), author, state="pending")
    assert (await site.client.get(f"/ap/objects/{post}", headers=SIGNED)).status == 404


async def test_a_follower_does_not_open_direct_posts(site: Site) -> None:
    author = await site.local_actor("ada")
    post = await site.post(author, "direct")
    await site.follow(await site.remote_actor("bob", PEER), author)
    assert (await site.client.get(f"/ap/objects/{post}", headers=SIGNED)).status == 404


async def test_a_deleted_public_post_is_a_tombstone(site: Site) -> None:
    post = await site.post(await site.local_actor("ada"), deleted_at=NOW)
    answer = await site.client.get(f"/ap/objects/{post}", headers=AP)
    document = parse.load(await answer.read())
    assert answer.status == 410
    assert document == {
        "@context": "https://www.w3.org/ns/activitystreams",
        "id": f"{ORIGIN}/ap/objects/{post}",
        "type": "Tombstone",
        "formerType": "Note",
        "deleted": parse.iso(NOW),
    }


async def test_a_tombstone_outlives_the_row(site: Site) -> None:
    await site.bury(paths.object_(ORIGIN, 4711), "Article")
    answer = await site.client.get("/ap/objects/4711", headers=AP)
    assert (answer.status, parse.load(await answer.read())["formerType"]) == (410, "Article")


async def test_a_deleted_hidden_post_is_gone_only_for_those_who_could_read_it(site: Site) -> None:
    post = await site.post(await site.local_actor("ada"), "direct", deleted_at=NOW)
    await site.mention(post, await site.remote_actor("bob", PEER))
    assert (await site.client.get(f"/ap/objects/{post}", headers=AP)).status == 404
    assert (await site.client.get(f"/ap/objects/{post}", headers=SIGNED)).status == 410


async def test_posts_of_a_suspended_actor_are_not_served(site: Site) -> None:
    author = await site.local_actor("ada")
    post = await site.post(author)
    await site.change(actor, author, suspended_at=NOW)
    assert (await site.client.get(f"/ap/objects/{post}", headers=SIGNED)).status == 404


async def test_boosts_and_remote_posts_are_no_objects_of_ours(site: Site) -> None:
    author = await site.local_actor("ada")
    post = await site.post(author)
    boost = await site.post(author, as_type="Announce", boost_of_id=post, uri=f"{ORIGIN}/ap/activities/1")
    remote = await site.post(
        await site.remote_actor("bob", PEER), local=False, uri=f"https://{PEER}/1", url=None
    )
    for number in (boost, remote):
        assert (await site.client.get(f"/ap/objects/{number}", headers=AP)).status == 404


async def test_a_public_activity_is_served_as_it_was_sent(site: Site) -> None:
    author = await site.local_actor("ada")
    number = await site.sent(author, "Create", f"{ORIGIN}/ap/objects/5")
    answer = await site.client.get(f"/ap/activities/{number}", headers=AP)
    assert answer.status == 200
    assert answer.headers["Content-Type"] == "application/activity+json"
    assert parse.load(await answer.read())["id"] == f"{ORIGIN}/ap/activities/{number}"


async def test_a_private_activity_looks_absent(site: Site) -> None:
    author = await site.local_actor("ada")
    number = await site.sent(author, "Follow", f"https://{PEER}/users/bob", public=False)
    private, absent = [
        await site.client.get(f"/ap/activities/{which}", headers=SIGNED) for which in (number, number + 1)
    ]
    assert private.status == absent.status == 404
    assert await private.read() == await absent.read()


async def test_an_activity_does_not_outlive_the_text_it_carried(site: Site) -> None:
    author = await site.local_actor("ada")
    post = await site.post(author)
    uri = paths.object_(ORIGIN, post)
    created = await site.sent(author, "Create", uri)
    deleted = await site.sent(author, "Delete", uri)
    await site.change(status, post, deleted_at=NOW)
    await site.bury(uri)
    assert (await site.client.get(f"/ap/activities/{created}", headers=AP)).status == 410
    assert (await site.client.get(f"/ap/activities/{deleted}", headers=AP)).status == 200
