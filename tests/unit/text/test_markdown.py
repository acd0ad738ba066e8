"""Markdown of record bodies becomes sanitised HTML."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from esnfed.errors import TooLarge
from esnfed.text.markdown import MARKDOWN_LIMIT, render
from esnfed.text.sanitise import sanitise

REL = "nofollow noopener noreferrer"


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("# Titre\n\nUn *mot* **fort** ~~ancien~~ `code`.", "<p><strong>Titre</strong></p>\n"
         "<p>Un <em>mot</em> <strong>fort</strong> <del>ancien</del> <code>code</code>.</p>\n"),
        ("- a\n- b", "<ul>\n<li>a</li>\n<li>b</li>\n</ul>\n"),
        ("3. a\n4. b", '<ol start="3">\n<li>a</li>\n<li>b</li>\n</ol>\n'),
        ("> cité", "<blockquote>\n<p>cité</p>\n</blockquote>\n"),
        ("[x](https://a.example)", f'<p><a href="https://a.example" rel="{REL}">x</a></p>\n'),
        ("https://a.example", f'<p><a href="https://a.example" rel="{REL}">https://a.example</a></p>\n'),
        ("![Un <b>](https://a.example/b.png)",
         f'<p><a href="https://a.example/b.png" rel="{REL}">Un &lt;b&gt;</a></p>\n'),
        ("![](https://a.example/b.png)",
         f'<p><a href="https://a.example/b.png" rel="{REL}">https://a.example/b.png</a></p>\n'),
        ("<script>alert(1)</script> <b>x</b>",
         "<p>&lt;script&gt;alert(1)&lt;/script&gt; &lt;b&gt;x&lt;/b&gt;</p>\n"),
        ("[x](javascript:alert(1)) [y](/relative)", "<p><a>x</a> <a>y</a></p>\n"),
        ("", ""),
    ],
)  # fmt: skip
def test_markdown(source: str, expected: str) -> None:
    assert render(source) == expected


def test_a_text_over_the_limit_is_refused() -> None:
    with pytest.raises(TooLarge):
        render("x" * (MARKDOWN_LIMIT + 1))


@pytest.mark.parametrize(
    "pattern",
    ["[", "*a ", ">", "- ", "![", "[a](", "`a", "**a", "<", "~~a", "_", "[x]: ", '[a](b "', "&", "\\"],
)
def test_hostile_repetition_gives_settled_html(pattern: str) -> None:
    html = render(pattern * (20_000 // len(pattern)))
    assert sanitise(html) == html


@settings(deadline=None)
@given(st.text(alphabet="*_`[]()<>!#-+1. \nab~&\\|\"':/", max_size=120))
def test_any_markdown_gives_settled_html(source: str) -> None:
    html = render(source)
    assert sanitise(html) == html
