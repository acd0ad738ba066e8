"""The composition root: a Config in, a running node and its Application out; it alone knows everybody."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from functools import partial
from random import Random, SystemRandom

from aiohttp import web
from sqlalchemy import bindparam, func, select

from esnfed import activities, activitypub, objects, records
from esnfed import web as pages
from esnfed.bus import ActorChanged, Bus
from esnfed.config import Config
from esnfed.context import Context, Runtime
from esnfed.database import Database
from esnfed.errors import Busy
from esnfed.federation import upkeep
from esnfed.federation.authenticate import Authenticator
from esnfed.federation.delivery import DeliveryWorker
from esnfed.federation.discovery import Discovery
from esnfed.federation.errand_worker import ErrandWorker
from esnfed.federation.inbox import Inbox
from esnfed.federation.inbox_worker import InboxWorker
from esnfed.federation.keys import KeyRing, load_private
from esnfed.federation.peer_book import PeerBook
from esnfed.federation.resolver import Resolver
from esnfed.federation.signatures import Signer
from esnfed.federation.transport import Transport
from esnfed.http import compression, cors, errors, keys, security
from esnfed.ids import IdGenerator, milliseconds_of
from esnfed.jobs import JobWorker
from esnfed.models import activity, actor_key, delivery, inbox_message, node, notification, status
from esnfed.records import api as records_api
from esnfed.records import web as records_web
from esnfed.rendering import Renderer
from esnfed.services import backfill, conversation, followers_sync

log = logging.getLogger(__name__)

# Folders that register handlers, receivers, extensions and periodic work when they are imported.
REGISTERING = (activities, objects, records, upkeep, backfill, conversation, followers_sync)

BOOK_SECONDS = 5.0
AHEAD = 10 * 60_000
"""From this difference on (milliseconds) the clock is probably wrong, or was."""

RESTART_SECONDS = 5.0


def system_clock() -> int:
    """Milliseconds since 1970, UTC."""
    return time.time_ns() // 1_000_000


@dataclass(slots=True)
class NodeSigner:
    """The node actor's signer, which signs every fetch; None until init has made the node actor."""

    current: Signer | None = None
    actor_id: int | None = None
    stale: bool = False
    """The node actor changed, perhaps its keys, perhaps by another process on the same database."""

    def __call__(self) -> Signer | None:
        return self.current

    def heard(self, event: ActorChanged) -> None:
        """Note that the node actor changed."""
        self.stale = self.stale or event.actor_id == self.actor_id


@dataclass(slots=True)
class Node:
    """Everything of one node; two of them live in one process without knowing of each other."""

    config: Config
    runtime: Runtime
    bus: Bus
    database: Database
    transport: Transport
    resolver: Resolver
    discovery: Discovery
    authenticator: Authenticator
    renderer: Renderer
    keyring: KeyRing
    book: PeerBook
    inbox: Inbox
    inbox_worker: InboxWorker
    delivery_worker: DeliveryWorker
    errand_worker: ErrandWorker
    job_worker: JobWorker
    signer: NodeSigner

    async def refresh_signer(self) -> None:
        """Take up the node actor's key after init has made it, or after a rotation."""
        self.signer.stale = False
        self.signer.current, self.signer.actor_id = await self.database.read(_node_signer)


_NODE_KEY = (
    select(actor_key.c.uri, actor_key.c.private_der, actor_key.c.actor_id)
    .join(node, node.c.actor_id == actor_key.c.actor_id)
    .where(actor_key.c.kind == bindparam("kind"), actor_key.c.retired_at.is_(None))
    .order_by(actor_key.c.id.desc())
    .limit(1)
)


def _node_signer(context: Context) -> tuple[Signer | None, int | None]:
    row = context.connection.execute(_NODE_KEY, {"kind": "rsa"}).one_or_none()
    return (Signer(row.uri, load_private(row.private_der)), row.actor_id) if row else (None, None)


_NEWEST = [
    select(func.max(table.c.id)) for table in (activity, delivery, inbox_message, notification, status)
]


def _newest(context: Context) -> int:
    """The highest id of what is read in the order of ids: a clock put back must not turn it round."""
    found = [context.connection.execute(statement).scalar() for statement in _NEWEST]
    newest = max(each or 0 for each in found)
    ahead = milliseconds_of(newest) - context.now()
    if ahead > AHEAD:
        log.warning("the newest rows are %d minutes ahead of the clock; is it right?", ahead // 60_000)
    return newest


@asynccontextmanager
async def open_node(
    config: Config, *, clock: Callable[[], int] = system_clock, random: Random | None = None
) -> AsyncIterator[Node]:
    """Open a node's database and everything on it, without listening or working yet; close it at the end.

    Raises ConfigError when the database is not one for this node. The order of closing is decisions.md 2,
    rule 9: connections to others first, then the database, which drains its writer.
    """
    random = random or SystemRandom()
    runtime = Runtime(config, clock, random, IdGenerator(clock, random))
    bus = Bus()
    database = await Database.open(runtime, bus)
    try:
        runtime.ids.rise_above(await database.read(_newest))
        book = PeerBook(database, runtime, bus)
        transport = Transport(
            runtime,
            scheme_for=book.scheme_for,
            on_learned=book.learned,
            knows=book.knows,
            is_blocked=book.is_blocked,
        )
        try:
            yield await _compose(config, runtime, bus, database, book, transport)
        finally:
            await transport.close()
    finally:
        await database.close()


async def _compose(
    config: Config, runtime: Runtime, bus: Bus, database: Database, book: PeerBook, transport: Transport
) -> Node:
    signer = NodeSigner(*await database.read(_node_signer))
    bus.listen(ActorChanged, signer.heard)
    resolver = Resolver(transport, config, signer)
    discovery = Discovery(database, resolver, transport, book)
    keyring = KeyRing()
    authenticator = Authenticator(database, discovery, keyring, book, runtime, bus)
    return Node(
        config=config,
        runtime=runtime,
        bus=bus,
        database=database,
        transport=transport,
        resolver=resolver,
        discovery=discovery,
        authenticator=authenticator,
        renderer=Renderer(config),
        keyring=keyring,
        book=book,
        inbox=Inbox(database, authenticator, runtime, bus),
        inbox_worker=InboxWorker(database, discovery, runtime, bus),
        delivery_worker=DeliveryWorker(database, transport, keyring, runtime, bus),
        errand_worker=ErrandWorker(database, discovery, bus),
        job_worker=JobWorker(database, bus),
        signer=signer,
    )


def create_app(node: Node, *, workers: bool = True) -> web.Application:
    """Return the application of an open node; with `workers` its background loops run while it is up."""
    app = web.Application(
        middlewares=[compression.middleware, errors.middleware, security.check_host, cors.preflight],
        client_max_size=1 << 20,
    )
    app[keys.CONFIG] = node.config
    app[keys.RUNTIME] = node.runtime
    app[keys.BUS] = node.bus
    app[keys.DATABASE] = node.database
    app[keys.RENDERER] = node.renderer
    app[keys.TRANSPORT] = node.transport
    app[keys.RESOLVER] = node.resolver
    app[keys.AUTHENTICATOR] = node.authenticator
    app[keys.INBOX] = node.inbox
    app.on_response_prepare.append(security.add_headers)
    app.on_response_prepare.append(cors.add_headers)
    activitypub.install(app)
    app.add_routes(records_api.routes)
    app.add_routes(records_web.routes)
    pages.install(app)
    if workers:
        app.cleanup_ctx.append(_working(node))
    return app


def _working(node: Node) -> Callable[[web.Application], AsyncIterator[None]]:
    """Run the node's loops; the one place that starts tasks for the life of a node."""

    async def context(_: web.Application) -> AsyncIterator[None]:
        loops = [
            asyncio.create_task(_forever(name, work), name=name)
            for name, work in (
                ("inbox", node.inbox_worker.run),
                ("deliveries", node.delivery_worker.run),
                ("errands", node.errand_worker.run),
                ("jobs", node.job_worker.run),
                ("peers", partial(_keep_book, node)),
            )
        ]
        yield
        for task in loops:
            task.cancel()
        await asyncio.wait(loops)
        try:
            await _write_book(node)
        except Busy as error:
            log.warning("what was learned of other servers in the last seconds is not written: %s", error)

    return context


async def _forever(name: str, work: Callable[[], Awaitable[None]]) -> None:
    """A loop that fails is logged and begun again: what it works on is in rows, so nothing is lost."""
    while True:
        try:
            await work()
        except Busy as error:
            log.debug("the %s loop begins again: %s", name, error)
        except Exception:
            log.exception("the %s loop failed and begins again", name)
        await asyncio.sleep(RESTART_SECONDS)


async def _keep_book(node: Node) -> None:
    while True:
        await asyncio.sleep(BOOK_SECONDS)
        await _write_book(node)
        if node.signer.stale:
            await node.refresh_signer()


async def _write_book(node: Node) -> None:
    await node.book.step()
    await node.inbox.first_contacts.step()
