"""A transport that is told what each server answers, and a node with everything that delivery needs."""

from __future__ import annotations

import asyncio
from collections import Counter, deque
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import orjson
from sqlalchemy import insert, select

from esnfed.bus import Bus
from esnfed.context import Context, Runtime
from esnfed.database import Database
from esnfed.federation.answers import Answer
from esnfed.federation.delivery import DeliveryWorker, queue
from esnfed.federation.keys import KeyPair, KeyRing
from esnfed.federation.parsed_signature import Scheme
from esnfed.federation.peers import know
from esnfed.federation.signatures import Signer, sign
from esnfed.models import activity, actor, actor_key, delivery, peer
from esnfed.vocab.authority import authority_of
from tests.doubles.clock import Clock

OBJECT = "https://node1.esn.test/ap/objects/1"


def answer(
    status: int = 202, *, text: str = "", retry_after: int | None = None, knocked: Scheme = "cavage"
) -> Answer:
    """An answer as the transport gives it."""
    return Answer(status, {}, text, retry_after, knocked)


@dataclass(frozen=True)
class Posted:
    """One POST as it left."""

    host: str
    url: str
    body: dict[str, Any]
    scheme: str | None
    digest: str | None

    @property
    def what(self) -> str:
        """Type and object in short."""
        return f"{self.body['type']} {self.body['object']}"


@dataclass
class Servers:
    """The other servers: each answers 202 until told otherwise. Signs for real, as the transport does."""

    clock: Clock
    plans: dict[str, deque[Answer | Exception]] = field(default_factory=dict)
    always: dict[str, Answer | Exception] = field(default_factory=dict)
    by_body: Callable[[Posted], Answer | Exception | None] = lambda posted: None
    gates: dict[str, asyncio.Event] = field(default_factory=dict)
    posted: list[Posted] = field(default_factory=list)
    signatures: int = 0
    under_way: Counter[str] = field(default_factory=Counter)
    most_per_host: Counter[str] = field(default_factory=Counter)
    most: int = 0
    arrived: asyncio.Event = field(default_factory=asyncio.Event)

    async def post(
        self,
        url: str,
        body: bytes,
        *,
        signer: Signer,
        scheme: Scheme | None = None,
        digest: str | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> Answer:
        """Take one delivery."""
        host = authority_of(url)
        sign(scheme or "cavage", signer, "POST", url, body, self.clock(), digest, headers)
        self.signatures += 1
        posted = Posted(host, url, orjson.loads(body), scheme, digest)
        self.posted.append(posted)
        self.arrived.set()
        self.under_way[host] += 1
        self.most_per_host[host] = max(self.most_per_host[host], self.under_way[host])
        self.most = max(self.most, self.under_way.total())
        try:
            await self.gates[host].wait() if host in self.gates else await asyncio.sleep(0)
        finally:
            self.under_way[host] -= 1
        return self._say(posted)

    def _say(self, posted: Posted) -> Answer:
        said = self.by_body(posted)
        if said is None and self.plans.get(posted.host):
            said = self.plans[posted.host].popleft()
        if said is None:
            said = self.always.get(posted.host, answer())
        if isinstance(said, Exception):
            raise said
        return said

    def sent_to(self, host: str) -> list[str]:
        """What reached a server, in order."""
        return [posted.what for posted in self.posted if posted.host == host]

    def clear(self) -> None:
        """Forget what was posted."""
        self.posted.clear()
        self.signatures = 0


class Node:
    """A node with one actor and one worker over a real database."""

    def __init__(self, database: Database, runtime: Runtime, bus: Bus, clock: Clock, key: KeyPair) -> None:
        self.database = database
        self.runtime = runtime
        self.bus = bus
        self.clock = clock
        self.key = key
        self.servers = Servers(clock)
        self.actor_id = 0
        self.worker = self.another_worker()

    def another_worker(self) -> DeliveryWorker:
        """A worker that knows nothing yet, as after a restart."""
        return DeliveryWorker(self.database, self.servers, KeyRing(), self.runtime, self.bus, fault_pause=0.0)

    async def start(self) -> Node:
        """Write the actor and its key."""
        self.actor_id = await self.database.write(_make_actor, self.key)
        return self

    async def publish(self, as_type: str, *inboxes: str, about: str = OBJECT) -> int:
        """Write an activity and queue it, in one unit of work; return its id."""
        return await self.database.write(_publish, self.actor_id, as_type, about, inboxes)

    async def rows(self, **equal: Any) -> list[Any]:
        """Rows of deliveries, by id."""
        return await self.database.read(_rows, equal)

    async def states(self, host: str) -> list[str]:
        """`Create queued`, ... of one server, by id."""
        return [f"{row.as_type} {row.state}" for row in await self.rows(host=host)]

    async def peer(self, host: str) -> Any:
        """The row of a server."""
        return await self.database.read(_peer, host)

    async def set_peer(self, host: str, **values: Any) -> None:
        """Change the row of a server by hand."""
        await self.database.write(_set_peer, host, values)


@asynccontextmanager
async def running(node: Node) -> AsyncIterator[None]:
    """The loop of the node's worker, cancelled at the end as a node does that stops."""
    loop = asyncio.create_task(node.worker.run())
    try:
        yield
    finally:
        loop.cancel()
        await asyncio.wait([loop])


def inbox(host: str) -> str:
    """The shared inbox of a server."""
    return f"https://{host}/inbox"


def _make_actor(context: Context, key: KeyPair) -> int:
    number = context.new_id()
    uri = f"https://{context.config.domain}/ap/actors/{number}"
    values = {
        "id": number, "as_type": "Organization", "local": True, "handle": f"actor{number}",
        "domain": context.config.domain, "host": context.config.domain, "uri": uri, "inbox": f"{uri}/inbox",
        "created_at": context.now(), "updated_at": context.now(),
    }  # fmt: skip
    context.connection.execute(insert(actor), values)
    keys = {
        "id": context.new_id(), "actor_id": number, "uri": f"{uri}#main-key", "kind": "rsa",
        "public_der": key.public_der, "private_der": key.private_der, "created_at": context.now(),
    }  # fmt: skip
    context.connection.execute(insert(actor_key), keys)
    return number


def _publish(context: Context, actor_id: int, as_type: str, about: str, inboxes: tuple[str, ...]) -> int:
    number = context.new_id()
    uri = f"https://{context.config.domain}/ap/activities/{number}"
    body = orjson.dumps({"id": uri, "type": as_type, "object": about}).decode()
    values = {
        "id": number, "uri": uri, "actor_id": actor_id, "as_type": as_type, "object_uri": about,
        "public": True, "body": body, "created_at": context.now(),
    }  # fmt: skip
    context.connection.execute(insert(activity), values)
    queue(context, activity_id=number, actor_id=actor_id, as_type=as_type, object_uri=about, inboxes=inboxes)
    return number


def _rows(context: Context, equal: dict[str, Any]) -> list[Any]:
    found = select(delivery).order_by(delivery.c.id)
    for name, value in equal.items():
        found = found.where(delivery.c[name] == value)
    return list(context.connection.execute(found).all())


def _peer(context: Context, host: str) -> Any:
    return context.connection.execute(select(peer).where(peer.c.host == host)).one_or_none()


def _set_peer(context: Context, host: str, values: dict[str, Any]) -> None:
    know(context, (host,))
    context.connection.execute(peer.update().where(peer.c.host == host).values(**values))
