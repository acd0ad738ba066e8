"""`esnfed routes`: every address the server answers, and the code behind it."""

from __future__ import annotations

import asyncio
from pathlib import Path
from tempfile import TemporaryDirectory

from aiohttp import web

from esnfed.app import create_app, open_node
from esnfed.cli.output import answer, table
from esnfed.cli.texts import _
from esnfed.cli.usage import command, json_option
from esnfed.config import Config
from esnfed.database import migrate
from esnfed.i18n import N_
from esnfed.registry import commands


async def served() -> list[dict[str, str]]:
    """Return the routes of the application (method, path, `module.name` of the code), sorted by path.

    They are those of an empty node made for the purpose, so that no configuration and no lock is needed.
    """
    with TemporaryDirectory(prefix="esnfed-") as folder:
        config = Config(domain="localhost", data_dir=Path(folder), environment="test")
        await migrate(config)
        async with open_node(config) as node:
            return listed(create_app(node))


def listed(app: web.Application) -> list[dict[str, str]]:
    """Return the routes of one application; HEAD, which goes with every GET, is left out."""
    found = []
    for route in app.router.routes():
        if route.method != "HEAD" and route.resource is not None:
            code = f"{route.handler.__module__}.{route.handler.__qualname__}"
            found.append({"method": route.method, "path": route.resource.canonical, "code": code})
    return sorted(found, key=lambda each: (each["path"], each["method"]))


@commands.register("routes")
@command("routes", help=N_("List every address that the server answers."))
@json_option
def routes(as_json: bool) -> None:
    """Print the routes."""
    headings = (_("Method"), _("Path"), _("Code"))
    found = asyncio.run(served())
    answer(found, as_json, lambda rows: table(headings, [tuple(each.values()) for each in rows]))
