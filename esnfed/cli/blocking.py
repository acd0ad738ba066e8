"""`esnfed actor block`, `unblock` and `blocks`: whom an actor of this node wants nothing to do with."""

from __future__ import annotations

from collections.abc import Iterator

import click
from sqlalchemy import RowMapping

from esnfed.app import Node
from esnfed.cli import resolve
from esnfed.cli.control import run_operation
from esnfed.cli.frame import pass_config
from esnfed.cli.output import answer, table
from esnfed.cli.shown import Json, account, as_option, time, yes
from esnfed.cli.texts import _
from esnfed.cli.usage import command, json_option, option
from esnfed.config import Config
from esnfed.context import Context
from esnfed.errors import Conflict
from esnfed.i18n import N_
from esnfed.registry import operations, readings
from esnfed.services import actors, blocks


@operations.register("actor-block")
async def add_block(node: Node, *, handle: str, name: str, tell: bool = False) -> Json:
    """Let a local actor block another, fetched when new; Conflict when it did so before."""
    await node.database.read(resolve.acting, handle)
    target_id = await resolve.actor_id(node, name)
    return await node.database.write(_block, handle, target_id, tell)


def _block(context: Context, handle: str, target_id: int, tell: bool) -> Json:
    by, target = resolve.acting(context, handle), actors.by_id(context, target_id)
    if not blocks.block_actor(context, by, target, tell=tell):
        raise Conflict(N_("This actor is blocked already."))
    return _pair(by, target)


def _pair(by: RowMapping, target: RowMapping) -> Json:
    return {"blocker": account(by), "blocked": account(target)}


@operations.register("actor-unblock")
def remove_block(context: Context, handle: str, name: str) -> Json:
    """Let a local actor end a block; NotFound without one."""
    by, target = resolve.acting(context, handle), resolve.known_actor(context, name)
    blocks.unblock(context, by, target)
    return _pair(by, target)


@readings.register("actor-blocks")
def list_blocks(context: Context, handle: str) -> list[Json]:
    """Return whom a local actor blocks, the newest first."""
    return [
        {
            "blocked": account(row),
            "uri": row["uri"],
            "told": row["block_uri"] is not None,
            "since": time(row["created_at"]),
        }
        for row in blocks.made_by(context, actors.local(context, handle)["id"])
    ]


@command(
    "block",
    help=N_(
        "Let an actor of this node block another: neither follows, answers or is told of the other. The "
        "other server only hears that the follows ended."
    ),
)
@click.argument("name", metavar="NAME")
@as_option
@option("--tell", is_flag=True, help=N_("Send the Block itself too; some servers show it to the blocked."))
@json_option
@pass_config
def block(config: Config, name: str, handle: str, tell: bool, as_json: bool) -> None:
    """Have the node write the block."""
    done = run_operation(config, "actor-block", {"handle": handle, "name": name, "tell": tell})
    answer(done, as_json, lambda pair: [_("%(blocker)s blocks %(blocked)s.") % pair])


@command("unblock", help=N_("End a block; what it ended does not come back."))
@click.argument("name", metavar="NAME")
@as_option
@json_option
@pass_config
def unblock(config: Config, name: str, handle: str, as_json: bool) -> None:
    """Have the node end the block."""
    done = run_operation(config, "actor-unblock", {"handle": handle, "name": name})
    answer(done, as_json, lambda pair: [_("%(blocker)s does not block %(blocked)s any more.") % pair])


@command("blocks", help=N_("List whom an actor of this node blocks, the newest first."))
@as_option
@json_option
@pass_config
def blocked(config: Config, handle: str, as_json: bool) -> None:
    """Print the blocks."""
    answer(run_operation(config, "actor-blocks", {"handle": handle}), as_json, _table)


def _table(found: list[Json]) -> Iterator[str]:
    headings = (_("Blocked"), _("Told"), _("Since"))
    return table(headings, ([each["blocked"], yes(each["told"]), each["since"]] for each in found))
