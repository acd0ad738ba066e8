"""`esnfed record` on a node of its own: from the options of a command to what is on the board."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import orjson
import pytest

from esnfed.cli.frame import run
from tests.unit.records.sheets import SECRETS, project

pytestmark = pytest.mark.enable_socket

ENVIRON = {"ESNFED_ADMIN_PASSWORD": "correct horse battery"}
Say = Callable[..., tuple[int, str, str]]
"""`say(*arguments)`: exit code, standard output, standard error."""

CALL = (
    "--title", "fr=Cherche partenaires", "--title", "en=Partners wanted", "--summary", "fr=Oui = oui",
    "--summary", "en=Yes", "--territory", "BF", "--theme", "mutualism", "--sdg", "3",
    "--contact", "projects,name=Awa,email=awa@a.example", "--wanted", "partner", "--closes", "2999-06-30",
    "--set", "places=3", "--set", 'profile={"languages": ["fr"]}',
)  # fmt: skip


@pytest.fixture
def say(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Say:
    """Runs commands on a node that `init` made, with the administrator `marie`."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("ESNFED_ADMIN_PASSWORD", ENVIRON["ESNFED_ADMIN_PASSWORD"])

    def speak(*arguments: str) -> tuple[int, str, str]:
        code = run(["--config", "node.toml", *arguments], ENVIRON)
        captured = capsys.readouterr()
        return code, captured.out, captured.err

    code, _, error = speak(
        "init", "--domain", "lyon.esn.test", "--environment", "test", "--name", "Lyon", "--languages", "fr",
        "--organisation-type", "education-union", "--admin-handle", "marie", "--admin-email",
        "marie@example.org", "--consent", "--no-ask",
    )  # fmt: skip
    assert code == 0, error
    return speak


def answered(say: Say, *arguments: str) -> Any:
    code, out, error = say("record", *arguments, "--json")
    assert code == 0, error
    return orjson.loads(out)


def test_a_call_is_announced_changed_closed_and_deleted(say: Say) -> None:
    made = answered(say, "announce", "call", "--owner", "marie", *CALL)
    assert made["sheet"]["summary"] == {"fr": "Oui = oui", "en": "Yes"}
    assert (made["sheet"]["places"], made["sheet"]["profile"]) == (3, {"languages": ["fr"]})
    assert made["sheet"]["contacts"] == [{"role": "projects"}]
    assert [each["id"] for each in answered(say, "list", "--filter", "territory=BF")] == [made["id"]]
    changed = answered(say, "update", made["id"], "--set", "places=5", "--sdg", "4")
    assert (changed["version"], changed["sheet"]["places"], changed["sdg"]) == (2, 5, ["4"])
    assert answered(say, "show", made["id"])["private"]["contacts"][0]["email"] == "awa@a.example"
    assert answered(say, "close", made["id"])["state"] == "closed"
    assert answered(say, "list") == []
    assert answered(say, "update", made["id"], "--reopen")["state"] == "open"
    assert say("record", "list")[1].count("Partners wanted") == 1
    assert say("--lang", "fr", "record", "show", made["id"])[1].count("Cherche partenaires") == 2
    assert answered(say, "delete", made["id"]) == {"id": made["id"]}
    code, _, error = say("record", "show", made["id"])
    assert (code, bool(error)) == (1, True)


def test_a_sheet_may_come_from_a_file(say: Say, tmp_path: Path) -> None:
    (tmp_path / "sheet.json").write_bytes(orjson.dumps(project()))
    made = answered(
        say, "announce", "project", "--owner", "marie", "--from-file", "sheet.json", "--status", "pipeline"
    )
    assert made["sheet"]["status"] == "pipeline"
    assert made["sheet"]["title"] == project()["title"]
    assert not [secret for secret in SECRETS if secret in repr(made)]


@pytest.mark.parametrize(
    ("arguments", "named"),
    [
        (("announce", "call", "--owner", "marie", "--title", "fr=x"), "summary"),
        (("announce", "call", "--owner", "marie", *CALL, "--territory", "XX"), "territories[1]"),
        (("announce", "call", "--owner", "marie", *CALL, "--title", "nothing"), "--title"),
        (("announce", "call", "--owner", "marie", *CALL, "--set", "colour=red"), "colour"),
        (("announce", "poem", "--owner", "marie"), "call, project"),
        (("list", "--filter", "colour=red"), "colour"),
        (("list", "--filter", "kind=poem"), "poem"),
    ],
)
def test_what_is_wrong_is_one_sentence_that_names_it(
    say: Say, arguments: tuple[str, ...], named: str
) -> None:
    code, out, error = say("record", *arguments)
    assert code != 0
    assert out == ""
    assert named in error
    assert len(error.strip().splitlines()) == 1
