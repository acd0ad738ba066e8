"""`esnfed user`: the people who can log in here."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from dataclasses import asdict
from functools import partial
from typing import get_args

import click
from sqlalchemy import RowMapping, bindparam, select

from esnfed.app import Node
from esnfed.cli import checks
from esnfed.cli.accounts import federation_consent, new_keys
from esnfed.cli.asking import agreed, confirm_by_typing, password, password_options
from esnfed.cli.control import run_operation
from esnfed.cli.frame import pass_config
from esnfed.cli.output import answer, table
from esnfed.cli.shown import Json, sheet, time
from esnfed.cli.texts import _
from esnfed.cli.usage import group, json_option, option
from esnfed.config import Config
from esnfed.context import Context
from esnfed.errors import Conflict, Invalid
from esnfed.i18n import N_, available
from esnfed.models import consent
from esnfed.registry import commands, operations, readings
from esnfed.services import departures, users
from esnfed.services.users import ConsentGiven, Role

_CONSENTS = select(consent).where(consent.c.user_id == bindparam("of_user")).order_by(consent.c.id)


@group("user", help=N_("The people who can log in here: add, list, show, new password, remove."))
def user() -> None:
    """Hold the subcommands."""


commands.add("user", user)


@operations.register("user-add")
async def add_user(
    node: Node,
    *,
    handle: str,
    email: str,
    name: str,
    role: Role,
    locale: str,
    password_hash: str,
    consents: list[dict[str, str]],
) -> Json:
    """Create a user and a Person actor with fresh keys; return them as `user-show` does."""
    create = partial(
        users.create,
        handle=handle,
        email=email,
        name=name,
        role=role,
        locale=locale,
        password_hash=password_hash,
        keys=await asyncio.to_thread(new_keys),
        consents=[ConsentGiven(**each) for each in consents],
    )
    await node.database.write(create)
    return await node.database.read(show_user, handle)


@readings.register("user-list")
def list_users(context: Context, removed: bool = False) -> list[Json]:
    """Return the users, the oldest first; those who were removed or disabled only with `removed`."""
    rows = users.all_users(context)
    return [_entry(context, row) for row in rows if removed or row["disabled_at"] is None]


@readings.register("user-show")
def show_user(context: Context, handle: str) -> Json:
    """Return one user with the receipts of consent."""
    row = users.by_handle(context, handle)
    given = context.connection.execute(_CONSENTS, {"of_user": row["id"]}).mappings()
    return _entry(context, row) | {
        "consents": [
            {
                "purpose": each["purpose"],
                "text_version": each["text_version"],
                "language": each["language"],
                "given": time(each["given_at"]),
                "withdrawn": time(each["withdrawn_at"]),
            }
            for each in given
        ]
    }


@operations.register("user-reset")
def reset_user(context: Context, handle: str, password_hash: str) -> Json:
    """Give a user a new password, which ends every session and token; Conflict for a disabled one."""
    row = users.by_handle(context, handle)
    if row["disabled_at"] is not None:
        raise Conflict(N_("This account is disabled."))
    users.reset_password(context, row["id"], password_hash)
    return _entry(context, row)


@operations.register("user-remove")
def remove_user(context: Context, handle: str) -> Json:
    """Remove a user and the actor; return who it was."""
    row = users.by_handle(context, handle)
    departures.remove_user(context, row)
    return {"id": str(row["id"]), "handle": row["handle"]}


def _entry(context: Context, row: RowMapping) -> Json:
    return {
        "id": str(row["id"]),
        "actor_id": str(row["actor_id"]),
        "handle": row["handle"],
        "account": f"{row['handle']}@{context.config.account_domain}",
        "name": row["name"],
        "email": row["email"],
        "role": row["role"],
        "language": row["locale"],
        "created": time(row["created_at"]),
        "disabled": time(row["disabled_at"]),
    }


def _email(_context: click.Context, _option: click.Parameter, value: str) -> str:
    try:
        return checks.email(value)
    except Invalid as error:
        raise click.UsageError(
            _("%(flag)s must be %(wanted)s.") % {"flag": "--email", "wanted": error}
        ) from error


@user.command(
    "add",
    help=N_(
        "Add a person, with an actor of the same handle. The password is asked twice at the terminal, read "
        "from standard input, or made up. The person must have agreed that the account federates."
    ),
)
@click.argument("handle", metavar="HANDLE")
@option("--email", required=True, callback=_email, help=N_("E-mail address; it is never shown to others."))
@option("--name", default="", help=N_("Name on the profile."))
@option("--role", type=click.Choice(get_args(Role)), default="member", help=N_("What the person may do."))
@option("--language", type=click.Choice(available()), help=N_("Language of the pages for this person."))
@password_options
@option("--consent", is_flag=True, help=N_("The person has read the text and agrees."))
@json_option
@pass_config
def add(
    config: Config,
    handle: str,
    email: str,
    name: str,
    role: str,
    language: str | None,
    password_stdin: bool,
    generate_password: bool,
    consent: bool,
    as_json: bool,
) -> None:
    """Ask for what is missing, then have the node create the user."""
    agreed(consent)
    password_hash, shown = password(password_stdin, generate_password)
    arguments = {
        "handle": handle.removeprefix("@").lower(),
        "email": email,
        "name": name,
        "role": role,
        "locale": language or config.languages[0],
        "password_hash": password_hash,
        "consents": [asdict(federation_consent())],
    }
    added = run_operation(config, "user-add", arguments)
    answer(_with_password(added, shown), as_json, _told_added)


def _with_password(shown: Json, password: str | None) -> Json:
    return shown if password is None else shown | {"password": password}


def _told_added(added: Json) -> Iterator[str]:
    yield _("%(account)s can log in now.") % added
    yield from _told_password(added)


def _told_password(shown: Json) -> Iterator[str]:
    if "password" in shown:
        yield _("The password, shown only now: %(password)s") % shown


@user.command("list", help=N_("List the people who can log in."))
@option("--all", "everybody", is_flag=True, help=N_("Also those who were removed or disabled."))
@json_option
@pass_config
def list_(config: Config, everybody: bool, as_json: bool) -> None:
    """Print the users."""
    answer(run_operation(config, "user-list", {"removed": everybody}), as_json, _table)


def _table(found: list[Json]) -> Iterator[str]:
    headings = (_("Handle"), _("Name"), _("E-mail"), _("Role"), _("Language"), _("Since"), _("Disabled"))
    columns = ("handle", "name", "email", "role", "language", "created", "disabled")
    return table(headings, ([each[column] for column in columns] for each in found))


@user.command("show", help=N_("Show one person, with what was agreed to and when."))
@click.argument("handle", metavar="HANDLE")
@json_option
@pass_config
def show(config: Config, handle: str, as_json: bool) -> None:
    """Print one user."""
    answer(run_operation(config, "user-show", {"handle": handle}), as_json, _whole)


def _whole(shown: Json) -> Iterator[str]:
    yield from sheet(
        {
            _("Handle"): shown["account"],
            _("Name"): shown["name"],
            _("E-mail"): shown["email"],
            _("Role"): shown["role"],
            _("Language"): shown["language"],
            _("Since"): shown["created"],
            _("Disabled"): shown["disabled"],
        }
    )
    yield ""
    headings = (_("Agreed to"), _("Version"), _("Language"), _("Given"), _("Withdrawn"))
    yield from table(headings, (tuple(each.values()) for each in shown["consents"]))


@user.command("reset", help=N_("Give a person a new password; every session and token from before ends."))
@click.argument("handle", metavar="HANDLE")
@password_options
@json_option
@pass_config
def reset(config: Config, handle: str, password_stdin: bool, generate_password: bool, as_json: bool) -> None:
    """Ask for the new password, then have the node store its hash."""
    password_hash, shown = password(password_stdin, generate_password)
    done = run_operation(config, "user-reset", {"handle": handle, "password_hash": password_hash})
    answer(_with_password(done, shown), as_json, _told_reset)


def _told_reset(done: Json) -> Iterator[str]:
    yield _("%(account)s has a new password; whoever was logged in no longer is.") % done
    yield from _told_password(done)


@user.command(
    "remove",
    help=N_(
        "Remove a person for good: the actor is deleted here and on the servers that knew it, e-mail address "
        "and password are erased, and the handle is never given again."
    ),
)
@click.argument("handle", metavar="HANDLE")
@option("--yes", "sure", is_flag=True, help=N_("Do not ask."))
@json_option
@pass_config
def remove(config: Config, handle: str, sure: bool, as_json: bool) -> None:
    """Have the handle typed once more, then have the node remove the user."""
    confirm_by_typing(handle, sure)
    done = run_operation(config, "user-remove", {"handle": handle})
    answer(done, as_json, lambda gone: [_("Removed: %(handle)s") % gone])
