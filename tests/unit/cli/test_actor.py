"""`esnfed actor`: organisations are added, shown, changed and removed."""

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


ADD = (
    "actor", "add", "sne", "--name", "Syndicat", "--summary", "Nous et https://sne.example #école",
    "--field", "Website=https://sne.example", "--field", "City=Lyon & alentours", "--discoverable",
)  # fmt: skip


def sent(node: Terminal) -> list[dict[str, object]]:
    """Every activity written to be sent, oldest first."""
    return [orjson.loads(body) for (body,) in node.rows("SELECT body FROM activity ORDER BY id")]


def test_an_organisation_is_added_with_a_profile_made_of_plain_text(node: Terminal) -> None:
    added = node.told(*ADD)
    assert (added["account"], added["type"], added["name"]) == (
        "sne@lyon.esn.test",
        "Organization",
        "Syndicat",
    )
    assert added["url"] == "https://lyon.esn.test/o/sne"
    assert '<a href="https://sne.example"' in added["summary"]
    assert "https://lyon.esn.test/tags/%C3%A9cole" in added["summary"]
    website, city = added["fields"]
    assert website["value"].startswith('<a href="https://sne.example"')
    assert city == {"name": "City", "value": "Lyon &amp; alentours"}
    assert (added["discoverable"], added["indexable"], added["locked"]) == (True, False, False)
    assert node.rows(
        "SELECT count(*) FROM actor_key k JOIN actor a ON a.id = k.actor_id WHERE handle = 'sne'"
    ) == [(2,)]


def test_actors_are_listed_and_shown_by_handle_account_address_and_page(node: Terminal) -> None:
    added = node.told(*ADD)
    assert [each["account"].split("@")[0] for each in node.told("actor", "list")] == ["relay", "marie", "sne"]
    assert node.shown("actor", "list").splitlines()[-1].split()[:3] == [
        "sne@lyon.esn.test", "Organization", "Syndicat",
    ]  # fmt: skip
    for name in ("sne", "@sne", "SNE@lyon.esn.test", added["uri"], added["url"]):
        assert node.told("actor", "show", name) == added
    shown = node.shown("actor", "show", "sne")
    assert "Nous et https://sne.example #école" in shown
    assert "Lyon & alentours" in shown
    assert "<" not in shown


def test_an_edit_changes_what_is_named_and_tells_the_followers(node: Terminal) -> None:
    node.told(*ADD)
    changed = node.told(
        "actor", "edit", "sne", "--name", "Syndicat national", "--field", "City=", "--field", "Since=1950",
        "--locked", "--not-discoverable", "--hides-network",
    )  # fmt: skip
    assert changed["name"] == "Syndicat national"
    assert [field["name"] for field in changed["fields"]] == ["Website", "Since"]
    assert (changed["locked"], changed["discoverable"], changed["hides_network"]) == (True, False, True)
    assert "#<span>école</span>" in changed["summary"]
    (update,) = sent(node)
    assert update["type"] == "Update"
    assert update["object"]["name"] == "Syndicat national"  # type: ignore[index]


def test_a_removed_organisation_stays_a_tombstone_and_a_person_leaves_another_way(node: Terminal) -> None:
    node.told(*ADD)
    assert node.refused("actor", "remove", "sne") == "--yes is needed."
    code, _, error = node.at_keyboard(["sne"]).say("actor", "remove", "sne")
    assert code == 0, error
    assert node.rows("SELECT former_type FROM tombstone") == [("Organization",)]
    assert [each["type"] for each in sent(node)] == ["Delete"]
    assert node.refused("actor", "show", "sne") == "There is no such actor on this node."
    sentence = node.refused("actor", "remove", "marie", "--yes")
    assert sentence == "This actor belongs to a person: `esnfed user remove` removes both."


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (("add", "marie"), "This handle is taken."),
        (("add", "sne", "--field", "City"), "“--field” is not valid: write it as KEY=VALUE."),
        (("edit", "marie"), "Say what is to change; `esnfed actor edit --help` lists what can."),
        (("edit", "nobody", "--locked"), "There is no such actor on this node."),
        (("remove", "relay", "--yes"), "The node's own actor cannot be deleted."),
        (("show", "paul@dakar.example.org"), "Only local test names are asked in the demo and in tests."),
        (
            ("show", "https://lyon.esn.test/@nobody"),
            "The address belongs to this server, which never fetches from itself.",
        ),
        (
            ("edit", "marie", *(f"--field=N{number}=x" for number in range(51))),
            "A profile has at most fifty fields.",
        ),
    ],
)
def test_what_is_wrong_is_one_sentence(node: Terminal, arguments: tuple[str, ...], sentence: str) -> None:
    assert node.refused("actor", *arguments) == sentence
