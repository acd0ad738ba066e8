"""What the demonstration tells, read from data/*.json: nodes, people, follows, posts, records."""

from __future__ import annotations

from functools import cache
from importlib.resources import files
from typing import Any, TypeVar

import msgspec

from esnfed.services.users import Role
from esnfed.vocab.addressing import Visibility

Texts = dict[str, str]
"""A text by language, the primary one first."""

Shape = TypeVar("Shape")


class Organisation(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The organisation that runs a node. `summary` is HTML."""

    handle: str
    name: str
    summary: str
    fields: list[dict[str, str]]


class Person(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A person with an account; nobody real. `locked`: answers every follow by hand."""

    handle: str
    name: str
    language: str
    summary: str
    role: Role = "member"
    locked: bool = False


class Home(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One node: its settings, its organisation and its people. `key` is its host name under localhost."""

    key: str
    name: str
    description: str
    organisation_type: str
    languages: list[str]
    organisation: Organisation
    people: list[Person]


class Cast(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Everybody, and who follows whom. Somebody is written `handle@key`."""

    nodes: list[Home]
    follows: list[tuple[str, str]]


class Post(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A post; `reply_to` is the key of another post or of a record."""

    key: str
    author: str
    texts: Texts
    visibility: Visibility = "public"
    reply_to: str | None = None

    @property
    def source(self) -> str:
        """The text in its primary language, by which the post is found again."""
        return next(iter(self.texts.values()))


class Announcement(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A record. `starts`, `ends` and `closes` are days from its announcement; `about` is another's key."""

    key: str
    owner: str
    kind: str
    sheet: dict[str, Any]
    starts: int | None = None
    ends: int | None = None
    closes: int | None = None
    about: str | None = None


class Story(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What is told at the first start; the last post of all says that everything before it is there."""

    posts: list[Post]
    likes: list[tuple[str, str]]
    boosts: list[tuple[str, str]]


class Repertoire(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What people go on to say and do, by language; {place} and {number} vary."""

    places: dict[str, list[str]]
    posts: dict[str, list[str]]
    replies: dict[str, list[str]]
    additions: dict[str, list[str]]
    mottos: dict[str, list[str]]
    results: list[Texts]
    calls: list[dict[str, Any]]


def _read(name: str, shape: type[Shape]) -> Shape:
    text = files("esnfed.cli.demonstration").joinpath("data", f"{name}.json").read_bytes()
    return msgspec.json.decode(text, type=shape)


@cache
def cast() -> Cast:
    """Return the nodes and everybody on them."""
    return _read("network", Cast)


@cache
def story() -> Story:
    """Return the posts, likes and boosts of the first start."""
    return _read("posts", Story)


@cache
def announcements() -> list[Announcement]:
    """Return the records of the first start, in order: what is pointed at comes first."""
    return _read("records", list[Announcement])


@cache
def repertoire() -> Repertoire:
    """Return what may happen from then on."""
    return _read("repertoire", Repertoire)


def split(somebody: str) -> tuple[str, str]:
    """Return (handle, key of the node) of `handle@key`."""
    handle, _, key = somebody.partition("@")
    return handle, key
