"""The first start: everybody, their follows, posts and records. Every step looks whether it was done before.

What was done is read from the databases, so a seeding that was interrupted goes on where it stopped. The
story's last post is written last of all; where it stands, nothing is seeded again.
"""

from __future__ import annotations

import asyncio
import json
import secrets
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from esnfed.app import Node
from esnfed.cli.accounts import new_keys
from esnfed.cli.demonstration import deeds
from esnfed.cli.demonstration.plan import write_private
from esnfed.cli.demonstration.script import (
    Announcement,
    Organisation,
    Person,
    Post,
    announcements,
    cast,
    split,
    story,
)
from esnfed.cli.demonstration.stage import PATIENCE, Stage
from esnfed.cli.output import report
from esnfed.i18n import N_
from esnfed.records import operations
from esnfed.services.users import hash_password
from esnfed.vocab import paths

PASSWORDS = "passwords.json"
PASSWORD_BYTES = 12

Step = Callable[[], Awaitable[bool]]
"""One step: True when it is done or was done before, False when it must wait for the next start."""


class Seeding:
    """Fills a stage once. `folder` is the data folder, for the passwords of the people made."""

    def __init__(self, stage: Stage, folder: Path) -> None:
        self._stage = stage
        self._passwords = folder / PASSWORDS

    async def is_done(self) -> bool:
        """Say whether the last post of the story stands."""
        return await self._post_id(story().posts[-1]) is not None

    async def run(self) -> bool:
        """Do every step that is missing; False when something has not arrived yet and was left out."""
        if await self.is_done():
            return True
        *posts, last = story().posts
        done = [
            await self._all(N_("People"), self._people()),
            await self._all(N_("Follows"), [self._follow(*pair) for pair in cast().follows]),
            await self._all(N_("Records"), [self._announce(each) for each in announcements()]),
            await self._all(N_("Posts"), [self._publish(each) for each in posts]),
            await self._all(
                N_("Likes and boosts"),
                [self._react(deeds.like, *pair) for pair in story().likes]
                + [self._react(deeds.boost, *pair) for pair in story().boosts],
            ),
        ]
        return all(done) and await self._publish(last)()

    async def _all(self, text: str, steps: list[Step]) -> bool:
        complete = True
        for number, step in enumerate(steps, 1):
            complete &= await step()
            report(text, number, len(steps))
        return complete

    def _people(self) -> list[Step]:
        found: list[Step] = []
        for home in cast().nodes:
            node = self._stage.nodes[home.key]
            found.append(_step(self._organisation, node, home.organisation))
            found += [_step(self._person, node, person) for person in home.people]
        return found

    async def _organisation(self, node: Node, organisation: Organisation) -> bool:
        if not await node.database.read(deeds.has_actor, organisation.handle):
            keys = await asyncio.to_thread(new_keys)
            await node.database.write(deeds.found_organisation, organisation, keys)
        return True

    async def _person(self, node: Node, person: Person) -> bool:
        if not await node.database.read(deeds.has_actor, person.handle):
            password = self._password(f"{person.handle}@{node.config.account_domain}")
            hashed = await asyncio.to_thread(hash_password, password)
            keys = await asyncio.to_thread(new_keys)
            await node.database.write(deeds.welcome, person, hashed, keys)
        return True

    def _password(self, account: str) -> str:
        """Return the password kept for an account; a new one is written down before anybody has it."""
        known = json.loads(self._passwords.read_text()) if self._passwords.exists() else {}
        if account not in known:
            known[account] = secrets.token_urlsafe(PASSWORD_BYTES)
            write_private(self._passwords, json.dumps(known, indent=2) + "\n")
        return str(known[account])

    def _follow(self, who: str, whom: str) -> Step:
        async def step() -> bool:
            key = split(who)[1]
            pair = await self._stage.find(key, who), await self._stage.find(key, whom)
            if await self._stage.nodes[key].database.write(deeds.ask_to_follow, *pair):
                await self._stage.settle(PATIENCE)
            return True

        return step

    def _announce(self, each: Announcement) -> Step:
        async def step() -> bool:
            handle, key = split(each.owner)
            node = self._stage.nodes[key]
            if await node.database.read(deeds.record_of, handle, each.sheet["title"]) is None:
                sheet = each.sheet | dates(each, node.runtime.clock())
                if each.about:
                    sheet["about"] = await self._address(each.about)
                await operations.announce(node, owner=handle, kind=each.kind, sheet=sheet)
                await self._stage.settle(PATIENCE)
            return True

        return step

    def _publish(self, post: Post) -> Step:
        async def step() -> bool:
            if await self._post_id(post) is not None:
                return True
            handle, key = split(post.author)
            parent = await self._here(key, post.reply_to) if post.reply_to else None
            if post.reply_to and parent is None:
                return False
            write = self._stage.nodes[key].database.write
            await write(deeds.write_post, handle, post.texts, post.visibility, parent)
            await self._stage.settle(PATIENCE)
            return True

        return step

    def _react(self, deed: Callable[..., bool], who: str, what: str) -> Step:
        async def step() -> bool:
            handle, key = split(who)
            status_id = await self._here(key, what)
            if status_id is None:
                return False
            if await self._stage.nodes[key].database.write(deed, handle, status_id):
                await self._stage.settle(PATIENCE)
            return True

        return step

    async def _here(self, key: str, what: str) -> int | None:
        """Return the row id on node `key` of a post or record of the story, None while it is not there."""
        address = await self._address(what)
        if address is None:
            return None
        return await self._stage.nodes[key].database.read(deeds.status_at, address)

    async def _address(self, what: str) -> str | None:
        """Return the address of a post or record of the story, by its key; None before it is written."""
        for post in story().posts:
            if post.key == what:
                return self._uri(post.author, await self._post_id(post))
        for each in announcements():
            if each.key == what:
                handle, key = split(each.owner)
                read = self._stage.nodes[key].database.read
                return self._uri(each.owner, await read(deeds.record_of, handle, each.sheet["title"]))
        return None

    def _uri(self, author: str, status_id: int | None) -> str | None:
        origin = self._stage.nodes[split(author)[1]].config.origin
        return None if status_id is None else paths.object_(origin, status_id)

    async def _post_id(self, post: Post) -> int | None:
        handle, key = split(post.author)
        return await self._stage.nodes[key].database.read(deeds.post_of, handle, post.source)


def _step(function: Callable[..., Awaitable[bool]], *arguments: Any) -> Step:
    async def step() -> bool:
        return await function(*arguments)

    return step


def dates(each: Announcement, now: int) -> dict[str, str]:
    """Return the dates of a record's sheet, counted from `now` in milliseconds."""
    today = datetime.fromtimestamp(now / 1000, UTC).date()
    days = {"plannedStart": each.starts, "plannedEnd": each.ends, "closes": each.closes}
    return {name: str(today + timedelta(days=number)) for name, number in days.items() if number is not None}
