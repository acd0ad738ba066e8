"""A node that serves, is commanded while it runs, migrates, and stops in order."""

from __future__ import annotations

import asyncio
import json
import logging
import os
import signal
import socket
import sqlite3
import stat
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from esnfed.cli import logs, migrate, serve
from esnfed.cli.control import Request, reach
from esnfed.cli.frame import run
from esnfed.cli.handlers import registered
from esnfed.cli.lock import sole_use
from esnfed.cli.routes import served
from esnfed.config import Config
from esnfed.context import Context
from esnfed.errors import ConfigError
from esnfed.registry import Registry

pytestmark = pytest.mark.enable_socket


async def with_node(config: Config, use: Callable[[Config], Any]) -> Any:
    """Run the node, do something with it, stop it."""
    stop = asyncio.Event()
    running = asyncio.create_task(serve.run_node(config, stop))
    try:
        while not (config.data_dir / "control.sock").exists() and not running.done():
            await asyncio.sleep(0)
        return await use(config)
    finally:
        stop.set()
        await running


def test_a_live_node_serves_and_takes_commands(made: Config, monkeypatch: pytest.MonkeyPatch) -> None:
    def domain(context: Context) -> str:
        return context.config.domain

    operations: Registry[Any] = Registry("operations")
    operations.add("domain", domain)
    monkeypatch.setattr("esnfed.cli.operations.operations", operations)

    async def use(config: Config) -> tuple[int, Any]:
        async with aiohttp.ClientSession() as client:
            url = f"http://127.0.0.1:{config.port}/.well-known/nodeinfo"
            async with client.get(url, headers={"Host": config.domain}) as response:
                return response.status, await reach(config, Request("domain"))

    with sole_use(made, "in use"):
        assert asyncio.run(with_node(made, use)) == (200, "lyon.esn.test")
    assert not (made.data_dir / "control.sock").exists()


def test_a_port_that_is_taken_is_one_sentence(made: Config) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        config = replace(made, port=other.getsockname()[1])
        with pytest.raises(ConfigError, match=r"cannot listen on 127\.0\.0\.1 port \d+ \(settings “listen”"):
            asyncio.run(serve.run_node(config, asyncio.Event()))


def test_migrate_and_serve_refuse_while_a_node_runs(made: Config, capsys: pytest.CaptureFixture[str]) -> None:
    with sole_use(made, "in use"):
        assert run(["--config", "lyon.toml", "migrate"], {}) == 1
        assert "is in use: stop the node, then migrate." in capsys.readouterr().err
        assert run(["--config", "lyon.toml", "serve"], {}) == 1
        assert "is already in use by a node or a command." in capsys.readouterr().err


def test_migrate_makes_a_backup_of_what_was_there(
    made: Config, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["--config", "lyon.toml", "migrate", "--json"], {}) == 0
    done = json.loads(capsys.readouterr().out)
    assert done["before"] == done["after"]
    assert done["backup"] is None

    async def behind(_config: Config) -> tuple[str, str]:
        return "0000", done["after"]

    monkeypatch.setattr(migrate, "schema_state", behind)
    assert run(["--config", "lyon.toml", "migrate", "--json"], {}) == 0
    told = capsys.readouterr()
    saved = Path(json.loads(told.out)["backup"])
    assert saved.parent == made.data_dir / "backups"
    assert stat.S_IMODE(saved.parent.stat().st_mode) == 0o700
    copy = sqlite3.connect(saved)
    assert copy.execute("SELECT domain FROM node").fetchall() == [("lyon.esn.test",)]
    copy.close()
    assert "Backing up" in told.err
    assert run(["--config", "lyon.toml", "migrate", "--no-backup", "--json"], {}) == 0
    assert json.loads(capsys.readouterr().out)["backup"] is None


async def test_the_process_ends_in_order_on_a_signal_and_a_second_start_works(made: Config) -> None:
    environment = {"PATH": os.environ["PATH"], "ESNFED_LOG_FORMAT": "json"}
    for number in (signal.SIGTERM, signal.SIGINT):
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "esnfed", "--config", "lyon.toml", "serve",
            env=environment, stderr=asyncio.subprocess.PIPE, cwd=made.data_dir.parent,
        )  # fmt: skip
        assert process.stderr is not None
        messages = []
        async for line in process.stderr:
            messages.append(json.loads(line)["message"])
            if "serves https://lyon.esn.test" in messages[-1]:
                process.send_signal(number)
        assert await process.wait() == 0
        assert messages[-2:] == ["stopping", "stopped"]
    assert sorted(path.name for path in made.data_dir.iterdir()) == ["esnfed.sqlite", "lock"]


async def test_routes_and_handlers_are_listed() -> None:
    found = await served()
    assert {"method": "POST", "path": "/inbox", "code": "esnfed.activitypub.inbox.receive"} in found
    assert all(each["method"] != "HEAD" for each in found)
    names = {(each["registry"], each["name"]) for each in registered()}
    assert ("activity handlers", "Follow") in names


def test_a_log_line_in_json_holds_its_traceback() -> None:
    try:
        raise ValueError("odd")
    except ValueError:
        record = logging.LogRecord("esnfed.x", logging.ERROR, "", 0, "it %s", ("failed",), sys.exc_info())
    line = json.loads(logs.JsonLines().format(record))
    assert (line["level"], line["logger"], line["message"]) == ("error", "esnfed.x", "it failed")
    assert "ValueError: odd" in line["exception"]
    assert line["time"].endswith("+00:00")
