"""A node that `esnfed init` made, for the tests of commands."""

from __future__ import annotations

import json
import socket
import sqlite3
from pathlib import Path
from typing import Any

import pytest

from esnfed.cli.frame import run
from esnfed.cli.settings import load
from esnfed.config import Config
from esnfed.database import database_path

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
