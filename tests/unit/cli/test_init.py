"""`esnfed init`: from answers to a node, on SQLite and PostgreSQL."""

from __future__ import annotations

import asyncio
import stat
import tomllib
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select

from esnfed.cli import init
from esnfed.cli.control import Request, reach
from esnfed.cli.frame import run
from esnfed.cli.settings import load
from esnfed.config import Config
from esnfed.context import Context
from esnfed.models import actor
from esnfed.registry import Registry
from tests.doubles.postgres import Cluster
from tests.unit.cli.conftest import FLAGS, PASSWORD, rows

pytestmark = pytest.mark.enable_socket


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


def test_a_missing_folder_is_one_sentence(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "etc" / "node.toml"
    assert run(["--config", str(path), "init", *FLAGS], PASSWORD) == 1
    assert capsys.readouterr().err == (
        f"The folder {path.parent} of the configuration file does not exist; create it first.\n"
    )
    assert not path.parent.exists()


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
        (
            ["--database", "mysql://u:secret@h/n"],
            "--database must be empty for SQLite, or postgresql://user:password@",
        ),
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
    assert "secret" not in told
    assert "short" not in told
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


def test_init_on_postgresql_and_commands_that_open_it_themselves(
    tmp_path: Path,
    postgres_cluster: Cluster,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    asyncio.run(postgres_cluster.execute("CREATE DATABASE esnfed_init"))
    path = str(tmp_path / "lyon.toml")
    flags = [*FLAGS, "--database", postgres_cluster.url("esnfed_init"), "--data-dir", str(tmp_path / "data")]
    assert run(["--config", path, "init", *flags, "--admin-password", "correct horse"], {}) == 0
    assert run(["--config", path, "migrate"], {}) == 0
    assert "The database is up to date" in capsys.readouterr().out

    def handles(context: Context) -> list[str]:
        return list(context.connection.execute(select(actor.c.handle).order_by(actor.c.id)).scalars())

    readings: Registry[Any] = Registry("readings")
    readings.add("handles", handles)
    monkeypatch.setattr("esnfed.cli.operations.readings", readings)
    config = load(Path(path), {})
    assert asyncio.run(reach(config, Request("handles"))) == ["relay", "marie"]
    assert list((tmp_path / "data").iterdir()) == []
    asyncio.run(postgres_cluster.execute("DROP DATABASE esnfed_init WITH (FORCE)"))
