"""Demo nodes over plain HTTP on loopback, as `http://name.localhost:port`, their workers turned by hand."""

from __future__ import annotations

import shutil
import socket
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from random import Random
from typing import Any

from aiohttp import web

from esnfed.app import create_app, open_node
from esnfed.config import Config
from esnfed.context import Context
from esnfed.database import database_path
from esnfed.records import service
from esnfed.services import nodes
from tests.federation.network import Keys, LiveNode

MAX_TURNS = 60


class Places:
    """A small network on one machine, as the demo has it: Chromium finds *.localhost by itself."""

    def __init__(self, folder: Path, template: Path, clock: Callable[[], int], stack: AsyncExitStack) -> None:
        self._folder = folder
        self._template = template
        self._clock = clock
        self._stack = stack
        self._keys = Keys()
        self.nodes: list[LiveNode] = []

    async def node(self, host: str, **settings: Any) -> LiveNode:
        """Start a node on a free port."""
        listener = socket.socket()
        listener.bind(("127.0.0.1", 0))
        domain = f"{host}.localhost:{listener.getsockname()[1]}"
        config = Config(domain=domain, data_dir=self._folder / host, environment="demo", **settings)
        config.data_dir.mkdir()
        shutil.copyfile(self._template, database_path(config))
        opened = open_node(config, clock=self._clock, random=Random(host))
        node = await self._stack.enter_async_context(opened)
        await node.database.write(_create_node, self._keys)
        await node.refresh_signer()
        runner = web.AppRunner(create_app(node, workers=False), access_log=None)
        await runner.setup()
        self._stack.push_async_callback(runner.cleanup)
        await web.SockSite(runner, listener).start()
        live = LiveNode(node, self._keys, runner, self._stack)
        self.nodes.append(live)
        return live

    async def settle(self) -> None:
        """Turn the workers of all nodes until nothing moves."""
        for _ in range(MAX_TURNS):
            if not any([await live.turn() for live in self.nodes]):
                return
        raise AssertionError("the network never came to rest")


def _create_node(context: Context, keys: Keys) -> int:
    return nodes.create_node(context, keys=keys())


async def announce(live: LiveNode, owner: int, kind: str, sheet: dict[str, Any]) -> int:
    """Announce a record; return its id."""
    plan = await live.read(service.prepare_announcement, owner, kind, sheet)
    return int(await live.write(service.apply_announcement, plan))


async def close(live: LiveNode, owner: int, record_id: int) -> None:
    """Close a record."""
    plan = await live.read(service.prepare_closing, owner, record_id)
    await live.write(service.apply_revision, plan)


@asynccontextmanager
async def open_places(folder: Path, template: Path, clock: Callable[[], int]) -> AsyncIterator[Places]:
    """A network without nodes yet; all are closed at the end."""
    async with AsyncExitStack() as stack:
        yield Places(folder, template, clock, stack)
