"""`esnfed actor alias`, `move` and `progress`: an actor of this node comes from, or goes to, elsewhere."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import click
from sqlalchemy import RowMapping

from esnfed.app import Node
from esnfed.cli import resolve
from esnfed.cli.asking import confirm_by_typing
from esnfed.cli.control import run_operation
from esnfed.cli.frame import pass_config
from esnfed.cli.output import answer, table
from esnfed.cli.shown import Json, account, sheet, time
from esnfed.cli.texts import _
from esnfed.cli.usage import command, json_option, option
from esnfed.config import Config
from esnfed.context import Context
from esnfed.errors import Malformed, NotFound, RemoteError
from esnfed.federation.discovery import store_actor
from esnfed.i18n import N_
from esnfed.registry import operations, readings
from esnfed.services import actors, moves

STATES = {
    "queued": N_("queued"),
    "delivered": N_("delivered"),
    "failed": N_("failed"),
    "dropped": N_("dropped"),
}


@operations.register("actor-alias")
async def name_aliases(node: Node, *, handle: str, added: list[str], removed: list[str]) -> Json:
    """Add and take away aliases, given by name or address; return all there are then."""
    await node.database.read(resolve.acting, handle)
    new = [await _uri(node, name) for name in added]
    gone = [await _uri(node, name) for name in removed]
    return await node.database.write(_name, handle, new, gone)


async def _uri(node: Node, name: str) -> str:
    """Return the id of an account; an address stands for itself when nobody answers there any more."""
    try:
        row = await node.database.read(actors.by_id, await resolve.actor_id(node, name))
    except (NotFound, Malformed, RemoteError):
        if not name.startswith(("http://", "https://")):
            raise
        return name
    return str(row["uri"])


def _name(context: Context, handle: str, added: list[str], removed: list[str]) -> Json:
    row = resolve.acting(context, handle)
    kept = [uri for uri in [*(row["also_known_as"] or []), *added] if uri not in removed]
    if kept == (row["also_known_as"] or []):
        return {"account": account(row), "aliases": kept}
    return {"account": account(row), "aliases": moves.name_aliases(context, row, kept)}


@operations.register("actor-move")
async def move_actor(node: Node, *, handle: str, name: str) -> Json:
    """Move a local actor to another account, read from its origin just now; return the progress."""
    await node.database.read(resolve.acting, handle)
    target = await node.database.read(actors.by_id, await resolve.actor_id(node, name))
    if not target["local"]:
        resolved = await node.discovery.document(target["uri"])
        await node.database.write(store_actor, resolved.document, resolved.domain)
    await node.database.write(_move, handle, target["id"])
    return await node.database.read(show_progress, handle)


def _move(context: Context, handle: str, target_id: int) -> None:
    moves.move(context, resolve.acting(context, handle), actors.by_id(context, target_id))


@readings.register("actor-progress")
def show_progress(context: Context, handle: str) -> Json:
    """Return how far the last move of a local actor is; NotFound when it never moved."""
    row: RowMapping = actors.local(context, handle)
    found: dict[str, Any] = moves.progress(context, row)
    if found["to"] is None:
        raise NotFound(N_("This actor has not moved."))
    return {
        "account": account(row),
        "to": found["to"],
        "at": time(found["at"]),
        "followers_left_here": found["local_left"],
        "followers_left_elsewhere": found["remote_left"],
        "servers": [
            {"host": host, "state": state, "error": error} for host, state, error in found["servers"]
        ],
    }


@command(
    "alias",
    help=N_(
        "Say which other accounts an actor of this node is too. An account that is to move here must be "
        "among them first. Without options the aliases are listed."
    ),
)
@click.argument("handle", metavar="HANDLE")
@option("--add", "added", multiple=True, metavar="NAME", help=N_("Another account, name@domain or address."))
@option("--remove", "removed", multiple=True, metavar="NAME", help=N_("An alias that is one no more."))
@json_option
@pass_config
def alias(
    config: Config, handle: str, added: tuple[str, ...], removed: tuple[str, ...], as_json: bool
) -> None:
    """Have the node change the aliases."""
    arguments = {"handle": handle, "added": list(added), "removed": list(removed)}
    answer(run_operation(config, "actor-alias", arguments), as_json, _aliases)


def _aliases(shown: Json) -> Iterator[str]:
    return table((_("Alias of %(account)s") % shown,), ([uri] for uri in shown["aliases"]))


@command(
    "move",
    help=N_(
        "Move an actor of this node to another account, which names it as its alias. Its followers follow "
        "the other account, its page says where it went, and nobody follows it here any more."
    ),
)
@click.argument("handle", metavar="HANDLE")
@click.argument("name", metavar="NAME")
@option("--yes", "sure", is_flag=True, help=N_("Do not ask."))
@json_option
@pass_config
def move(config: Config, handle: str, name: str, sure: bool, as_json: bool) -> None:
    """Have the handle typed once more, then have the node move the actor."""
    confirm_by_typing(handle, sure)
    answer(run_operation(config, "actor-move", {"handle": handle, "name": name}), as_json, _shown)


@command("progress", help=N_("Show how far the move of an actor is, and which servers did not answer."))
@click.argument("handle", metavar="HANDLE")
@json_option
@pass_config
def progress(config: Config, handle: str, as_json: bool) -> None:
    """Print the progress."""
    answer(run_operation(config, "actor-progress", {"handle": handle}), as_json, _shown)


def _shown(found: Json) -> Iterator[str]:
    yield from sheet(
        {
            _("Account"): found["account"],
            _("Moved to"): found["to"],
            _("Since"): found["at"],
            _("Followers left here"): str(found["followers_left_here"]),
            _("Followers left elsewhere"): str(found["followers_left_elsewhere"]),
        }
    )
    yield ""
    headings = (_("Server"), _("State"), _("Error"))
    rows = ([each["host"], _(STATES[each["state"]]), each["error"]] for each in found["servers"])
    yield from table(headings, rows)
