"""`esnfed handlers`: what this program understands and sends, as registered."""

from __future__ import annotations

from importlib import import_module
from typing import Any

from esnfed import registry
from esnfed.cli.frame import load_commands
from esnfed.cli.output import answer, table
from esnfed.cli.texts import _
from esnfed.cli.usage import command, json_option
from esnfed.i18n import N_

SHOWN = (
    registry.handlers,
    registry.undoers,
    registry.receivers,
    registry.senders,
    registry.extensions,
    registry.kinds,
    registry.steps,
    registry.periodic,
    registry.operations,
    registry.readings,
)


def registered() -> list[dict[str, str]]:
    """Return every registered thing: its registry, its name, and where its code is (`module.name`)."""
    import_module("esnfed.app")  # it imports every room, and a room registers when it is imported
    load_commands()
    return [
        {"registry": each.title, "name": name, "where": _where(value)}
        for each in SHOWN
        for name, value in each.items()
    ]


def _where(value: Any) -> str:
    named = value if hasattr(value, "__qualname__") else type(value)
    return f"{named.__module__}.{named.__qualname__}"


@registry.commands.register("handlers")
@command("handlers", help=N_("List what this program understands: activities, objects, record kinds, jobs."))
@json_option
def handlers(as_json: bool) -> None:
    """Print what is registered."""
    headings = (_("Registry"), _("Name"), _("Code"))
    answer(registered(), as_json, lambda found: table(headings, [tuple(each.values()) for each in found]))
