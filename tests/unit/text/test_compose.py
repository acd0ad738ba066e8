"""Typed text becomes the HTML that Mastodon would make of it."""

from hypothesis import given, settings
from hypothesis import strategies as st

from esnfed.text.compose import Person, compose, tidy
from esnfed.text.sanitise import plain, sanitise

REL = "nofollow noopener noreferrer"
PEOPLE = {
    "ana": Person("https://lyon.esn.test/@ana", "ana"),
    "bob@hub.esn.test": Person("https://hub.esn.test/@bob", "bob"),
}


def written(text: str) -> str:
    return compose(text, PEOPLE, lambda name: f"https://lyon.esn.test/tags/{name.lower()}")


def test_paragraphs_and_line_breaks() -> None:
    assert written("a\nb\r\n\r\nc\n\n\n\nd  ") == "<p>a<br>b</p><p>c</p><p>d</p>"
    assert written(" \n ") == ""


def test_what_looks_like_html_is_text() -> None:
    assert written("<b>1 & 2</b> \"'") == "<p>&lt;b&gt;1 &amp; 2&lt;/b&gt; \"'</p>"


def test_a_mention_links_to_whom_it_means() -> None:
    assert written("@Bob@hub.esn.test!") == (
        '<p><span class="h-card" translate="no"><a href="https://hub.esn.test/@bob" class="u-url mention" '
        f'rel="{REL}">@<span>bob</span></a></span>!</p>'
    )


def test_a_mention_of_nobody_known_stays_text() -> None:
    assert written("@eva et @bob") == "<p>@eva et @bob</p>"


def test_a_tag_links_to_its_page() -> None:
    assert written("#Paz") == (
        f'<p><a href="https://lyon.esn.test/tags/paz" class="mention hashtag" rel="{REL} tag">'
        "#<span>Paz</span></a></p>"
    )


def test_a_long_link_is_shortened_for_the_eye_and_whole_for_the_copy() -> None:
    url = "https://www.example.org/workshops/2026/burnout.pdf?a=1&b=2"
    html = written(url)
    assert html == (
        f'<p><a href="https://www.example.org/workshops/2026/burnout.pdf?a=1&amp;b=2" rel="{REL}">'
        '<span class="invisible">https://www.</span>'
        '<span class="ellipsis">example.org/workshops/2026/bur</span>'
        '<span class="invisible">nout.pdf?a=1&amp;b=2</span></a></p>'
    )
    assert plain(html) == url


def test_a_short_link_has_no_ellipsis() -> None:
    assert '<span>a.example</span><span class="invisible"></span>' in written("http://a.example")


def test_hostile_addresses_of_people_and_tags_stay_inside_their_attribute() -> None:
    html = compose(
        "@ana #x",
        {"ana": Person('https://a.example/"><script>', "<i>")},
        lambda name: f'https://a.example/"{name}>',
    )
    assert "<script>" not in html
    assert "<i>" not in html
    assert html == sanitise(html)


def test_control_characters_are_taken_out() -> None:
    assert tidy("\x00a\ud800\x0bb\x7f\n") == "ab"


@settings(deadline=None)
@given(st.text(alphabet=st.sampled_from("@ana#xhtps:/.<>&\"' \n\r\xa0\t`é\x00\ud800(b)"), max_size=80))
def test_the_sanitiser_leaves_composed_text_as_it_is(text: str) -> None:
    html = written(text)
    assert sanitise(html) == html


@settings(deadline=None)
@given(st.text(max_size=80))
def test_any_text_gives_settled_html(text: str) -> None:
    html = written(text)
    assert sanitise(html) == html
