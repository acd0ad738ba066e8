"""Live nodes in one process: real applications over TLS on loopback, their workers turned by hand."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from functools import cache
from random import Random
from typing import Any

from aiohttp import web
from sqlalchemy import RowMapping, Table, select

from esnfed.app import Node, create_app, open_node
from esnfed.config import Config
from esnfed.context import Context
from esnfed.federation.keys import generate_ed25519, generate_rsa
from esnfed.models import status
from esnfed.services import actors, follows, interactions, nodes, removal, statuses, timelines
from esnfed.services.actors import NewKeys
from esnfed.services.statuses import Draft
from esnfed.vocab.addressing import Visibility
from tests.conftest import MakeRuntime, Prepare
from tests.doubles.authority import Authority

MAX_TURNS = 60


@cache
def _pairs(number: int) -> tuple[Any, Any]:
    return generate_rsa(), generate_ed25519()


class Keys:
    """Key material for test actors: RSA keys are dear to make, so the process makes a few and shares them."""

    def __init__(self) -> None:
        self._next = 0

    def __call__(self) -> NewKeys:
        self._next += 1
        rsa, ed25519 = _pairs(self._next % 12)
        return NewKeys(rsa.public_der, rsa.private_der, ed25519.public_der, ed25519.private_der)


@dataclass(slots=True)
class LiveNode:
    """One running node of a test, with short words for what its people do."""

    node: Node
    keys: Keys
    runner: web.AppRunner
    stack: AsyncExitStack
    """What closes it: the listener, then the database."""

    @property
    def domain(self) -> str:
        """Its authority."""
        return self.node.config.domain

    @property
    def origin(self) -> str:
        """Scheme and authority."""
        return self.node.config.origin

    async def write(self, fn: Callable[..., Any], *args: Any) -> Any:
        """Run a service as a client job."""
        return await self.node.database.write(fn, *args)

    async def read(self, fn: Callable[..., Any], *args: Any) -> Any:
        """Run a query."""
        return await self.node.database.read(fn, *args)

    async def actor(self, handle: str, as_type: str = "Person", **settings: Any) -> int:
        """Make a local actor."""
        keys = self.keys()

        def make(context: Context) -> int:
            return actors.create(context, as_type=as_type, handle=handle, keys=keys, **settings)

        return int(await self.write(make))

    async def find(self, name: str) -> int:
        """Row id of an actor by `handle@domain` or address, fetched when new."""
        return await self.node.discovery.actor_id(name)

    async def row(self, actor_id: int) -> RowMapping:
        """The actor row."""
        found: RowMapping = await self.read(actors.by_id, actor_id)
        return found

    async def follow(self, follower_id: int, target_id: int) -> str:
        """Follow; returns the state."""
        return str(await self.write(_with_rows, follows.follow_actor, follower_id, target_id))

    async def unfollow(self, follower_id: int, target_id: int) -> bool:
        """Unfollow."""
        return bool(await self.write(_with_rows, follows.unfollow, follower_id, target_id))

    async def post(
        self, actor_id: int, text: str, *, visibility: Visibility = "public", **settings: Any
    ) -> int:
        """Publish a post of one paragraph in French; returns its id."""
        draft = Draft(actor_id, visibility, {"fr": f"<p>{text}</p>"}, **settings)
        return int(await self.write(statuses.post, draft))

    async def revise(self, actor_id: int, status_id: int, text: str) -> None:
        """Change a post."""
        draft = Draft(actor_id, "public", {"fr": f"<p>{text}</p>"})
        await self.write(statuses.revise, status_id, draft)

    async def remove(self, actor_id: int, status_id: int) -> None:
        """Delete a post."""
        await self.write(statuses.remove, status_id, actor_id)

    async def interact(self, name: str, actor_id: int, status_id: int) -> Any:
        """Call `like`, `unlike`, `boost` or `unboost`."""
        return await self.write(_interact, name, actor_id, status_id)

    async def status(self, uri: str) -> RowMapping | None:
        """The status row with this id on the wire."""
        found: RowMapping | None = await self.read(_one, status, {"uri": uri})
        return found

    async def one(self, table: Table, **where: Any) -> RowMapping:
        """The one row of a table that matches."""
        rows = await self.rows(table, **where)
        assert len(rows) == 1, rows
        return rows[0]

    async def answer(self, name: str, target_id: int, row: RowMapping) -> bool:
        """`accept` or `reject` a follow of a local actor."""
        return bool(await self.write(_answer, name, target_id, row))

    async def edit(self, actor_id: int, **changes: Any) -> None:
        """Change a profile."""
        await self.write(_edit, actor_id, changes)

    async def delete_actor(self, actor_id: int) -> None:
        """Delete a local actor."""
        await self.write(_delete_actor, actor_id)

    async def rows(self, table: Table, **where: Any) -> list[RowMapping]:
        """All rows of a table that match."""
        found: list[RowMapping] = await self.read(_all, table, where)
        return found

    async def home(self, actor_id: int) -> list[RowMapping]:
        """The home timeline of an actor."""
        from_services: list[RowMapping] = await self.read(_home, actor_id)
        return from_services

    async def turn(self) -> bool:
        """Let every worker do one step; True when one did something."""
        moved = await self.node.inbox_worker.step()
        moved |= await self.node.delivery_worker.step()
        moved |= await self.node.errand_worker.step()
        moved |= await self.node.job_worker.step()
        await self.node.book.step()
        await self.node.inbox.first_contacts.step()
        return moved


def _with_rows(context: Context, fn: Callable[..., Any], one: int, other: int) -> Any:
    return fn(context, actors.by_id(context, one), actors.by_id(context, other))


def _interact(context: Context, name: str, actor_id: int, status_id: int) -> Any:
    by, row = actors.by_id(context, actor_id), statuses.by_id(context, status_id)
    return getattr(interactions, name)(context, by, row)


def _answer(context: Context, name: str, target_id: int, row: RowMapping) -> Any:
    return getattr(follows, name)(context, actors.by_id(context, target_id), row)


def _edit(context: Context, actor_id: int, changes: dict[str, Any]) -> None:
    actors.edit(context, actors.by_id(context, actor_id), changes)


def _delete_actor(context: Context, actor_id: int) -> None:
    removal.remove_local(context, actors.by_id(context, actor_id))


def _one(context: Context, table: Table, where: Mapping[str, Any]) -> RowMapping | None:
    rows = _all(context, table, where)
    return rows[0] if rows else None


def _all(context: Context, table: Table, where: Mapping[str, Any]) -> list[RowMapping]:
    statement = select(table).where(*(table.c[name] == value for name, value in where.items()))
    return list(context.connection.execute(statement).mappings())


def _home(context: Context, actor_id: int) -> list[RowMapping]:
    return timelines.home(context, actor_id, timelines.Cursor())


@dataclass(slots=True)
class Network:
    """Several live nodes that know each other's addresses and nobody else's."""

    runtime: MakeRuntime
    prepare: Prepare
    authority: Authority
    stack: AsyncExitStack
    hosts: dict[str, tuple[str, int]]
    nodes: list[LiveNode]
    keys: Keys

    async def node(self, name: str, **settings: Any) -> LiveNode:
        """Start a node as `name.esn.test`, or under the `domain` given."""
        settings.setdefault("domain", f"{name}.esn.test")
        made = self.runtime(name=name, hosts=self.hosts, tls_authority=self.authority.path, **settings)
        made = await self.prepare(made)
        node, stack = await self._open(made.config, made.clock, name)
        await node.database.write(_create_node, self.keys())
        await node.refresh_signer()
        live = LiveNode(node, self.keys, web.AppRunner(create_app(node, workers=False)), stack)
        self.stack.push_async_callback(self._close, live)
        await self.listen(live)
        self.nodes.append(live)
        return live

    async def _open(self, config: Config, clock: Callable[[], int], seed: str) -> tuple[Node, AsyncExitStack]:
        stack = AsyncExitStack()
        opening = open_node(config, clock=clock, random=Random(seed))
        return await stack.enter_async_context(opening), stack

    async def _close(self, live: LiveNode) -> None:
        await live.runner.cleanup()
        await live.stack.aclose()

    async def listen(self, live: LiveNode) -> None:
        """Begin to answer on a free port, under both of its names."""
        names = dict.fromkeys((live.domain, live.node.config.account_domain))
        context = self.authority.server_context(*names)
        await live.runner.setup()
        await web.TCPSite(live.runner, "127.0.0.1", 0, ssl_context=context).start()
        for name in names:
            self.hosts[name] = ("127.0.0.1", live.runner.addresses[-1][1])

    async def halt(self, live: LiveNode) -> None:
        """Stop a node: nobody listens at its port any more, its workers and its database are closed."""
        self.nodes.remove(live)
        await self._close(live)

    async def resume(self, live: LiveNode) -> None:
        """Start a halted node again, on the same data, at another port."""
        seed = f"{live.domain} again at {live.node.runtime.clock()}"
        live.node, live.stack = await self._open(live.node.config, live.node.runtime.clock, seed)
        live.runner = web.AppRunner(create_app(live.node, workers=False))
        await self.listen(live)
        self.nodes.append(live)

    def now(self) -> int:
        """The time of all nodes."""
        return int(self.nodes[0].node.runtime.clock())

    def advance(self, milliseconds: int) -> None:
        """Move the clock of all nodes forward."""
        self.nodes[0].node.runtime.clock.advance(milliseconds)  # type: ignore[attr-defined]  # the test's Clock

    async def settle(self, *nodes: LiveNode) -> None:
        """Turn the workers of these nodes (all by default) until nothing moves."""
        for _ in range(MAX_TURNS):
            moved = [await live.turn() for live in nodes or self.nodes]
            if not any(moved):
                return
        raise AssertionError("the network never came to rest")


def _create_node(context: Context, keys: NewKeys) -> int:
    return nodes.create_node(context, keys=keys)


@asynccontextmanager
async def open_network(
    runtime: MakeRuntime, prepare: Prepare, authority: Authority
) -> AsyncIterator[Network]:
    """A network without nodes yet; all are closed at the end."""
    async with AsyncExitStack() as stack:
        yield Network(runtime, prepare, authority, stack, {}, [], Keys())


__all__ = ["LiveNode", "Network", "open_network"]
