"""`esnfed serve`: the node, from listening to the last checkpoint."""

from __future__ import annotations

import asyncio
import logging
import signal
import ssl
from collections.abc import Callable
from dataclasses import replace
from importlib import import_module
from importlib.util import find_spec

import click
from aiohttp import web

from esnfed.app import Node, create_app, open_node
from esnfed.cli import checks, logs, open_files
from esnfed.cli.control import ControlServer
from esnfed.cli.frame import load_commands, pass_config
from esnfed.cli.lock import sole_use
from esnfed.cli.settings import agree, prepare_data_dir
from esnfed.cli.texts import _
from esnfed.cli.usage import command, option
from esnfed.config import Config
from esnfed.errors import ConfigError
from esnfed.i18n import N_
from esnfed.registry import commands

log = logging.getLogger(__name__)

GRACE = 20.0
"""Seconds that open requests get to finish at shutdown."""


@commands.register("serve")
@command("serve", help=N_("Run the node until it is told to stop."))
@option("--listen", metavar="ADDRESS", help=N_("Listen on this address instead of the configured one."))
@option(
    "--port", type=click.IntRange(1, 65535), help=N_("Listen on this port instead of the configured one.")
)
@pass_config
def serve(config: Config, listen: str | None, port: int | None) -> None:
    """Hold the data folder, run the node in a loop of its own, end when the loop ends."""
    config = replace(
        config, listen=checks.address(listen) if listen else config.listen, port=port or config.port
    )
    agree(config, "--listen")
    prepare_data_dir(config)
    load_commands()
    refusal = _("The data folder %(folder)s is already in use by a node or a command.")
    with (
        sole_use(config, refusal % {"folder": config.data_dir}),
        asyncio.Runner(loop_factory=loop_factory()) as runner,
    ):
        logs.start(config.log_format)
        open_files.raise_limit()
        runner.run(run_node(config))


def loop_factory() -> Callable[[], asyncio.AbstractEventLoop] | None:
    """Return uvloop's loop where it is installed (the extra `speed`), None for Python's own."""
    if find_spec("uvloop") is None:
        return None
    factory: Callable[[], asyncio.AbstractEventLoop] = import_module("uvloop").new_event_loop
    return factory


async def run_node(config: Config, stop: asyncio.Event | None = None) -> None:
    """Serve until `stop` is set, or without one until SIGTERM or SIGINT; ConfigError when the port is taken.

    At the end: stop listening, finish requests and commands, stop the workers, then the database drains its
    writer, closes its readers, makes a checkpoint and closes. A second signal ends the process at once.
    """
    stop = stop or until_signal()
    async with open_node(config) as node:
        runner = web.AppRunner(create_app(node), access_log=None, shutdown_timeout=GRACE)
        control = ControlServer(node)
        watching = asyncio.create_task(open_files.watch())
        await runner.setup()
        try:
            await _listen(node, runner)
            if not config.database:
                await control.start()
            log.info("esnfed serves %s on %s port %d", config.origin, config.listen, config.port)
            await stop.wait()
            log.info("stopping")
        finally:
            watching.cancel()
            for site in list(runner.sites):
                await site.stop()
            await control.close()
            await runner.cleanup()
    log.info("stopped")


async def _listen(node: Node, runner: web.AppRunner) -> None:
    config = node.config
    site = web.TCPSite(runner, config.listen, config.port, ssl_context=_tls(config))
    try:
        await site.start()
    except OSError as error:
        said = {"listen": config.listen, "port": config.port, "reason": error.strerror or error}
        raise ConfigError(
            _("The node cannot listen on %(listen)s port %(port)s (settings “listen”, “port”): %(reason)s.")
            % said
        ) from error


def _tls(config: Config) -> ssl.SSLContext | None:
    """Return the TLS of a test node; real nodes leave TLS to the proxy in front of them."""
    if config.tls_certificate is None:
        return None
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(*config.tls_certificate)
    return context


def until_signal() -> asyncio.Event:
    """Return an event that SIGTERM or SIGINT sets; a second signal ends the process at once."""
    loop = asyncio.get_running_loop()
    stop = asyncio.Event()

    def end() -> None:
        stop.set()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.remove_signal_handler(number)

    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, end)
    return stop
