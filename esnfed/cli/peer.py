"""`esnfed peer`: the other servers, how they are, and how they stand here."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import click
from sqlalchemy import RowMapping, Text, bindparam, or_, select, update

from esnfed.app import Node
from esnfed.cli import resolve
from esnfed.cli.control import run_operation
from esnfed.cli.frame import pass_config
from esnfed.cli.output import answer, table
from esnfed.cli.shown import Json, limit_option, sheet, time, yes
from esnfed.cli.texts import _
from esnfed.cli.usage import group, json_option, option
from esnfed.config import Config
from esnfed.context import Context
from esnfed.errors import NotFound
from esnfed.federation import first_contact, nodeinfo, peers
from esnfed.federation.delivery_desk import Lag, lag
from esnfed.federation.nodeinfo import NodeInfo
from esnfed.federation.peers import STANDINGS
from esnfed.i18n import N_
from esnfed.models import peer as peer_table
from esnfed.registry import commands, operations, readings

HEALTHS = ("well", "failing", "dormant")
STANDING_WORDS = {
    "open": N_("open"), "allowed": N_("allowed"), "limited": N_("limited"), "blocked": N_("blocked"),
}  # fmt: skip
HEALTH_WORDS = {"well": N_("well"), "failing": N_("failing"), "dormant": N_("dormant")}


def _wanted(column: Any, name: str) -> Any:
    """A filter that holds for every row while its value is empty."""
    value = bindparam(name, type_=Text)
    return or_(value == "", column == value)


_LIST = (
    select(peer_table)
    .where(
        peer_table.c.host > bindparam("after", type_=Text),
        _wanted(peer_table.c.standing, "of_standing"),
        _wanted(peer_table.c.health, "of_health"),
    )
    .order_by(peer_table.c.host)
    .limit(bindparam("page_size"))
)
_ONE = select(peer_table).where(peer_table.c.host == bindparam("of_host"))
_PROBED = (
    update(peer_table)
    .where(peer_table.c.host == bindparam("of_host"))
    .values(
        software=bindparam("new_software"),
        software_version=bindparam("new_version"),
        probed_at=bindparam("now"),
    )
)


@group("peer", help=N_("The other servers: how they are, and how they stand here."))
def peer() -> None:
    """Hold the subcommands."""


commands.add("peer", peer)


@readings.register("peer-list")
def list_peers(
    context: Context, standing: str = "", health: str = "", limit: int = 40, after: str = ""
) -> list[Json]:
    """Return the servers known here by name, with what waits for each."""
    values = {"of_standing": standing, "of_health": health, "page_size": limit, "after": after}
    rows = context.connection.execute(_LIST, values).mappings().all()
    waiting = {each.host: each for each in lag(context)}
    return [_entry(context, row, waiting.get(row["host"])) for row in rows]


@readings.register("peer-show")
def show_peer(context: Context, host: str) -> Json:
    """Return one server; NotFound for one never heard of."""
    return _one(context, host)


def _one(context: Context, host: str) -> Json:
    row = context.connection.execute(_ONE, {"of_host": host}).mappings().one_or_none()
    if row is None:
        raise NotFound(N_("This server was never heard of here."))
    waiting = {each.host: each for each in lag(context)}
    return _entry(context, row, waiting.get(host)) | {"first_contact": _first_contact(context, host)}


def _first_contact(context: Context, host: str) -> Json | None:
    """What the server delivered in its first hour here; None when it was no stranger, or that is long ago."""
    row = first_contact.counts(context, host)
    if row is None:
        return None
    counted = {name: row[name] for name in ("activities", "mentions", "refused")}
    return {"began": time(row["began_at"])} | counted


@operations.register("peer-stand")
def stand(context: Context, host: str, standing: peers.Standing, reason: str) -> Json:
    """Set the standing of a server, also of one never heard of; return it."""
    peers.set_standing(context, host, standing, reason)
    return _one(context, host)


@operations.register("peer-probe")
async def probe(node: Node, *, host: str) -> Json:
    """Ask a server for its NodeInfo and write down its software; return it with what else it said."""
    found = await nodeinfo.probe(node.transport, host)
    shown: Json = await node.database.write(_probed, host, found)
    return shown | {"open": found.open, "protocols": list(found.protocols)}


def _probed(context: Context, host: str, found: NodeInfo) -> Json:
    peers.know(context, (host,))
    context.connection.execute(
        _PROBED,
        {
            "of_host": host,
            "new_software": found.software,
            "new_version": found.version,
            "now": context.now(),
        },
    )
    return _one(context, host)


def _entry(context: Context, row: RowMapping, waiting: Lag | None) -> Json:
    return {
        "host": row["host"],
        "standing": row["standing"],
        "reason": row["standing_reason"],
        "health": row["health"],
        "software": row["software"],
        "version": row["software_version"],
        "probed": time(row["probed_at"]),
        "scheme": row["scheme"] or None,
        "first_seen": time(row["first_seen_at"]),
        "last_inbound": time(row["last_inbound_at"]),
        "last_success": time(row["last_success_at"]),
        "last_failure": time(row["last_failure_at"]),
        "failing_since": time(row["failing_since"]),
        "failures": row["failures"],
        "last_error": row["last_error"],
        "next_try": time(row["next_at"]) if row["next_at"] > context.now() else None,
        "waiting": waiting.waiting if waiting else 0,
        "lag_seconds": (context.now() - waiting.oldest_at) // 1000 if waiting else 0,
    }


@peer.command("list", help=N_("List the servers known here, by name, with what waits for each."))
@option("--standing", type=click.Choice(STANDINGS), help=N_("Only servers with this standing."))
@option("--health", type=click.Choice(HEALTHS), help=N_("Only those in this health."))
@option("--after", default="", metavar="HOST", help=N_("Only those whose names come after this one."))
@limit_option
@json_option
@pass_config
def list_(
    config: Config, standing: str | None, health: str | None, after: str, limit: int, as_json: bool
) -> None:
    """Print servers."""
    arguments = {"standing": standing or "", "health": health or "", "after": after, "limit": limit}
    answer(run_operation(config, "peer-list", arguments), as_json, _table)


def _table(found: list[Json]) -> Iterator[str]:
    headings = (
        _("Server"), _("Standing"), _("Health"), _("Software"), _("Last success"), _("Waiting"), _("Lag (s)"),
    )  # fmt: skip
    rows = (
        (
            each["host"],
            _(STANDING_WORDS[each["standing"]]),
            _(HEALTH_WORDS[each["health"]]),
            f"{each['software']} {each['version']}".strip(),
            each["last_success"],
            each["waiting"],
            each["lag_seconds"],
        )
        for each in found
    )
    return table(headings, rows)


@peer.command("show", help=N_("Show all that is known of one server."))
@click.argument("host", metavar="HOST")
@json_option
@pass_config
def show(config: Config, host: str, as_json: bool) -> None:
    """Print one server."""
    answer(run_operation(config, "peer-show", {"host": resolve.host(config, host)}), as_json, _whole)


def _whole(shown: Json) -> Iterator[str]:
    yield from sheet(
        {
            _("Server"): shown["host"],
            _("Standing"): _(STANDING_WORDS[shown["standing"]]),
            _("Reason"): shown["reason"],
            _("Health"): _(HEALTH_WORDS[shown["health"]]),
            _("Software"): f"{shown['software']} {shown['version']}".strip(),
            _("Open to new accounts"): yes(shown.get("open")),
            _("Protocols"): ", ".join(shown.get("protocols", ())),
            _("Signatures"): shown["scheme"],
            _("First seen"): shown["first_seen"],
            _("Last heard"): shown["last_inbound"],
            _("Last success"): shown["last_success"],
            _("Last failure"): shown["last_failure"],
            _("Failing since"): shown["failing_since"],
            _("Last error"): _(shown["last_error"] or ""),
            _("Next try"): shown["next_try"],
            _("Waiting"): shown["waiting"],
            _("Lag (s)"): shown["lag_seconds"],
            _("First hour"): _first_hour(shown["first_contact"]),
        }
    )


def _first_hour(counted: Json | None) -> str:
    if counted is None:
        return ""
    return (
        _("%(activities)s activities taken, %(mentions)s of them unasked mentions; %(refused)s refused")
        % counted
    )


def _standing_command(name: str, standing: str, help_text: str) -> None:
    """Add a command that gives a server one of the standings."""

    @peer.command(name, help=help_text)
    @click.argument("host", metavar="HOST")
    @option("--reason", default="", help=N_("Why, for other administrators."))
    @json_option
    @pass_config
    def give(config: Config, host: str, reason: str, as_json: bool) -> None:
        arguments = {"host": resolve.host(config, host), "standing": standing, "reason": reason}
        answer(run_operation(config, "peer-stand", arguments), as_json, _whole)


_standing_command("open", "open", N_("Give a server its normal standing back, and end a block or a limit."))
_standing_command("allow", "allowed", N_("Mark a server as trusted by decision; it is never forgotten."))
_standing_command(
    "limit",
    "limited",
    N_("Limit a server: its records stay off the board, and it may not read who follows whom."),
)
_standing_command(
    "block",
    "blocked",
    N_("Block a server: nothing it sends is taken, and nothing is sent to it. What waits for it stays until "
       "the block ends or it expires."),
)  # fmt: skip


@peer.command("probe", help=N_("Ask a server what software it runs, and write that down."))
@click.argument("host", metavar="HOST")
@json_option
@pass_config
def ask(config: Config, host: str, as_json: bool) -> None:
    """Have the node ask."""
    answer(run_operation(config, "peer-probe", {"host": resolve.host(config, host)}), as_json, _whole)
