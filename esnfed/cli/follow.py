"""`esnfed follow`: who follows whom, and the requests that wait for an answer."""

from __future__ import annotations

from collections.abc import Iterator

import click
from sqlalchemy import RowMapping, bindparam, select

from esnfed.app import Node
from esnfed.cli import resolve
from esnfed.cli.control import run_operation
from esnfed.cli.frame import pass_config
from esnfed.cli.output import answer, table
from esnfed.cli.shown import MAX_ID, Json, account, as_option, before_option, limit_option, time
from esnfed.cli.texts import _
from esnfed.cli.usage import group, json_option, option
from esnfed.config import Config
from esnfed.context import Context
from esnfed.errors import Conflict, NotFound
from esnfed.i18n import N_
from esnfed.models import actor
from esnfed.models import follow as follow_table
from esnfed.registry import commands, operations, readings
from esnfed.services import actors, follows

STATES = {"pending": N_("asked"), "accepted": N_("follows"), "rejected": N_("refused")}

_other = actor.alias("other")
_LISTED = (
    select(
        follow_table.c.id,
        follow_table.c.state,
        follow_table.c.created_at,
        actor.c.handle,
        actor.c.domain,
        _other.c.handle.label("other_handle"),
        _other.c.domain.label("other_domain"),
    )
    .join(actor, actor.c.id == follow_table.c.actor_id)
    .join(_other, _other.c.id == follow_table.c.target_id)
    .where(follow_table.c.id < bindparam("before_id"))
    .order_by(follow_table.c.id.desc())
    .limit(bindparam("page_size"))
)
_FOLLOWS = _LISTED.where(follow_table.c.actor_id == bindparam("of_actor"))
_FOLLOWERS = _LISTED.where(follow_table.c.target_id == bindparam("of_actor"))
_REQUESTS = _LISTED.where(follow_table.c.state == "pending", _other.c.local)
_REQUESTS_TO = _REQUESTS.where(follow_table.c.target_id == bindparam("of_actor"))


@group("follow", help=N_("Who follows whom, and the requests that wait for an answer."))
def follow() -> None:
    """Hold the subcommands."""


commands.add("follow", follow)


@operations.register("follow-add")
async def add_follow(node: Node, *, handle: str, name: str) -> Json:
    """Let a local actor follow another, fetched when new; return the follow with its state."""
    await node.database.read(resolve.acting, handle)
    target_id = await resolve.actor_id(node, name)
    return await node.database.write(_follow, handle, target_id)


def _follow(context: Context, handle: str, target_id: int) -> Json:
    follower = resolve.acting(context, handle)
    target = resolve.open_to(context, actors.by_id(context, target_id))
    return _pair(follower, target, follows.follow_actor(context, follower, target))


def _pair(follower: RowMapping, target: RowMapping, state: str) -> Json:
    return {"follower": account(follower), "followed": account(target), "state": state}


@operations.register("follow-remove")
def remove_follow(context: Context, handle: str, name: str) -> Json:
    """Let a local actor unfollow; NotFound when it did not follow."""
    follower, target = resolve.acting(context, handle), resolve.known_actor(context, name)
    if not follows.unfollow(context, follower, target):
        raise NotFound(N_("There is no such follow."))
    return _pair(follower, target, "removed")


@readings.register("follow-list")
def list_follows(
    context: Context, handle: str, followers: bool = False, limit: int = 40, before: int | None = None
) -> list[Json]:
    """Return whom a local actor follows, or who follows it, in every state, the newest first."""
    of_actor = actors.local(context, handle)["id"]
    statement = _FOLLOWERS if followers else _FOLLOWS
    values = {"of_actor": of_actor, "page_size": limit, "before_id": before or MAX_ID}
    return [_entry(row) for row in context.connection.execute(statement, values).mappings()]


@readings.register("follow-requests")
def list_requests(
    context: Context, handle: str | None = None, limit: int = 40, before: int | None = None
) -> list[Json]:
    """Return the requests to one actor of this node, or to all of them, the newest first."""
    values = {"page_size": limit, "before_id": before or MAX_ID}
    if handle is None:
        return [_entry(row) for row in context.connection.execute(_REQUESTS, values).mappings()]
    values["of_actor"] = actors.local(context, handle)["id"]
    return [_entry(row) for row in context.connection.execute(_REQUESTS_TO, values).mappings()]


def _entry(row: RowMapping) -> Json:
    return {
        "id": str(row["id"]),
        "follower": account(row),
        "followed": f"{row['other_handle']}@{row['other_domain']}",
        "state": row["state"],
        "since": time(row["created_at"]),
    }


@operations.register("follow-accept")
def accept_follow(context: Context, handle: str, name: str) -> Json:
    """Let a local actor accept a request; NotFound without one, Conflict when it was answered before."""
    target, follower, row = _asked(context, handle, name)
    if not follows.accept(context, target, row):
        raise Conflict(N_("This request was answered before."))
    return _pair(follower, target, "accepted")


@operations.register("follow-reject")
def reject_follow(context: Context, handle: str, name: str) -> Json:
    """Let a local actor refuse a request or remove a follower; errors as `follow-accept`."""
    target, follower, row = _asked(context, handle, name)
    if not follows.reject(context, target, row):
        raise Conflict(N_("This request was answered before."))
    return _pair(follower, target, "rejected")


def _asked(context: Context, handle: str, name: str) -> tuple[RowMapping, RowMapping, RowMapping]:
    target, follower = resolve.acting(context, handle), resolve.known_actor(context, name)
    row = follows.between(context, follower["id"], target["id"])
    if row is None:
        raise NotFound(N_("There is no such follow."))
    return target, follower, row


def _told(pair: Json) -> Iterator[str]:
    sentences = {
        "pending": _("%(follower)s asked to follow %(followed)s, whose answer is awaited."),
        "accepted": _("%(follower)s follows %(followed)s."),
        "rejected": _("%(follower)s does not follow %(followed)s: refused."),
        "removed": _("%(follower)s does not follow %(followed)s any more."),
    }
    yield sentences[pair["state"]] % pair


def _table(found: list[Json]) -> Iterator[str]:
    headings = (_("Id"), _("Follower"), _("Followed"), _("State"), _("Since"))
    return table(
        headings,
        ((each["id"], each["follower"], each["followed"], _(STATES[each["state"]]), each["since"])
         for each in found),
    )  # fmt: skip


@follow.command("add", help=N_("Follow somebody, here or elsewhere, by handle or name@domain or address."))
@click.argument("name", metavar="NAME")
@as_option
@json_option
@pass_config
def add(config: Config, name: str, handle: str, as_json: bool) -> None:
    """Have the node follow."""
    answer(run_operation(config, "follow-add", {"handle": handle, "name": name}), as_json, _told)


@follow.command("remove", help=N_("Follow somebody no more."))
@click.argument("name", metavar="NAME")
@as_option
@json_option
@pass_config
def remove(config: Config, name: str, handle: str, as_json: bool) -> None:
    """Have the node unfollow."""
    answer(run_operation(config, "follow-remove", {"handle": handle, "name": name}), as_json, _told)


@follow.command("list", help=N_("List whom an actor of this node follows, or who follows it."))
@option("--as", "handle", required=True, metavar="HANDLE", help=N_("Handle of the actor of this node."))
@option("--followers", is_flag=True, help=N_("Those who follow it instead."))
@limit_option
@before_option
@json_option
@pass_config
def list_(
    config: Config, handle: str, followers: bool, limit: int, before: int | None, as_json: bool
) -> None:
    """Print follows."""
    arguments = {"handle": handle, "followers": followers, "limit": limit, "before": before}
    answer(run_operation(config, "follow-list", arguments), as_json, _table)


@follow.command("requests", help=N_("List the requests to actors of this node that wait for an answer."))
@option("--as", "handle", metavar="HANDLE", help=N_("Only those to this actor."))
@limit_option
@before_option
@json_option
@pass_config
def requests(config: Config, handle: str | None, limit: int, before: int | None, as_json: bool) -> None:
    """Print follow requests."""
    arguments = {"handle": handle, "limit": limit, "before": before}
    answer(run_operation(config, "follow-requests", arguments), as_json, _table)


@follow.command("accept", help=N_("Accept a request to follow an actor of this node."))
@click.argument("name", metavar="NAME")
@as_option
@json_option
@pass_config
def accept(config: Config, name: str, handle: str, as_json: bool) -> None:
    """Have the node accept."""
    answer(run_operation(config, "follow-accept", {"handle": handle, "name": name}), as_json, _told)


@follow.command("reject", help=N_("Refuse a request to follow an actor of this node, or remove a follower."))
@click.argument("name", metavar="NAME")
@as_option
@json_option
@pass_config
def reject(config: Config, name: str, handle: str, as_json: bool) -> None:
    """Have the node refuse."""
    answer(run_operation(config, "follow-reject", {"handle": handle, "name": name}), as_json, _told)
