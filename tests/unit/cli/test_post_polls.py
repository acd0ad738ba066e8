"""`esnfed post` with polls, and `esnfed actor add --type`."""

from __future__ import annotations

from pathlib import Path

import pytest

from esnfed.vocab import parse
from tests.unit.cli.commands import Terminal, terminal

pytestmark = pytest.mark.enable_socket

POLL = ("post", "create", "Quand ?", "--as", "marie", "--poll", "Lundi", "--poll", "Mardi")


@pytest.fixture
def node(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Terminal:
    """The node Lyon, whose owner is marie."""
    return terminal(tmp_path, monkeypatch, capsys)


def test_a_poll_is_asked_answered_by_text_or_number_and_shown(node: Terminal) -> None:
    node.person("awa")
    node.person("luc")
    made = node.told(*POLL)
    assert made["type"] == "Question"
    assert [each["title"] for each in made["poll"]["options"]] == ["Lundi", "Mardi"]
    assert not made["poll"]["multiple"]
    assert not made["poll"]["closed"]
    ends, published = parse.timestamp(made["poll"]["expires"]), parse.timestamp(made["published"])
    assert ends is not None
    assert published is not None
    assert 0 <= ends - published - 24 * 3600 * 1000 <= 60_000
    voted = node.told("post", "vote", made["id"], "Mardi", "--as", "awa")
    assert [each["votes"] for each in voted["poll"]["options"]] == [0, 1]
    assert node.shown("post", "vote", made["url"], "2", "--as", "luc").splitlines()[:3] == [
        "1. Lundi: 0",
        "2. Mardi: 2",
        "Voters: 2",
    ]
    assert "2. Mardi: 2" in node.shown("post", "show", made["id"])


def test_the_end_and_several_answers_can_be_chosen(node: Terminal) -> None:
    node.person("awa")
    near = parse.iso(parse.timestamp(node.told(*POLL)["published"]) + 3600 * 1000)  # type: ignore[operator]  # a time
    made = node.told(*POLL, "--poll-until", near, "--poll-multiple")
    assert made["poll"]["multiple"]
    assert parse.timestamp(made["poll"]["expires"]) == parse.timestamp(near)
    voted = node.told("post", "vote", made["id"], "1", "Mardi", "--as", "awa")
    assert [each["votes"] for each in voted["poll"]["options"]] == [1, 1]
    assert voted["poll"]["voters"] == 1


@pytest.mark.parametrize(
    ("more", "said"),
    [
        (("--poll", "Lundi"), "must differ"),
        (("--poll-until", "tomorrow"), "it is not a time"),
        (("--poll-until", "2001-01-01T00:00Z"), "between five minutes and 31 days"),
    ],
    ids=["twice the same", "no time", "past"],
)
def test_a_poll_that_cannot_be_is_refused_in_one_sentence(
    node: Terminal, more: tuple[str, ...], said: str
) -> None:
    code, _, error = node.say(*POLL, *more)
    assert code != 0
    assert said in error
    assert node.rows("SELECT count(*) FROM status") == [(0,)]


def test_the_end_of_no_poll_is_refused(node: Terminal) -> None:
    code, _, error = node.say("post", "create", "Quand ?", "--as", "marie", "--poll-multiple")
    assert code != 0
    assert "--poll" in error


@pytest.mark.parametrize("answer", ["Mercredi", "3", "0"])
def test_an_answer_that_is_not_offered_is_refused(node: Terminal, answer: str) -> None:
    node.person("awa")
    made = node.told(*POLL)
    code, _, error = node.say("post", "vote", made["id"], answer, "--as", "awa")
    assert code != 0
    assert "does not offer" in error
    assert node.rows("SELECT count(*) FROM poll_vote") == [(0,)]


@pytest.mark.parametrize(("word", "as_type"), [("group", "Group"), ("service", "Service")])
def test_groups_and_services_are_added_by_type(node: Terminal, word: str, as_type: str) -> None:
    added = node.told("actor", "add", "sante", "--type", word, "--name", "Santé", "--locked")
    assert (added["type"], added["locked"]) == (as_type, True)
    assert added["url"] == "https://lyon.esn.test/@sante"
