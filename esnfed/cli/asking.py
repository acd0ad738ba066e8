"""What a person at the terminal is asked: a new password, consent, and whether something may be removed."""

from __future__ import annotations

import secrets
import sys
from typing import Any

import click

from esnfed.cli.accounts import CONSENT
from esnfed.cli.texts import _
from esnfed.cli.usage import option
from esnfed.i18n import N_
from esnfed.services.users import hash_password

GENERATED_BYTES = 15
MAX_PASSWORD = 1_000


def password_options(function: Any) -> Any:
    """Add the two ways to give a password besides typing it; `password` reads them."""
    stdin = option(
        "--password-stdin", is_flag=True, help=N_("Read the password from the first line of standard input.")
    )
    generate = option(
        "--generate-password", is_flag=True, help=N_("Make a password up; it is shown once, here.")
    )
    return stdin(generate(function))


def password(from_stdin: bool, generate: bool) -> tuple[str, str | None]:
    """Return (hash, password to show or None): read, generated, or typed twice without echo."""
    if from_stdin and generate:
        raise click.UsageError(_("Give either --password-stdin or --generate-password."))
    made = secrets.token_urlsafe(GENERATED_BYTES) if generate else None
    if made is not None:
        return hash_password(made), made
    if from_stdin:
        typed = sys.stdin.readline(MAX_PASSWORD).rstrip("\r\n")
    elif sys.stdin.isatty():
        typed = typed_twice(_("Password"))
    else:
        raise click.UsageError(_("%(flag)s is needed.") % {"flag": "--password-stdin"})
    return hash_password(typed), None


def typed_twice(question: str) -> str:
    """Have a secret typed twice without echo, until both are the same."""
    while True:
        first, second = (
            str(click.prompt(text, hide_input=True, err=True)) for text in (question, _("Once more"))
        )
        if first == second:
            return first
        click.echo(_("The two are not the same."), err=True)


def agreed(consented: bool) -> None:
    """Show the words agreed to, and have whoever types confirm that the person agrees."""
    if consented:
        return
    if not sys.stdin.isatty():
        raise click.UsageError(_("%(flag)s is needed.") % {"flag": "--consent"})
    click.echo(_(CONSENT), err=True)
    if not confirmed(_("Does the person agree?")):
        raise click.UsageError(_("Without this consent no account can be made."))


def confirmed(question: str) -> bool:
    """Ask until yes or no is typed, in the chosen language or in English; nothing typed is no."""
    words = {"yes": _("yes"), "no": _("no")}
    agreeing = {words["yes"], words["yes"][:1], "yes", "y"}
    refusing = {words["no"], words["no"][:1], "no", "n", ""}
    shown = f"{question} [{words['yes'][:1]}/{words['no'][:1].upper()}]"
    while True:
        typed = str(click.prompt(shown, default="", show_default=False, err=True)).strip().casefold()
        if typed in agreeing | refusing:
            return typed in agreeing
        click.echo(_("Please type “%(yes)s” or “%(no)s”.") % words, err=True)


def confirm_by_typing(handle: str, sure: bool) -> None:
    """Let only somebody who typed the handle again, or gave --yes, go on; UsageError otherwise."""
    if sure:
        return
    if not sys.stdin.isatty():
        raise click.UsageError(_("%(flag)s is needed.") % {"flag": "--yes"})
    name = handle.removeprefix("@")
    typed = click.prompt(_("This cannot be undone. Type “%(handle)s” to go on") % {"handle": name}, err=True)
    if typed.strip().removeprefix("@") != name:
        raise click.UsageError(_("This is another handle; nothing was removed."))
