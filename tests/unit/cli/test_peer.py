"""`esnfed peer`: other servers are listed with their health, and given a standing."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.unit.cli.commands import Terminal, terminal

pytestmark = pytest.mark.enable_socket


@pytest.fixture
def node(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Terminal:
    """The node Lyon, whose owner is marie."""
    return terminal(tmp_path, monkeypatch, capsys)


@pytest.mark.parametrize(
    ("command", "standing"), [("allow", "allowed"), ("limit", "limited"), ("block", "blocked")]
)
def test_a_server_gets_a_standing_with_a_reason_and_loses_it(
    node: Terminal, command: str, standing: str
) -> None:
    given = node.told("peer", command, "Spam.Example.", "--reason", "Advertising")
    assert (given["host"], given["standing"], given["reason"]) == ("spam.example", standing, "Advertising")
    assert node.told("peer", "show", "spam.example") == given
    assert [each["host"] for each in node.told("peer", "list", "--standing", standing)] == ["spam.example"]
    opened = node.told("peer", "open", "spam.example")
    assert (opened["standing"], opened["reason"]) == ("open", "")
    assert node.told("peer", "list", "--standing", standing) == []


def test_the_list_tells_health_software_last_success_and_lag(node: Terminal) -> None:
    for host in ("a.example", "b.example", "c.example"):
        node.told("peer", "allow", host)
    node.write(
        "UPDATE peer SET software = 'mastodon', software_version = '4.5.0', last_success_at = 1000,"
        " health = 'failing', failures = 3, failing_since = 2000, next_at = 1 << 62,"
        " last_error = 'The other server could not be reached.' WHERE host = 'b.example'"
    )
    queue(node, "b.example")
    every = node.told("peer", "list")
    assert [each["host"] for each in every] == ["a.example", "b.example", "c.example"]
    (failing,) = node.told("peer", "list", "--health", "failing")
    assert failing == every[1]
    assert (failing["software"], failing["version"]) == ("mastodon", "4.5.0")
    assert failing["last_success"] == "1970-01-01T00:00:01Z"
    assert failing["next_try"] is None  # never
    assert failing["waiting"] == 1
    assert failing["lag_seconds"] > 1_000_000
    assert (every[0]["waiting"], every[0]["lag_seconds"]) == (0, 0)
    assert [each["host"] for each in node.told("peer", "list", "--after", "a.example", "--limit", "1")] == [
        "b.example"
    ]
    (line,) = [each for each in node.shown("peer", "list").splitlines() if "mastodon" in each]
    assert line.split()[:5] == ["b.example", "allowed", "failing", "mastodon", "4.5.0"]
    shown = node.shown("peer", "show", "b.example")
    assert "The other server could not be reached." in shown
    assert "1970-01-01T00:00:02Z" in shown


def queue(node: Terminal, host: str) -> None:
    """A delivery that has waited since 1970."""
    node.told("actor", "edit", "marie", "--locked")
    node.write(
        "INSERT INTO delivery (id, activity_id, actor_id, inbox, host, as_type, object_uri, state, next_at,"
        " created_at) SELECT 1, id, actor_id, 'https://' || ? || '/inbox', ?, as_type, object_uri, 'queued',"
        " 0, 0 FROM activity",
        host, host,
    )  # fmt: skip


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (("show", "a.example"), "This server was never heard of here."),
        (("block", "not a host"), "“not a host” is not the name of a server."),
        (("block", "https://a.example/"), "“https://a.example/” is not the name of a server."),
        (("block", "LYON.esn.test"), "lyon.esn.test is this node itself."),
        (("probe", "dakar.example.org"), "Only local test names are asked in the demo and in tests."),
    ],
)
def test_what_is_wrong_is_one_sentence(node: Terminal, arguments: tuple[str, ...], sentence: str) -> None:
    assert node.refused("peer", *arguments) == sentence
    assert node.told("peer", "list") == []


def test_nothing_is_followed_on_a_blocked_server(node: Terminal) -> None:
    node.told("peer", "block", "dakar.esn.test")
    node.write(
        "INSERT INTO actor (id, as_type, local, handle, domain, host, uri, inbox, created_at, updated_at)"
        " VALUES (5, 'Person', 0, 'paul', 'dakar.esn.test', 'dakar.esn.test',"
        " 'https://dakar.esn.test/paul', 'https://dakar.esn.test/inbox', 0, 0)"
    )
    sentence = node.refused("follow", "add", "paul@dakar.esn.test", "--as", "marie")
    assert sentence == "This server is blocked here; `esnfed peer open` ends that."
