"""Finds links, @mentions and #tags in plain text the way Mastodon and its clients do, in linear time."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass

TAG_LENGTH_LIMIT = 100
COUNTED_URL_LENGTH = 23
"""What a link counts for in a post, however long it is (Mastodon's `characters_reserved_per_url`)."""

_SEPARATORS = "_·・‌"  # the last is the zero-width non-joiner, which Persian tags need
_CODE = r"```[\s\S]*?(?:```|\Z)|`[^`\n]+`"
_URL = r"(?<![\w/@.])[hH][tT][tT][pP][sS]?://[^\s<>\"`{}|\\^“”«»]{1,2048}"
_NAME = r"[A-Za-z0-9_]{1,64}(?:[.-]{1,8}[A-Za-z0-9_]{1,64}){0,8}"
_DOMAIN = r"\w{1,63}(?:[.-]{1,8}\w{1,63}){0,20}(?::[0-9]{2,5}(?![0-9]))?"
_FOUND = re.compile(
    rf"(?P<code>{_CODE})|(?P<url>{_URL})|(?<![=/\w])@(?P<name>{_NAME})(?:@(?P<domain>{_DOMAIN}))?(?![@\w])"
    r"|(?<![=/)\w&])(?P<tag>[#＃])"
)
_TRAILING = ".,;:!?…'’*_~。、！？，；："
_PAIRS = {")": "(", "]": "["}


@dataclass(frozen=True, slots=True)
class Link:
    """A web address in a text, from `start` to `end` (indices of characters)."""

    start: int
    end: int
    url: str


@dataclass(frozen=True, slots=True)
class Mention:
    """`@name` or `@name@domain` in a text; `domain` is empty when it was not written."""

    start: int
    end: int
    name: str
    domain: str

    @property
    def address(self) -> str:
        """`name` or `name@domain` in lower case: the key under which a mention is looked up."""
        return (f"{self.name}@{self.domain}" if self.domain else self.name).lower()


@dataclass(frozen=True, slots=True)
class Tag:
    """`#name` in a text; `name` as written, without the sign."""

    start: int
    end: int
    name: str

    @property
    def key(self) -> str:
        """The name by which tags are one: compatibility forms and case folded."""
        return unicodedata.normalize("NFKC", self.name).lower()


Entity = Link | Mention | Tag


def entities(text: str) -> Iterator[Entity]:
    """Yield links, mentions and tags in order, without overlap; none inside `code` between backquotes."""
    position = 0
    while (found := _FOUND.search(text, position)) is not None:
        entity = _entity(text, found)
        if entity is not None:
            yield entity
        position = entity.end if entity is not None else found.end()


def _entity(text: str, found: re.Match[str]) -> Entity | None:
    if found["url"]:
        return _link(found)
    if found["name"]:
        return Mention(found.start(), found.end(), found["name"], found["domain"] or "")
    if found["tag"]:
        return _tag(text, found.start())
    return None


def _link(found: re.Match[str]) -> Link | None:
    url = found["url"]
    while url[-1] in _TRAILING or (url[-1] in _PAIRS and url.count(url[-1]) > url.count(_PAIRS[url[-1]])):
        url = url[:-1]
    host = url.partition("://")[2]
    return Link(found.start(), found.start() + len(url), url) if host and host[0].isalnum() else None


def _tag(text: str, start: int) -> Tag | None:
    end = start + 1
    while end < len(text) and end - start <= TAG_LENGTH_LIMIT and _belongs(text[end]):
        end += 1
    name = text[start + 1 : end].rstrip(_SEPARATORS[1:])
    if not any(character.isalpha() for character in name):
        return None  # “#1” is a number, not a tag
    return Tag(start, start + 1 + len(name), name)


def _belongs(character: str) -> bool:
    # Marks are part of a word in Arabic or Hindi; Python's \w leaves them out.
    return character.isalnum() or character in _SEPARATORS or unicodedata.category(character)[0] == "M"


def mentions(text: str) -> list[str]:
    """Return the addresses mentioned in a text, each once, in order, to look them up before composing."""
    return list(dict.fromkeys(found.address for found in entities(text) if isinstance(found, Mention)))


def tags(text: str) -> list[str]:
    """Return the tags of a text as written, each once (by its key), in order."""
    found: dict[str, str] = {}
    for entity in entities(text):
        if isinstance(entity, Tag):
            found.setdefault(entity.key, entity.name)
    return list(found.values())


def length(text: str) -> int:
    """Return what a text counts for in a post: as in Mastodon, a link 23 characters, a mention its name."""
    total = len(text)
    for entity in entities(text):
        if isinstance(entity, Link):
            total += COUNTED_URL_LENGTH - len(entity.url)
        elif isinstance(entity, Mention) and entity.domain:
            total -= len(entity.domain) + 1
    return total
