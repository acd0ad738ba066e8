"""`esnfed demo`: three nodes on this machine that federate with one another, seeded and alive."""

from __future__ import annotations

import asyncio
import logging
import socket
import sys
from collections.abc import Sequence
from contextlib import ExitStack
from io import TextIOWrapper
from pathlib import Path
from random import SystemRandom
from typing import Any

import click

from esnfed.cli import logs
from esnfed.cli.demonstration.display import Console, Watch
from esnfed.cli.demonstration.living import Life
from esnfed.cli.demonstration.plan import Plan, make_plan, prepare_folders, take_ports
from esnfed.cli.demonstration.script import cast, split, story
from esnfed.cli.demonstration.seeding import Seeding
from esnfed.cli.demonstration.stage import Stage, open_stage
from esnfed.cli.frame import load_commands
from esnfed.cli.lock import sole_use
from esnfed.cli.output import reporting
from esnfed.cli.serve import loop_factory, until_signal
from esnfed.cli.texts import _
from esnfed.cli.usage import command, option
from esnfed.errors import Invalid
from esnfed.i18n import N_
from esnfed.registry import commands
from esnfed.vocab import paths

PORTS = (8001, 8002, 8003)
LAST_WORDS = 2.0
"""Seconds that what is under way gets to arrive at the end; what does not goes at the next start."""

LEAST_PORT, MOST_PORT = 1_024, 65_535


def read_ports(text: str) -> tuple[int, ...]:
    """Return the three ports of a text such as "8001,8002,8003"; Invalid for anything else."""
    parts = [part.strip() for part in text.split(",")]
    ports = tuple(int(part) for part in parts if part.isascii() and part.isdigit() and len(part) <= 5)
    fits = all(LEAST_PORT <= port <= MOST_PORT for port in ports)
    if not fits or len(parts) != len(PORTS) or len(set(ports)) != len(PORTS):
        raise Invalid(
            N_("three different whole numbers from 1024 to 65535 are needed, such as 8101,8102,8103")
        )
    return ports


def _ports(_context: click.Context, _parameter: click.Parameter, text: str) -> tuple[int, ...]:
    try:
        return read_ports(text)
    except Invalid as error:
        raise click.BadParameter(str(error)) from error


@commands.register("demo")
@command(
    "demo",
    help=N_(
        "Run a demonstration network on this machine: a hub, a union and a mutual society that federate. "
        "What was made is kept, and the next start goes on with it."
    ),
)
@option(
    "--data", type=click.Path(file_okay=False, path_type=Path), metavar="FOLDER",
    help=N_("Folder of the network (else demo-data and its ports)."),
)  # fmt: skip
@option(
    "--ports", default=",".join(map(str, PORTS)), callback=_ports, metavar="HUB,UNION,MUTUAL",
    help=N_("Ports of the three nodes; other ports are another network."),
)  # fmt: skip
@option("--quiet", is_flag=True, help=N_("Show only addresses and what goes wrong."))
@option(
    "--stop-after", type=click.IntRange(0, 2_000), metavar="NUMBER",
    help=N_("End after so many acts, 0 as soon as everything is there."),
)  # fmt: skip
def demo(data: Path | None, ports: tuple[int, ...], quiet: bool, stop_after: int | None) -> None:
    """Take ports and folders, run the network in a loop of its own, end when the loop ends."""
    plan = make_plan(data, ports)
    load_commands()
    refusal = _("The demonstration in %(folder)s runs already, or a command uses it.") % {
        "folder": plan.folder
    }
    with ExitStack() as stack:
        listeners = take_ports(stack, ports)
        prepare_folders(plan)
        for config in plan.configs.values():
            stack.enter_context(sole_use(config, refusal))
        console = _console()
        stack.enter_context(reporting(console.progress))
        runner = stack.enter_context(asyncio.Runner(loop_factory=loop_factory()))
        runner.run(run_demo(plan, listeners, console, quiet=quiet, stop_after=stop_after))


def _console() -> Console:
    """Return the terminal, with the log beside it; letters it does not know become question marks."""
    if isinstance(sys.stdout, TextIOWrapper):
        sys.stdout.reconfigure(errors="replace")
    logs.start("text", logging.WARNING)
    return Console(sys.stdout)


async def run_demo(
    plan: Plan,
    listeners: Sequence[socket.socket],
    console: Console,
    *,
    quiet: bool = False,
    stop_after: int | None = None,
    stop: asyncio.Event | None = None,
) -> None:
    """Open the network, seed what is missing and let it live until `stop`, else until SIGTERM or SIGINT.

    What is under way at the end is finished or stays queued; the next start goes on with it.
    """
    stop = stop or until_signal()
    async with open_stage(plan, listeners) as stage:
        watch = Watch(stage, console, quiet=quiet)
        watching = asyncio.create_task(watch.run())
        telling = asyncio.create_task(_tell(stage, plan, console, stop_after))
        stopping = asyncio.create_task(stop.wait())
        try:
            await asyncio.wait({telling, stopping, watching}, return_when=asyncio.FIRST_COMPLETED)
            console.end_progress()
            for task in (telling, watching):
                if task.done():
                    task.result()
            console.line(_("Stopping."))
        finally:
            await _end(telling, stopping)
            await stage.settle(LAST_WORDS)
            await _end(watching)
            await watch.catch_up()
    console.line(_("Stopped. Everything is kept in %(folder)s.") % {"folder": plan.folder})


async def _end(*tasks: asyncio.Task[Any]) -> None:
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)


async def _tell(stage: Stage, plan: Plan, console: Console, stop_after: int | None) -> None:
    """The whole story: the first start, the addresses, and then life."""
    seeding = Seeding(stage, plan.folder)
    if not await seeding.is_done():
        console.line(_("The network is being made, and talks from the start; this takes less than a minute."))
        complete = await seeding.run()
        console.end_progress()
        if not complete:
            console.line(_("Something has not arrived yet; the next start goes on with it."))
    for line in await addresses(stage, plan):
        console.line(line)
    await Life(stage, SystemRandom()).run(asyncio.sleep, stop_after)
    if stop_after is None:
        console.line(_("The network has done its 2,000 activities and stays as it is. Ctrl-C ends it."))
        await asyncio.Event().wait()


async def addresses(stage: Stage, plan: Plan) -> list[str]:
    """Return the lines that say where to look, once the network is there."""
    hub = stage.nodes["hub"].config.origin
    voice = story().posts[0]
    handle, key = split(voice.author)
    home = stage.nodes[key].config.origin
    lines = ["", _("The network is up; open in a browser:")]
    width = max(len(each.key) for each in cast().nodes)
    for each in cast().nodes:
        origin = stage.nodes[each.key].config.origin
        lines.append(f"  {each.key:<{width}}  {origin}/  {each.name}")
    return [
        *lines,
        "  " + _("boards: %(first)s and the same on the others") % {"first": f"{hub}/records"},
        "  " + _("a profile: %(url)s") % {"url": paths.profile_page(home, handle)},
        "  " + _("for programs: %(url)s") % {"url": f"{hub}/api/esn/v1/records"},
        "",
        _("Look at the hub's board: the projects and calls of the union and the mutual society are there."),
        _("Speak yourself, in another terminal: %(command)s") % {"command": _example(plan)},
        _("Nobody can log in yet: that comes with the sign-up pages; reading needs no account."),
        _("Below: each activity as it is applied, and how long that took. Ctrl-C ends, and keeps all."),
        "",
    ]


def _example(plan: Plan) -> str:
    home = cast().nodes[1]
    handle = home.people[0].handle
    return f'esnfed --config {plan.file(home.key)} post create --as {handle} "Bonjour"'
