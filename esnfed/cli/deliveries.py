"""`esnfed deliveries`: what was sent to other servers, what waits, and why something failed."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

import click

from esnfed.app import Node
from esnfed.cli import resolve
from esnfed.cli.control import run_operation
from esnfed.cli.frame import pass_config
from esnfed.cli.output import answer, report, table
from esnfed.cli.shown import ID, Json, before_option, limit_option, time
from esnfed.cli.texts import _, language
from esnfed.cli.texts import plural as ngettext
from esnfed.cli.usage import group, json_option, option
from esnfed.config import Config
from esnfed.context import Context
from esnfed.errors import NotFound
from esnfed.federation import delivery_desk as desk
from esnfed.federation.delivery_desk import MAX_ROWS, STATES, DeliveryRow
from esnfed.federation.delivery_words import explain as explain_delivery
from esnfed.i18n import N_, moment, translator
from esnfed.registry import commands, operations, readings

STATE_WORDS = {
    "queued": N_("queued"), "delivered": N_("delivered"), "failed": N_("failed"), "dropped": N_("dropped"),
}  # fmt: skip


@group("deliveries", help=N_("What was sent to other servers, what waits, and why something failed."))
def deliveries() -> None:
    """Hold the subcommands."""


commands.add("deliveries", deliveries)


@readings.register("deliveries-list")
def list_deliveries(
    context: Context,
    state: str | None = None,
    host: str | None = None,
    limit: int = 40,
    before: int | None = None,
) -> list[Json]:
    """Return deliveries, the newest first."""
    found = desk.list_deliveries(context, state=state, host=host, limit=limit, before_id=before)
    return [_entry(each) for each in found]


@readings.register("deliveries-explain")
def explain_one(context: Context, delivery_id: int, locale: str) -> Json:
    """Return one delivery with what became of it in words of `locale`; NotFound when it is gone."""
    found = desk.list_deliveries(context, before_id=delivery_id + 1, limit=1)
    if not found or found[0].id != delivery_id:
        raise NotFound(N_("There is no such delivery; those that arrived are kept for a week."))
    words = explain_delivery(context, delivery_id, translator(locale).gettext, lambda at: moment(at, locale))
    return _entry(found[0]) | {"explanation": words}


@operations.register("deliveries-retry")
async def retry_deliveries(node: Node, *, ids: list[int], host: str | None) -> Json:
    """Try deliveries again at once, by id or all of a server; return how many were changed."""
    return {"changed": await _all(node, partial(desk.retry_now, ids=ids, host=host), host is None)}


@operations.register("deliveries-drop")
async def drop_deliveries(node: Node, *, ids: list[int], host: str | None) -> Json:
    """Drop what is queued, by id or for a server; return how many were dropped."""
    return {"changed": await _all(node, partial(desk.drop, ids=ids, host=host), host is None)}


async def _all(node: Node, change: partial[int], once: bool) -> int:
    """Change 500 rows a unit of work until there are no more."""
    total = 0
    while True:
        changed = await node.database.write(change)
        total += changed
        if once or changed < MAX_ROWS:
            return total
        report(N_("Deliveries"), total)


def _entry(row: DeliveryRow) -> Json:
    return {
        "id": str(row.id),
        "state": row.state,
        "type": row.as_type,
        "host": row.host,
        "inbox": row.inbox,
        "activity": row.activity_uri,
        "object": row.object_uri,
        "attempts": row.attempts,
        "created": time(row.created_at),
        "next_try": time(row.next_at) if row.state == "queued" else None,
        "done": time(row.done_at),
        "status": row.last_status,
        "error": row.last_error,
    }


def _host(config: Config, host: str | None) -> str | None:
    return None if host is None else resolve.host(config, host)


@deliveries.command("list", help=N_("List deliveries, the newest first."))
@option("--state", type=click.Choice(STATES), help=N_("Only those in this state."))
@option("--host", help=N_("Only those to this server."))
@limit_option
@before_option
@json_option
@pass_config
def list_(
    config: Config, state: str | None, host: str | None, limit: int, before: int | None, as_json: bool
) -> None:
    """Print deliveries."""
    arguments = {"state": state, "host": _host(config, host), "limit": limit, "before": before}
    answer(run_operation(config, "deliveries-list", arguments), as_json, _table)


def _table(found: list[Json]) -> Iterator[str]:
    headings = (
        _("Id"), _("State"), _("Type"), _("Server"), _("Attempts"), _("Queued"), _("Response"), _("Error"),
    )  # fmt: skip
    rows = (
        (
            each["id"],
            _(STATE_WORDS[each["state"]]),
            each["type"],
            each["host"],
            each["attempts"],
            each["created"],
            each["status"],
            _(each["error"] or "")[:80],
        )
        for each in found
    )
    return table(headings, rows)


@deliveries.command(
    "explain", help=N_("Say in words what became of a delivery, why it waits or why it failed.")
)
@click.argument("delivery_id", metavar="ID", type=ID)
@json_option
@pass_config
def explain(config: Config, delivery_id: int, as_json: bool) -> None:
    """Print the words."""
    arguments = {"delivery_id": delivery_id, "locale": language()}
    found = run_operation(config, "deliveries-explain", arguments)
    answer(found, as_json, lambda shown: [f"{shown['type']} {shown['object']}", shown["explanation"]])


def _choice(config: Config, ids: tuple[int, ...], host: str | None) -> Json:
    """Return the arguments of retry and drop; UsageError unless either ids or a server are named."""
    if bool(ids) == (host is not None):
        raise click.UsageError(_("Name either deliveries or, with --host, a server."))
    if len(ids) > MAX_ROWS:
        raise click.UsageError(_("Name at most %(limit)d deliveries at once.") % {"limit": MAX_ROWS})
    return {"ids": list(ids), "host": _host(config, host)}


def _changed(config: Config, name: str, arguments: Json) -> Json:
    """Run a change; NotFound when deliveries were named and none of them could be changed."""
    done: Json = run_operation(config, name, arguments)
    if arguments["ids"] and not done["changed"]:
        raise NotFound(_("None of these deliveries waits or may be sent again."))
    return done


@deliveries.command(
    "retry",
    help=N_(
        "Try deliveries again at once: those named, or all of a server that failed or wait for a time of "
        "their own. The pause of their servers ends."
    ),
)
@click.argument("ids", metavar="[ID]...", type=ID, nargs=-1)
@option("--host", help=N_("All of this server."))
@json_option
@pass_config
def retry(config: Config, ids: tuple[int, ...], host: str | None, as_json: bool) -> None:
    """Have the node try again."""
    done = _changed(config, "deliveries-retry", _choice(config, ids, host))
    answer(done, as_json, lambda each: [_retried(each["changed"])])


def _retried(count: int) -> str:
    said = ngettext("%(count)d delivery is tried again.", "%(count)d deliveries are tried again.", count)
    return said % {"count": count}


@deliveries.command("drop", help=N_("Drop deliveries that wait: those named, or all of a server."))
@click.argument("ids", metavar="[ID]...", type=ID, nargs=-1)
@option("--host", help=N_("All of this server."))
@json_option
@pass_config
def drop(config: Config, ids: tuple[int, ...], host: str | None, as_json: bool) -> None:
    """Have the node drop them."""
    done = _changed(config, "deliveries-drop", _choice(config, ids, host))
    answer(done, as_json, lambda each: [_dropped(each["changed"])])


def _dropped(count: int) -> str:
    said = ngettext("%(count)d delivery was dropped.", "%(count)d deliveries were dropped.", count)
    return said % {"count": count}
