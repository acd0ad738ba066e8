"""Hostile HTML comes out safe, settled and bounded."""

import re
from html import escape

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from selectolax.lexbor import LexborHTMLParser

from esnfed.text.sanitise import (
    AMPERSAND_LIMIT,
    BRACKET_LIMIT,
    INPUT_LIMIT,
    LINK_SCHEMES,
    OUTPUT_LIMIT,
    TAGS,
    plain,
    sanitise,
    teaser,
)

REL = "nofollow noopener noreferrer"
ATTRIBUTES = {"lang", "href", "rel", "class", "translate", "start", "reversed", "value"}

ATTACKS = [
    "<script>alert(1)</script>",
    "<ScRiPt src=//evil.example/x.js></sCrIpT>",
    "<scr<script>ipt>alert(1)</scr</script>ipt>",
    "<img src=x onerror=alert(1)>",
    "<svg onload=alert(1)>",
    "<svg><script>alert(1)</script></svg>",
    "<svg><style><img src=x onerror=alert(1)></style></svg>",
    "<math><mtext><table><mglyph><style><!--</style><img title='--&gt;&lt;img src=1 onerror=alert(1)&gt;'>",
    "<form><math><mtext></form><form><mglyph><style></math><img src onerror=alert(1)>",
    "<noscript><p title='</noscript><img src=x onerror=alert(1)>'>",
    "<template><script>alert(1)</script></template>",
    "<textarea><img title='</textarea><img src=x onerror=alert(1)>'></textarea>",
    "<a href='javascript:alert(1)'>x</a>",
    "<a href='JaVaScRiPt&colon;alert(1)'>x</a>",
    "<a href='java\nscript:alert(1)'>x</a>",
    "<a href='&#1;javascript:alert(1)'>x</a>",
    "<a href=' javascript:alert(1)'>x</a>",
    "<a href='data:text/html,<script>alert(1)</script>'>x</a>",
    "<a href='vbscript:msgbox(1)'>x</a>",
    "<a href='//evil.example/x'>x</a>",
    "<a href='/settings/delete'>x</a>",
    "<a href='?lang=xx'>x</a>",
    "<a href='https://x.example/' onclick='alert(1)' style='position:fixed' target='_top' id='top'>x</a>",
    "<a href='https://x.example/\" onmouseover=\"alert(1)'>x</a>",
    "<p style='background:url(javascript:alert(1))'>x</p>",
    "<p class='site-header card'>x</p>",
    "<iframe src='https://evil.example'></iframe>",
    "<object data='x'></object><embed src='x'>",
    "<base href='https://evil.example/'>",
    "<meta http-equiv=refresh content='0;url=https://evil.example/'>",
    "<link rel=stylesheet href='https://evil.example/x.css'>",
    "<form action='https://evil.example'><input name=password><button>go</button></form>",
    "<!--[if IE]><script>alert(1)</script><![endif]-->",
    "<![CDATA[<script>alert(1)</script>]]>",
    "<?php echo 1 ?>",
    "<plaintext><script>alert(1)</script>",
    "<p lang='x\" onload=\"alert(1)'>x</p>",
    "<ol start='1\" onload=\"alert(1)'><li value='x'>x</li></ol>",
    "<x onclick=alert(1)>x</x>",
    "<p>\ud800\udfff\x00\x01</p>",
    "<a href='https://x.example/<script>'>x</a>",
    "<h1><script>alert(1)</script></h1>",
    "<a href='https://x.example/<h1>\"x'>x</a>",
    "</p></div></main><footer>x",
]


def assert_safe(html: str) -> None:
    """Nothing but allowed elements, attributes and schemes is in it, read by another parser."""
    for node in LexborHTMLParser(f"<body>{html}</body>").css("body *"):
        assert node.tag in TAGS, html
        assert set(node.attributes) <= ATTRIBUTES, html
        href = node.attributes.get("href")
        assert href is None or href.partition(":")[0].lower() in LINK_SCHEMES, html
        for name in (node.attributes.get("class") or "").split():
            assert re.fullmatch(r"mention|hashtag|ellipsis|invisible|quote-inline|(h|p|u|dt|e)-.*", name), (
                html
            )
        if href is not None:
            assert (node.attributes.get("rel") or "").startswith(REL), html


@pytest.mark.parametrize("attack", ATTACKS)
def test_an_attack_is_disarmed_and_stays_so(attack: str) -> None:
    for html in (attack, f"<p>a {attack} b</p>", f"<ul><li>{attack}"):
        clean = sanitise(html)
        assert_safe(clean)
        assert sanitise(clean) == clean
        clean.encode("utf-8")


@pytest.mark.parametrize(
    "attack", ["<script>secret</script>", "<style>secret</style>", "<title>secret</title>"]
)
def test_the_content_of_what_is_never_text_is_dropped(attack: str) -> None:
    assert sanitise(f"<p>a{attack}b</p>") == "<p>ab</p>"


@pytest.mark.parametrize(
    ("html", "expected"),
    [
        ("<div>a <table><tr><td>b</td></tr></table></div>", "a b"),
        ("<h1 class=x>Title</h1>", "<p><strong>Title</strong></p>"),
        ("<H3>A <em>b</em></H3><p>c</p>", "<p><strong>A <em>b</em></strong></p><p>c</p>"),
        (
            '<ol start="3" reversed><li value="2">a</li></ol>',
            '<ol start="3" reversed=""><li value="2">a</li></ol>',
        ),
        ("<ruby>漢<rp>(</rp><rt>kan</rt></ruby>", "<ruby>漢<rp>(</rp><rt>kan</rt></ruby>"),
        ('<p lang="ar" dir="rtl">سلام</p>', '<p lang="ar">سلام</p>'),
        (
            '<span translate="no">x</span><span translate="yes">y</span>',
            '<span translate="no">x</span><span>y</span>',
        ),
        ('<p class="quote-inline card">RE</p>', '<p class="quote-inline">RE</p>'),
        ("<a href='https://x.example/a b'>x</a>", f'<a href="https://x.example/a%20b" rel="{REL}">x</a>'),
        ("<a href='mailto:a@x.example'>x</a>", f'<a href="mailto:a@x.example" rel="{REL}">x</a>'),
        ("<a href='ftp://x.example'>x</a>", "<a>x</a>"),
        (f"<a href='https://x.example/{'a' * 3000}'>x</a>", "<a>x</a>"),
        ("a&#1;b&#8;c\x0bd", "abcd"),
        ("1 < 2 & 3 > 2", "1 &lt; 2 &amp; 3 &gt; 2"),
        ("", ""),
    ],
)
def test_what_mastodon_allows_is_kept_and_the_rest_becomes_text(html: str, expected: str) -> None:
    assert sanitise(html) == expected


def test_the_shape_of_mentions_tags_and_links_survives() -> None:
    html = (
        '<p><span class="h-card" translate="no"><a href="https://a.example/@ana" class="u-url mention">'
        "@<span>ana</span></a></span> "
        '<a href="https://a.example/tags/paz" class="mention hashtag" rel="tag">#<span>paz</span></a> '
        '<a href="https://b.example/x"><span class="invisible">https://</span>'
        '<span class="ellipsis">b.example</span></a></p>'
    )
    clean = sanitise(html)
    assert f'class="u-url mention" rel="{REL}"' in clean
    assert f'class="mention hashtag" rel="{REL} tag"' in clean
    assert '<span class="invisible">https://</span><span class="ellipsis">b.example</span>' in clean


def test_a_claim_of_identity_is_kept_only_on_the_profile_it_belongs_to() -> None:
    html = '<a href="https://ana.example" rel="me noopener author">x</a>'
    assert sanitise(html) == f'<a href="https://ana.example" rel="{REL}">x</a>'
    assert sanitise(html, profile=True) == f'<a href="https://ana.example" rel="{REL} me">x</a>'


@pytest.mark.parametrize(
    "html",
    [
        "<" * INPUT_LIMIT,
        "&" * INPUT_LIMIT,
        "<b>" * 100_000,
        "<p>" * 100_000,
        "<ul><li>" * 100_000,
        "<a href='https://x.example'><p>" * 30_000,
        "".join(f"<p><b id={number}></p>x" for number in range(40_000)),
        "".join(f"<i {number}><b <{number}>" for number in range(40_000)),
        "<h1>" * 200_000,
        "<h1" * 300_000,
        "<b" * 300_000,
        "<!--" * 200_000,
        "a" * (2 * INPUT_LIMIT),
        "<p>" + "a&amp;b<br>" * 90_000,
    ],
    ids=lambda html: html[:12],
)
def test_huge_and_deep_input_gives_bounded_settled_output(html: str) -> None:
    clean = sanitise(html)
    assert len(clean) <= OUTPUT_LIMIT
    assert clean.count("<") <= 2 * BRACKET_LIMIT
    assert clean.count("&") <= AMPERSAND_LIMIT
    assert sanitise(clean) == clean


def test_a_long_article_is_cut_not_flattened() -> None:
    clean = sanitise("<p>a <b>b</b> c</p>" * 2_000)
    assert clean.startswith("<p>a <b>b</b> c</p>")
    assert BRACKET_LIMIT // 2 < clean.count("<") <= BRACKET_LIMIT


ELEMENT = re.compile(rf"</?(?:{'|'.join(TAGS)}|script|style|svg|table)\b[^>]*>")
MARKUP = """
<p> </p> <b> </b> <a/href='https://x.example/?a=1&b=<2>'> </a> <pre> </pre> <h2> </h2> <table> <td> </table>
<svg> <math> <mtext> <style> </style> <ul> <li> </ul> <br> <!-- --> <script> </script> <blockquote> <code>
<ol> <select> <option> <template> <span> <foreignObject> <title> <desc> <form> <button> < > & ' " text é
"""
PIECES = st.sampled_from(
    [
        *MARKUP.split(),
        "&lt;",
        "<ol start=2>",
        "<span class='h-card x'>",
        "\n",
        " ",
        "\ud800",
        "\x00",
        "\xa0",
        "\r",
        "&nbsp;",
    ]
)


@settings(deadline=None)
@given(st.lists(st.one_of(PIECES, st.text(max_size=8)), max_size=40))
def test_output_is_safe_and_sanitising_it_again_changes_nothing(pieces: list[str]) -> None:
    clean = sanitise("".join(pieces))
    assert_safe(clean)
    assert sanitise(clean) == clean


WITHOUT_BRACKETS = PIECES.filter(lambda piece: piece not in {"<", ">", "&", "&lt;"})


@settings(deadline=None)
@given(st.lists(st.one_of(WITHOUT_BRACKETS, st.text("abc /;é\n", max_size=8)), max_size=30))
def test_plain_text_of_elements_contains_none(pieces: list[str]) -> None:
    text = plain("".join(pieces))
    assert not re.search(ELEMENT, text)
    text.encode("utf-8")


@settings(deadline=None)
@given(st.text(max_size=60))
def test_plain_text_of_escaped_text_is_the_text(text: str) -> None:
    visible = " ".join("".join(c for c in text if c.isprintable()).split())
    assert " ".join(plain(f"<p>{escape(visible)}</p>").split()) == visible


@pytest.mark.parametrize(
    ("html", "expected"),
    [
        ("<p>a<br>b</p><p>c</p>", "a\nb\n\nc"),
        ("<ul><li>a</li><li>b</li></ul>", "a\nb"),
        ("<p>a\nb   c&nbsp;d</p>", "a b c d"),
        ("<p>5 &lt; 6 &amp; &eacute;</p>", "5 < 6 & é"),
        ("a<script>b</script>c", "ac"),
        ("a<p>b</p>c<ul><li>d</ul>", "a\n\nb\n\nc\n\nd"),
    ],
)
def test_plain_text_keeps_lines_and_paragraphs(html: str, expected: str) -> None:
    assert plain(html) == expected


def test_a_teaser_is_one_line_cut_at_a_word() -> None:
    html = "<p>Une enquête commune</p><p>sur la santé des enseignantes et des enseignants</p>"
    assert teaser(html, 40) == "Une enquête commune sur la santé des…"
    assert teaser("<p>court</p>") == "court"
    assert teaser("x" * 300, 50) == "x" * 49 + "…"
