"""Commands of blocks, reports, pins, keys, aliases and moves, on one node."""

from __future__ import annotations

from pathlib import Path

import pytest

from esnfed.cli import key
from tests.unit.cli.commands import Terminal, _keys, terminal

pytestmark = pytest.mark.enable_socket


@pytest.fixture
def node(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Terminal:
    """The node Lyon with marie and awa, who follow one another."""
    found = terminal(tmp_path, monkeypatch, capsys)
    monkeypatch.setattr(key, "new_keys", _keys)
    found.person("awa")
    found.told("follow", "add", "awa", "--as", "marie")
    found.told("follow", "add", "marie", "--as", "awa")
    return found


def test_a_block_is_made_listed_and_ended(node: Terminal) -> None:
    assert node.shown("actor", "block", "awa", "--as", "marie") == (
        "marie@lyon.esn.test blocks awa@lyon.esn.test.\n"
    )
    assert node.refused("actor", "block", "awa", "--as", "marie") == "This actor is blocked already."
    (found,) = node.told("actor", "blocks", "--as", "marie")
    assert (found["blocked"], found["told"]) == ("awa@lyon.esn.test", False)
    assert node.told("follow", "list", "--as", "awa") == []
    assert node.refused("follow", "add", "marie", "--as", "awa") == "A block keeps these two apart."
    assert "any more" in node.shown("actor", "unblock", "awa", "--as", "marie")
    assert node.refused("actor", "unblock", "awa", "--as", "marie") == "There is no such block."
    assert node.refused("actor", "block", "marie", "--as", "marie") == "Nobody blocks themselves."


def test_a_report_is_made_shown_and_closed(node: Terminal) -> None:
    post = node.told("post", "create", "Gagnez vite", "--as", "awa")
    made = node.told("report", "add", "awa", "--as", "marie", "--post", post["id"], "--comment", "Publicité")
    assert (made["about"], made["by"], made["state"]) == ("awa@lyon.esn.test", "marie@lyon.esn.test", "open")
    assert [each["id"] for each in made["posts"]] == [post["id"]]
    assert [each["id"] for each in node.told("report", "list")] == [made["id"]]
    shown = node.shown("report", "show", made["id"])
    assert "Publicité" in shown
    assert post["uri"] in shown
    closed = node.told("report", "close", made["id"], "--conclusion", "Avertie")
    assert (closed["state"], closed["conclusion"]) == ("closed", "Avertie")
    assert node.refused("report", "close", made["id"]) == "This report is closed already."
    assert node.told("report", "list") == []
    assert "Publicité" in node.shown("report", "list", "--state", "closed")
    assert node.refused("report", "show", "1") == "There is no such report."
    assert node.refused("report", "add", "awa", "--as", "awa") == "Nobody reports themselves."
    forwarded = node.refused("report", "add", "awa", "--as", "marie", "--forward")
    assert forwarded == "A report about an actor of this node goes to no other server."


def test_posts_are_pinned_and_unpinned(node: Terminal) -> None:
    post = node.told("post", "create", "Bienvenue", "--as", "awa")
    assert node.shown("post", "pin", post["id"]) == f"Pinned: {post['uri']}\n"
    assert node.shown("post", "pin", post["id"]) == f"It was pinned before: {post['uri']}\n"
    assert [each["id"] for each in node.told("post", "pinned", "awa")] == [post["id"]]
    assert "Bienvenue" in node.shown("post", "pinned", "awa@lyon.esn.test")
    assert node.shown("post", "unpin", post["id"]) == f"No longer pinned: {post['uri']}\n"
    assert node.shown("post", "unpin", post["id"]) == f"It was not pinned: {post['uri']}\n"
    assert node.refused("post", "pin", "12") == "There is no such post."


def test_keys_are_rotated_and_listed(node: Terminal) -> None:
    actor = node.told("actor", "show", "awa")["uri"]
    made = node.told("key", "rotate", "awa")
    assert made["keys"] == [f"{actor}#main-key-2", f"{actor}#ed25519-key-2"]
    found = {each["key"]: each for each in node.told("key", "list", "awa")}
    assert found[f"{actor}#main-key"]["superseded"]
    assert not found[f"{actor}#main-key-2"]["superseded"]
    assert "private" not in str(found)
    shown = node.shown("key", "rotate", "--node")
    assert shown.startswith("New key: https://lyon.esn.test/relay#main-key-2\n")
    assert len(node.told("key", "list", "--node")) == 4
    assert node.refused("key", "rotate") == "Give either a handle or --node."
    assert node.refused("key", "rotate", "awa", "--node") == "Give either a handle or --node."
    assert node.refused("key", "rotate", "nobody") == "There is no such actor on this node."


def test_an_actor_moves_to_another_of_the_node(node: Terminal) -> None:
    node.person("awa2")
    uri = node.told("actor", "show", "awa2")["uri"]
    old = node.told("actor", "show", "awa")["uri"]
    alias = "The account to move to must first name this one as its alias."
    assert node.refused("actor", "move", "awa", "awa2", "--yes") == alias
    assert node.refused("actor", "progress", "awa") == "This actor has not moved."
    assert node.told("actor", "alias", "awa2", "--add", "awa")["aliases"] == [old]
    assert old in node.shown("actor", "alias", "awa2")
    moved = node.told("actor", "move", "awa", "awa2", "--yes")
    assert (moved["to"], moved["followers_left_here"], moved["servers"]) == (uri, 1, [])
    assert node.told("actor", "show", "awa")["moved_to"] == uri
    assert uri in node.shown("actor", "progress", "awa")
    again = node.refused("actor", "move", "awa", "awa2", "--yes")
    assert again == "This actor moved less than seven days ago."
    assert "--yes" in node.refused("actor", "move", "awa", "awa2")
    gone = node.refused("follow", "add", "awa", "--as", "awa2")
    assert gone == "This actor has moved; its profile says where to."
    assert node.told("actor", "alias", "awa2", "--remove", old)["aliases"] == []
