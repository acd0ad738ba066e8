"""The statements of the room on both back ends: the life of a record, and the board."""

from __future__ import annotations

from copy import deepcopy

from esnfed.context import Context
from esnfed.models import record, record_facet
from esnfed.records import query
from esnfed.records.filters import read_filters, resolve
from esnfed.records.object import PROPERTY
from tests.doubles.clock import Clock
from tests.unit.records.nodes import Node
from tests.unit.records.sheets import call, project


def board(context: Context, *pairs: tuple[str, str]) -> list[int]:
    return [row["status_id"] for row in query.page(context, resolve(context, read_filters(pairs)))]


async def test_the_life_of_a_record(any_node: Node, other: Node, clock: Clock) -> None:
    ours = await any_node.announce("project", project())
    clock.advance(1000)
    await any_node.update(ours, project(sdg=["4"]))
    await any_node.close(ours)
    await other.announce("call", call())
    note = (await other.sent())[-1]["object"]
    theirs = await any_node.receive(note)
    newer, older = deepcopy(note), deepcopy(note)
    newer |= {"updated": "2026-01-01T00:00:00.500Z", "published": "2025-01-01T00:00:00Z"}
    newer[PROPERTY] |= {"version": 7, "title": {"fr": "Sept"}}
    older |= {"updated": "2026-01-01T00:00:00.700Z", "published": "2025-01-01T00:00:00Z"}
    older[PROPERTY] |= {"version": 6, "title": {"fr": "Six"}}
    await any_node.receive(newer)
    await any_node.receive(older)
    assert (await any_node.row(record, theirs))["sheet"]["title"] == {"fr": "Sept"}
    assert (await any_node.database.read(query.one, ours))["state"] == "closed"
    await any_node.delete(ours)
    assert {row["status_id"] for row in await any_node.rows(record_facet)} == {theirs}


async def test_the_board(any_node: Node, clock: Clock) -> None:
    a = await any_node.announce("project", project())
    b = await any_node.announce("call", call())
    c = await any_node.announce("call", call(territories=["BF"], closes="2026-03-01"))
    read = any_node.database.read
    for pairs, found in (
        ([], [c, b, a]),
        ([("kind", "call")], [c, b]),
        ([("territory", "BF")], [c, a]),
        ([("territory", "BE,SN")], [b]),
        ([("theme", "health-in-schools"), ("sdg", "3")], [a]),
        ([("language", "es")], [c, b]),
        ([("closing_before", "2026-04-01")], [c]),
        ([("organisation", "sne"), ("limit", "1")], [c]),
        ([("max_id", str(c)), ("limit", "1")], [b]),
        ([("min_id", str(a)), ("limit", "1")], [b]),
        ([("since_id", str(a)), ("limit", "1")], [c]),
        ([("status", "closed")], []),
    ):
        assert await read(board, *pairs) == found, pairs
    clock.now += 90 * 86_400_000
    assert await read(board) == [b, a]
    assert await read(board, ("status", "closed")) == [c]
    assert await read(board, ("status", "all")) == [c, b, a]
