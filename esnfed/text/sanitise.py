"""Hostile HTML in, safe HTML out: Mastodon's vanilla set of elements, in bounded time."""

from __future__ import annotations

import re
from html import escape, unescape

import nh3

INPUT_LIMIT = 1_000_000
"""Characters of HTML that are read; an activity is at most 1 MB on the wire."""

BRACKET_LIMIT = 5_000
"""Angle brackets that are read: building a tree costs the square of its depth, 0.1 s at this one."""

AMPERSAND_LIMIT = 20_000
"""Ampersands that are read: the parser copies its text at each one."""

OUTPUT_LIMIT = 1_000_000
FALLBACK_LIMIT = AMPERSAND_LIMIT
"""Characters of HTML that are given; longer output becomes this much of its plain text."""

LINK_SCHEMES = frozenset(
    ("http", "https", "mailto", "dat", "dweb", "ipfs", "ipns", "ssb", "gopher", "xmpp", "magnet", "gemini")
)
"""Mastodon's list, and mail."""

BLOCKS = ("p", "blockquote", "pre", "ul", "ol", "li")
INLINE = ("br", "span", "a", "del", "s", "code", "b", "strong", "u", "i", "em", "ruby", "rt", "rp")
TAGS = frozenset({*BLOCKS, *INLINE})
"""Mastodon's vanilla elements."""

_EMBEDDED = ("iframe", "object", "embed", "noscript", "noframes", "noembed")
_SILENT = frozenset({"script", "style", "template", "title", "textarea", *_EMBEDDED})
_ATTRIBUTES = {
    "*": {"lang"},
    "a": {"href", "class", "translate", "rel"},
    "span": {"class", "translate"},
    "p": {"class"},
    "ol": {"start", "reversed"},
    "li": {"value"},
}
_CLASSES = frozenset({"mention", "hashtag", "ellipsis", "invisible", "quote-inline"})
_MICROFORMAT = re.compile(r"(?:h|p|u|dt|e)-[a-z0-9-]{1,40}")
_LANGUAGE = re.compile(r"[A-Za-z]{2,8}(?:-[A-Za-z0-9]{1,8}){0,6}")
_INTEGER = re.compile(r"-?[0-9]{1,9}")
_URL_LIMIT = 2_048

_REL = "nofollow noopener noreferrer"
_CONTROLS = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\ufffe\uffff\ud800-\udfff]")
_HEADING = re.compile(r"<(/?)h[1-6]\b[^>]*(?:>|\Z)", re.IGNORECASE)
_FORMATTING = re.compile(
    r"<(b|big|code|em|font|i|nobr|s|small|strike|strong|tt|u)\b[^>]*(?:>|\Z)", re.IGNORECASE
)
_FORMATTING_LIMIT = 500
_ANCHOR = re.compile(r"<a( [^>]*)?>")
_REL_ATTRIBUTE = re.compile(r' rel="[^"]*"')
_PASSES = 4

_LINE = re.compile(r"<(?:br|li)\b[^>]*>")
_BLOCK = re.compile(r"</?(?:p|blockquote|pre|ul|ol)\b[^>]*>")
_TAG = re.compile(r"<[^>]*>")
_SPACES = re.compile(r"[^\S\n]+")
_LINES = re.compile(r" ?\n[ \n]*\n ?| ?\n ?")


def _classes(value: str) -> str | None:
    kept = [name for name in value.split()[:20] if name in _CLASSES or _MICROFORMAT.fullmatch(name)]
    return " ".join(kept) or None


def _href(value: str) -> str | None:
    # nh3 has checked the scheme. Percent signs keep every bracket and quote out of what is matched below.
    if len(value) > _URL_LIMIT:
        return None
    for character, code in (("<", "%3C"), (">", "%3E"), ('"', "%22"), (" ", "%20")):
        value = value.replace(character, code)
    return value


def _matching(pattern: re.Pattern[str], value: str) -> str | None:
    return value if pattern.fullmatch(value) else None


def _filter(kept_rel: frozenset[str], attribute: str, value: str) -> str | None:
    match attribute:
        case "href":
            return _href(value)
        case "class":
            return _classes(value)
        case "lang":
            return _matching(_LANGUAGE, value)
        case "start" | "value":
            return _matching(_INTEGER, value)
        case "rel":
            return " ".join([_REL, *sorted(kept_rel.intersection(value.lower().split()))])
        case "translate":
            return value if value == "no" else None
        case _:  # reversed, which has no value
            return ""


def _cleaner(kept_rel: frozenset[str]) -> nh3.Cleaner:
    return nh3.Cleaner(
        tags=TAGS,
        clean_content_tags=_SILENT,
        attributes=_ATTRIBUTES,
        attribute_filter=lambda _, attribute, value: _filter(kept_rel, attribute, value),
        link_rel=None,
        url_schemes=LINK_SCHEMES,
        url_relative="deny",
    )


_POST = _cleaner(frozenset({"tag"}))
_PROFILE = _cleaner(frozenset({"tag", "me"}))


def sanitise(html: str, profile: bool = False) -> str:
    """Return safe HTML with Mastodon's elements only; sanitising it again changes nothing.

    Headings become bold paragraphs, other elements leave their text, scripts and styles leave nothing. A link
    gets rel="nofollow noopener noreferrer", no target, and keeps `tag`; `profile` says that the text is a
    field or the note of an actor on its own page, where `me` is that actor's claim and is kept. What is over
    a limit is cut off; what stays over them, or does not settle, becomes the beginning of its plain text.
    """
    cleaner = _PROFILE if profile else _POST
    current = _CONTROLS.sub("", html[:INPUT_LIMIT])
    for _ in range(_PASSES):
        # HTML is not always read back as written (nested links, a first newline in pre): repeat until it is.
        cleaned = _CONTROLS.sub("", _ANCHOR.sub(_anchor, cleaner.clean(_bounded(current))))
        if cleaned == current and len(cleaned) <= OUTPUT_LIMIT:
            return cleaned
        current = cleaned
    return _paragraph(_text(current))


def _bounded(html: str) -> str:
    """Return HTML that can be parsed in bounded time, with headings turned into bold paragraphs."""
    brackets = html.count("<")
    if brackets > BRACKET_LIMIT:
        html = _until(html, "<", BRACKET_LIMIT * 4 // 5)  # room for the closing tags
    if html.count("&") > AMPERSAND_LIMIT:
        html = _until(html, "&", AMPERSAND_LIMIT * 4 // 5)
    if brackets > _FORMATTING_LIMIT:
        # Differing attributes defeat the parser's own limit on formatting elements it opens again and again.
        html = _FORMATTING.sub(r"<\1>", html)
    return _HEADING.sub(lambda found: "</strong></p>" if found[1] else "<p><strong>", html)


def _until(html: str, character: str, count: int) -> str:
    """Return what stands before the occurrence number `count` of a character, counted from 1."""
    return character.join(html.split(character, count)[:count])


def _anchor(found: re.Match[str]) -> str:
    attributes = found[1] or ""
    if ' href="' not in attributes:
        return f"<a{_REL_ATTRIBUTE.sub('', attributes)}>"
    if ' rel="' not in attributes:
        return f'<a{attributes} rel="{_REL}">'
    return found[0]


def plain(html: str) -> str:
    """Return the text of hostile HTML: paragraphs parted by an empty line, no tags, entities read.

    The result is text, not HTML: whoever puts it on a page escapes it.
    """
    return _text(sanitise(html))


def _text(safe: str) -> str:
    marked = _BLOCK.sub("\n\n", _LINE.sub("\n", safe.replace("\n", " ") if "<pre" not in safe else safe))
    text = _CONTROLS.sub("", unescape(_TAG.sub("", marked)))
    text = _SPACES.sub(" ", text.replace("\r", "\n"))
    return _LINES.sub(lambda found: "\n\n" if found[0].count("\n") > 1 else "\n", text).strip()


def teaser(html: str, length: int = 200) -> str:
    """Return one line of plain text of at most `length` characters, cut at a word, with an ellipsis."""
    line = " ".join(plain(html).split())
    if len(line) <= length:
        return line
    cut = line[: length - 1]
    head, space, _ = cut.rpartition(" ")
    return f"{(head if space and len(head) > length // 2 else cut).rstrip(' ,;:.-')}…"


def _paragraph(text: str) -> str:
    """Return the beginning of a text as one safe paragraph, within every limit above."""
    line = " ".join(text.split())[:FALLBACK_LIMIT]
    return _POST.clean(f"<p>{escape(line, quote=False)}</p>")
