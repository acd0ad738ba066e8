"""`esnfed inbox`: what other servers sent, and what became of it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import click
import orjson
from sqlalchemy import RowMapping, Text, bindparam, or_, select

from esnfed.cli.control import run_operation
from esnfed.cli.frame import pass_config
from esnfed.cli.output import answer, plain, table
from esnfed.cli.shown import ID, MAX_ID, Json, before_option, limit_option, sheet, time
from esnfed.cli.texts import _
from esnfed.cli.texts import plural as ngettext
from esnfed.cli.usage import group, json_option, option
from esnfed.config import Config
from esnfed.context import Context
from esnfed.errors import Conflict, NotFound
from esnfed.federation import counters, inbox_worker
from esnfed.i18n import N_
from esnfed.models import inbox_message
from esnfed.registry import commands, operations, readings
from esnfed.vocab import parse

STATES = {"waiting": N_("waiting"), "done": N_("done"), "ignored": N_("ignored"), "parked": N_("parked")}


def _wanted(column: Any, name: str) -> Any:
    """A filter that holds for every row while its value is empty."""
    value = bindparam(name, type_=Text)
    return or_(value == "", column == value)


_LISTED = select(*(column for column in inbox_message.c if column.name != "body"))
_LIST = (
    _LISTED.where(
        inbox_message.c.id < bindparam("before_id"),
        _wanted(inbox_message.c.state, "of_state"),
        _wanted(inbox_message.c.as_type, "of_type"),
    )
    .order_by(inbox_message.c.id.desc())
    .limit(bindparam("page_size"))
)
_ONE = select(inbox_message).where(inbox_message.c.id == bindparam("message_id"))


@group("inbox", help=N_("What other servers sent, and what became of it."))
def inbox() -> None:
    """Hold the subcommands."""


commands.add("inbox", inbox)


@readings.register("inbox-list")
def list_messages(
    context: Context, state: str = "", as_type: str = "", limit: int = 40, before: int | None = None
) -> list[Json]:
    """Return messages without their bodies, the newest first."""
    values = {"of_state": state, "of_type": as_type, "page_size": limit, "before_id": before or MAX_ID}
    return [_entry(row) for row in context.connection.execute(_LIST, values).mappings()]


@readings.register("inbox-show")
def show_message(context: Context, message_id: int) -> Json:
    """Return one message with the activity as it was received."""
    row = context.connection.execute(_ONE, {"message_id": message_id}).mappings().one_or_none()
    if row is None:
        raise NotFound(N_("There is no such message; those dealt with are kept for a week."))
    return _entry(row) | {"body": parse.load(row["body"])}


@operations.register("inbox-replay")
def replay_messages(context: Context, ids: list[int]) -> Json:
    """Let parked or ignored messages meet their handler again; return the ids of those that do."""
    replayed = [each for each in ids if inbox_worker.replay(context, each)]
    if not replayed:
        raise Conflict(N_("Only a message that was parked or ignored can be replayed."))
    return {"replayed": [str(each) for each in replayed]}


@readings.register("inbox-counters")
def list_counters(context: Context) -> list[Json]:
    """Return how much arrived without effect, by reason and type."""
    return [
        {"reason": row["name"], "type": row["key"], "count": row["count"], "last": time(row["last_at"])}
        for row in counters.all_counters(context)
    ]


def _entry(row: RowMapping) -> Json:
    return {
        "id": str(row["id"]),
        "state": row["state"],
        "type": row["as_type"],
        "actor": row["actor_uri"],
        "activity": row["uri"].partition("#signature:")[0],
        "host": row["host"],
        "scheme": row["scheme"],
        "attempts": row["attempts"],
        "received": time(row["received_at"]),
        "next_try": time(row["next_at"]) if row["state"] == "waiting" else None,
        "done": time(row["done_at"]),
        "note": row["note"],
    }


@inbox.command("list", help=N_("List what was received, the newest first."))
@option("--state", type=click.Choice(list(STATES)), help=N_("Only those in this state."))
@option("--type", "as_type", default="", metavar="TYPE", help=N_("Only activities of this type, as Create."))
@limit_option
@before_option
@json_option
@pass_config
def list_(
    config: Config, state: str | None, as_type: str, limit: int, before: int | None, as_json: bool
) -> None:
    """Print messages."""
    arguments = {"state": state or "", "as_type": as_type, "limit": limit, "before": before}
    answer(run_operation(config, "inbox-list", arguments), as_json, _table)


def _table(found: list[Json]) -> Iterator[str]:
    headings = (_("Id"), _("State"), _("Type"), _("From"), _("Received"), _("Attempts"), _("Note"))
    rows = (
        (
            each["id"],
            _(STATES[each["state"]]),
            each["type"],
            each["actor"],
            each["received"],
            each["attempts"],
            _(each["note"])[:80],
        )
        for each in found
    )
    return table(headings, rows)


@inbox.command("show", help=N_("Show one message with the activity as it was received."))
@click.argument("message_id", metavar="ID", type=ID)
@json_option
@pass_config
def show(config: Config, message_id: int, as_json: bool) -> None:
    """Print one message."""
    answer(run_operation(config, "inbox-show", {"message_id": message_id}), as_json, _whole)


def _whole(shown: Json) -> Iterator[str]:
    yield from sheet(
        {
            _("Id"): shown["id"],
            _("State"): _(STATES[shown["state"]]),
            _("Type"): shown["type"],
            _("From"): shown["actor"],
            _("Activity"): shown["activity"],
            _("Signatures"): shown["scheme"],
            _("Received"): shown["received"],
            _("Attempts"): shown["attempts"],
            _("Next try"): shown["next_try"],
            _("Done"): shown["done"],
            _("Note"): _(shown["note"]),
        }
    )
    yield ""
    for line in orjson.dumps(shown["body"], option=orjson.OPT_INDENT_2).decode().splitlines():
        yield plain(line)


@inbox.command("replay", help=N_("Let messages that were parked or ignored meet their handler again."))
@click.argument("ids", metavar="ID...", type=ID, nargs=-1, required=True)
@json_option
@pass_config
def replay(config: Config, ids: tuple[int, ...], as_json: bool) -> None:
    """Have the node take them up again."""
    done = run_operation(config, "inbox-replay", {"ids": list(ids)})
    answer(done, as_json, lambda each: [_replayed(len(each["replayed"]))])


def _replayed(count: int) -> str:
    return ngettext(
        "%(count)d message is taken up again.", "%(count)d messages are taken up again.", count
    ) % {"count": count}


@inbox.command("counters", help=N_("Show how much arrived without effect, by reason and type."))
@json_option
@pass_config
def show_counters(config: Config, as_json: bool) -> None:
    """Print the counters."""
    answer(run_operation(config, "inbox-counters"), as_json, _counted)


def _counted(found: list[Json]) -> Iterator[str]:
    headings = (_("Reason"), _("Type"), _("Count"), _("Last"))
    return table(headings, ([each[name] for name in ("reason", "type", "count", "last")] for each in found))
