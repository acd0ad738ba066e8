"""Collections over HTTP: counts for all, pages by path, and who may see who knows whom."""

from __future__ import annotations

from typing import Any

import pytest

from esnfed.models import actor, pin, status
from esnfed.vocab import parse, paths
from tests.http.site import AP, HTML, NOW, ORIGIN, SIGNER, Site

PEER = "other.esn.test"
SIGNED = AP | {SIGNER: PEER}


async def _get(site: Site, path: str, **headers: str) -> tuple[dict[str, Any], Any]:
    answer = await site.client.get(path, headers=AP | headers)
    assert answer.status == 200, path
    assert answer.headers["Content-Type"] == "application/activity+json"
    return parse.load(await answer.read()), answer


async def _walk(site: Site, path: str, **headers: str) -> list[list[Any]]:
    """Follow `first` and `next`; return the items page by page."""
    collection, _ = await _get(site, path, **headers)
    url, pages = collection.get("first"), []
    while url:
        page, _ = await _get(site, url.removeprefix(ORIGIN), **headers)
        assert (page["id"], page["type"]) == (url, "OrderedCollectionPage")
        assert page["partOf"] == collection["id"]
        pages.append(page["orderedItems"])
        url = page.get("next")
        assert len(pages) < 10
    return pages


async def test_the_outbox_pages_public_activities_newest_first(site: Site) -> None:
    author = await site.local_actor("ada")
    sent = [await site.sent(author, "Create", f"{ORIGIN}/ap/objects/{number}") for number in range(45)]
    await site.sent(author, "Follow", f"https://{PEER}/users/bob", public=False)
    await site.sent(await site.local_actor("eva"), "Create", f"{ORIGIN}/ap/objects/99")
    path = f"/ap/actors/{author}/outbox"
    collection, answer = await _get(site, path)
    assert collection["id"] == f"{ORIGIN}{path}"
    assert (collection["type"], collection["totalItems"]) == ("OrderedCollection", 45)
    assert answer.headers["Cache-Control"] == "public, max-age=180"
    pages = await _walk(site, path)
    assert [len(page) for page in pages] == [20, 20, 5]
    found = [item["id"] for page in pages for item in page]
    assert found == [paths.activity(ORIGIN, number) for number in reversed(sent)]


async def test_a_collection_that_ends_with_a_page_has_no_empty_one_after_it(site: Site) -> None:
    author = await site.local_actor("ada")
    for number in range(20):
        await site.sent(author, "Create", f"{ORIGIN}/ap/objects/{number}")
    assert [len(page) for page in await _walk(site, f"/ap/actors/{author}/outbox")] == [20]


async def test_an_empty_outbox_is_a_collection_with_an_empty_page(site: Site) -> None:
    author = await site.local_actor("ada")
    assert await _walk(site, f"/ap/actors/{author}/outbox") == [[]]


async def test_the_outbox_forgets_what_was_deleted_but_not_the_delete(site: Site) -> None:
    author = await site.local_actor("ada")
    uri = paths.object_(ORIGIN, 5)
    await site.sent(author, "Create", uri)
    await site.sent(author, "Delete", uri)
    await site.bury(uri)
    collection, _ = await _get(site, f"/ap/actors/{author}/outbox")
    pages = await _walk(site, f"/ap/actors/{author}/outbox")
    assert collection["totalItems"] == 1
    assert [item["type"] for item in pages[0]] == ["Delete"]


async def _with_network(site: Site, **values: Any) -> int:
    author = await site.local_actor("ada", followers_count=22, following_count=1, **values)
    for number in range(22):
        await site.follow(await site.remote_actor(f"f{number}", PEER), author)
    await site.follow(await site.remote_actor("waiting", PEER), author, state="pending")
    await site.follow(author, await site.remote_actor("friend", PEER))
    return author


@pytest.mark.parametrize(("kind", "total"), [("followers", 22), ("following", 1)])
async def test_everybody_learns_the_count_and_nobody_unsigned_a_page(
    site: Site, kind: str, total: int
) -> None:
    author = await _with_network(site)
    collection, answer = await _get(site, f"/ap/actors/{author}/{kind}")
    assert collection["totalItems"] == total
    assert "first" not in collection
    assert answer.headers["Vary"] == "Accept, Signature"
    assert answer.headers["Cache-Control"] == "private, no-store"
    refused = await site.client.get(f"/ap/actors/{author}/{kind}/0", headers=AP)
    assert (refused.status, refused.headers["WWW-Authenticate"]) == (401, "Signature")


@pytest.mark.parametrize("standing", ["open", "allowed"])
async def test_a_trusted_server_pages_the_accepted_followers(site: Site, standing: str) -> None:
    author = await _with_network(site)
    await site.peer(PEER, standing)
    pages = await _walk(site, f"/ap/actors/{author}/followers", **{SIGNER: PEER})
    found = [item for page in pages for item in page]
    assert [len(page) for page in pages] == [20, 2]
    assert set(found) == {f"https://{PEER}/users/f{number}" for number in range(22)}
    following = await _walk(site, f"/ap/actors/{author}/following", **{SIGNER: PEER})
    assert following == [[f"https://{PEER}/users/friend"]]


async def test_a_limited_server_gets_the_count_alone(site: Site) -> None:
    author = await _with_network(site)
    await site.peer(PEER, "limited")
    collection, _ = await _get(site, f"/ap/actors/{author}/followers", **{SIGNER: PEER})
    assert (collection["totalItems"], "first" in collection) == (22, False)
    page = await site.client.get(f"/ap/actors/{author}/followers/0", headers=SIGNED)
    assert page.status == 403


async def test_a_blocked_server_is_refused(site: Site) -> None:
    author = await _with_network(site)
    await site.peer(PEER, "blocked")
    for path in ("followers", "followers/0"):
        assert (await site.client.get(f"/ap/actors/{author}/{path}", headers=SIGNED)).status == 403


async def test_a_hidden_network_is_paged_to_nobody(site: Site) -> None:
    author = await _with_network(site, hides_network=True)
    collection, answer = await _get(site, f"/ap/actors/{author}/followers", **{SIGNER: PEER})
    assert (collection["totalItems"], "first" in collection) == (22, False)
    assert answer.headers["Vary"] == "Accept, Signature"
    assert (await site.client.get(f"/ap/actors/{author}/followers/0", headers=SIGNED)).status == 404


async def test_pinned_public_posts_are_featured_all_at_once(site: Site) -> None:
    author = await site.local_actor("ada")
    collection, _ = await _get(site, f"/ap/actors/{author}/featured")
    assert (collection["totalItems"], collection["orderedItems"]) == (0, [])
    posts = [await site.post(author), await site.post(author), await site.post(author, "followers")]
    for number in posts:
        await site.insert(pin, id=number + 1, actor_id=author, status_id=number, created_at=NOW)
    collection, _ = await _get(site, f"/ap/actors/{author}/featured")
    expected = [paths.object_(ORIGIN, number) for number in (posts[1], posts[0])]
    assert (collection["totalItems"], collection["orderedItems"]) == (2, expected)
    page, _ = await _get(site, f"/ap/actors/{author}/featured/0")
    assert page["orderedItems"] == expected


@pytest.mark.parametrize("kind", ["outbox", "followers", "following", "featured"])
async def test_the_node_actor_has_its_collections_under_relay(site: Site, kind: str) -> None:
    collection, _ = await _get(site, f"/relay/{kind}")
    assert (collection["id"], collection["totalItems"]) == (f"{ORIGIN}/relay/{kind}", 0)
    assert collection["attributedTo"] == f"{ORIGIN}/relay"


async def _thread(site: Site) -> tuple[int, list[str]]:
    author = await site.local_actor("ada")
    root = await site.post(author)
    bob = await site.remote_actor("bob", PEER)
    replies = []
    for number in range(23):
        uri = f"https://{PEER}/notes/{number}"
        await site.post(bob, in_reply_to_id=root, thread_id=root, local=False, uri=uri)
        replies.append(uri)
    for visibility in ("followers", "direct"):
        await site.post(
            bob, visibility, in_reply_to_id=root, thread_id=root, local=False, uri=f"tag:{visibility}"
        )
    await site.post(
        bob, in_reply_to_id=root, thread_id=root, local=False, uri="https://x.esn.test/1", deleted_at=NOW
    )
    return root, replies


async def test_replies_hold_every_public_answer_in_order_remote_ones_too(site: Site) -> None:
    root, replies = await _thread(site)
    collection, _ = await _get(site, f"/ap/objects/{root}/replies")
    pages = await _walk(site, f"/ap/objects/{root}/replies")
    assert collection["totalItems"] == 23
    assert [item for page in pages for item in page] == replies
    assert [len(page) for page in pages] == [20, 3]


async def test_the_context_is_the_whole_thread_in_order(site: Site) -> None:
    root, replies = await _thread(site)
    deeper = await site.post(
        await site.local_actor("eva"), thread_id=root, in_reply_to_uri=replies[0], context_uri=None
    )
    collection, _ = await _get(site, f"/ap/objects/{root}/context")
    pages = await _walk(site, f"/ap/objects/{root}/context")
    expected = [paths.object_(ORIGIN, root), *replies, paths.object_(ORIGIN, deeper)]
    assert collection["totalItems"] == 25
    assert [item for page in pages for item in page] == expected


async def test_answers_of_suspended_actors_are_left_out(site: Site) -> None:
    author, other = await site.local_actor("ada"), await site.remote_actor("bob", PEER)
    root = await site.post(author)
    await site.post(other, in_reply_to_id=root, thread_id=root, local=False, uri=f"https://{PEER}/1")
    await site.change(actor, other, suspended_at=NOW)
    assert await _walk(site, f"/ap/objects/{root}/replies") == [[]]


@pytest.mark.parametrize("kind", ["replies", "context"])
@pytest.mark.parametrize("page", ["", "/0"])
async def test_collections_of_hidden_and_deleted_posts(site: Site, kind: str, page: str) -> None:
    author = await site.local_actor("ada")
    hidden, deleted = await site.post(author, "followers"), await site.post(author)
    await site.change(status, deleted, deleted_at=NOW)
    for number, expected in ((hidden, 404), (12, 404), (deleted, 410)):
        answer = await site.client.get(f"/ap/objects/{number}/{kind}{page}", headers=AP)
        assert answer.status == expected


@pytest.mark.parametrize("kind", ["outbox", "followers", "following", "featured"])
async def test_collections_of_a_deleted_actor_are_gone(site: Site, kind: str) -> None:
    author = await site.local_actor("ada", deleted_at=NOW)
    assert (await site.client.get(f"/ap/actors/{author}/{kind}", headers=AP)).status == 410


@pytest.mark.parametrize("cursor", ["9223372036854775808", "x", "-1"])
async def test_an_impossible_cursor_is_not_found(site: Site, cursor: str) -> None:
    author = await site.local_actor("ada")
    assert (await site.client.get(f"/ap/actors/{author}/outbox/{cursor}", headers=AP)).status == 404


async def test_a_collection_has_no_page_and_answers_a_browser_with_json(site: Site) -> None:
    author = await site.local_actor("ada")
    answer = await site.client.get(f"/ap/actors/{author}/outbox", headers=HTML, allow_redirects=False)
    assert (answer.status, answer.content_type) == (200, "application/activity+json")
