"""Local people who post, change and delete through the control socket, and know what was confirmed."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from random import Random
from typing import Any

from tests.crash.served import Served, Unanswered


@dataclass
class Post:
    """One post as its author knows it. `doubt` names a change whose answer never came."""

    text: str
    number: int = 0
    uri: str = ""
    confirmed: bool = False
    deleted: bool = False
    doubt: str = ""
    revised: str = ""
    """The text of a change in doubt."""


class Author:
    """One local actor; nothing is ever tried twice, because whether it was done cannot be known."""

    def __init__(self, handle: str, chance: Random) -> None:
        self.handle = handle
        self.posts: list[Post] = []
        self._chance = chance

    async def write_until(self, over: asyncio.Event, served: Served) -> None:
        """Post without a pause until the event, or until the node is gone."""
        while not over.is_set():
            try:
                await self._do(served)
            except Unanswered:
                return

    async def _do(self, served: Served) -> None:
        mine = [post for post in self.posts if post.confirmed and not post.deleted and not post.doubt]
        what = self._chance.random()
        if mine and what < 0.25:
            await self._revise(served, self._chance.choice(mine[-5:]))
        elif mine and what < 0.45:
            await self._delete(served, self._chance.choice(mine[-5:]))
        else:
            await self._create(served)

    async def _create(self, served: Served) -> None:
        post = Post(f"{self.handle} {len(self.posts)}")
        self.posts.append(post)
        made = await served.ask("post-create", handle=self.handle, texts={"fr": post.text})
        post.number, post.uri, post.confirmed = int(made["id"]), made["uri"], True

    async def _revise(self, served: Served, post: Post) -> None:
        post.revised, post.doubt = f"{post.text} revised", "edit"
        await served.ask("post-edit", status_id=post.number, text=post.revised, **UNCHANGED)
        post.text, post.doubt = post.revised, ""

    async def _delete(self, served: Served, post: Post) -> None:
        post.doubt = "delete"
        await served.ask("post-delete", status_id=post.number)
        post.deleted, post.doubt = True, ""


UNCHANGED: dict[str, Any] = {"language": None, "translations": {}, "warning": None}
