"""`esnfed report`: what was reported to the moderators of this node, and reporting."""

from __future__ import annotations

from collections.abc import Iterator

import click
from sqlalchemy import RowMapping

from esnfed.app import Node
from esnfed.cli import resolve
from esnfed.cli.control import run_operation
from esnfed.cli.frame import pass_config
from esnfed.cli.output import answer, plain, table
from esnfed.cli.shown import ID, MAX_ID, Json, as_option, before_option, limit_option, sheet, time, yes
from esnfed.cli.texts import _
from esnfed.cli.usage import group, json_option, option
from esnfed.config import Config
from esnfed.context import Context
from esnfed.i18n import N_
from esnfed.registry import commands, operations, readings
from esnfed.services import actors, reports, statuses
from esnfed.text.sanitise import teaser

STATES = {"open": N_("open"), "closed": N_("closed")}
TEASER = 60


@group("report", help=N_("What was reported to the moderators of this node."))
def report() -> None:
    """Hold the subcommands."""


commands.add("report", report)


@operations.register("report-add")
async def add_report(
    node: Node, *, handle: str, name: str, posts: list[str], comment: str = "", forward: bool = False
) -> Json:
    """Let a local actor report another and posts of it; return the report as `report-show` does."""
    await node.database.read(resolve.acting, handle)
    target_id = await resolve.actor_id(node, name)
    status_ids = [await resolve.status_id(node, post) for post in posts]
    number = await node.database.write(_make, handle, target_id, status_ids, comment, forward)
    made: Json = await node.database.read(show_report, number)
    return made


def _make(
    context: Context, handle: str, target_id: int, status_ids: list[int], comment: str, forward: bool
) -> int:
    named = [statuses.by_id(context, number) for number in status_ids]
    target = actors.by_id(context, target_id)
    if forward:
        resolve.open_to(context, target)
    by = resolve.acting(context, handle)
    return reports.make(context, by, target, named, comment.strip(), forward=forward)


@readings.register("report-list")
def list_reports(
    context: Context, state: str = "open", limit: int = 40, before: int | None = None
) -> list[Json]:
    """Return the reports in a state, the newest first."""
    return [_entry(row) for row in reports.listing(context, state, limit, before or MAX_ID)]


@readings.register("report-show")
def show_report(context: Context, report_id: int) -> Json:
    """Return one report with the posts that it names, as far as they are still here."""
    row = reports.by_id(context, report_id)
    posts = [
        {
            "id": str(post["id"]),
            "uri": post["uri"],
            "deleted": time(post["deleted_at"]),
            "text": post["content"],
        }
        for post in reports.statuses_of(context, row)
    ]
    return _entry(row) | {"posts": posts}


@operations.register("report-close")
def close_report(context: Context, report_id: int, conclusion: str = "") -> Json:
    """End a report with what was decided; Conflict when it is closed already."""
    reports.close(context, report_id, conclusion.strip())
    closed: Json = show_report(context, report_id)
    return closed


def _entry(row: RowMapping) -> Json:
    return {
        "id": str(row["id"]),
        "state": row["state"],
        "about": f"{row['handle']}@{row['domain']}",
        "by": f"{row['reporter_handle']}@{row['reporter_domain']}",
        "from_here": row["local"],
        "named_posts": len(row["status_ids"]),
        "comment": row["comment"],
        "created": time(row["created_at"]),
        "forwarded": time(row["forwarded_at"]),
        "closed": time(row["closed_at"]),
        "conclusion": row["conclusion"],
    }


@report.command("list", help=N_("List reports, the newest first."))
@option("--state", type=click.Choice(list(STATES)), default="open", help=N_("Only those in this state."))
@limit_option
@before_option
@json_option
@pass_config
def list_(config: Config, state: str, limit: int, before: int | None, as_json: bool) -> None:
    """Print reports."""
    arguments = {"state": state, "limit": limit, "before": before}
    answer(run_operation(config, "report-list", arguments), as_json, _table)


def _table(found: list[Json]) -> Iterator[str]:
    headings = (_("Id"), _("State"), _("About"), _("By"), _("Posts"), _("Received"), _("Comment"))
    rows = (
        (
            each["id"],
            _(STATES[each["state"]]),
            each["about"],
            each["by"],
            each["named_posts"],
            each["created"],
            teaser(each["comment"], TEASER),
        )
        for each in found
    )
    return table(headings, rows)


@report.command("show", help=N_("Show one report, and the posts that it names."))
@click.argument("report_id", metavar="ID", type=ID)
@json_option
@pass_config
def show(config: Config, report_id: int, as_json: bool) -> None:
    """Print one report."""
    answer(run_operation(config, "report-show", {"report_id": report_id}), as_json, _whole)


def _whole(found: Json) -> Iterator[str]:
    yield from sheet(
        {
            _("Id"): found["id"],
            _("State"): _(STATES[found["state"]]),
            _("About"): found["about"],
            _("By"): found["by"],
            _("Made here"): yes(found["from_here"]),
            _("Received"): found["created"],
            _("Forwarded"): found["forwarded"],
            _("Closed"): found["closed"],
            _("Conclusion"): found["conclusion"],
        }
    )
    yield ""
    for line in found["comment"].splitlines():
        yield plain(line)
    for post in found["posts"]:
        yield f"{post['id']}  {plain(post['uri'])}  {teaser(post['text'], TEASER)}".rstrip()


@report.command("close", help=N_("Close a report, with what was decided."))
@click.argument("report_id", metavar="ID", type=ID)
@option("--conclusion", default="", help=N_("What was decided, and why; kept with the report."))
@json_option
@pass_config
def close(config: Config, report_id: int, conclusion: str, as_json: bool) -> None:
    """Have the node close the report."""
    arguments = {"report_id": report_id, "conclusion": conclusion}
    done = run_operation(config, "report-close", arguments)
    answer(done, as_json, lambda closed: [_("Closed: %(id)s") % closed])


@report.command(
    "add",
    help=N_(
        "Report an actor to the moderators of this node, and with --forward to those of its server, who are "
        "not told who complains."
    ),
)
@click.argument("name", metavar="NAME")
@as_option
@option(
    "--post", "posts", multiple=True, metavar="POST", help=N_("A post of it: its id here or its address.")
)
@option("--comment", default="", help=N_("What is wrong."))
@option("--forward", is_flag=True, help=N_("Tell the other server too."))
@json_option
@pass_config
def add(
    config: Config,
    name: str,
    handle: str,
    posts: tuple[str, ...],
    comment: str,
    forward: bool,
    as_json: bool,
) -> None:
    """Have the node write the report."""
    arguments = {
        "handle": handle,
        "name": name,
        "posts": list(posts),
        "comment": comment,
        "forward": forward,
    }
    done = run_operation(config, "report-add", arguments)
    answer(done, as_json, lambda made: [_("Reported: %(id)s") % made])
