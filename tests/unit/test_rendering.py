"""Pages speak the reader's language, show nothing unescaped, and keep to a strict content security policy."""

import re
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from jinja2 import ChoiceLoader, DictLoader, UndefinedError
from selectolax.lexbor import LexborHTMLParser

from esnfed.config import Config
from esnfed.errors import Invalid
from esnfed.rendering import TINTS, Renderer, initials, language_attributes, tint

MARCH = 1_772_354_400_000  # 2026-03-01T08:40:00Z
EVIL = '<script>alert("x")</script>'

SHOWCASE = """
{% extends "base.html" %}
{% from "macros/parts.html" import welcome, section, pager, notice, empty, chips, facts %}
{% from "macros/parts.html" import breadcrumb, also_in, day %}
{% from "macros/people.html" import actor_card, actor_head, follow_hint %}
{% from "macros/posts.html" import post_card, post_counts, thread %}
{% from "macros/records.html" import board, board_count, record_head %}
{% from "macros/forms.html" import field, filters %}
{% block breadcrumb %}{{ breadcrumb([{"href": "/", "label": evil}, {"label": evil}]) }}{% endblock %}
{% block content %}
{{ welcome(evil, evil, evil) }}
{% call section("records", evil, "/records", evil) %}
{{ filters("/records", [{"name": "q", "label": evil, "type": "search", "value": evil},
   {"name": "kind", "label": evil, "type": "select", "options": [{"value": evil, "label": evil}]}],
   evil, true) }}
{{ board_count(2) }}{{ board(records) }}
{% endcall %}
{{ record_head(records[0]) }}
{{ actor_head(actor, [{"value": 1234, "label": evil}]) }}{{ actor_card(actor) }}{{ follow_hint(actor) }}
{{ thread([], post_card(post), [post_card(warned)], true) }}{{ post_counts(0, 1, 2) }}
{{ notice(evil, "warning", true) }}{{ empty(evil, evil) }}{{ pager("/newer", "/older", evil) }}
{{ chips([evil, {"label": evil}, {"label": evil, "href": "/x"}], evil) }}
{{ facts([{"label": evil, "value": evil}, {"label": evil, "value": [evil, day("2026-03-31")]}]) }}
{{ also_in([{"tag": "ar", "href": "/ar"}]) }}
{{ field("mail", evil, "email", evil, help=evil, error=evil, required=true, autocomplete="email") }}
{{ field("body", evil, "textarea", evil, language="ar") }}{{ field("ok", evil, "checkbox", true) }}
{% endblock %}
"""


def hostile_actor() -> SimpleNamespace:
    """An actor whose every free text is an attack."""
    return SimpleNamespace(
        name=EVIL,
        handle=f"{EVIL}@hub.esn.test",
        url="/@ana",
        avatar=None,
        as_type="Organization",
        language="fr",
        note_html="<p>Note</p>",
        fields=[SimpleNamespace(name=EVIL, value_html="<b>Lyon</b>")],
    )


def hostile_record(actor: SimpleNamespace) -> SimpleNamespace:
    """A record whose every free text is an attack."""
    return SimpleNamespace(
        url="/r/1/projet",
        kind="project",
        kind_label=EVIL,
        title=EVIL,
        summary=None,
        language="ar",
        organisation=actor,
        deadline="2026-03-31",
        state_label=EVIL,
        state="open",
        territories=[EVIL],
        themes=[{"label": EVIL, "href": "/x"}],
        languages=["fr", "es"],
        updated=MARCH,
        origin=EVIL,
    )


def sample() -> dict[str, Any]:
    """Values for the showcase."""
    actor = hostile_actor()
    record = hostile_record(actor)
    picture = SimpleNamespace(url="/m/1", media_type="image/png", description=EVIL, width=10, height=10)
    post = SimpleNamespace(
        url="/@ana/1",
        author=actor,
        published=MARCH,
        edited=MARCH,
        language="ar",
        html="<p>سلام</p>",
        summary=None,
        attachments=[picture],
        record=record,
        parent=SimpleNamespace(url="/@bob/2", handle=EVIL),
        booster=actor,
    )
    warned = SimpleNamespace(
        **{**vars(post), "summary": EVIL, "record": None, "parent": None, "booster": None}
    )
    return {
        "actor": actor,
        "records": [record, record],
        "post": post,
        "warned": warned,
        "evil": EVIL,
        "path": "/",
        "title": EVIL,
    }


@pytest.fixture(scope="module")
def renderer() -> Renderer:
    config = Config(
        domain="hub.esn.test", data_dir=Path(), environment="test", name=f"Hub {EVIL}", contact="a@b.test"
    )
    made = Renderer(config)
    extra = DictLoader(
        {"showcase.html": SHOWCASE, "bad.html": "{{ missing }}", "number.html": "{{ 12345.5|number }}"}
    )
    made._environment.loader = ChoiceLoader([made._environment.loader or extra, extra])
    return made


@pytest.mark.parametrize("locale", ["fr", "en", "es"])
def test_every_macro_escapes_what_it_is_given(renderer: Renderer, locale: str) -> None:
    page = renderer.page("showcase.html", locale, **sample())
    assert "<script" not in page
    assert "&lt;script&gt;alert" in page


@pytest.mark.parametrize("locale", ["fr", "en", "es"])
def test_no_inline_style_no_script_and_nothing_from_elsewhere(renderer: Renderer, locale: str) -> None:
    tree = LexborHTMLParser(renderer.page("showcase.html", locale, **sample()))
    for node in tree.css("*"):
        attributes = dict(node.attributes)
        assert node.tag not in {"script", "style", "iframe"}
        assert "style" not in attributes
        assert not [name for name in attributes if name.startswith("on")]
        assert str(attributes.get("src") or "/").startswith("/")
    assert all(str(link.attributes["href"]).startswith("/") for link in tree.css("link"))


def test_a_page_has_landmarks_one_title_and_labelled_parts(renderer: Renderer) -> None:
    tree = LexborHTMLParser(renderer.page("error.html", "fr", status=404, path="/x"))
    assert len(tree.css("main#content")) == len(tree.css("h1")) == len(tree.css("body > header")) == 1
    assert len(tree.css("body > footer")) == 1
    assert (tree.css("a")[0].attributes["href"], tree.css("a")[0].text()) == ("#content", "Aller au contenu")
    assert all(nav.attributes.get("aria-label") for nav in tree.css("nav"))
    assert tree.css("title")[0].text().startswith("Nous n’avons pas trouvé cette page – Hub")


def test_labels_help_and_errors_are_tied_to_their_field(renderer: Renderer) -> None:
    tree = LexborHTMLParser(renderer.page("showcase.html", "en", **sample()))
    for node in tree.css("input, select, textarea"):
        assert tree.css(f'label[for="{node.attributes["id"]}"]')
    mail = tree.css("#mail")[0].attributes
    assert (mail["aria-describedby"], mail["aria-invalid"]) == ("mail-help mail-error", "true")
    assert all("alt" in image.attributes for image in tree.css("img"))


def test_identifiers_are_unique(renderer: Renderer) -> None:
    tree = LexborHTMLParser(renderer.page("showcase.html", "en", **sample()))
    found = [node.attributes["id"] for node in tree.css("[id]")]
    assert len(found) == len(set(found))


def test_one_renderer_speaks_all_languages_in_turn(renderer: Renderer) -> None:
    for locale, words in (("fr", "2 fiches"), ("es", "2 fichas"), ("en", "2 sheets"), ("fr", "jusqu’au")):
        assert words in renderer.page("showcase.html", locale, **sample())


def test_a_constant_in_a_template_is_not_frozen_in_the_first_language(renderer: Renderer) -> None:
    written = [renderer.page("number.html", tag) for tag in ("fr", "en", "es")]
    assert written == ["12\u202f345,5", "12,345.5", "12.345,5"]


def test_dates_are_written_in_the_zone_of_the_page_with_its_name(renderer: Renderer) -> None:
    page = renderer.page("showcase.html", "fr", zone_name="Europe/Paris", **sample())
    assert (
        '<time datetime="2026-03-01T08:40:00Z" class="dt-published">1 mars 2026, 09:40 (UTC+1)</time>' in page
    )
    assert '<time datetime="2026-03-31">31 mars 2026</time>' in page


def test_an_unknown_zone_is_refused_before_anything_is_rendered(renderer: Renderer) -> None:
    with pytest.raises(Invalid):
        renderer.page("error.html", "fr", zone_name="Nowhere/Else", status=404, path="/")


def test_a_missing_variable_is_an_error_and_the_next_page_is_not_harmed(renderer: Renderer) -> None:
    with pytest.raises(UndefinedError):
        renderer.page("bad.html", "fr")
    assert "Página" not in renderer.page("error.html", "en", status=404, path="/")


def test_content_in_another_language_says_so(renderer: Renderer) -> None:
    page = renderer.page("showcase.html", "fr", **sample())
    assert '<div class="prose e-content" lang="ar" dir="rtl"><p>سلام</p></div>' in page
    assert '<html lang="fr" dir="ltr">' in page


def test_the_language_switch_keeps_the_page_and_its_question(renderer: Renderer) -> None:
    page = renderer.page("error.html", "fr", status=404, path="/records", query="kind=call&q=x")
    assert '<a href="/records?kind=call&amp;q=x&amp;lang=es" hreflang="es" lang="es" dir="ltr"' in page
    assert '<span lang="fr" dir="ltr" aria-current="true">Français</span>' in page


def test_a_post_rendered_alone_is_the_one_on_the_page(renderer: Renderer) -> None:
    values = sample()
    alone = renderer.fragment("macros/posts.html", "post_card", "es", values["post"])
    assert "En respuesta a" in alone
    assert str(alone).strip() in renderer.page("showcase.html", "es", **values)


@pytest.mark.parametrize("status", [400, 401, 403, 404, 410, 413, 422, 429, 500, 502, 503, 504])
@pytest.mark.parametrize("locale", ["fr", "es"])
def test_every_error_is_explained_in_the_language_of_the_reader(
    renderer: Renderer, status: int, locale: str
) -> None:
    english = LexborHTMLParser(renderer.page("error.html", "en", status=status, path="/"))
    told = LexborHTMLParser(renderer.page("error.html", locale, status=status, path="/"))
    for part in ("h1", ".lead"):
        assert len(told.css(part)[0].text().strip()) > 10
        assert told.css(part)[0].text() != english.css(part)[0].text()


def test_the_text_of_an_error_may_hold_percent_signs(renderer: Renderer) -> None:
    assert "100% sure %s" in renderer.page("error.html", "fr", status=400, path="/", message="100% sure %s")


def test_static_files_are_named_with_their_content(renderer: Renderer) -> None:
    name = renderer.static("esnfed.css")
    assert re.fullmatch(r"/static/esnfed\.css\?v=[0-9a-f]{10}", name)
    assert renderer.static("esnfed.css") == name
    assert renderer.static("logo.svg").split("=")[1] != name.split("=")[1]


def test_filters_for_people_without_a_picture() -> None:
    assert [str(initials(name)) for name in ("Ana María López", "Union", "", "¡!", "<b>x", "国 家")] == [
        *("AL", "U", "·", "·", "B", "国家")
    ]
    assert tint("ana@a.test") == tint("ana@a.test") < TINTS
    assert {tint(str(number)) for number in range(200)} == set(range(TINTS))


def test_language_attributes_take_nothing_but_a_language() -> None:
    assert language_attributes("ar-ma") == ' lang="ar-MA" dir="rtl"'
    assert language_attributes('fr" onload="x') == language_attributes(None) == ' dir="auto"'
