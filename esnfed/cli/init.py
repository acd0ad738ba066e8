"""`esnfed init`: a new node, from a few answers: its file, its database, its first administrator."""

from __future__ import annotations

import asyncio
import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import click

from esnfed.app import open_node
from esnfed.cli import checks
from esnfed.cli.accounts import CONSENT, federation_consent, new_keys
from esnfed.cli.asking import confirmed
from esnfed.cli.config_file import file_text
from esnfed.cli.frame import Invocation, current
from esnfed.cli.lock import sole_use
from esnfed.cli.migrate import bring_to_head
from esnfed.cli.output import answer, progress_line
from esnfed.cli.questions import Question, ask_all
from esnfed.cli.settings import agree, prepare_data_dir
from esnfed.cli.texts import _
from esnfed.cli.usage import command, json_option, option
from esnfed.config import Config
from esnfed.context import Context
from esnfed.errors import ConfigError, Invalid
from esnfed.i18n import N_
from esnfed.registry import commands
from esnfed.services import nodes, users
from esnfed.services.actors import HANDLE, RESERVED, NewKeys
from esnfed.services.users import MIN_PASSWORD, ConsentGiven


def _handle(value: Any) -> str:
    handle = str(value).strip().removeprefix("@").lower()
    if not HANDLE.fullmatch(handle) or handle in RESERVED:
        raise Invalid(_("1 to 30 of a-z, 0-9 and _, and not a reserved name"))
    return handle


def _password(value: Any) -> str:
    if len(str(value)) < MIN_PASSWORD:
        raise Invalid(_("at least ten characters"))
    return str(value)


def questions(environment: str) -> Sequence[Question]:
    """Return what is asked, in this order; the names are those of settings and of the flags."""
    name = checks.domain(environment)
    proxies = "" if environment == "demo" else "127.0.0.1,::1"
    return (
        Question("domain", N_("Domain of the node, which can never change"), name),
        Question(
            "account_domain",
            N_("Domain in handles, if it is another one"),
            lambda value: "" if value == "" else name(value),
            "",
        ),
        Question("name", N_("Name of the node"), checks.line, "esnfed"),
        Question(
            "organisation_type",
            N_("Type of organisation"),
            checks.one_of(*checks.ORGANISATION_TYPES),
            "other",
        ),
        Question("languages", N_("Languages, the default first"), checks.languages, "fr,en,es"),
        Question("contact", N_("Public e-mail address of those who run the node"), checks.optional_email, ""),
        Question("data_dir", N_("Data folder"), checks.folder, "esnfed-data"),
        Question("database", N_("PostgreSQL address, if not SQLite"), checks.database, "", secret=True),
        Question("listen", N_("Address to listen on"), checks.address, "127.0.0.1"),
        Question("port", N_("Port to listen on"), checks.port, "8000"),
        Question("trusted_proxies", N_("Trusted proxies"), checks.networks, proxies),
        Question("admin_handle", N_("Handle of the first administrator"), _handle),
        Question("admin_email", N_("E-mail address of the first administrator"), checks.email),
        Question(
            "admin_password", N_("Password of the first administrator"), _password, hidden=True, secret=True
        ),
    )


@commands.register("init")
@command("init", help=N_("Create a node: its configuration file, its database and its first administrator."))
@option("--domain", help=N_("Public host name; it can never change."))
@option("--account-domain", help=N_("Domain in handles, if it is another one."))
@option("--name", help=N_("Name of the node."))
@option("--organisation-type", help=N_("Type of organisation."))
@option("--languages", help=N_("Languages, separated by commas, the default first."))
@option("--contact", help=N_("Public e-mail address of those who run the node."))
@option("--data-dir", help=N_("Folder of the database."))
@option("--database", help=N_("PostgreSQL address; SQLite without it."))
@option("--listen", help=N_("Address to listen on."))
@option("--port", help=N_("Port to listen on."))
@option("--trusted-proxies", help=N_("Networks of the proxies in front, separated by commas."))
@option("--admin-handle", help=N_("Handle of the first administrator."))
@option("--admin-email", help=N_("E-mail address of the first administrator."))
@option(
    "--admin-password",
    envvar="ESNFED_ADMIN_PASSWORD",
    help=N_("Password of the first administrator; better given in ESNFED_ADMIN_PASSWORD."),
)
@option("--consent", is_flag=True, help=N_("The first administrator agrees that the account federates."))
@option("--environment", type=click.Choice(["production", "demo", "test"]), default="production", hidden=True)
@option("--ask/--no-ask", default=None, help=N_("Ask for what no option says (else only at a terminal)."))
@json_option
def init(environment: str, ask: bool | None, consent: bool, as_json: bool, **given: Any) -> None:
    """Collect the answers, then make the node."""
    path = _target(current())
    interactive = sys.stdin.isatty() if ask is None else ask
    answers = ask_all(questions(environment), given, interactive)
    if not consent:
        _ask_consent(interactive)
    person = {name: answers.pop(f"admin_{name}") for name in ("handle", "email", "password")}
    values = answers | {"environment": environment, "data_dir": answers["data_dir"].resolve()}
    config = Config(**values)
    agree(config, "esnfed init")
    with progress_line():
        create(config, path, values, person)
    made = {"file": str(path), "origin": config.origin, "administrator": person["handle"]}
    answer(made, as_json, _told)


def _target(invocation: Invocation) -> Path:
    """Return where the file goes; ConfigError when there is one: nothing is ever overwritten."""
    path = invocation.path or Path(invocation.environ.get("ESNFED_CONFIG") or "esnfed.toml")
    if path.exists():
        raise ConfigError(
            _("The file %(file)s exists already, and nothing is overwritten; name another with --config.")
            % {"file": path}
        )
    if not path.parent.is_dir():
        raise ConfigError(
            _("The folder %(folder)s of the configuration file does not exist; create it first.")
            % {"folder": path.parent.absolute()}
        )
    return path


def _ask_consent(interactive: bool) -> None:
    if not interactive:
        raise click.UsageError(_("%(flag)s is needed.") % {"flag": "--consent"})
    click.echo(_(CONSENT), err=True)
    if not confirmed(_("Does the first administrator agree?")):
        raise click.UsageError(_("Without this consent no account can be made."))


def create(config: Config, path: Path, values: dict[str, Any], person: dict[str, str]) -> None:
    """Write the file and make the database; the file is taken away again when the database fails."""
    heading = _("Configuration of the esnfed node %(domain)s.\nAfter a change, restart the node.")
    written = {name: value for name, value in values.items() if value not in ("", ())}
    try:
        with open(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="utf-8") as file:
            file.write(file_text(written, heading % {"domain": config.domain}))
    except OSError as error:
        said = {"file": path, "reason": error.strerror}
        raise ConfigError(_("The file %(file)s cannot be written: %(reason)s.") % said) from error
    try:
        prepare_data_dir(config)
        refusal = _("The data folder %(folder)s is in use by a node or a command.") % {
            "folder": config.data_dir
        }
        with sole_use(config, refusal):
            asyncio.run(_fill(config, person))
    except BaseException:
        path.unlink()
        raise


async def _fill(config: Config, person: dict[str, str]) -> None:
    await bring_to_head(config)
    secret = users.hash_password(person["password"])
    keys = (new_keys(), new_keys())
    async with open_node(config) as node:
        await node.database.write(_people, person, secret, keys, (federation_consent(),))


def _people(
    context: Context,
    person: dict[str, str],
    password_hash: str,
    keys: tuple[NewKeys, NewKeys],
    consents: Sequence[ConsentGiven],
) -> None:
    """Create the node, its actor and the first administrator, all or nothing."""
    nodes.create_node(context, keys=keys[0])
    users.create(
        context,
        handle=person["handle"],
        email=person["email"],
        password_hash=password_hash,
        role="owner",
        locale=context.config.languages[0],
        keys=keys[1],
        consents=consents,
    )


def _told(made: dict[str, str]) -> list[str]:
    return [
        _("The node %(origin)s is ready; its configuration is %(file)s.") % made,
        _("The first administrator is @%(administrator)s.") % made,
        _("Start it with: esnfed --config %(file)s serve") % made,
    ]
