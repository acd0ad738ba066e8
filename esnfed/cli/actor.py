"""`esnfed actor`: organisations and people of this node, and what is known of those elsewhere."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from functools import partial
from typing import Any

import click
from sqlalchemy import RowMapping, bindparam, exists, select

from esnfed.app import Node
from esnfed.cli import blocking, moving, resolve
from esnfed.cli.accounts import new_keys
from esnfed.cli.asking import confirm_by_typing
from esnfed.cli.control import run_operation
from esnfed.cli.frame import pass_config
from esnfed.cli.output import answer, table
from esnfed.cli.shown import Json, account, pairs, sheet, time, yes
from esnfed.cli.texts import _
from esnfed.cli.usage import group, json_option, option
from esnfed.config import Config
from esnfed.context import Context
from esnfed.errors import Invalid
from esnfed.i18n import N_
from esnfed.models import user
from esnfed.objects.actor import MAX_FIELDS
from esnfed.registry import commands, operations, readings
from esnfed.services import actors, removal
from esnfed.text.compose import compose
from esnfed.text.sanitise import plain, sanitise
from esnfed.vocab import paths

TYPES = {"organization": "Organization", "group": "Group", "service": "Service"}
FLAGS = ("locked", "discoverable", "indexable", "hides_network")

_OF_PERSON = select(
    exists(select(1).where(user.c.actor_id == bindparam("actor_id"), user.c.disabled_at.is_(None)))
)


@group("actor", help=N_("Organisations and people of this node, and what is known of those elsewhere."))
def actor() -> None:
    """Hold the subcommands."""


commands.add("actor", actor)
for _command in (blocking.block, blocking.unblock, blocking.blocked):
    actor.add_command(_command)
for _command in (moving.alias, moving.move, moving.progress):
    actor.add_command(_command)


@operations.register("actor-add")
async def add_actor(node: Node, *, handle: str, profile: Json, as_type: str = "Organization") -> Json:
    """Create an organisation, a group or a service with fresh keys; return it as `actor-show` does."""
    if as_type not in TYPES.values():
        raise Invalid(N_("What is added here is an organisation, a group or a service."), "type")
    _check_fields(profile.get("fields", []))
    create = partial(
        actors.create,
        as_type=as_type,
        handle=handle,
        keys=await asyncio.to_thread(new_keys),
        **profile,
    )
    return await node.database.read(_by_id, await node.database.write(create))


@readings.register("actor-list")
def list_actors(context: Context) -> list[Json]:
    """Return the living actors of this node, the oldest first."""
    return [_entry(row) for row in actors.all_local(context)]


@operations.register("actor-show")
async def show_actor(node: Node, *, name: str) -> Json:
    """Return one actor, here or elsewhere; one elsewhere is fetched when it is new."""
    return await node.database.read(_by_id, await resolve.actor_id(node, name))


@operations.register("actor-edit")
def edit_actor(context: Context, handle: str, changes: Json, fields: dict[str, str]) -> Json:
    """Change a profile; a field of the same name is replaced, one without a value goes. Return the actor."""
    row = actors.local(context, handle)
    if fields:
        kept = {field["name"]: field["value"] for field in row["fields"] or []} | fields
        changes = changes | {
            "fields": [{"name": name, "value": value} for name, value in kept.items() if value]
        }
        _check_fields(changes["fields"])
    actors.edit(context, row, changes)
    return _by_id(context, row["id"])


@operations.register("actor-remove")
def remove_actor(context: Context, handle: str) -> Json:
    """Delete an organisation here and everywhere; Invalid for a person, who leaves by `user-remove`."""
    row = actors.local(context, handle)
    if context.connection.execute(_OF_PERSON, {"actor_id": row["id"]}).scalar():
        raise Invalid(N_("This actor belongs to a person: `esnfed user remove` removes both."), "handle")
    removal.remove_local(context, row)
    return {"id": str(row["id"]), "handle": row["handle"]}


def _check_fields(fields: list[dict[str, str]]) -> None:
    if len(fields) > MAX_FIELDS:
        raise Invalid(N_("A profile has at most fifty fields."), "fields")


def _by_id(context: Context, actor_id: int) -> Json:
    return _entry(actors.by_id(context, actor_id))


def _entry(row: RowMapping) -> Json:
    return {
        "id": str(row["id"]),
        "account": account(row),
        "type": row["as_type"],
        "name": row["name"],
        "local": row["local"],
        "uri": row["uri"],
        "url": row["url"],
        "summary": row["summary"],
        "fields": row["fields"] or [],
        "aliases": row["also_known_as"] or [],
        "moved_to": row["moved_to_uri"],
        **{flag: row[flag] for flag in FLAGS},
        "followers": row["followers_count"],
        "following": row["following_count"],
        "posts": row["statuses_count"],
        "created": time(row["created_at"]),
        "updated": time(row["updated_at"]),
        "last_post": time(row["last_status_at"]),
        "suspended": time(row["suspended_at"]),
    }


def _profile_options(function: Any) -> Any:
    """Add the options with which a profile is described; `_profile` and `_fields` read them."""
    options = (
        option("--name", help=N_("Name on the profile.")),
        option("--summary", help=N_("A few words about the actor; links and tags are made of the text.")),
        option("--field", "fields", multiple=True, metavar="NAME=VALUE",
               help=N_("A field of the profile, as Website=https://example.org; in an edit, no value "
                       "takes the field away.")),
        option("--locked/--unlocked", "locked", default=None, help=N_("Followers must be accepted.")),
        option("--discoverable/--not-discoverable", "discoverable", default=None,
               help=N_("May be suggested and listed in directories.")),
        option("--indexable/--not-indexable", "indexable", default=None,
               help=N_("Public posts may be found by search.")),
        option("--hides-network/--shows-network", "hides_network", default=None,
               help=N_("Hide who follows and who is followed.")),
    )  # fmt: skip
    for decorate in reversed(options):
        function = decorate(function)
    return function


def _html(config: Config, text: str) -> str:
    """Return typed text as HTML with links and tags; mentions stay text."""
    return sanitise(compose(text, {}, partial(paths.tag_page, config.origin)))


def _profile(config: Config, given: Json) -> Json:
    """Return the columns that the options of `_profile_options` describe; only those that were given."""
    found = {flag: given[flag] for flag in FLAGS if given[flag] is not None}
    if given["name"] is not None:
        found["name"] = given["name"].strip()
    if given["summary"] is not None:
        found["summary"] = _html(config, given["summary"])
    return found


def _fields(config: Config, given: Json) -> dict[str, str]:
    return {
        name: _html(config, value).removeprefix("<p>").removesuffix("</p>")
        for name, value in pairs("--field", given["fields"]).items()
    }


@actor.command(
    "add", help=N_("Add an organisation, a group or a service. People are added with `esnfed user add`.")
)
@click.argument("handle", metavar="HANDLE")
@option(
    "--type", "kind", type=click.Choice(list(TYPES)), default="organization",
    help=N_("What it is. A group passes on what its followers address to it; a service is a program."),
)  # fmt: skip
@_profile_options
@json_option
@pass_config
def add(config: Config, handle: str, kind: str, as_json: bool, **given: Any) -> None:
    """Have the node create the actor."""
    fields = [{"name": name, "value": value} for name, value in _fields(config, given).items() if value]
    profile = _profile(config, given) | {"fields": fields}
    arguments = {
        "handle": handle.removeprefix("@").lower(), "profile": profile, "as_type": TYPES[kind]
    }  # fmt: skip
    answer(run_operation(config, "actor-add", arguments), as_json, _whole)


@actor.command("list", help=N_("List the actors of this node."))
@json_option
@pass_config
def list_(config: Config, as_json: bool) -> None:
    """Print the local actors."""
    answer(run_operation(config, "actor-list"), as_json, _table)


def _table(found: list[Json]) -> Iterator[str]:
    headings = (
        _("Account"), _("Type"), _("Name"), _("Followers"), _("Following"), _("Posts"), _("Last post"),
    )  # fmt: skip
    columns = ("account", "type", "name", "followers", "following", "posts", "last_post")
    return table(headings, ([each[column] for column in columns] for each in found))


@actor.command(
    "show", help=N_("Show one actor by handle, name@domain or address; one elsewhere is fetched when new.")
)
@click.argument("name", metavar="NAME")
@json_option
@pass_config
def show(config: Config, name: str, as_json: bool) -> None:
    """Print one actor."""
    answer(run_operation(config, "actor-show", {"name": name}), as_json, _whole)


def _whole(shown: Json) -> Iterator[str]:
    yield from sheet(
        {
            _("Account"): shown["account"],
            _("Type"): shown["type"],
            _("Name"): shown["name"],
            _("Address"): shown["uri"],
            _("Page"): shown["url"],
            _("Moved to"): shown["moved_to"],
            _("Description"): plain(shown["summary"]),
            **{field["name"]: plain(field["value"]) for field in shown["fields"]},
            _("Accepts followers by hand"): yes(shown["locked"]),
            _("May be suggested"): yes(shown["discoverable"]),
            _("May be found by search"): yes(shown["indexable"]),
            _("Hides followers and follows"): yes(shown["hides_network"]),
            _("Followers"): shown["followers"],
            _("Following"): shown["following"],
            _("Posts"): shown["posts"],
            _("Last post"): shown["last_post"],
            _("Suspended"): shown["suspended"],
        }
    )


@actor.command("edit", help=N_("Change the profile of an actor of this node; followers' servers are told."))
@click.argument("handle", metavar="HANDLE")
@_profile_options
@json_option
@pass_config
def edit(config: Config, handle: str, as_json: bool, **given: Any) -> None:
    """Have the node change what was named and leave the rest."""
    changes, fields = _profile(config, given), _fields(config, given)
    if not changes and not fields:
        raise click.UsageError(_("Say what is to change; `esnfed actor edit --help` lists what can."))
    arguments = {"handle": handle, "changes": changes, "fields": fields}
    answer(run_operation(config, "actor-edit", arguments), as_json, _whole)


@actor.command("remove", help=N_("Remove an organisation for good, here and on the servers that knew it."))
@click.argument("handle", metavar="HANDLE")
@option("--yes", "sure", is_flag=True, help=N_("Do not ask."))
@json_option
@pass_config
def remove(config: Config, handle: str, sure: bool, as_json: bool) -> None:
    """Have the handle typed once more, then have the node remove the actor."""
    confirm_by_typing(handle, sure)
    done = run_operation(config, "actor-remove", {"handle": handle})
    answer(done, as_json, lambda gone: [_("Removed: %(handle)s") % gone])
