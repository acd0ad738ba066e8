"""Every query of the ActivityPub door, once on SQLite and once on PostgreSQL."""

from __future__ import annotations

from typing import Any

from esnfed.vocab import parse, paths
from tests.http.site import AP, DOMAIN, NOW, ORIGIN, SIGNER, Site

PEER = "other.esn.test"


async def _get(site: Site, path: str, status: int = 200, **headers: str) -> Any:
    answer = await site.client.get(path, headers=AP | headers)
    assert answer.status == status, path
    return parse.load(await answer.read())


async def test_actors_and_who_knows_whom(either_site: Site) -> None:
    site = either_site
    author = await site.local_actor("ada", followers_count=1)
    bob = await site.remote_actor("bob", PEER)
    await site.follow(bob, author)
    signed = {SIGNER: PEER}
    assert (await _get(site, f"/ap/actors/{author}"))["preferredUsername"] == "ada"
    assert (await _get(site, "/relay"))["id"] == f"{ORIGIN}/relay"
    assert (await _get(site, f"/ap/actors/{author}/followers", **signed))["totalItems"] == 1
    page = await _get(site, f"/ap/actors/{author}/followers/0", **signed)
    assert page["orderedItems"] == [f"https://{PEER}/users/bob"]
    assert (await _get(site, f"/ap/actors/{author}/following/0", **signed))["orderedItems"] == []
    found = await _get(site, f"/.well-known/webfinger?resource=acct:Ada@{DOMAIN}")
    assert found["links"][0]["href"] == f"{ORIGIN}/ap/actors/{author}"


async def test_posts_threads_and_activities(either_site: Site) -> None:
    site = either_site
    author, bob = await site.local_actor("ada"), await site.remote_actor("bob", PEER)
    root, hidden = await site.post(author), await site.post(author, "followers")
    uri = f"https://{PEER}/1"
    await site.post(bob, in_reply_to_id=root, thread_id=root, local=False, uri=uri)
    await site.follow(bob, author)
    sent = await site.sent(author, "Create", paths.object_(ORIGIN, root))
    assert (await _get(site, f"/ap/objects/{root}"))["type"] == "Note"
    await _get(site, f"/ap/objects/{hidden}", 404)
    await _get(site, f"/ap/objects/{hidden}", **{SIGNER: PEER})
    assert (await _get(site, f"/ap/objects/{root}/replies"))["totalItems"] == 1
    assert (await _get(site, f"/ap/objects/{root}/replies/0"))["orderedItems"] == [uri]
    thread = await _get(site, f"/ap/objects/{root}/context/0")
    assert thread["orderedItems"] == [paths.object_(ORIGIN, root), uri]
    assert (await _get(site, f"/ap/activities/{sent}"))["type"] == "Create"
    outbox = await _get(site, f"/ap/actors/{author}/outbox/0")
    assert [item["id"] for item in outbox["orderedItems"]] == [paths.activity(ORIGIN, sent)]
    await site.bury(paths.object_(ORIGIN, root))
    await _get(site, f"/ap/activities/{sent}", 410)
    assert (await _get(site, f"/ap/actors/{author}/outbox"))["totalItems"] == 0


async def test_counts_of_nodeinfo(either_site: Site) -> None:
    for number in range(10):
        await either_site.person(f"p{number}", statuses_count=1, last_status_at=NOW)
    document = await _get(either_site, "/nodeinfo/2.1")
    assert document["usage"]["users"] == {"total": 10, "activeMonth": 10, "activeHalfyear": 10}
    assert document["usage"]["localPosts"] == 10
