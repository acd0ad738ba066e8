"""`esnfed deliveries`: listed, explained in the reader's language, tried again, dropped."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.unit.cli.commands import Terminal, terminal

pytestmark = pytest.mark.enable_socket


@pytest.fixture
def node(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Terminal:
    """The node Lyon, whose owner is marie."""
    return terminal(tmp_path, monkeypatch, capsys)


HOST = "dakar.esn.test"
FAR = 1 << 47  # milliseconds: a time that does not come during a test


@pytest.fixture
def deliveries(node: Terminal) -> list[str]:
    """Five deliveries to one server: waiting, waiting long, failed twice, delivered; one elsewhere failed."""
    node.told("peer", "allow", HOST)
    node.told("peer", "allow", "other.esn.test")
    node.told("actor", "edit", "marie", "--locked")
    rows = (
        (1, HOST, "queued", 0, None, None),
        (2, HOST, "queued", FAR, 503, "Later"),
        (3, HOST, "failed", 0, 403, "<b>no</b>\nnever"),
        (4, HOST, "failed", 0, 404, ""),
        (5, HOST, "delivered", 0, 202, None),
        (6, "other.esn.test", "failed", 0, None, "It could not be delivered in time and was given up."),
    )
    for number, host, state, next_at, status, error in rows:
        node.write(
            "INSERT INTO delivery (id, activity_id, actor_id, inbox, host, as_type, object_uri, state,"
            " attempts, next_at, done_at, last_status, last_error, created_at) SELECT ?, id, actor_id,"
            " 'https://' || ? || '/inbox/' || ?, ?, as_type, object_uri || ?, ?, 2, ?, 0, ?, ?, 0"
            " FROM activity",
            number, host, number, host, number, state, next_at, status, error,
        )  # fmt: skip
    return [str(number) for number in range(1, 7)]


def states(node: Terminal) -> str:
    """The first letters of the states, in the order of the ids."""
    return "".join(state[0] for (state,) in node.rows("SELECT state FROM delivery ORDER BY id"))


def test_deliveries_are_listed_newest_first_and_filtered(node: Terminal, deliveries: list[str]) -> None:
    assert [each["id"] for each in node.told("deliveries", "list")] == deliveries[::-1]
    failed = node.told("deliveries", "list", "--state", "failed", "--host", HOST.upper())
    assert [each["id"] for each in failed] == ["4", "3"]
    assert (failed[1]["status"], failed[1]["type"], failed[1]["inbox"]) == (
        403, "Update", f"https://{HOST}/inbox/3",
    )  # fmt: skip
    assert [each["id"] for each in node.told("deliveries", "list", "--before", "3", "--limit", "1")] == ["2"]
    text = node.shown("deliveries", "list", "--state", "failed")
    assert "<b>no</b> never" in text
    assert len(text.splitlines()) == 4


def test_why_one_failed_is_said_in_words_of_the_reader(node: Terminal, deliveries: list[str]) -> None:
    explained = node.told("deliveries", "explain", deliveries[2])
    assert explained["explanation"] == (
        f"{HOST} refused it with 403 after attempt 2, at January 1, 1970, 00:00 (UTC)."
        " The response was: <b>no</b> never"
    )
    assert explained["state"] == "failed"
    assert "says that this inbox does not exist (404)" in node.shown("deliveries", "explain", deliveries[3])
    french = node.shown("--lang", "fr", "deliveries", "explain", deliveries[3])
    assert "does not exist" not in french
    assert HOST in french
    assert "1970" in french


def test_named_deliveries_are_tried_again(node: Terminal, deliveries: list[str]) -> None:
    assert node.told("deliveries", "retry", "3", "4", "5") == {"changed": 2}
    assert states(node) == "qqqqdf"
    assert node.shown("deliveries", "retry", "6") == "1 delivery is tried again.\n"
    assert node.refused("deliveries", "retry", "5") == "None of these deliveries waits or may be sent again."


def test_all_of_a_server_that_failed_or_wait_are_tried_again(node: Terminal, deliveries: list[str]) -> None:
    assert node.shown("deliveries", "retry", "--host", HOST) == "3 deliveries are tried again.\n"
    assert states(node) == "qqqqdf"
    assert node.rows("SELECT count(*) FROM delivery WHERE next_at = ?", FAR) == [(0,)]
    assert node.told("deliveries", "retry", "--host", HOST) == {"changed": 0}


def test_what_waits_can_be_dropped(node: Terminal, deliveries: list[str]) -> None:
    assert node.told("deliveries", "drop", "1", "3") == {"changed": 1}
    assert states(node) == "dqffdf"
    assert node.shown("deliveries", "drop", "--host", HOST) == "1 delivery was dropped.\n"
    assert states(node) == "ddffdf"
    assert "An administrator dropped it." in node.shown("deliveries", "explain", "2")


def test_a_server_with_more_than_a_batch_is_dropped_whole(node: Terminal, deliveries: list[str]) -> None:
    node.write(
        "WITH RECURSIVE n(i) AS (SELECT 100 UNION ALL SELECT i + 1 FROM n WHERE i < 1300)"
        " INSERT INTO delivery (id, activity_id, actor_id, inbox, host, as_type, object_uri, state, next_at,"
        " created_at) SELECT i, activity_id, actor_id, inbox || i, host, as_type, object_uri, state, next_at,"
        " created_at FROM n, delivery WHERE id = 1"
    )
    code, out, error = node.say("deliveries", "drop", "--host", HOST)
    assert (code, out) == (0, "1203 deliveries were dropped.\n")
    assert "500" in error  # long work shows how far it is
    assert node.told("deliveries", "list", "--state", "queued") == []


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (("retry",), "Name either deliveries or, with --host, a server."),
        (("drop", "1", "--host", HOST), "Name either deliveries or, with --host, a server."),
        (("drop", "1"), "None of these deliveries waits or may be sent again."),
        (("explain", "1"), "There is no such delivery; those that arrived are kept for a week."),
        (("explain", "x"), "“ID” must be a whole number from 1 to 9223372036854775807."),
        (("list", "--state", "odd"), "“--state” must be one of queued, delivered, failed, dropped."),
        (("retry", *map(str, range(1, 502))), "Name at most 500 deliveries at once."),
    ],
)
def test_what_is_wrong_is_one_sentence(node: Terminal, arguments: tuple[str, ...], sentence: str) -> None:
    assert node.refused("deliveries", *arguments) == sentence
