"""Acts of organisations: a project goes on, small calls open and close."""

from __future__ import annotations

from random import Random
from typing import Any

from sqlalchemy import bindparam, select

from esnfed.app import Node
from esnfed.cli.demonstration.acts import home_of, shuffled
from esnfed.cli.demonstration.script import Announcement, announcements, repertoire
from esnfed.cli.demonstration.seeding import dates
from esnfed.cli.demonstration.stage import Stage
from esnfed.context import Context
from esnfed.models import record
from esnfed.records import operations

OPEN_CALLS = 2
"""Small calls that one organisation has open at a time, at most."""

DAYS_OPEN = 21

_OWN = (
    select(record.c.status_id, record.c.sheet, record.c.version)
    .where(
        record.c.local,
        record.c.kind == bindparam("kind"),
        record.c.closed_at.is_(None),
        record.c.deleted_at.is_(None),
    )
    .order_by(record.c.status_id)
)


async def advance(stage: Stage, random: Random) -> bool:
    """A project tells what came of it so far, and one of its numbers rises."""
    for node in shuffled(random, list(stage.nodes.values())):
        found = await node.database.read(_own, "project")
        if found:
            record_id, sheet, version = random.choice(found)
            changes: dict[str, Any] = {"results": repertoire().results[version % len(repertoire().results)]}
            if indicators := sheet.get("indicators"):
                first = indicators[0] | {"value": indicators[0]["value"] + random.randint(3, 40)}
                changes["indicators"] = [first, *indicators[1:]]
            await operations.update(node, record_id=record_id, changes=changes)
            return True
    return False


async def open_call(stage: Stage, random: Random) -> bool:
    """An organisation announces a small call."""
    for node in shuffled(random, list(stage.nodes.values())):
        small = await _small_calls(node)
        home = await node.database.read(home_of)
        if home is None or len(small) >= OPEN_CALLS:
            continue
        open_titles = [sheet["title"] for _record_id, sheet, _version in small]
        choices = [each for each in repertoire().calls if each["title"] not in open_titles]
        sheet = random.choice(choices) | {"contacts": [{"role": "projects", "name": home.organisation.name}]}
        deadline = Announcement("", "", "call", sheet, closes=DAYS_OPEN)
        sheet |= dates(deadline, node.runtime.clock())
        await operations.announce(node, owner=home.organisation.handle, kind="call", sheet=sheet)
        return True
    return False


async def close_call(stage: Stage, random: Random) -> bool:
    """An organisation closes its oldest small call."""
    for node in shuffled(random, list(stage.nodes.values())):
        small = await _small_calls(node)
        if small:
            await operations.close(node, record_id=small[0][0])
            return True
    return False


async def _small_calls(node: Node) -> list[tuple[int, dict[str, Any], int]]:
    """The open calls of a node that are no part of the story, oldest first."""
    told = [each.sheet["title"] for each in announcements()]
    return [each for each in await node.database.read(_own, "call") if each[1].get("title") not in told]


def _own(context: Context, kind: str) -> list[tuple[int, dict[str, Any], int]]:
    rows = context.connection.execute(_OWN, {"kind": kind})
    return [(row.status_id, row.sheet, row.version) for row in rows]
