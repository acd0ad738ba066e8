"""The readable post of a record."""

from __future__ import annotations

from html import unescape
from typing import Any

import pytest

from esnfed.records import rendering
from esnfed.records.definition import Definition, kind_named
from esnfed.records.hashtags import MOST, camel, hashtags
from esnfed.text.sanitise import sanitise
from tests.unit.records.sheets import SECRETS, call, project

PAGE = "https://a.esn.test/r/7/titre"


def prepared(name: str, sheet: dict[str, Any]) -> tuple[Definition, dict[str, Any]]:
    definition = kind_named(name)
    assert definition is not None
    return definition, definition.public(definition.validate(sheet))


def test_the_title_is_the_first_bold_line_and_the_deadline_is_in_the_text() -> None:
    contents = rendering.content_map(*prepared("call", call()), PAGE, closed=False)
    assert list(contents) == ["fr", "es"]
    assert contents["fr"].startswith("<p><strong>Cherche partenaires</strong></p><p>Un syndicat")
    assert "30 juin 2026" in contents["fr"]
    assert "30 de junio de 2026" in contents["es"]
    assert f'<a href="{PAGE}"' in contents["fr"]


def test_each_language_links_to_the_others() -> None:
    contents = rendering.content_map(*prepared("call", call()), PAGE, closed=False)
    assert f'<a href="{PAGE}?lang=es" lang="es"' in contents["fr"]
    assert f'<a href="{PAGE}?lang=fr" lang="fr"' in contents["es"]
    one = call(title={"fr": "Seul"}, summary={"fr": "Seul"})
    assert "lang=" not in rendering.content_map(*prepared("call", one), PAGE, closed=False)["fr"]


def test_a_closed_record_says_so_in_its_first_line() -> None:
    contents = rendering.content_map(*prepared("project", project()), PAGE, closed=True)
    assert contents["en"].startswith("<p><strong>[Closed] Teachers' health".replace("'", "&#x27;"))


def test_markup_in_a_sheet_is_text() -> None:
    attack = "<script>alert(1)</script>\" onclick='x'"
    sheet = call(title={"fr": attack}, summary={"fr": attack}, contacts=[{"role": "general", "name": attack}])
    content = rendering.content_map(*prepared("call", sheet), 'https://a.esn.test/r/7?"x', closed=False)["fr"]
    assert "<script" not in content
    assert content.count("<a ") == 1
    assert '?"x' not in content


def test_the_post_is_already_what_the_sanitiser_lets_through() -> None:
    for name, sheet in (("project", project()), ("call", call())):
        for content in rendering.content_map(*prepared(name, sheet), PAGE, closed=True).values():
            assert unescape(sanitise(content)) == unescape(content)


def test_nothing_private_is_rendered() -> None:
    definition, public = prepared("project", project())
    text = "".join(rendering.content_map(definition, public, PAGE, closed=False).values())
    shown = text + repr(rendering.facts(definition, public, "fr")) + repr(hashtags(definition, public))
    assert "office@sne.example" in shown
    assert not [secret for secret in SECRETS if secret in shown]


def test_a_summary_in_another_language_is_marked_as_such() -> None:
    definition, public = prepared("call", call())
    del public["summary"]["es"]
    contents = rendering.content_map(definition, public, PAGE, closed=False)
    assert '<p lang="fr">Un syndicat et une mutuelle.</p>' in contents["es"]


def test_hashtags_speak_the_languages_of_the_record() -> None:
    found = hashtags(*prepared("project", project()))
    assert {
        "ODD3",
        "SDG3",
        "ODD4",
        "SDG4",
        "BurkinaFaso",
        "Québec",
        "SantéAuTravail",
        "OccupationalHealth",
    } <= set(found)
    assert "ODS3" not in found
    assert len(found) == len({name.casefold() for name in found}) <= MOST


def test_a_label_becomes_one_word() -> None:
    assert camel("Côte d'Ivoire") == "CôteDIvoire"
    assert camel("research-action") == "ResearchAction"


@pytest.mark.parametrize(
    ("title", "slug"), [("Santé à l'école !", "sante-a-l-ecole"), ("学校", ""), ("x" * 100, "x" * 60)]
)
def test_a_slug_is_plain_ascii(title: str, slug: str) -> None:
    assert rendering.slug({"title": {"fr": title}}) == slug
