"""The example of FEDERATION.md: a call as the program sends it; `python -m tests.docs.example` prints it."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Callable
from pathlib import Path
from random import Random
from tempfile import TemporaryDirectory
from typing import Any

import orjson

from esnfed import records
from esnfed.bus import Bus
from esnfed.config import Config
from esnfed.context import Context, Runtime
from esnfed.database import Database, migrate
from esnfed.ids import IdGenerator
from esnfed.objects import note
from esnfed.records import presentation, query, service
from esnfed.services import actors, statuses
from tests.doubles.clock import Clock

REGISTERS = records
"""Imported so that the extension and the kinds are there."""

SHEET: dict[str, Any] = {
    "title": {"fr": "Mesurer le bruit à l'école", "en": "Measuring noise at school"},
    "summary": {
        "fr": "Nous cherchons trois écoles pour mesurer le bruit pendant un an.",
        "en": "We look for three schools to measure noise for a year.",
    },
    "languages": {"fr": "original", "en": "human"},
    "territories": ["BF", "FR"],
    "themes": ["occupational-health"],
    "sdg": ["3"],
    "wanted": "partner",
    "closes": "2026-06-30",
    "places": 3,
    "contacts": [
        {"role": "projects", "email": "projets@union.example.org", "audience": "public"},
        {"role": "general", "name": "Awa Traoré"},
    ],
}
_KEYS = actors.NewKeys(b"rsa public", b"rsa private", b"ed25519 public", b"ed25519 private")


def _announce(context: Context) -> int:
    owner = actors.create(context, as_type="Organization", handle="union", keys=_KEYS)
    return service.apply_announcement(context, service.prepare_announcement(context, owner, "call", SHEET))


def _document(context: Context) -> dict[str, Any]:
    return note.to_document(context, statuses.by_id(context, _announce(context)))


def _entry(context: Context, whole: bool) -> dict[str, Any]:
    row = query.one(context, _announce(context))
    return presentation.whole(row) if whole else presentation.entry(row)


async def make() -> dict[str, Any]:
    """Return the Note of a call that an organisation announces on a node of its own."""
    return await _on_a_node(_document)


async def make_entry(*, whole: bool = False) -> dict[str, Any]:
    """Return the same call as the board lists it, or whole."""
    return await _on_a_node(_entry, whole)


async def _on_a_node(fn: Callable[..., dict[str, Any]], *args: Any) -> dict[str, Any]:
    with TemporaryDirectory() as folder:
        config = Config(domain="union.example.org", data_dir=Path(folder))
        clock, random = Clock(), Random(1)
        runtime = Runtime(config, clock, random, IdGenerator(clock, random))
        await migrate(config)
        database = await Database.open(runtime, Bus())
        try:
            return await database.write(fn, *args)
        finally:
            await database.close()


def abridged(document: dict[str, Any]) -> dict[str, Any]:
    """Return a document without its long texts, which change with every better translation."""
    shown = [tag for tag in document["tag"] if tag["name"] in {"#BurkinaFaso", "#SDG3"}]
    cut = {"content": "...", "contentMap": dict.fromkeys(document["contentMap"], "..."), "tag": shown}
    return {key: cut.get(key, value) for key, value in document.items()}


def text(document: dict[str, Any]) -> str:
    """Return a document as it stands in the page."""
    return orjson.dumps(document, option=orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE).decode()


if __name__ == "__main__":
    sys.stdout.write(text(abridged(asyncio.run(make()))))
