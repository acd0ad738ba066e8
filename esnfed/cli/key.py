"""`esnfed key`: the keys with which the actors of this node sign, and new ones for them."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator

import click
from sqlalchemy import RowMapping

from esnfed.app import Node
from esnfed.cli.accounts import new_keys
from esnfed.cli.control import run_operation
from esnfed.cli.frame import pass_config
from esnfed.cli.output import answer, table
from esnfed.cli.shown import Json, account, time
from esnfed.cli.texts import _
from esnfed.cli.usage import group, json_option, option
from esnfed.config import Config
from esnfed.context import Context
from esnfed.i18n import N_
from esnfed.registry import commands, operations, readings
from esnfed.services import actors, keys
from esnfed.services.actors import NewKeys
from esnfed.services.nodes import NODE_HANDLE


@group("key", help=N_("The keys with which the actors of this node sign."))
def key() -> None:
    """Hold the subcommands."""


commands.add("key", key)

_node_option = option("--node", "of_node", is_flag=True, help=N_("Of the node's own actor."))


@operations.register("key-rotate")
async def rotate_keys(node: Node, *, handle: str) -> Json:
    """Give a local actor new keys; return their addresses."""
    made = await asyncio.to_thread(new_keys)
    found: Json = await node.database.write(_rotate, handle, made)
    await node.refresh_signer()
    return found


def _rotate(context: Context, handle: str, made: NewKeys) -> Json:
    row = actors.local(context, handle)
    return {"account": account(row), "keys": keys.rotate(context, row, made)}


@readings.register("key-list")
def list_keys(context: Context, handle: str) -> list[Json]:
    """Return the keys of a local actor, the oldest first, without anything secret."""
    return [_entry(row) for row in keys.of(context, actors.local(context, handle)["id"])]


def _entry(row: RowMapping) -> Json:
    return {
        "key": row["uri"],
        "kind": row["kind"],
        "since": time(row["created_at"]),
        "superseded": time(row["superseded_at"]),
        "retired": time(row["retired_at"]),
    }


def _handle(handle: str | None, of_node: bool) -> str:
    if (handle is None) != of_node:
        raise click.UsageError(_("Give either a handle or --node."))
    return handle or NODE_HANDLE


@key.command(
    "rotate",
    help=N_(
        "Give an actor of this node new keys. Other servers get them signed with the old ones, which stay "
        "valid beside them for thirty days."
    ),
)
@click.argument("handle", metavar="[HANDLE]", required=False)
@_node_option
@json_option
@pass_config
def rotate(config: Config, handle: str | None, of_node: bool, as_json: bool) -> None:
    """Have the node make the keys."""
    done = run_operation(config, "key-rotate", {"handle": _handle(handle, of_node)})
    answer(done, as_json, lambda made: [_("New key: %(key)s") % {"key": uri} for uri in made["keys"]])


@key.command("list", help=N_("List the keys of an actor of this node, the oldest first."))
@click.argument("handle", metavar="[HANDLE]", required=False)
@_node_option
@json_option
@pass_config
def list_(config: Config, handle: str | None, of_node: bool, as_json: bool) -> None:
    """Print the keys."""
    answer(run_operation(config, "key-list", {"handle": _handle(handle, of_node)}), as_json, _table)


def _table(found: list[Json]) -> Iterator[str]:
    headings = (_("Key"), _("Kind"), _("Since"), _("Superseded"), _("Retired"))
    columns = ("key", "kind", "since", "superseded", "retired")
    return table(headings, ([each[name] for name in columns] for each in found))
