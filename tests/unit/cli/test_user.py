"""`esnfed user`: people are added with consent, shown, given a new password, and removed for good."""

from __future__ import annotations

from pathlib import Path

import pytest
from argon2 import PasswordHasher

from tests.unit.cli.commands import PASSWORD, Terminal, terminal

pytestmark = pytest.mark.enable_socket

ADD = ("user", "add", "awa", "--email", "awa@example.org", "--name", "Awa Diallo", "--language", "es")


@pytest.fixture
def node(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Terminal:
    """The node Lyon, whose owner is marie."""
    return terminal(tmp_path, monkeypatch, capsys)


def credentials(node: Terminal, handle: str) -> tuple[str, int]:
    found = node.rows(
        "SELECT password_hash, credential_epoch FROM user_account u JOIN actor a ON a.id = u.actor_id"
        " WHERE a.handle = ?",
        handle,
    )
    return found[0][0], found[0][1]


def test_a_person_is_added_with_an_actor_and_a_receipt_of_consent(node: Terminal) -> None:
    added = node.told(*ADD, "--role", "moderator", "--password-stdin", "--consent", stdin=f"{PASSWORD}\n")
    assert (added["account"], added["name"], added["email"]) == (
        "awa@lyon.esn.test", "Awa Diallo", "awa@example.org",
    )  # fmt: skip
    assert (added["role"], added["language"], added["disabled"]) == ("moderator", "es", None)
    (consent,) = added["consents"]
    assert (consent["purpose"], consent["text_version"], consent["language"]) == ("federation", "1", "en")
    assert consent["given"] is not None
    assert consent["withdrawn"] is None
    assert "password" not in added
    assert PasswordHasher().verify(credentials(node, "awa")[0], PASSWORD)
    assert node.rows("SELECT as_type, discoverable, hides_network FROM actor WHERE handle = 'awa'") == [
        ("Person", 0, 1)  # the node of a union tells of a membership
    ]


def test_at_the_terminal_the_password_is_typed_twice_and_the_consent_text_is_shown(node: Terminal) -> None:
    keyboard = node.at_keyboard(["y"], [PASSWORD, PASSWORD])
    code, out, error = keyboard.say("--lang", "fr", *ADD)
    assert code == 0, error
    assert PASSWORD not in out + error
    assert node.told("user", "show", "awa")["consents"][0]["language"] == "fr"
    assert PasswordHasher().verify(credentials(node, "awa")[0], PASSWORD)


def test_a_password_typed_in_two_ways_is_asked_again(node: Terminal) -> None:
    keyboard = node.at_keyboard(["y"], [PASSWORD, "another password", PASSWORD, PASSWORD])
    code, _, error = keyboard.say(*ADD)
    assert code == 0, error
    assert "The two are not the same." in error
    assert PasswordHasher().verify(credentials(node, "awa")[0], PASSWORD)


@pytest.mark.parametrize(
    ("language", "typed", "agreed"),
    [("fr", "Oui", True), ("fr", "o", True), ("es", "s", True), ("es", "sí", True), ("en", "", False)],
)
def test_consent_is_given_in_the_language_of_the_question(
    node: Terminal, language: str, typed: str, agreed: bool
) -> None:
    secrets = [PASSWORD, PASSWORD] if agreed else []
    code, _, _error = node.at_keyboard([typed], secrets).say("--lang", language, *ADD)
    assert code == (0 if agreed else 2)


def test_what_is_neither_yes_nor_no_is_asked_again(node: Terminal) -> None:
    code, _, error = node.at_keyboard(["perhaps", "no"]).say(*ADD)
    assert code == 2
    assert "Please type “yes” or “no”." in error


def test_without_consent_no_account_is_made(node: Terminal) -> None:
    code, _, error = node.at_keyboard(["n"]).say(*ADD)
    assert code == 2
    assert "This account federates" in error
    assert "Without this consent no account can be made." in error
    assert node.refused(*ADD, "--generate-password") == "--consent is needed."
    assert [each["handle"] for each in node.told("user", "list")] == ["marie"]


def test_a_generated_password_is_shown_once(node: Terminal) -> None:
    added = node.told(*ADD, "--generate-password", "--consent")
    assert PasswordHasher().verify(credentials(node, "awa")[0], added["password"])
    assert "password" not in node.told("user", "show", "awa")
    out = node.shown("user", "reset", "awa", "--generate-password")
    made = out.split()[-1]
    assert made != added["password"]
    assert PasswordHasher().verify(credentials(node, "awa")[0], made)


def test_a_new_password_raises_the_credential_epoch(node: Terminal) -> None:
    before = credentials(node, "marie")
    done = node.told("user", "reset", "marie", "--password-stdin", stdin="another horse battery\n")
    assert done["handle"] == "marie"
    after = credentials(node, "marie")
    assert (before[1], after[1]) == (0, 1)
    assert PasswordHasher().verify(after[0], "another horse battery")


@pytest.mark.parametrize(
    ("arguments", "stdin", "sentence"),
    [
        ((*ADD, "--consent", "--password-stdin"), "short\n", "A password has at least ten characters."),
        ((*ADD, "--consent"), "", "--password-stdin is needed."),
        (
            (*ADD, "--consent", "--password-stdin", "--generate-password"), "",
            "Give either --password-stdin or --generate-password.",
        ),
        (("user", "add", "awa", "--email", "x"), "", "--email must be an e-mail address."),
        (
            ("user", "add", "marie", "--email", "m@example.org", "--consent", "--generate-password"), "",
            "This handle is taken.",
        ),
        (
            ("user", "add", "awa", "--email", "MARIE@example.org", "--consent", "--generate-password"), "",
            "This e-mail address has an account already.",
        ),
        (
            ("user", "add", "a b", "--email", "a@example.org", "--consent", "--generate-password"), "",
            "A handle has 1 to 30 characters: a-z, 0-9 and _; some are reserved.",
        ),
        (("user", "show", "nobody"), "", "There is no such user on this node."),
        (("user", "reset", "nobody", "--generate-password"), "", "There is no such user on this node."),
        (("user", "remove", "awa"), "", "--yes is needed."),
        (
            ("user", "remove", "marie", "--yes"), "",
            "This account is removed already, or it is the only owner's: a node needs one.",
        ),
    ],
)  # fmt: skip
def test_what_is_wrong_is_one_sentence(
    node: Terminal, arguments: tuple[str, ...], stdin: str, sentence: str
) -> None:
    assert node.refused(*arguments, stdin=stdin) == sentence
    assert [each["handle"] for each in node.told("user", "list")] == ["marie"]


def test_people_are_listed_and_shown_as_tables(node: Terminal) -> None:
    node.person("awa")
    lines = node.shown("user", "list").splitlines()
    assert lines[0].split()[:2] == ["Handle", "Name"]
    assert [line.split()[0] for line in lines[1:]] == ["marie", "awa"]
    shown = node.shown("user", "show", "@Awa")
    assert "awa@lyon.esn.test" in shown
    assert "federation" in shown


def test_a_removed_person_leaves_no_address_and_no_password_but_withdrawn_receipts(node: Terminal) -> None:
    node.person("awa")
    code, _, error = node.at_keyboard(["marie"]).say("user", "remove", "awa")
    assert code == 2
    assert error.endswith("This is another handle; nothing was removed.\n")
    code, out, _ = node.at_keyboard(["awa"]).say("user", "remove", "awa", "--json")
    assert code == 0
    assert '"awa"' in out
    assert [each["handle"] for each in node.told("user", "list")] == ["marie"]
    gone = node.told("user", "list", "--all")[1]
    assert gone["disabled"] is not None
    assert gone["email"].endswith("@removed.invalid")
    assert credentials(node, "awa") == ("", 1)
    assert node.told("user", "show", "awa")["consents"][0]["withdrawn"] is not None
    assert node.refused("actor", "show", "awa") == "There is no such actor on this node."
    assert node.refused("user", "reset", "awa", "--generate-password") == "This account is disabled."
    assert node.refused("user", "remove", "awa", "--yes").endswith("a node needs one.")
    again = ("user", "add", "awa", "--email", "awa@example.org", "--consent", "--generate-password")
    assert node.refused(*again) == "This handle is taken."
