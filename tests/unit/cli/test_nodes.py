"""From `init` to a node that serves, is commanded while it runs, migrates, and stops in order."""

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
import tomllib
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from esnfed.cli import init, logs, migrate, serve
from esnfed.cli.control import Request, reach
from esnfed.cli.frame import run
from esnfed.cli.handlers import registered
from esnfed.cli.lock import sole_use
from esnfed.cli.routes import served
from esnfed.cli.settings import load
from esnfed.config import Config
from esnfed.context import Context
from esnfed.database import database_path
from esnfed.errors import ConfigError
from esnfed.registry import Registry

pytestmark = pytest.mark.enable_socket

FLAGS = [
    "--domain", "lyon.esn.test", "--environment", "test", "--name", "Lyon", "--languages", "fr,es",
    "--organisation-type", "education-union", "--admin-handle", "marie", "--admin-email", "marie@example.org",
    "--consent", "--no-ask",
]  # fmt: skip
PASSWORD = {"ESNFED_ADMIN_PASSWORD": "correct horse"}


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as found:
        return int(found.getsockname()[1])


@pytest.fixture
def made(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Config:
    """A node that `init` made."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("ESNFED_ADMIN_PASSWORD", PASSWORD["ESNFED_ADMIN_PASSWORD"])
    code = run(["--config", "lyon.toml", "init", *FLAGS, "--port", str(free_port()), "--json"], PASSWORD)
    captured = capsys.readouterr()
    assert code == 0, captured.err
    assert json.loads(captured.out) == {
        "file": "lyon.toml", "origin": "https://lyon.esn.test", "administrator": "marie",
    }  # fmt: skip
    return load(tmp_path / "lyon.toml", {})


def rows(config: Config, statement: str) -> list[Any]:
    connection = sqlite3.connect(database_path(config))
    try:
        return connection.execute(statement).fetchall()
    finally:
        connection.close()


def test_init_writes_the_file_the_database_and_the_first_administrator(made: Config, tmp_path: Path) -> None:
    path = tmp_path / "lyon.toml"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert tomllib.loads(path.read_text())["name"] == "Lyon"
    assert (made.languages, made.data_dir) == (("fr", "es"), tmp_path / "esnfed-data")
    assert stat.S_IMODE(made.data_dir.stat().st_mode) == 0o700
    assert rows(made, "SELECT domain, environment FROM node") == [("lyon.esn.test", "test")]
    assert rows(made, "SELECT as_type, handle FROM actor ORDER BY id") == [
        ("Application", "relay"), ("Person", "marie"),
    ]  # fmt: skip
    assert rows(made, "SELECT email, role, locale FROM user_account") == [
        ("marie@example.org", "owner", "fr")
    ]
    assert rows(made, "SELECT purpose, text_version, language FROM consent") == [("federation", "1", "en")]
    (hashed,) = rows(made, "SELECT password_hash FROM user_account")[0]
    assert hashed.startswith("$argon2id$")


def test_init_overwrites_nothing(made: Config, capsys: pytest.CaptureFixture[str]) -> None:
    before = Path("lyon.toml").read_text()
    assert run(["--config", "lyon.toml", "init", *FLAGS], PASSWORD) == 1
    assert "exists already, and nothing is overwritten" in capsys.readouterr().err
    assert run(["--config", "other.toml", "init", *FLAGS], PASSWORD) == 1
    assert capsys.readouterr().err.endswith("This database belongs to a node already.\n")
    assert Path("lyon.toml").read_text() == before
    assert not Path("other.toml").exists()


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        (["--domain", "esn.example.org"], "--domain must be a name under localhost, 127.0.0.1 or esn.test"),
        (["--port", "0"], "--port must be a whole number from 1 to 65535, not 0."),
        (
            ["--admin-handle", "Root"],
            "--admin-handle must be 1 to 30 of a-z, 0-9 and _, and not a reserved name",
        ),
        (["--admin-password", "short"], "--admin-password must be at least ten characters."),
        (["--organisation-type", "club"], "--organisation-type must be one of education-union, "),
        (["--environment", "demo", "--trusted-proxies", "::1"], "“trusted_proxies” must be empty in a demo."),
        (["--listen", "0.0.0.0"], "“listen” must be 127.0.0.1 in a demo or a test."),
    ],
)
def test_init_refuses_a_bad_answer_in_one_sentence(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str],
    change: list[str], sentence: str,
) -> None:  # fmt: skip
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("ESNFED_ADMIN_PASSWORD", PASSWORD["ESNFED_ADMIN_PASSWORD"])
    assert run(["init", *FLAGS, *change], PASSWORD) in (1, 2)
    told = capsys.readouterr().err
    assert sentence in told
    assert told.count("\n") == 1
    assert list(tmp_path.iterdir()) == []


def test_init_without_consent_makes_no_account(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = str(tmp_path / "lyon.toml")
    flags = [each for each in FLAGS if each != "--consent"]
    assert run(["--config", path, "init", *flags, "--admin-password", "correct horse"], {}) == 2
    assert capsys.readouterr().err == "--consent is needed.\n"


def test_init_asks_again_until_an_answer_is_good(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    answers = "intranet|esn.example.org|||choir|university|fr|||||99999|8100||admin|lea|lea|lea@example.org|y"
    typed = iter(answers.split("|"))
    secrets = iter(["short", "short", "correct horse", "correct horse"])
    monkeypatch.setattr("click.termui.visible_prompt_func", lambda _prompt: next(typed))
    monkeypatch.setattr("click.termui.hidden_prompt_func", lambda _prompt: next(secrets))
    assert run(["init", "--ask"], {}) == 0
    told = capsys.readouterr()
    for sentence in (
        "The answer must be a public host name without a port, such as esn.example.org.",
        "The answer must be one of education-union,",
        "The answer must be a whole number from 1 to 65535.",
        "The answer must be 1 to 30 of a-z, 0-9 and _, and not a reserved name.",
        "The answer must be an e-mail address.",
        "The answer must be at least ten characters.",
        "This account federates",
    ):
        assert sentence in told.err
    assert "correct horse" not in told.out + told.err
    config = load(tmp_path / "esnfed.toml", {})
    assert (config.domain, config.port, config.organisation_type) == ("esn.example.org", 8100, "university")
    assert rows(config, "SELECT handle FROM actor WHERE as_type = 'Person'") == [("lea",)]


def test_a_failure_takes_the_file_away_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    async def full(*_arguments: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(init, "bring_to_head", full)
    path = tmp_path / "lyon.toml"
    flags = [*FLAGS, "--data-dir", str(tmp_path / "data"), "--admin-password", "correct horse"]
    assert run(["--config", str(path), "init", *flags], {}) == 1
    assert "No space left on device" in capsys.readouterr().err
    assert not path.exists()


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
