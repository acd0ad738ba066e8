"""`esnfed follow`: following, unfollowing, and answering requests, between people of one node."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.unit.cli.commands import Terminal, terminal

pytestmark = pytest.mark.enable_socket


@pytest.fixture
def node(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Terminal:
    """The node Lyon, whose owner is marie."""
    return terminal(tmp_path, monkeypatch, capsys)


PAIR = {"follower": "marie@lyon.esn.test", "followed": "awa@lyon.esn.test"}


def counts(node: Terminal, handle: str) -> tuple[int, int]:
    shown = node.told("actor", "show", handle)
    return shown["followers"], shown["following"]


def test_a_follow_is_made_listed_and_ended(node: Terminal) -> None:
    node.person("awa")
    assert node.told("follow", "add", "awa", "--as", "marie") == PAIR | {"state": "accepted"}
    assert node.told("follow", "add", "https://lyon.esn.test/@awa", "--as", "@marie")["state"] == "accepted"
    assert (counts(node, "awa"), counts(node, "marie")) == ((1, 0), (0, 1))
    (followed,) = node.told("follow", "list", "--as", "marie")
    assert {key: followed[key] for key in PAIR} == PAIR
    assert node.told("follow", "list", "--as", "marie", "--followers") == []
    assert node.told("follow", "list", "--as", "awa", "--followers") == [followed]
    assert node.told("follow", "list", "--as", "marie", "--before", followed["id"]) == []
    assert "marie@lyon.esn.test  awa@lyon.esn.test  follows" in node.shown("follow", "list", "--as", "marie")
    out = node.shown("follow", "remove", "awa@lyon.esn.test", "--as", "marie")
    assert out == "marie@lyon.esn.test does not follow awa@lyon.esn.test any more.\n"
    assert counts(node, "awa") == (0, 0)


def test_a_request_waits_until_it_is_accepted_and_a_follower_can_be_removed(node: Terminal) -> None:
    node.person("awa")
    node.person("paul")
    node.told("actor", "edit", "awa", "--locked")
    out = node.shown("follow", "add", "awa", "--as", "marie")
    assert out == "marie@lyon.esn.test asked to follow awa@lyon.esn.test, whose answer is awaited.\n"
    node.told("follow", "add", "awa", "--as", "paul")
    waiting = node.told("follow", "requests")
    assert [each["follower"] for each in waiting] == ["paul@lyon.esn.test", "marie@lyon.esn.test"]
    assert node.told("follow", "requests", "--as", "awa") == waiting
    assert node.told("follow", "requests", "--as", "marie") == []
    assert node.told("follow", "accept", "marie", "--as", "awa") == PAIR | {"state": "accepted"}
    refused = node.shown("follow", "reject", "paul", "--as", "awa")
    assert refused == "paul@lyon.esn.test does not follow awa@lyon.esn.test: refused.\n"
    assert node.told("follow", "requests") == []
    assert counts(node, "awa") == (1, 0)
    assert node.refused("follow", "accept", "marie", "--as", "awa") == "This request was answered before."
    assert node.told("follow", "reject", "marie", "--as", "awa")["state"] == "rejected"
    assert counts(node, "awa") == (0, 0)
    assert node.refused("follow", "reject", "marie", "--as", "awa") == "This request was answered before."


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (("add", "marie", "--as", "marie"), "Nobody follows themselves."),
        (("add", "nobody", "--as", "marie"), "There is no such actor on this node."),
        (("add", "marie", "--as", "nobody"), "There is no such actor on this node."),
        (("add", "marie", "--as", "relay"), "The node's own actor neither posts nor follows."),
        (("add", "marie"), "“--as” is missing."),
        (("remove", "relay", "--as", "marie"), "There is no such follow."),
        (("remove", "paul@dakar.esn.test", "--as", "marie"), "This actor is not known here."),
        (("accept", "relay", "--as", "marie"), "There is no such follow."),
        (("list", "--as", "marie", "--limit", "0"), "“--limit” must be a whole number from 1 to 500."),
    ],
)
def test_what_is_wrong_is_one_sentence(node: Terminal, arguments: tuple[str, ...], sentence: str) -> None:
    assert node.refused("follow", *arguments) == sentence
