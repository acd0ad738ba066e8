"""The board's own JSON API: filters, paging, refusals, vocabularies, and that only public fields answer."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlsplit

import pytest
from aiohttp import web
from aiohttp.test_utils import TestClient

from esnfed.bus import Bus
from esnfed.http import errors
from esnfed.http.keys import CONFIG, DATABASE, RUNTIME
from esnfed.models import actor, peer, status
from esnfed.records.api import routes
from tests.conftest import MakeRuntime, Open, Prepare
from tests.doubles.clock import Clock
from tests.unit.records.nodes import Node, make_node
from tests.unit.records.sheets import SECRETS, call, project

BOARD = "/api/esn/v1/records"
DOMAIN = "lyon.esn.test"

Client = TestClient[web.Request, web.Application]


@pytest.fixture
async def node(runtime: MakeRuntime, prepare_sqlite: Prepare, opened: Open) -> Node:
    """A node with its organisation."""
    made = await prepare_sqlite(runtime(domain=DOMAIN))
    return await make_node(await opened(made, Bus()), made)


@pytest.fixture
async def client(aiohttp_client: Any, node: Node) -> Client:
    """A client of that node's API."""
    app = web.Application(middlewares=[errors.middleware])
    app[RUNTIME], app[CONFIG], app[DATABASE] = node.runtime, node.runtime.config, node.database
    app.add_routes(routes)
    found: Client = await aiohttp_client(app)
    return found


async def get(client: Client, path: str, status_code: int = 200) -> Any:
    answer = await client.get(path)
    assert answer.status == status_code, await answer.text()
    assert answer.content_type == "application/json"
    return await answer.json()


async def ids(client: Client, query: str = "") -> list[int]:
    return [int(each["id"]) for each in await get(client, f"{BOARD}?{query}")]


async def test_a_record_is_listed_with_its_owner_and_state(client: Client, node: Node) -> None:
    status_id = await node.announce("call", call())
    [listed] = await get(client, BOARD)
    assert listed == {
        "id": str(status_id),
        "uri": f"https://{DOMAIN}/ap/objects/{status_id}",
        "url": f"https://{DOMAIN}/r/{status_id}/cherche-partenaires",
        "kind": "call",
        "version": 1,
        "title": call()["title"],
        "summary": call()["summary"],
        "language": "fr",
        "languages": {"fr": "original", "es": "original"},
        "territories": ["BE-x-francophone"],
        "themes": ["mutualism", "youth-engagement"],
        "sdg": ["3"],
        "closes": "2026-06-30",
        "state": "open",
        "closed": None,
        "owner": {
            "id": str(node.owner),
            "name": "SNE",
            "handle": f"sne@{DOMAIN}",
            "uri": f"https://{DOMAIN}/ap/actors/{node.owner}",
            "url": f"https://{DOMAIN}/o/sne",
        },
        "node": DOMAIN,
        "published": "2026-01-01T00:00:00Z",
        "updated": "2026-01-01T00:00:00Z",
    }
    shown = await get(client, f"{BOARD}/{status_id}")
    assert shown["sheet"]["profile"] == call()["profile"]
    assert shown["schema"] == 1
    assert shown | listed == shown


async def test_no_answer_holds_anything_private(client: Client, node: Node) -> None:
    status_id = await node.announce("project", project())
    for path in (BOARD, f"{BOARD}/{status_id}"):
        text = await (await client.get(path)).text()
        assert "Burkina" in text
        assert not [secret for secret in SECRETS if secret in text]


FILTERS = [
        ("", {"project", "call"}),
        ("kind=project", {"project"}),
        ("kind=project,call", {"project", "call"}),
        ("kind=project&kind=call", {"project", "call"}),
        ("territory=BF", {"project"}),
        ("territory=ca", {"project"}),
        ("territory=CA-QC", {"project"}),
        ("territory=CA-ON", set()),
        ("territory=BE", {"call"}),
        ("territory=BE-x-francophone,BF", {"project", "call"}),
        ("theme=health-in-schools", {"project"}),
        ("theme=mutualism", {"call"}),
        ("sdg=3", {"project", "call"}),
        ("sdg=3.4", {"project"}),
        ("language=es", {"call"}),
        ("language=fr&sdg=4", {"project"}),
        ("status=open", {"project", "call"}),
        ("status=closed", set()),
        ("status=all", {"project", "call"}),
        ("closing_before=2026-07-02", {"call"}),
        ("closing_before=2026-06-30", set()),
        ("organisation=sne", {"project", "call"}),
        (f"organisation=@sne@{DOMAIN}", {"project", "call"}),
    ]  # fmt: skip


async def test_filters_narrow_the_board(client: Client, node: Node) -> None:
    made = {"project": await node.announce("project", project()), "call": await node.announce("call", call())}
    for query, found in FILTERS:
        assert set(await ids(client, query)) == {made[name] for name in found}, query


async def test_an_owner_is_found_by_id_and_by_address_too(client: Client, node: Node) -> None:
    status_id = await node.announce("call", call())
    assert await ids(client, f"organisation={node.owner}") == [status_id]
    assert await ids(client, f"organisation=https://{DOMAIN}/ap/actors/{node.owner}") == [status_id]


REFUSED = [
        ("colour=red", "colour"),
        ("kind=poem", "poem"),
        ("territory=XX", "XX"),
        ("theme=nonsense", "nonsense"),
        ("sdg=18", "18"),
        ("language=xx", "xx"),
        ("status=ajar", "ajar"),
        ("status=open&status=closed", "status"),
        ("closing_before=soon", "soon"),
        ("organisation=nobody", "nobody"),
        ("organisation=nobody@nowhere.example", "nobody@nowhere.example"),
        ("organisation=99999999999999999999", "organisation"),
        ("max_id=-1", "-1"),
        ("min_id=x", "min_id"),
        ("limit=0", "limit"),
        ("limit=81", "limit"),
        ("kind=" + ",".join(["call"] * 30), "kind"),
    ]  # fmt: skip


async def test_an_unknown_filter_or_value_is_refused_by_its_name(client: Client) -> None:
    for query, named in REFUSED:
        assert named in (await get(client, f"{BOARD}?{query}", 422))["error"], query


async def test_pages_follow_one_another_in_both_directions(client: Client, node: Node) -> None:
    made = [await node.announce("call", call()) for _ in range(5)]
    newest = made[::-1]
    answer = await client.get(f"{BOARD}?limit=2&kind=call&kind=project")
    walked = [int(each["id"]) for each in await answer.json()]
    last = answer
    while "next" in answer.links:
        target = urlsplit(str(answer.links["next"]["url"]))
        answer = await client.get(f"{target.path}?{target.query}")
        assert target.netloc == DOMAIN
        page = [int(each["id"]) for each in await answer.json()]
        walked += page
        last = answer if page else last
    assert walked == newest
    target = urlsplit(str(last.links["prev"]["url"]))
    back = await get(client, f"{target.path}?{target.query}")
    assert [int(each["id"]) for each in back] == newest[2:4]
    assert await ids(client, f"since_id={made[2]}") == newest[:2]
    assert await ids(client, f"max_id={made[2]}") == newest[3:]
    assert "Link" not in (await client.get(f"{BOARD}?max_id={made[0]}")).headers


async def test_what_nobody_should_see_is_on_no_board(client: Client, node: Node) -> None:
    status_id = await node.announce("call", call())
    for table, row_id, hidden, shown in (
        (status, status_id, {"visibility": "followers"}, {"visibility": "public"}),
        (actor, node.owner, {"suspended_at": 1}, {"suspended_at": None}),
        (actor, node.owner, {"deleted_at": 1}, {"deleted_at": None}),
    ):
        await node.change(table, row_id, **hidden)
        assert await ids(client, "status=all") == []
        await get(client, f"{BOARD}/{status_id}", 404)
        await node.change(table, row_id, **shown)
        assert await ids(client) == [status_id]


async def test_records_of_a_limited_server_are_not_on_the_board(client: Client, node: Node) -> None:
    status_id = await node.announce("call", call())
    await node.database.append([(peer.insert(), {"host": DOMAIN, "first_seen_at": 1})])
    for standing, seen in (("open", True), ("allowed", True), ("limited", False), ("blocked", False)):
        await node.change(peer, DOMAIN, standing=standing)
        assert await ids(client) == ([status_id] if seen else []), standing


async def test_a_passed_deadline_moves_a_call_to_the_closed_ones(
    client: Client, node: Node, clock: Clock
) -> None:
    status_id = await node.announce("call", call())
    clock.now = 1_782_864_000_000  # 2026-07-01T00:00:00Z
    assert await ids(client) == []
    assert await ids(client, "status=closed") == [status_id]
    assert (await get(client, f"{BOARD}/{status_id}"))["state"] == "closed"


async def test_an_absent_record_is_404_and_a_deleted_one_410(client: Client, node: Node) -> None:
    status_id = await node.announce("call", call())
    await node.delete(status_id)
    await get(client, f"{BOARD}/{status_id}", 410)
    await get(client, f"{BOARD}/{status_id + 1}", 404)
    await get(client, f"{BOARD}/something", 404)


async def test_vocabularies_have_labels_in_three_languages(client: Client) -> None:
    themes = await get(client, "/api/esn/v1/vocabularies/themes")
    assert (themes["scheme"], themes["version"]) == ("themes", 1)
    assert {
        "id": "mutualism",
        "broader": "social-protection",
        "labels": {"fr": "Mutualisme", "en": "Mutualism", "es": "Mutualismo"},
    } in themes["concepts"]
    below = await get(client, "/api/esn/v1/vocabularies/territories?broader=BE")
    assert {"BE-x-francophone", "BE-BRU"} <= {each["id"] for each in below["concepts"]}
    await get(client, "/api/esn/v1/vocabularies/poems", 404)
    assert "broader" in (await get(client, "/api/esn/v1/vocabularies/sdg?broader=99", 422))["error"]
    assert "colour" in (await get(client, "/api/esn/v1/vocabularies/sdg?colour=1", 422))["error"]
