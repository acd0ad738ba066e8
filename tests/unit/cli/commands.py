"""Commands on a node of their own: made once by `esnfed init` for the test process, copied for each test."""

from __future__ import annotations

import io
import os
import shutil
import sqlite3
from contextlib import chdir
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import orjson
import pytest

from esnfed.cli import actor, user
from esnfed.cli.accounts import new_keys
from esnfed.cli.frame import run
from esnfed.config import Config
from esnfed.database import database_path
from esnfed.services.actors import NewKeys

PASSWORD = "correct horse battery"
DOMAIN = "lyon.esn.test"


@cache
def _template() -> TemporaryDirectory[str]:
    """A folder with the node Lyon and its owner marie; it lives as long as the process."""
    folder = TemporaryDirectory(prefix="esnfed-commands-")
    with chdir(folder.name):
        arguments = [
            "--config", "node.toml", "init", "--domain", DOMAIN, "--environment", "test", "--name", "Lyon",
            "--languages", "fr,es", "--organisation-type", "education-union", "--admin-handle", "marie",
            "--admin-email", "marie@example.org", "--admin-password", PASSWORD, "--consent", "--no-ask",
            "--data-dir", "data",
        ]  # fmt: skip
        assert run(arguments, {}) == 0
    return folder


@cache
def _keys() -> NewKeys:
    return new_keys()


@dataclass
class Terminal:
    """Types commands on a node in `folder` and reads what they print."""

    folder: Path
    capture: pytest.CaptureFixture[str]
    patch: pytest.MonkeyPatch

    @property
    def config(self) -> Config:
        """What tests need of the node's configuration."""
        return Config(domain=DOMAIN, data_dir=self.folder / "data", environment="test")

    def say(self, *arguments: str, stdin: str = "") -> tuple[int, str, str]:
        """Run one command; return exit code, standard output, standard error."""
        self.patch.setattr("sys.stdin", io.StringIO(stdin))
        code = run(["--config", str(self.folder / "node.toml"), *arguments], {})
        captured = self.capture.readouterr()
        return code, captured.out, captured.err

    def told(self, *arguments: str, stdin: str = "") -> Any:
        """Run a command that succeeds; return its JSON."""
        code, out, error = self.say(*arguments, "--json", stdin=stdin)
        assert code == 0, error
        return orjson.loads(out)

    def shown(self, *arguments: str) -> str:
        """Run a command that succeeds; return what it prints."""
        code, out, error = self.say(*arguments)
        assert code == 0, error
        return out

    def refused(self, *arguments: str, stdin: str = "") -> str:
        """Run a command that fails; return its one sentence."""
        code, out, error = self.say(*arguments, stdin=stdin)
        assert code in (1, 2)
        assert out == ""
        assert error.count("\n") == 1, error
        return error.strip()

    def at_keyboard(self, typed: list[str] | None = None, secrets: list[str] | None = None) -> Keyboard:
        """Answer the prompts of the next command as a person at the terminal."""
        return Keyboard(self, typed or [], secrets or [])

    def rows(self, statement: str, *values: Any) -> list[Any]:
        """Read the database as an independent reader."""
        return self._execute(statement, values)

    def write(self, statement: str, *values: Any) -> None:
        """Change the database behind the node's back: what only other servers could bring about."""
        self._execute(statement, values)

    def _execute(self, statement: str, values: tuple[Any, ...]) -> list[Any]:
        connection = sqlite3.connect(database_path(self.config))
        try:
            with connection:
                return connection.execute(statement, values).fetchall()
        finally:
            connection.close()

    def person(self, handle: str) -> Any:
        """Add a person."""
        return self.told(
            "user", "add", handle, "--email", f"{handle}@example.org", "--password-stdin", "--consent",
            stdin=f"{PASSWORD}\n",
        )  # fmt: skip


class _Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


@dataclass
class Keyboard:
    """A person at the terminal: answers prompts in order; what is typed unseen comes from `secrets`."""

    terminal: Terminal
    typed: list[str]
    secrets: list[str]

    def say(self, *arguments: str) -> tuple[int, str, str]:
        """Run one command; every prompt takes the next answer."""
        answers = {"visible": iter(self.typed), "hidden": iter(self.secrets)}
        with self.terminal.patch.context() as patch:
            patch.setattr("sys.stdin", _Terminal())
            patch.setattr("click.termui.visible_prompt_func", lambda _prompt: next(answers["visible"]))
            patch.setattr("click.termui.hidden_prompt_func", lambda _prompt: next(answers["hidden"]))
            code = run(["--config", str(self.terminal.folder / "node.toml"), *arguments], {})
        captured = self.terminal.capture.readouterr()
        assert [*answers["visible"], *answers["hidden"]] == []
        return code, captured.out, captured.err


def terminal(tmp_path: Path, patch: pytest.MonkeyPatch, capture: pytest.CaptureFixture[str]) -> Terminal:
    """Copy the node into `tmp_path`; new actors share one pair of keys, as RSA keys are dear to make."""
    template = Path(_template().name)
    capture.readouterr()
    shutil.copytree(template / "data", tmp_path / "data")
    text = (template / "node.toml").read_text()
    written = text.replace(f'data_dir = "{os.path.realpath(template)}/data"', 'data_dir = "data"')
    assert written != text
    (tmp_path / "node.toml").write_text(written)
    for module in (actor, user):
        patch.setattr(module, "new_keys", _keys)
    return Terminal(tmp_path, capture, patch)
