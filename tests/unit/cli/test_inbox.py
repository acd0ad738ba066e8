"""`esnfed inbox`: what arrived is listed, shown, and can meet its handler again."""

from __future__ import annotations

from pathlib import Path

import orjson
import pytest

from tests.unit.cli.commands import Terminal, terminal

pytestmark = pytest.mark.enable_socket


@pytest.fixture
def node(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Terminal:
    """The node Lyon, whose owner is marie."""
    return terminal(tmp_path, monkeypatch, capsys)


SENDER = "https://dakar.esn.test/paul"
ACTIVITY = {"type": "Create", "id": f"{SENDER}/1", "actor": SENDER, "object": {"content": "<p>\x1b[2J</p>"}}


@pytest.fixture
def messages(node: Terminal) -> list[str]:
    """Ids of three messages: done, ignored, parked."""
    for number, (state, as_type) in enumerate(
        (("done", "Follow"), ("ignored", "Create"), ("parked", "Create")), 1
    ):
        node.write(
            "INSERT INTO inbox_message (id, actor_uri, uri, as_type, host, scheme, body, state, attempts,"
            " next_at, note, received_at) VALUES (?, ?, ?, ?, 'dakar.esn.test', 'cavage', ?, ?, 8, 0, ?,"
            " 1000)",
            number, SENDER, f"{SENDER}/{number}", as_type, orjson.dumps(ACTIVITY), state, f"note {number}",
        )  # fmt: skip
    return ["1", "2", "3"]


def test_messages_are_listed_newest_first_and_filtered(node: Terminal, messages: list[str]) -> None:
    every = node.told("inbox", "list")
    assert [each["id"] for each in every] == messages[::-1]
    assert every[0]["received"] == "1970-01-01T00:00:01Z"
    assert "body" not in every[0]
    assert [each["id"] for each in node.told("inbox", "list", "--type", "Create")] == ["3", "2"]
    assert [each["id"] for each in node.told("inbox", "list", "--state", "parked")] == ["3"]
    assert [each["id"] for each in node.told("inbox", "list", "--before", "2")] == ["1"]
    assert "note 2" in node.shown("inbox", "list", "--state", "ignored")
    assert node.shown("inbox", "list", "--type", "Like") == "There is nothing to show.\n"


def test_one_message_is_shown_with_its_activity_and_cannot_command_the_terminal(
    node: Terminal, messages: list[str]
) -> None:
    shown = node.told("inbox", "show", "3")
    assert shown["body"] == ACTIVITY
    assert (shown["actor"], shown["attempts"], shown["note"]) == (SENDER, 8, "note 3")
    text = node.shown("inbox", "show", "3")
    assert '"actor": "https://dakar.esn.test/paul"' in text
    assert "\x1b" not in text


def test_parked_and_ignored_messages_are_replayed(node: Terminal, messages: list[str]) -> None:
    assert node.told("inbox", "replay", *messages) == {"replayed": ["2", "3"]}
    assert node.rows("SELECT state, attempts FROM inbox_message ORDER BY id") == [
        ("done", 8), ("waiting", 0), ("waiting", 0),
    ]  # fmt: skip
    sentence = node.refused("inbox", "replay", "2")
    assert sentence == "Only a message that was parked or ignored can be replayed."
    node.write("UPDATE inbox_message SET state = 'parked'")
    assert node.shown("inbox", "replay", "1") == "1 message is taken up again.\n"


def test_what_arrived_without_effect_is_counted(node: Terminal) -> None:
    assert node.told("inbox", "counters") == []
    node.write(
        "INSERT INTO counter (name, key, count, last_at) VALUES ('irrelevant', 'Create', 3, 1000),"
        " ('irrelevant', 'Announce', 7, 2000)"
    )
    found = node.told("inbox", "counters")
    assert found[0] == {
        "reason": "irrelevant",
        "type": "Announce",
        "count": 7,
        "last": "1970-01-01T00:00:02Z",
    }
    assert [each["count"] for each in found] == [7, 3]
    assert node.shown("inbox", "counters").splitlines()[1].split()[:3] == ["irrelevant", "Announce", "7"]


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (("show", "9"), "There is no such message; those dealt with are kept for a week."),
        (("replay", "9"), "Only a message that was parked or ignored can be replayed."),
        (("replay",), "“ID...” is missing."),
        (("list", "--state", "odd"), "“--state” must be one of waiting, done, ignored, parked."),
    ],
)
def test_what_is_wrong_is_one_sentence(node: Terminal, arguments: tuple[str, ...], sentence: str) -> None:
    assert node.refused("inbox", *arguments) == sentence
