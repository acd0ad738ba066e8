"""What lists and answers of commands have in common: ids as text, times in ISO 8601, accounts, options."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import click
from sqlalchemy import RowMapping

from esnfed.cli.output import plain
from esnfed.cli.texts import _
from esnfed.cli.usage import option
from esnfed.federation.retry import NEVER
from esnfed.i18n import N_, iso

Json = dict[str, Any]

MAX_ID = (1 << 63) - 1
ID = click.IntRange(1, MAX_ID)
"""The type of an argument or option that is an id."""

limit_option = option(
    "--limit",
    type=click.IntRange(1, 500),
    default=40,
    help=N_("How many to show at most."),
)
before_option = option("--before", type=ID, metavar="ID", help=N_("Only those older than this one."))
as_option = option(
    "--as", "handle", required=True, metavar="HANDLE", help=N_("Handle of the actor of this node who acts.")
)


def time(at: int | None) -> str | None:
    """Return milliseconds since 1970 in ISO 8601; None for none, and for what never comes."""
    return None if at is None or at >= NEVER else iso(at)


def account(row: RowMapping) -> str:
    """Return `name@domain` of an actor row."""
    return f"{row['handle']}@{row['domain']}"


def yes(value: bool | None) -> str:
    """Return yes or no in the chosen language; nothing while it is not known."""
    return "" if value is None else _("yes") if value else _("no")


def sheet(pairs: Mapping[str, object]) -> Iterator[str]:
    """Give the lines of one thing: a label and a value on each, what is empty left out."""
    shown = {label: plain(value) for label, value in pairs.items() if value not in (None, "", [], {})}
    width = max(map(len, shown), default=0)
    for label, value in shown.items():
        yield f"{label.ljust(width)}  {value}"


def pairs(flag: str, values: tuple[str, ...]) -> dict[str, str]:
    """Return {KEY: VALUE} of repeated KEY=VALUE options; BadParameter naming the flag for anything else."""
    found = {}
    for value in values:
        key, equals, text = value.partition("=")
        if not equals or not key.strip():
            raise click.BadParameter(_("write it as KEY=VALUE"), param_hint=flag)
        found[key.strip()] = text.strip()
    return found
