"""`esnfed post thread`: the thread of a post, what is missing fetched first."""

from __future__ import annotations

from collections.abc import Iterator

import click
from sqlalchemy import RowMapping

from esnfed.app import Node
from esnfed.cli import resolve
from esnfed.cli.control import run_operation
from esnfed.cli.frame import pass_config
from esnfed.cli.output import answer, plain, table
from esnfed.cli.shown import Json, account, time
from esnfed.cli.texts import _
from esnfed.cli.usage import command, json_option
from esnfed.config import Config
from esnfed.context import Context
from esnfed.i18n import N_
from esnfed.registry import operations
from esnfed.services import actors, statuses, threads, wanted
from esnfed.text import sanitise

SECONDS = 10.0
"""How long each part of a fetch (what is above, what is below) is waited for; it goes on without us."""

PARTS = 3
TEASER = 60


@operations.register("post-thread")
async def thread(node: Node, *, name: str) -> Json:
    """Return the public part of the thread of a post, after fetching what other servers have of it.

    `complete` is False when the fetch takes longer than the command waits: it goes on in the node.
    """
    status_id = await resolve.status_id(node, name)
    complete = await _fetched(node, status_id)
    return {"complete": complete, "posts": await node.database.read(_thread, status_id)}


async def _fetched(node: Node, status_id: int) -> bool:
    for _part in range(PARTS):
        errand_id = await node.database.write(_next_errand, status_id)
        if errand_id is None:
            return True
        if not await node.errand_worker.finish(errand_id, SECONDS):
            return False
    return await node.database.write(_next_errand, status_id) is None


def _next_errand(context: Context, status_id: int) -> int | None:
    return wanted.next_errand(context, statuses.by_id(context, status_id))


def _thread(context: Context, status_id: int) -> list[Json]:
    row = statuses.by_id(context, status_id)
    found = threads.around(context, row)
    depths: dict[int, int] = {}
    shown = []
    for each in (*found.ancestors, row, *found.descendants):
        depths[each["id"]] = depths.get(each["in_reply_to_id"] or 0, -1) + 1
        shown.append(_entry(context, each, depths[each["id"]], asked=each["id"] == status_id))
    return shown


def _entry(context: Context, row: RowMapping, depth: int, *, asked: bool) -> Json:
    return {
        "id": str(row["id"]),
        "uri": row["uri"],
        "author": account(actors.by_id(context, row["actor_id"])),
        "published": time(row["published_at"]),
        "depth": depth,
        "asked": asked,
        "warning": row["summary"],
        "text": sanitise.plain(row["content"]),
    }


@command(
    "thread",
    help=N_(
        "Show the thread of a post, given by its id here or its address, after fetching what other servers "
        "have of it."
    ),
)
@click.argument("name", metavar="POST")
@json_option
@pass_config
def show(config: Config, name: str, as_json: bool) -> None:
    """Print the thread."""
    answer(run_operation(config, "post-thread", {"name": name}), as_json, _lines)


def _lines(shown: Json) -> Iterator[str]:
    headings = (_("Id"), _("Published"), _("Author"), _("Text"))
    rows = (
        (each["id"], each["published"], each["author"], f"{'  ' * each['depth']}{_teaser(each)}")
        for each in shown["posts"]
    )
    yield from table(headings, rows)
    if not shown["complete"]:
        yield _("More replies may still be arriving from other servers.")


def _teaser(each: Json) -> str:
    line = " ".join((each["warning"] or each["text"]).split())
    return plain(line if len(line) <= TEASER else f"{line[: TEASER - 1].rstrip()}…")
