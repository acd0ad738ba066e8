"""Records of other nodes: what is stored of them, and what never is."""

from __future__ import annotations

from copy import deepcopy
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings

from esnfed.i18n import translator
from esnfed.models import counter, record, record_facet, status
from esnfed.records import query
from esnfed.records.object import PROPERTY, UNSUPPORTED
from tests.doubles.clock import Clock
from tests.unit.records.nodes import Document, Node
from tests.unit.records.sheets import call, project
from tests.unit.records.test_sheets import JSON


async def travelled(node: Node, kind: str = "call", sheet: Document | None = None) -> Document:
    """The note of a record announced on `node`."""
    await node.announce(kind, sheet or call())
    note: Document = (await node.sent())[-1]["object"]
    return note


def later(note: Document, version: int, **changes: Any) -> Document:
    """The note after another edit."""
    made = deepcopy(note)
    made["updated"] = f"2025-12-31T23:59:{version:02}.000Z"
    made["published"] = "2025-12-30T00:00:00Z"
    made[PROPERTY] |= {"version": version} | changes
    return made


async def test_a_record_appears_on_the_board_of_another_node(other: Node, node: Node) -> None:
    note = await travelled(other, "project", project())
    status_id = await node.receive(note)
    [row] = await node.database.read(query.page, query.BoardQuery(kind=("project",)))
    assert (row["status_id"], row["uri"], row["local"]) == (status_id, note["id"], False)
    assert (row["owner_handle"], row["owner_host"], row["state"]) == ("sne", "b.esn.test", "open")
    assert row["sheet"]["title"] == project()["title"]
    assert row["private"] is None


async def test_the_text_shown_is_our_own_rendering(other: Node, node: Node) -> None:
    note = await travelled(other)
    forged = note | {"content": "<p>Something else</p>", "contentMap": {"fr": "<p>Something else</p>"}}
    row = await node.row(status, await node.receive(forged))
    assert "Something else" not in row["content"]
    assert row["content"].startswith("<p><strong>Cherche partenaires</strong></p>")
    assert list(row["content_map"]) == ["fr", "es"]
    assert row["language"] == "fr"
    assert f'href="{note["url"]}"' in row["content"], "it leads to the sheet on its home node"


async def test_an_older_version_never_replaces_a_newer_one(other: Node, node: Node) -> None:
    note = await travelled(other)
    status_id = await node.receive(later(note, 5, title={"fr": "Cinq"}))
    overtaken = later(note, 3, title={"fr": "Trois"}) | {"updated": "2025-12-31T23:59:59.000Z"}
    await node.receive(overtaken)
    row, post = await node.row(record, status_id), await node.row(status, status_id)
    assert (row["version"], row["sheet"]["title"]) == (5, {"fr": "Cinq"})
    assert "Cinq" in post["content"], "and the text is that of the sheet that we keep"
    await node.receive(later(note, 6, title={"fr": "Six"}) | {"updated": "2025-12-31T23:59:59.500Z"})
    assert (await node.row(record, status_id))["sheet"]["title"] == {"fr": "Six"}


async def test_closing_arrives(other: Node, node: Node, clock: Clock) -> None:
    await other.announce("call", call())
    status_id = await node.receive((await other.sent())[-1]["object"])
    clock.advance(60_000)
    await other.close(int((await other.rows(record))[0]["status_id"]))
    await node.receive((await other.sent())[-1]["object"])
    assert (await node.row(record, status_id))["closed_at"] == clock.now
    assert not await node.database.read(query.page, query.BoardQuery())
    closed = translator("es").pgettext("call", "Closed")
    assert f"[{closed}]" in (await node.row(status, status_id))["content_map"]["es"]


async def test_a_deadline_closes_on_every_node_without_a_message(
    other: Node, node: Node, clock: Clock
) -> None:
    status_id = await node.receive(await travelled(other))
    clock.now = 1_782_863_999_999  # the last millisecond of 2026-06-30
    assert (await node.database.read(query.one, status_id))["state"] == "open"
    clock.advance(1)
    assert (await node.database.read(query.one, status_id))["state"] == "closed"
    assert not await node.database.read(query.page, query.BoardQuery())
    assert await node.database.read(query.page, query.BoardQuery(state="closed"))


@pytest.mark.parametrize(
    ("wire", "key"),
    [
        ({"kind": "poem", "version": 1, "title": {"fr": "x"}}, "poem"),
        ({"version": 1, "title": {"fr": "x"}}, "(none)"),
        ({"kind": ["call"], "version": 1}, "(none)"),
        ("call", "(none)"),
        (None, "(none)"),
        ({"kind": "call", "version": 1, "title": {}}, "call (unusable)"),
        ({"kind": "call", "version": 0, "title": {"fr": "x"}}, "call (unusable)"),
        ({"kind": "call", "version": True, "title": {"fr": "x"}}, "call (unusable)"),
        ({"kind": "call", "version": 10**30, "title": {"fr": "x"}}, "call (unusable)"),
    ],
)
async def test_what_cannot_be_used_leaves_a_plain_post_and_is_counted(
    other: Node, node: Node, wire: Any, key: str
) -> None:
    note = await travelled(other) | {PROPERTY: wire}
    post = await node.row(status, await node.receive(note))
    assert "Cherche partenaires" in post["content"]
    assert not await node.rows(record)
    [counted] = await node.rows(counter)
    assert (counted["name"], counted["key"], counted["count"]) == (UNSUPPORTED, key, 1)


async def test_the_owner_is_the_author_of_the_note_whatever_the_record_claims(
    other: Node, node: Node
) -> None:
    note = await travelled(other)
    note[PROPERTY] |= {"owner": "https://a.esn.test/ap/actors/1", "uri": "https://a.esn.test/ap/objects/1"}
    await node.receive(note)
    [row] = await node.rows(record)
    assert row["uri"] == note["id"]
    assert row["owner_id"] != node.owner
    assert not {"owner", "uri"} & set(row["sheet"])


async def test_a_record_that_is_not_public_is_on_no_board(other: Node, node: Node) -> None:
    note = await travelled(other)
    note |= {"to": [f"{note['attributedTo']}/followers"], "cc": []}
    await node.receive(note)
    assert not await node.database.read(query.page, query.BoardQuery(state="all"))


async def test_a_record_dated_in_the_future_is_dated_now(other: Node, node: Node, clock: Clock) -> None:
    note = await travelled(other)
    note |= {"published": "2090-01-01T00:00:00Z", "updated": "2091-01-01T00:00:00Z"}
    note[PROPERTY] |= {"state": "closed", "closed": "2090-01-01T00:00:00Z"}
    row = await node.row(record, await node.receive(note))
    assert row["published_at"] == row["updated_at"] == row["closed_at"] == clock.now


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(JSON)
async def test_no_property_makes_receiving_fail(node: Node, value: Any) -> None:
    number = node.runtime.ids.next()
    wire = {
        "kind": "call",
        "version": 1,
        "title": {"fr": "x"},
        "closes": value,
        "territories": value,
        "state": value,
    }
    for each in (value, wire):
        uri = f"https://b.esn.test/ap/objects/{number}-{each is wire}"
        document = {
            "id": uri,
            "type": "Note",
            "attributedTo": "https://b.esn.test/ap/actors/1",
            "content": "<p>x</p>",
            "to": ["https://www.w3.org/ns/activitystreams#Public"],
            PROPERTY: each,
        }
        assert await node.receive(document)
    assert await node.rows(record)
    assert await node.rows(record_facet)
