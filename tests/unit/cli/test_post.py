"""`esnfed post`: posts with mentions, tags, links and translations, changed, deleted, boosted, favourited."""

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


TEXT = "Bonjour @awa et @nobody !\n\n#École #santé: https://sne.example"


def sent(node: Terminal) -> list[dict[str, object]]:
    """Every activity written to be sent, oldest first."""
    return [orjson.loads(body) for (body,) in node.rows("SELECT body FROM activity ORDER BY id")]


def test_a_post_has_mentions_tags_links_translations_and_a_warning(node: Terminal) -> None:
    node.person("awa")
    made = node.told(
        "post", "create", TEXT, "--as", "marie", "--translation", "es=Hola @awa #Escuela",
        "--translation", "en_GB=Hello = goodbye", "--warning", "Long", "--visibility", "unlisted",
    )  # fmt: skip
    assert list(made["content_map"]) == ["fr", "es", "en-GB"]
    assert (made["language"], made["visibility"], made["warning"]) == ("fr", "unlisted", "Long")
    assert made["author"] == "marie@lyon.esn.test"
    assert made["mentions"] == ["awa@lyon.esn.test"]
    assert made["unknown"] == ["nobody"]
    assert sorted(made["tags"]) == ["Escuela", "santé", "École"]
    assert '<a href="https://lyon.esn.test/@awa" class="u-url mention"' in made["content"]
    assert "et @nobody !" in made["content"]
    assert '<a href="https://sne.example"' in made["content"]
    assert made["content_map"]["en-GB"] == "<p>Hello = goodbye</p>"
    assert made["text"].splitlines()[0] == "Bonjour @awa et @nobody !"
    (create,) = sent(node)
    assert create["object"]["contentMap"] == made["content_map"]  # type: ignore[index]
    assert node.rows("SELECT kind FROM notification") == [("mention",)]
    assert node.rows("SELECT source FROM status") == [(TEXT,)]


def test_the_text_may_come_from_standard_input_and_the_answer_names_who_is_unknown(node: Terminal) -> None:
    code, out, error = node.say("post", "create", "--as", "marie", stdin="Salut @paul@dakar.example.org\n")
    assert code == 0, error
    first, second = out.splitlines()
    assert first.partition("  ")[2].startswith("https://lyon.esn.test/@marie/")
    assert second == "Nobody was found for @paul@dakar.example.org: it stays text."
    assert node.told("post", "create", "-", "--as", "marie", stdin="Oui")["content"] == "<p>Oui</p>"


def test_an_answer_belongs_to_the_thread_however_the_post_is_named(node: Terminal) -> None:
    node.person("awa")
    first = node.told("post", "create", "Un", "--as", "marie")
    for name in (first["id"], first["uri"], first["url"]):
        reply = node.told(
            "post", "create", "Deux", "--as", "awa", "--reply-to", name, "--visibility", "direct"
        )
        assert (reply["reply_to"], reply["mentions"]) == (first["uri"], ["marie@lyon.esn.test"])
    assert node.told("post", "show", first["url"])["replies"] == 0  # direct answers are not counted


def test_a_new_text_replaces_translations_and_a_translation_alone_leaves_the_text(node: Terminal) -> None:
    made = node.told("post", "create", "Un #a", "--as", "marie", "--translation", "es=Uno #b")
    added = node.told("post", "edit", made["id"], "--translation", "en=One #c", "--warning", "W")
    assert list(added["content_map"]) == ["fr", "es", "en"]
    assert (added["content"], added["warning"]) == (made["content"], "W")
    assert sorted(added["tags"]) == ["a", "b", "c"]
    assert added["edited"] is not None
    replaced = node.told("post", "edit", made["id"], "Deux", "--language", "fr-CA")
    assert replaced["content_map"] == {"fr-CA": "<p>Deux</p>"}
    assert (replaced["tags"], replaced["warning"]) == ([], "W")
    relabelled = node.told("post", "edit", made["id"], "--language", "fr", "--warning", "")
    assert relabelled["content_map"] == {"fr": "<p>Deux</p>"}
    assert relabelled["warning"] == ""
    typed = node.told("post", "edit", made["id"], "-", stdin="Trois\n")
    assert typed["text"] == "Trois"
    assert node.rows("SELECT source FROM status") == [("Trois",)]
    assert [each["type"] for each in sent(node)] == ["Create", *["Update"] * 4]


def test_posts_are_listed_newest_first_without_what_is_not_for_everybody(node: Terminal) -> None:
    node.person("awa")
    first = node.told("post", "create", "Un", "--as", "marie")
    node.told("post", "create", "Entre nous", "--as", "marie", "--visibility", "followers")
    quiet = node.told("post", "create", "Doucement", "--as", "marie", "--visibility", "unlisted")
    node.told("post", "boost", first["id"], "--as", "awa")
    assert [each["id"] for each in node.told("post", "list")] == [first["id"]]
    assert [each["id"] for each in node.told("post", "list", "--author", "marie")] == [
        quiet["id"],
        first["id"],
    ]
    assert node.told("post", "list", "--local", "--before", first["id"]) == []
    (boosted,) = node.told("post", "list", "--author", "awa")
    assert (boosted["id"], boosted["boosted_by"]) == (first["id"], "awa@lyon.esn.test")
    assert "Doucement" in node.shown("post", "list", "--author", "marie")
    shown = node.shown("post", "show", boosted["boost_id"])
    assert shown.endswith("\n\nUn\n")
    assert "marie@lyon.esn.test" in shown


def test_boosts_and_favourites_count_once_and_are_taken_back(node: Terminal) -> None:
    node.person("awa")
    made = node.told("post", "create", "Un", "--as", "marie")
    for name, back, counted in (("boost", "unboost", "boosts"), ("like", "unlike", "favourites")):
        done = node.told("post", name, made["id"], "--as", "awa")
        assert (done["changed"], done["post"][counted]) == (True, 1)
        again = node.told("post", name, made["url"], "--as", "awa")
        assert (again["changed"], again["post"][counted]) == (False, 1)
        assert "before: https://lyon.esn.test/" in node.shown("post", name, made["id"], "--as", "awa")
        done = node.told("post", back, made["uri"], "--as", "awa")
        assert (done["changed"], done["post"][counted]) == (True, 0)
        assert node.told("post", back, made["id"], "--as", "awa")["changed"] is False


def test_a_deleted_post_is_gone(node: Terminal) -> None:
    made = node.told("post", "create", "Un", "--as", "marie")
    assert node.told("post", "delete", made["id"]) == {"id": made["id"], "uri": made["uri"]}
    assert node.refused("post", "show", made["id"]) == "There is no such post."
    assert node.refused("post", "delete", made["id"]) == "There is no such post."
    assert [each["type"] for each in sent(node)] == ["Create", "Delete"]


def test_a_post_of_a_record_is_changed_by_the_record_command(node: Terminal) -> None:
    made = node.told(
        "record", "announce", "call", "--owner", "marie", "--title", "fr=Appel", "--summary", "fr=Oui",
        "--territory", "BF", "--theme", "mutualism", "--wanted", "partner", "--closes", "2999-06-30",
        "--contact", "projects,name=Awa",
    )  # fmt: skip
    sentence = node.refused("post", "edit", made["id"], "Non")
    assert sentence == "This post belongs to a record: `esnfed record update` changes both."


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (("create", "x"), "“--as” is missing."),
        (("create", "x", "--as", "nobody"), "There is no such actor on this node."),
        (("create", "x", "--as", "relay"), "The node's own actor neither posts nor follows."),
        (("create", " ", "--as", "marie"), "A post needs some text."),
        (("create", "x" * 100_001, "--as", "marie"), "The post is too long."),
        (
            ("create", "x", "--as", "marie", "--language", "klingon!"),
            "“--language” is not valid: it is not the code of a language.",
        ),
        (
            ("create", "x", "--as", "marie", "--translation", "es="),
            "“--translation” is not valid: it has no text.",
        ),
        (
            ("create", "x", "--as", "marie", "--translation", "Hola"),
            "“--translation” is not valid: write it as KEY=VALUE.",
        ),
        (
            ("create", "x", "--as", "marie", "--visibility", "secret"),
            "“--visibility” must be one of public, unlisted, followers, direct.",
        ),
        (
            ("create", "x", "--as", "marie", "--visibility", "direct"),
            "A direct post mentions somebody who is known, or replies to a post.",
        ),
        (("create", "x", "--as", "marie", "--reply-to", "12"), "There is no such post."),
        (
            ("create", "x", "--as", "marie", "--reply-to", "https://lyon.esn.test/@marie/12"),
            "There is no such post.",
        ),
        (
            ("create", " ".join(f"@p{n}@x.esn.test" for n in range(51)), "--as", "marie"),
            "A post mentions at most fifty people.",
        ),
        (("show", "hello"), "There is no such post."),
        (
            ("show", "https://dakar.example.org/1"),
            "Only local test names are asked in the demo and in tests.",
        ),
        (("show", "9" * 40), "There is no such post."),
        (("edit", "12"), "Say what is to change; `esnfed post edit --help` lists what can."),
        (("edit", "12", "x"), "There is no such post."),
        (("edit", "x", "x"), "“ID” must be a whole number from 1 to 9223372036854775807."),
        (("list", "--author", "marie", "--local"), "Give either --author or --local."),
    ],
)
def test_what_is_wrong_is_one_sentence(node: Terminal, arguments: tuple[str, ...], sentence: str) -> None:
    assert node.refused("post", *arguments) == sentence
    assert node.rows("SELECT count(*) FROM status") == [(0,)]


def test_only_public_posts_of_others_are_boosted(node: Terminal) -> None:
    node.person("awa")
    made = node.told("post", "create", "Un", "--as", "marie", "--visibility", "followers")
    assert node.refused("post", "boost", made["id"], "--as", "awa") == "Only public posts can be boosted."
    own = node.told("post", "boost", made["id"], "--as", "marie")
    assert own["changed"] is True
    (boost,) = node.rows("SELECT id FROM status WHERE boost_of_id IS NOT NULL")
    sentence = node.refused("post", "delete", str(boost[0]))
    assert sentence == "This is a boost: `esnfed post unboost` takes it back."
