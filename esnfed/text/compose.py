"""Plain text typed by a local author in, the HTML that Mastodon would make of it out."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from html import escape

from esnfed.text.mentions import Entity, Link, Mention, entities

REL = "nofollow noopener noreferrer"
SHOWN_URL_LENGTH = 30

_PREFIX = re.compile(r"https?://(?:www\.)?", re.IGNORECASE)
_CONTROLS = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\ufffe\uffff\ud800-\udfff]")


@dataclass(frozen=True, slots=True)
class Person:
    """Whom a mention means: the address of the actor's page and the handle shown (without the sign)."""

    url: str
    handle: str


def compose(text: str, people: Mapping[str, Person], tag_url: Callable[[str], str]) -> str:
    """Return the HTML of a post: paragraphs, line breaks, links, mentions and tags.

    `people` maps `Mention.address` to whom it means; a mention of nobody known stays text. `tag_url`
    gives the absolute address of a tag's page from its name. The result is what `sanitise` leaves unchanged.
    """
    text = tidy(text)
    pieces: list[str] = []
    position = 0
    for entity in entities(text):
        pieces.append(_literal(text[position : entity.start]))
        pieces.append(_markup(entity, text, people, tag_url))
        position = entity.end
    pieces.append(_literal(text[position:]))
    paragraphs = re.split(r"\n{2,}", "".join(pieces))
    return "".join(f"<p>{part.strip().replace(chr(10), '<br>')}</p>" for part in paragraphs if part.strip())


def tidy(text: str) -> str:
    """Return typed text as it is stored: one kind of line end, no control characters, no blanks around."""
    return _CONTROLS.sub("", text.replace("\r\n", "\n").replace("\r", "\n")).strip()


def _literal(text: str) -> str:
    return escape(text, quote=False).replace("\xa0", "&nbsp;")


def _markup(entity: Entity, text: str, people: Mapping[str, Person], tag_url: Callable[[str], str]) -> str:
    if isinstance(entity, Link):
        return _link(entity.url)
    if isinstance(entity, Mention):
        person = people.get(entity.address)
        return _mention(person) if person else _literal(text[entity.start : entity.end])
    return (
        f'<a href="{_attribute(tag_url(entity.name))}" class="mention hashtag" rel="{REL} tag">'
        f"#<span>{_literal(entity.name)}</span></a>"
    )


def _mention(person: Person) -> str:
    return (
        f'<span class="h-card" translate="no">'
        f'<a href="{_attribute(person.url)}" class="u-url mention" rel="{REL}">'
        f"@<span>{_literal(person.handle)}</span></a></span>"
    )


def _link(url: str) -> str:
    found = _PREFIX.match(url)
    prefix = found[0] if found else ""
    rest = url[len(prefix) :]
    shown, hidden = rest[:SHOWN_URL_LENGTH], rest[SHOWN_URL_LENGTH:]
    ending = ' class="ellipsis"' if hidden else ""
    return (
        f'<a href="{_attribute(url)}" rel="{REL}"><span class="invisible">{_literal(prefix)}</span>'
        f'<span{ending}>{_literal(shown)}</span><span class="invisible">{_literal(hidden)}</span></a>'
    )


def _attribute(value: str) -> str:
    return escape(
        value.replace("<", "%3C").replace(">", "%3E").replace('"', "%22").replace(" ", "%20"), quote=False
    )
