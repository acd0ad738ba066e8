"""Links, mentions and tags are found as Mastodon finds them, in linear time."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from esnfed.text.mentions import Link, Mention, Tag, entities, length, mentions, tags


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("@ana", ["ana"]),
        ("hola @Ana@Lyon.ESN.test, @bob.", ["ana@lyon.esn.test", "bob"]),
        ("(@ana) «@bob»", ["ana", "bob"]),
        ("@ana @ana @ANA", ["ana"]),
        ("@jean.pierre-d@a.example.", ["jean.pierre-d@a.example"]),
        ("@x@hub.localhost:8001: voilà", ["x@hub.localhost:8001"]),
        ("@é@münchen.example", []),
        ("@ana@münchen.example", ["ana@münchen.example"]),
        ("mail ana@a.example", []),
        ("https://a.example/@ana", []),
        ("/@ana =@ana a@ana", []),
        ("`@ana` ```\n@bob\n``` @eva", ["eva"]),
        ("@ @@ana@", []),
        (f"@{'a' * 5000}", []),
    ],
)
def test_mentions(text: str, expected: list[str]) -> None:
    assert mentions(text) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("#paz #Éducation #santé_mentale", ["paz", "Éducation", "santé_mentale"]),
        ("#Paz #paz #PAZ", ["Paz"]),
        ("#हिन्दी #日本語 ＃日本 #الصحة_النفسية", ["हिन्दी", "日本語", "日本", "الصحة_النفسية"]),
        ("#1 #2026 #_ #", []),
        ("#4jours #covid19", ["4jours", "covid19"]),
        ("#fin. (#oui) #non!", ["fin", "oui", "non"]),
        ("#a·b #a· #可愛・い", ["a·b", "a", "可愛・い"]),
        ("https://a.example/#ancre a#b &#39; /#c )#d", []),
        ("`#include` #code", ["code"]),
    ],
)
def test_tags(text: str, expected: list[str]) -> None:
    assert tags(text) == expected


def test_a_tag_is_the_same_in_any_width_and_case() -> None:
    assert {found.key for found in entities("#Café #CAFÉ #ｃａｆé") if isinstance(found, Tag)} == {"café"}


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("voir https://a.example/x.", ["https://a.example/x"]),
        ("(https://fr.example/X_(y))", ["https://fr.example/X_(y)"]),
        (
            "https://a.example/?q=1&r=2#f, HTTP://B.example!",
            ["https://a.example/?q=1&r=2#f", "HTTP://B.example"],
        ),
        ("«https://é.example/ü» https://例え.example。", ["https://é.example/ü", "https://例え.example"]),
        ("<https://a.example>", ["https://a.example"]),
        ("https:// http://. www.a.example ftp://a.example xhttps://a.example", []),
        ("http://hub.localhost:8001/r/1", ["http://hub.localhost:8001/r/1"]),
    ],
)
def test_links(text: str, expected: list[str]) -> None:
    assert [found.url for found in entities(text) if isinstance(found, Link)] == expected


@pytest.mark.parametrize(
    "text",
    [
        *("@" * 200_000, "@a" * 100_000, "@a." * 60_000, "#" * 200_000, "#a" * 80_000, "http://" * 30_000),
        *("http://a(" * 20_000, "`" * 199_999, "`a\n" * 60_000, "http://a" + ")" * 200_000, "a@" * 90_000),
    ],
    ids=lambda text: text[:9],
)
def test_hostile_repetition_is_read_to_its_end_without_overlap(text: str) -> None:
    position = 0
    for found in entities(text):
        assert position <= found.start < found.end <= len(text)
        assert found.end - found.start <= 2_100
        position = found.end


@settings(deadline=None)
@given(st.text(alphabet="@#`ahé.:/ \n-_(ht tps)", max_size=80))
def test_what_is_found_stands_where_it_says(text: str) -> None:
    position = 0
    for found in entities(text):
        assert position <= found.start < found.end
        position = found.end
        written = text[found.start : found.end]
        if isinstance(found, Link):
            assert written == found.url
        elif isinstance(found, Tag):
            assert written[1:] == found.name
        else:
            assert written == f"@{found.name}" + (f"@{found.domain}" if found.domain else "")


def test_a_link_counts_23_characters_and_a_mention_only_its_name() -> None:
    assert length("https://a.example/" + "x" * 200) == 23
    assert length("@ana@a-very-long-name.example hi") == len("@ana hi")
    assert length("salut #paz") == 10


def test_an_address_is_the_key_of_a_mention() -> None:
    assert Mention(0, 4, "Ana", "").address == "ana"
