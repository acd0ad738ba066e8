"""Our node and Fedify as live peers: what one does, and waiting until the other has seen it."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from random import Random
from typing import Any, TypeVar

from aiohttp import web
from sqlalchemy import RowMapping

from esnfed.app import create_app, open_node, system_clock
from esnfed.context import Context
from esnfed.models import follow, inbox_message
from esnfed.services import nodes
from esnfed.services.actors import NewKeys
from tests.conftest import MakeRuntime, Prepare
from tests.doubles.authority import Authority
from tests.federation.network import Keys, LiveNode
from tests.oracles.fedify.process import Fedify, fedify

DEADLINE = 30.0
"""Seconds after which what should have come has not come."""

PAUSE = 0.01

Found = TypeVar("Found")
Entry = dict[str, Any]


@dataclass(slots=True)
class Scene:
    """Lyon, where Amina lives, and Fedify, which knocks with `scheme` first."""

    lyon: LiveNode
    amina: int
    fedify: Fedify
    scheme: str

    async def until(self, look: Callable[[], Awaitable[Found | None]]) -> Found:
        """Turn the workers of Lyon until `look` finds something; AssertionError with Fedify's troubles."""
        end = asyncio.get_running_loop().time() + DEADLINE
        while asyncio.get_running_loop().time() < end:
            while await self.lyon.turn():
                pass
            found = await look()
            if found:
                return found
            await asyncio.sleep(PAUSE)
        troubles = await self.fedify.ask("troubles")
        requests = await self.fedify.ask("requests")
        raise AssertionError(f"It never came. Fedify says: {troubles} {requests}")

    async def arrival(self, as_type: str, number: int = 1) -> Entry:
        """What Fedify understood of the n-th activity of a type that reached it."""

        async def look() -> Entry | None:
            found = [entry for entry in await self.fedify.ask("received") if entry["type"] == as_type]
            return found[number - 1] if len(found) >= number else None

        return await self.until(look)

    async def applied(self, activity: str) -> RowMapping:
        """The message row of an activity of Fedify's, once Lyon has done what it says."""

        async def look() -> RowMapping | None:
            rows = await self.lyon.rows(inbox_message, uri=activity)
            return rows[0] if rows and rows[0]["state"] != "waiting" else None

        row = await self.until(look)
        assert row["state"] == "done", (row["state"], row["note"])
        return row

    async def scheme_of(self, entry: Entry) -> str:
        """How the one request was signed that brought Fedify an activity."""
        found = [asked for asked in await self.fedify.ask("requests") if asked["id"] == entry["id"]]
        assert [asked["status"] for asked in found] == [202], found
        return str(found[0]["scheme"])

    async def paul(self) -> int:
        """Fedify's person as a row of ours."""
        return await self.lyon.find(self.fedify.handle)

    async def uri(self, actor_id: int) -> str:
        """The id of one of our actors."""
        return str((await self.lyon.row(actor_id))["uri"])

    async def followed_by_fedify(self, actor_id: int | None = None) -> str:
        """Let Fedify follow Amina, or another; return the id of its Follow, which Lyon has accepted."""
        asked: str = await self.fedify.ask("follow", name=await self.uri(actor_id or self.amina))
        await self.applied(asked)
        await self.arrival("Accept")
        return asked

    async def following_fedify(self) -> Entry:
        """Let Amina follow Paul, and Fedify accept; return what Fedify understood of the Follow."""
        await self.lyon.follow(self.amina, await self.paul())
        arrived = await self.arrival("Follow")
        await self.applied(await self.fedify.ask("accept", id=arrived["id"]))
        assert [row["state"] for row in await self.lyon.rows(follow, actor_id=self.amina)] == ["accepted"]
        return arrived

    async def fedify_posts(self, content: str) -> RowMapping:
        """Let Paul publish, whom Amina follows; return the row of the post in Lyon."""
        made = await self.fedify.ask("post", content=content)
        await self.applied(made["activity"])
        row = await self.lyon.status(made["object"])
        assert row is not None
        return row


@asynccontextmanager
async def live_node(runtime: MakeRuntime, prepare: Prepare, authority: Authority) -> AsyncIterator[LiveNode]:
    """A node under the authority `localhost:<port>`, on real time, as Fedify has it; its socket comes first.

    Its workers are turned by hand.
    """
    with socket.create_server(("127.0.0.1", 0)) as door:
        domain = f"localhost:{door.getsockname()[1]}"
        made = await prepare(runtime(domain=domain, name="Lyon", tls_authority=authority.path))
        async with AsyncExitStack() as stack:
            opening = open_node(made.config, clock=system_clock, random=Random(domain))
            node, keys = await stack.enter_async_context(opening), Keys()
            await node.database.write(_create_node, keys())
            await node.refresh_signer()
            runner = web.AppRunner(create_app(node, workers=False))
            await runner.setup()
            stack.push_async_callback(runner.cleanup)
            await web.SockSite(runner, door, ssl_context=authority.server_context("localhost")).start()
            yield LiveNode(node, keys, runner, stack)


def _create_node(context: Context, keys: NewKeys) -> int:
    return nodes.create_node(context, keys=keys)


@asynccontextmanager
async def open_scene(
    runtime: MakeRuntime, prepare: Prepare, folder: Path, scheme: str, keys: Path
) -> AsyncIterator[Scene]:
    """Both peers, up for the length of a block; at its end Fedify must have had no trouble.

    `keys` is a file for the keys of Fedify's person, the same for a whole run: making them takes seconds.
    """
    authority = Authority(folder)
    async with (
        live_node(runtime, prepare, authority) as lyon,
        fedify(folder / "fedify", authority, scheme, keys) as other,
    ):
        yield Scene(lyon, await lyon.actor("amina"), other, scheme)
        assert await other.ask("troubles") == []
