"""The three nodes of the demonstration, open and serving in this process."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from functools import partial
from random import Random

from aiohttp import web
from sqlalchemy import bindparam, exists, func, select

from esnfed.app import Node, create_app, open_node, system_clock
from esnfed.cli.accounts import new_keys
from esnfed.cli.control import ControlServer
from esnfed.cli.demonstration.plan import Plan
from esnfed.cli.demonstration.script import split
from esnfed.cli.migrate import bring_to_head
from esnfed.context import Context
from esnfed.models import activity, delivery, inbox_message
from esnfed.services import nodes
from esnfed.services.actors import NewKeys

GRACE = 5.0
"""Seconds that open requests get to finish at shutdown."""

LOOK_AGAIN = 0.05
PATIENCE = 20.0
"""Seconds that a step of the seeding waits for what it sent."""

_MOVING = select(
    exists(select(1).where(delivery.c.state == "queued", delivery.c.next_at <= bindparam("now")))
    | exists(select(1).where(inbox_message.c.state == "waiting", inbox_message.c.next_at <= bindparam("now")))
)
_ACTIVITIES = select(func.count()).select_from(activity)


@dataclass
class Stage:
    """The open nodes by key. `settle(seconds)` returns when nothing moves any more, or after that time."""

    nodes: Mapping[str, Node]
    settle: Callable[[float], Awaitable[None]]

    def key_of(self, host: str) -> str | None:
        """Return the key of the node at an authority, None for a stranger."""
        return next((key for key, node in self.nodes.items() if node.config.domain == host), None)

    def account(self, somebody: str) -> str:
        """Return the account name of `handle@key`, as another node looks it up."""
        handle, key = split(somebody)
        return f"{handle}@{self.nodes[key].config.account_domain}"

    async def find(self, key: str, somebody: str) -> int:
        """Return the row id, on node `key`, of `handle@key`; fetched from its node when it is new there."""
        return await self.nodes[key].discovery.actor_id(self.account(somebody))

    async def activities(self) -> int:
        """Return how many activities the three nodes have sent or wanted to send so far."""
        return sum([await node.database.read(_count_activities) for node in self.nodes.values()])


def _count_activities(context: Context) -> int:
    return int(context.connection.execute(_ACTIVITIES).scalar() or 0)


def _moving(context: Context) -> bool:
    return bool(context.connection.execute(_MOVING, {"now": context.now()}).scalar())


async def wait_for_rest(opened: Mapping[str, Node], patience: float) -> None:
    """Wait until no delivery and no inbox message is due on any node, `patience` seconds at most."""
    clock = asyncio.get_running_loop().time
    deadline = clock() + patience
    while clock() < deadline:
        if not any([await node.database.read(_moving) for node in opened.values()]):
            return
        await asyncio.sleep(LOOK_AGAIN)


@asynccontextmanager
async def open_stage(
    plan: Plan,
    listeners: Sequence[socket.socket],
    *,
    clock: Callable[[], int] = system_clock,
    random: Random | None = None,
    workers: bool = True,
) -> AsyncIterator[Stage]:
    """Migrate, open and serve every node of the plan; at the end stop in order, as `serve` does.

    The folders exist and their locks are held. Without `workers` somebody turns them by hand.
    """
    async with AsyncExitStack() as stack:
        opened: dict[str, Node] = {}
        for key, config in plan.configs.items():
            await bring_to_head(config)
            node = await stack.enter_async_context(open_node(config, clock=clock, random=random))
            await _stamp(node)
            opened[key] = node
        for node, listener in zip(opened.values(), listeners, strict=True):
            await _serve(stack, node, listener, workers)

        yield Stage(opened, partial(wait_for_rest, opened))


async def _stamp(node: Node) -> None:
    """Make a new database that of this node, with its Application actor."""
    if await node.database.read(nodes.get) is None:
        keys = await asyncio.to_thread(new_keys)
        await node.database.write(_create_node, keys)
        await node.refresh_signer()


def _create_node(context: Context, keys: NewKeys) -> int:
    return nodes.create_node(context, keys=keys)


async def _serve(stack: AsyncExitStack, node: Node, listener: socket.socket, workers: bool) -> None:
    runner = web.AppRunner(create_app(node, workers=workers), access_log=None, shutdown_timeout=GRACE)
    await runner.setup()
    stack.push_async_callback(runner.cleanup)
    await web.SockSite(runner, listener).start()
    control = ControlServer(node)
    await control.start()
    stack.push_async_callback(control.close)
