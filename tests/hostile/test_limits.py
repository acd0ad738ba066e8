"""Mastodon's caps on every inbound string and list (federation.md A1), through the inbox and the real store."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
from sqlalchemy import Table

from esnfed.errors import EsnfedError
from esnfed.models import (
    actor,
    actor_key,
    inbox_message,
    media_attachment,
    mention,
    poll,
    status,
    status_tag,
    tag,
)
from esnfed.objects import parts
from esnfed.vocab import parse
from esnfed.vocab.terms import PUBLIC
from tests.federation.peer import PEM, Document
from tests.hostile.scene import Scene

LONG = "é" * 150_000
MANY = 5_000
URI = "https://evil.esn.test/"
LONG_URI = URI + "x" * 3_000


def many(make: Callable[[int], Any]) -> list[Any]:
    """A long list."""
    return [make(number) for number in range(MANY)]


def picture(number: int) -> Document:
    """An attachment."""
    return {"type": "Image", "mediaType": "image/png", "url": f"{URI}{number}.png", "name": "x"}


Measure = Callable[[Any], int]


def characters(value: Any) -> int:
    """Characters of a text, none counts as 0."""
    return len(value or "")


def longest(value: Any) -> int:
    """Characters of the longest text inside."""
    if isinstance(value, str):
        return len(value)
    inner = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    return max(map(longest, inner), default=0)


FIELD = {"type": "PropertyValue", "name": "a", "value": "b"}
EMOJI = {"type": "Emoji", "icon": {"type": "Image", "url": f"{URI}e.png"}}
ACTOR_CASES: list[tuple[str, Any, str, Measure, int]] = [
    ("name", LONG, "name", characters, 2_048),
    ("summary", LONG, "summary", characters, 20_100),
    ("summary", "<a href='https://x.example/'>" * 9_000, "summary", characters, 250_000),
    ("attachment", [FIELD] * MANY, "fields", len, 50),
    ("attachment", [FIELD | {"name": LONG}], "fields", longest, 2_047),
    ("attachment", [FIELD | {"value": LONG}], "fields", longest, 2_047),
    ("alsoKnownAs", many(lambda number: f"{URI}{number}"), "also_known_as", len, 256),
    ("alsoKnownAs", [LONG_URI], "also_known_as", len, 0),
    ("attributionDomains", many(lambda number: f"d{number}.example"), "attribution_domains", len, 256),
    ("attributionDomains", ["x" * 300], "attribution_domains", len, 0),
    ("tag", many(lambda number: EMOJI | {"name": f":e{number}:"}), "emojis", len, 64),
    ("tag", [EMOJI | {"name": f":{LONG}:"}], "emojis", longest, 100),
    ("icon", {"url": f"{URI}i.png", "summary": LONG}, "icon_description", characters, 1_500),
    ("icon", {"url": LONG_URI}, "icon_url", characters, 0),
    ("image", [{"url": f"{URI}i.png", "name": LONG}], "image_description", characters, 1_500),
    ("url", LONG_URI, "url", characters, 2_048),
    ("outbox", LONG_URI, "outbox", characters, 0),
    ("followers", LONG_URI, "followers_uri", characters, 0),
    ("featured", LONG_URI, "featured_uri", characters, 0),
    ("movedTo", LONG_URI, "moved_to_uri", characters, 0),
    ("endpoints", {"sharedInbox": LONG_URI}, "shared_inbox", characters, 0),
    ("published", "9" * 50_000, "created_at", lambda value: int(value > 1 << 47), 0),
    (
        "updated",
        "2026-01-01T00:00:00" + "0" * 9_999 + "Z",
        "updated_at",
        lambda value: int(value > 1 << 47),
        0,
    ),
]


async def test_caps_of_actors(scene: Scene) -> None:
    for number, (key, value, column, measure, cap) in enumerate(ACTOR_CASES):
        changed = scene.mallory | {"updated": parse.iso(scene.network.now())}
        await scene.send(scene.evil.activity(scene.mallory, "Update", changed | {key: value}))
        row = await scene.dakar.row(await scene.dakar.find(scene.mallory["id"]))
        assert measure(row[column]) <= cap, (number, key, measure(row[column]))
        if cap and measure is len:
            assert measure(row[column]) == cap, (number, key)  # cut, not dropped as a whole
    assert await scene.stuck() == []
    for key, value in (
        ("preferredUsername", "x" * 2_049),
        ("inbox", LONG_URI),
        ("preferredUsername", ""),
        ("inbox", []),
    ):
        refused = scene.evil.actor("refused")
        scene.evil.serve(refused | {key: value})
        scene.network.advance(400_000)
        with pytest.raises(EsnfedError):
            await scene.dakar.find(refused["id"])
    assert [row for row in await scene.dakar.rows(actor) if row["uri"].endswith("/refused")] == []
    handle = "x" * 2_048
    scene.evil.serve(scene.evil.actor("lang") | {"preferredUsername": handle})
    scene.network.advance(400_000)
    assert (await scene.dakar.row(await scene.dakar.find(f"{URI}users/lang")))["handle"] == handle


async def test_caps_of_keys(scene: Scene) -> None:
    """Ten of each kind are read at most; each of another size, kind or length than ours is left out."""
    uri = scene.mallory["id"]
    keys = [{"id": f"{uri}#k{number}", "owner": uri, "publicKeyPem": PEM} for number in range(1_000)]
    for changes in (
        {"publicKey": keys},
        {"publicKey": [{"id": f"{uri}#long", "owner": uri, "publicKeyPem": PEM + LONG}]},
    ):
        await scene.send(scene.evil.activity(scene.mallory, "Update", scene.mallory | changes))
    mine = await scene.dakar.find(uri)
    assert len(await scene.dakar.rows(actor_key, actor_id=mine)) <= 11
    assert [row for row in await scene.dakar.rows(actor_key) if row["uri"] == f"{uri}#long"] == []


LANGUAGES = [f"{a}{b}" for a in "abcdefghijklmnopqrstuvwxyz" for b in "abcdefghij"]
PAUL = "PAUL"
NOTE_CASES: list[tuple[Document, Table, str, Measure, int]] = [
    ({"content": LONG}, status, "content", characters, 100_000),
    ({"content": "<b>" * 60_000}, status, "content", characters, 200_000),
    ({"summary": LONG}, status, "summary", characters, 5_000),
    ({"contentMap": dict.fromkeys(LANGUAGES, "x")}, status, "content_map", len, 16),
    ({"contentMap": {"fr": LONG, "en": "x"}}, status, "content_map", longest, 100_000),
    ({"contentMap": {"x" * 9_999: "x", "fr": "y", "en": "z"}}, status, "content_map", len, 2),
    ({"url": LONG_URI}, status, "url", characters, 2_048),
    ({"inReplyTo": LONG_URI}, status, "in_reply_to_uri", characters, 0),
    ({"context": LONG_URI}, status, "context_uri", characters, 0),
    ({"conversation": LONG}, status, "context_uri", characters, 500),
    ({"type": "Article", "name": LONG}, status, "title", characters, 500),
    ({"type": "Article", "summary": LONG}, status, "summary", characters, 5_000),
    ({"type": "Event", "location": [{"name": LONG}]}, status, "facts", longest, 500),
    ({"type": "Event", "timezone": LONG}, status, "facts", longest, 64),
    ({"type": "Page", "attachment": [{"type": "Link", "href": LONG_URI}]}, status, "facts", longest, 0),
    (
        {"tag": many(lambda number: EMOJI | {"name": f":e{number}:"})},
        status,
        "emojis",
        lambda value: len(value or ()),
        64,
    ),
    ({"attachment": [picture(0) | {"name": LONG}]}, media_attachment, "description", characters, 10_000),
    ({"attachment": [picture(0) | {"mediaType": LONG}]}, media_attachment, "media_type", characters, 100),
    ({"attachment": [picture(0) | {"blurhash": LONG}]}, media_attachment, "blurhash", characters, 128),
    (
        {"attachment": [picture(0) | {"width": 10**30}]},
        media_attachment,
        "width",
        lambda value: value or 0,
        0,
    ),
    ({"type": "Question", "oneOf": [{"type": "Note", "name": LONG}]}, poll, "options", longest, 500),
    ({"type": "Question", "oneOf": many(lambda number: {"name": f"o{number}"})}, poll, "options", len, 20),
]
COUNTED: list[tuple[Document, Table, int]] = [
    ({"attachment": many(picture)}, media_attachment, parts.MAX_ATTACHMENTS),
    ({"type": "Article", "image": many(picture)}, media_attachment, 4),
    ({"tag": many(lambda number: {"type": "Hashtag", "name": f"#t{number}"})}, status_tag, parts.MAX_TAGS),
    ({"tag": many(lambda _: {"type": "Mention", "href": PAUL})}, mention, 1),
    ({"to": [PUBLIC] * MANY, "cc": [PAUL] * MANY}, mention, 0),
]


def created(scene: Scene, name: str, changes: Document) -> Document:
    """A Create of a note with these properties."""
    note = scene.evil.note(scene.mallory, name) | changes
    return scene.evil.activity(scene.mallory, "Create", note)


async def test_caps_of_posts(scene: Scene) -> None:
    paul = await scene.uri(scene.dakar, scene.paul)
    for number, (changes, table, column, measure, cap) in enumerate(NOTE_CASES):
        name = f"n{number}"
        await scene.send(created(scene, name, changes))
        post = await scene.dakar.one(status, uri=f"{scene.evil.origin}/notes/{name}")
        where = {"id": post["id"]} if table is status else {"status_id": post["id"]}
        [row] = await scene.dakar.rows(table, **where)
        found = measure(row[column]) if row[column] is not None else 0
        assert found <= cap, (changes.keys(), found)
        if cap and measure is len:
            assert found == cap, changes.keys()
    for number, (changes, table, cap) in enumerate(COUNTED):
        name = f"c{number}"
        told = json.loads(json.dumps(changes).replace(PAUL, paul))
        await scene.send(created(scene, name, told))
        post = await scene.dakar.one(status, uri=f"{scene.evil.origin}/notes/{name}")
        assert len(await scene.dakar.rows(table, status_id=post["id"])) == cap, changes.keys()
    assert max(len(row["name"]) for row in await scene.dakar.rows(tag)) <= 200
    assert await scene.stuck() == []


async def test_caps_of_activities(scene: Scene) -> None:
    """Ids over 2,048 characters are refused; a type, or a sender, of any length leaves no row of that length."""
    key_uri = scene.mallory["publicKey"]["id"]
    for changes, status_ in (
        ({"id": LONG_URI}, 400),
        ({"actor": LONG_URI}, 400),
        ({"type": "x" * 5_000}, 400),
        ({"type": "y" * 100}, 202),
        ({"object": LONG_URI}, 202),
        ({"object": [LONG_URI] * 200}, 202),
        ({"to": [LONG_URI] * 200, "cc": LONG_URI}, 202),
        ({"published": "x" * 50_000}, 202),
    ):
        activity = scene.evil.activity(scene.mallory, "Like", "https://dakar.esn.test/ap/objects/1") | changes
        assert await scene.evil.post(scene.dakar, activity, key_uri=key_uri) == status_, changes
    await scene.network.settle()
    assert max(len(row["uri"]) for row in await scene.dakar.rows(inbox_message)) <= 2_048
    assert await scene.stuck() == []


INNER: list[tuple[bytes, int]] = [
    (b"[" * 60 + b"]" * 60, 202),
    (b"[" * 70 + b"]" * 70, 400),
    (b'{"a": ' * 200 + b"1" + b"}" * 200, 400),
    (b"[" * 200_000 + b"]" * 200_000, 400),
    (b'"' + b"x" * 1_048_570 + b'"', 413),
    (b"[" + b"{}," * 40_000 + b"{}]", 202),
    (b"[" + b"{}," * 60_000 + b"{}]", 400),
    (b"1" + b"0" * 500_000, 400),
    (b"NaN", 400),
]


async def test_depth_and_size_of_json(scene: Scene) -> None:
    """Each stands inside an activity that is otherwise good: 64 levels, 50,000 objects and lists, a megabyte."""
    for inner, answer in INNER:
        like = json.dumps(scene.evil.activity(scene.mallory, "Like", "https://dakar.esn.test/ap/objects/1"))
        body = like[:-1].encode() + b', "x": ' + inner + b"}"
        found = await scene.evil.post(scene.dakar, body, key_uri=scene.mallory["publicKey"]["id"])
        assert found == answer, (inner[:20], found)
