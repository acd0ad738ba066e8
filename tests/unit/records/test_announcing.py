"""Announcing, changing, closing and deleting a record of ours: rows, posts and what is sent."""

from __future__ import annotations

from typing import Any

import orjson
import pytest

from esnfed.errors import Conflict, Gone, Invalid, NotFound, Refused
from esnfed.models import actor, record, record_facet, status, tag
from esnfed.records import operations, presentation, query, service
from esnfed.vocab.contexts import ESN
from tests.doubles.clock import Clock
from tests.unit.records.nodes import TRAVELLING, Node, every_value
from tests.unit.records.sheets import SECRETS, call, project


async def test_a_project_is_a_note_with_its_sheet(node: Node) -> None:
    status_id = await node.announce("project", project())
    [create] = await node.sent()
    note = create["object"]
    page = f"https://a.esn.test/r/{status_id}/sante-des-enseignants-au-burkina-faso"
    assert (create["type"], note["type"]) == ("Create", "Note")
    assert note["id"] == f"https://a.esn.test/ap/objects/{status_id}"
    assert note["url"] == page
    assert not {"name", "summary"} & set(note)
    assert note["attachment"] == [{"type": "Link", "href": page, "mediaType": "text/html"}]
    assert list(note["contentMap"]) == ["fr", "en"]
    assert note["content"] == note["contentMap"]["fr"]
    assert {"#ODD3", "#SDG3", "#BurkinaFaso"} <= {item["name"] for item in note["tag"]}
    wire = note["esn:record"]
    assert (wire["kind"], wire["schema"], wire["version"], wire["state"]) == ("project", 1, 1, "open")
    assert wire["title"] == project()["title"]
    terms = create["@context"][1]
    assert terms["esn"] == ESN
    assert terms["esn:record"] == {"@id": f"{ESN}record", "@type": "@json"}


async def test_a_call_says_when_it_ends(node: Node) -> None:
    await node.announce("call", call())
    [create] = await node.sent()
    assert create["object"]["endTime"] == "2026-07-01T00:00:00.000Z"
    assert create["object"]["esn:record"]["closes"] == "2026-06-30"


async def test_nothing_private_is_in_any_byte_that_leaves_the_node(node: Node) -> None:
    status_id = await node.announce("project", project())
    await node.update(status_id, project(summary={"fr": "Autre", "en": "Other"}))
    await node.close(status_id)
    row = await node.database.read(query.one, status_id)
    kept = await node.row(record, status_id)
    shown = every_value([kept], ["private"])
    for table in (*TRAVELLING, tag, record_facet):
        shown += every_value(await node.rows(table))
    shown += orjson.dumps([await node.sent(), presentation.whole(row), presentation.entry(row)]).decode()
    assert "office@sne.example" in shown, "what is public is there"
    assert not [secret for secret in SECRETS if secret in shown]
    assert kept["private"]["budget"] == project()["budget"], "the node itself keeps it"
    assert kept["private"]["contacts"][0]["email"] == "awa.secret@sne.example"


async def test_a_change_is_an_update_with_a_higher_version(node: Node, clock: Clock) -> None:
    status_id = await node.announce("project", project())
    clock.advance(1000)
    await node.update(status_id, project(title={"fr": "Neuf", "en": "New"}, territories=["SN"]))
    last = (await node.sent())[-1]
    assert last["type"] == "Update"
    assert last["object"]["esn:record"]["version"] == 2
    assert last["object"]["esn:record"]["territories"] == ["SN"]
    assert "Neuf" in last["object"]["content"]
    assert last["object"]["updated"] == "2026-01-01T00:00:01.000Z"
    assert not await node.database.read(query.page, query.BoardQuery(territory=("BF",)))
    assert await node.database.read(query.page, query.BoardQuery(territory=("SN",)))


async def test_two_changes_made_from_one_state_do_not_both_win(node: Node) -> None:
    status_id = await node.announce("call", call())
    plan = await node.database.read(service.prepare_closing, node.owner, status_id)
    await node.update(status_id, call(places=3))
    with pytest.raises(Conflict):
        await node.database.write(service.apply_revision, plan)
    assert len(await node.sent()) == 2


async def test_closing_is_an_update_with_visible_text_and_state(node: Node) -> None:
    status_id = await node.announce("project", project())
    await node.close(status_id)
    last = (await node.sent())[-1]
    wire = last["object"]["esn:record"]
    assert last["type"] == "Update"
    assert (wire["state"], wire["status"]) == ("closed", "closed")
    assert wire["closed"] == "2026-01-01T00:00:00.000Z"
    assert "[Closed]" in last["object"]["contentMap"]["en"]
    with pytest.raises(Conflict):
        await node.close(status_id)


async def test_a_closed_call_stays_closed_until_it_is_opened_again(node: Node) -> None:
    status_id = await node.announce("call", call())
    await node.close(status_id)
    await node.update(status_id, call(places=3))
    assert (await node.row(record, status_id))["closed_at"] is not None
    await node.update(status_id, call(places=4), reopen=True)
    assert (await node.row(record, status_id))["closed_at"] is None
    assert (await node.sent())[-1]["object"]["esn:record"]["state"] == "open"


async def test_a_project_opens_and_closes_by_its_status(node: Node) -> None:
    status_id = await node.announce("project", project(status="cancelled"))
    assert (await node.row(record, status_id))["closed_at"] is not None
    await node.update(status_id, project())
    assert (await node.row(record, status_id))["closed_at"] is None
    await node.update(status_id, project(status="closed"))
    assert (await node.database.read(query.one, status_id))["state"] == "closed"


async def test_a_deleted_record_leaves_no_sheet(node: Node) -> None:
    status_id = await node.announce("project", project())
    await node.delete(status_id)
    kept = await node.row(record, status_id)
    assert (kept["sheet"], kept["private"]) == ({}, None)
    assert kept["deleted_at"] is not None
    assert not await node.rows(record_facet)
    assert (await node.sent())[-1]["type"] == "Delete"
    with pytest.raises(Gone):
        await node.database.read(query.one, status_id)
    with pytest.raises(Gone):
        await node.close(status_id)


async def test_only_its_owner_changes_a_record_and_only_ours_announce(node: Node) -> None:
    status_id = await node.announce("call", call())
    stranger = node.runtime.ids.next()
    owner = node.owner
    node.owner = stranger
    for attempt in (node.close(status_id), node.update(status_id, call()), node.delete(status_id)):
        with pytest.raises(Refused):
            await attempt
    node.owner = owner
    with pytest.raises(NotFound):
        await node.close(stranger)
    await node.change(actor, owner, suspended_at=1)
    with pytest.raises(Refused):
        await node.announce("call", call())


async def test_what_is_wrong_is_refused_before_anything_is_written(node: Node) -> None:
    for kind, sheet, field in (("poem", call(), "kind"), ("call", call(closes=None), "closes")):
        with pytest.raises(Invalid) as refused:
            await node.announce(kind, sheet)
        assert refused.value.field == field
    assert not await node.rows(status)


async def test_commands_announce_change_show_and_delete(node: Node) -> None:
    shown = await operations.announce(node, owner="sne", kind="project", sheet=project())
    record_id = int(shown["id"])
    assert "private" not in shown
    changed = await operations.update(node, record_id=record_id, changes={"scope": "local", "sdg": None})
    assert (changed["sheet"]["scope"], changed["sdg"], changed["version"]) == ("local", [], 2)
    whole: dict[str, Any] = await node.database.read(operations.show, record_id)
    assert whole["private"]["budget"] == project()["budget"], "a change keeps what is private"
    assert (await operations.close(node, record_id=record_id))["state"] == "closed"
    listed = await node.database.read(operations.list_records, [["status", "all"], ["kind", "project"]])
    assert [each["id"] for each in listed] == [shown["id"]]
    assert await node.database.write(operations.delete, record_id) == {"id": shown["id"]}
    with pytest.raises(NotFound):
        await operations.announce(node, owner="nobody", kind="project", sheet=project())
