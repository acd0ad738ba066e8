"""NodeInfo over HTTP, against the rules of its schemas 2.0 and 2.1."""

from __future__ import annotations

import re
from typing import Any

import pytest

from esnfed import __version__
from tests.http.site import NOW, ORIGIN, Site, SiteMaker

DAY = 24 * 60 * 60 * 1000
SCHEMA = "http://nodeinfo.diaspora.software/ns/schema"


def _check(document: dict[str, Any], version: str) -> None:
    """The published schemas' rules: required keys, no others, types, patterns."""
    required = {"version", "software", "protocols", "services", "openRegistrations", "usage", "metadata"}
    assert set(document) == required
    assert document["version"] == version
    software = document["software"]
    optional = {"repository", "homepage"} if version == "2.1" else set()
    assert {"name", "version"} <= set(software) <= {"name", "version"} | optional
    assert re.fullmatch(r"[a-z0-9-]+", software["name"])
    assert document["protocols"] == ["activitypub"]
    assert set(document["services"]) == {"inbound", "outbound"}
    assert all(isinstance(names, list) for names in document["services"].values())
    assert isinstance(document["openRegistrations"], bool)
    assert {"users"} <= set(document["usage"]) <= {"users", "localPosts", "localComments"}
    assert set(document["usage"]["users"]) <= {"total", "activeHalfyear", "activeMonth"}
    counts = [
        *document["usage"]["users"].values(),
        *(v for k, v in document["usage"].items() if k != "users"),
    ]
    assert all(isinstance(count, int) and count >= 0 for count in counts)
    assert isinstance(document["metadata"], dict)


async def test_the_index_leads_to_both_versions_and_the_node_actor(site: Site) -> None:
    answer = await site.client.get("/.well-known/nodeinfo")
    assert answer.content_type == "application/json"
    assert (await answer.json())["links"] == [
        {"rel": f"{SCHEMA}/2.0", "href": f"{ORIGIN}/nodeinfo/2.0"},
        {"rel": f"{SCHEMA}/2.1", "href": f"{ORIGIN}/nodeinfo/2.1"},
        {"rel": "https://www.w3.org/ns/activitystreams#Application", "href": f"{ORIGIN}/relay"},
    ]


@pytest.mark.parametrize("version", ["2.0", "2.1"])
async def test_a_document_keeps_its_schema(make_site: SiteMaker, version: str) -> None:
    site = await make_site(name="Lyon", languages=("fr", "es"), contact="desk@lyon.esn.test")
    answer = await site.client.get(f"/nodeinfo/{version}")
    assert answer.headers["Content-Type"] == f'application/json; profile="{SCHEMA}/{version}#"'
    assert answer.headers["Access-Control-Allow-Origin"] == "*"
    document = await answer.json()
    _check(document, version)
    assert document["software"] == {"name": "esnfed", "version": __version__}
    assert document["metadata"]["upstream"] == {"name": "mastodon"}
    assert document["metadata"]["nodeName"] == "Lyon"
    assert document["metadata"]["languages"] == ["fr", "es"]
    assert document["metadata"]["maintainer"] == {"email": "desk@lyon.esn.test"}


@pytest.mark.parametrize("version", ["1.0", "2.2", "3", "2x1"])
async def test_other_versions_do_not_exist(site: Site, version: str) -> None:
    assert (await site.client.get(f"/nodeinfo/{version}")).status == 404


async def test_counts_below_ten_are_left_out(site: Site) -> None:
    for number in range(9):
        await site.person(f"p{number}", statuses_count=1, last_status_at=NOW)
    document = await (await site.client.get("/nodeinfo/2.1")).json()
    assert document["usage"] == {"users": {}}


async def test_counts_from_ten_are_told(site: Site) -> None:
    for number in range(12):
        ago = 40 * DAY if number > 10 else 200 * DAY if number == 0 else 0
        await site.person(f"p{number}", statuses_count=2, last_status_at=NOW - ago)
    await site.person("quiet", suspended_at=NOW)
    document = await (await site.client.get("/nodeinfo/2.0")).json()
    assert document["usage"] == {
        "users": {"total": 12, "activeMonth": 10, "activeHalfyear": 11},
        "localPosts": 24,
    }


async def test_counts_are_kept_for_half_an_hour(site: Site) -> None:
    async def posts() -> Any:
        return (await (await site.client.get("/nodeinfo/2.1")).json())["usage"].get("localPosts")

    await site.local_actor("ada", statuses_count=20)
    assert await posts() == 20
    await site.local_actor("eva", statuses_count=30)
    site.clock.advance(30 * 60 * 1000 - 1)
    assert await posts() == 20
    site.clock.advance(1)
    assert await posts() == 50
