"""The ordeal: a node under mixed load is killed at random moments, again and again, on one data folder."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import asdict, dataclass, field
from itertools import count
from pathlib import Path
from random import Random
from statistics import median
from typing import Any

from sqlalchemy import literal, select, union_all

from esnfed import maintenance
from esnfed.config import Config
from esnfed.context import Context, Runtime
from esnfed.database import migrate
from esnfed.federation.retry import MINUTE, SECOND
from esnfed.ids import IdGenerator
from esnfed.models import delivery, inbox_message, status
from tests.crash.authors import Author
from tests.crash.ledger import Book, effect_faults, sink_faults
from tests.crash.senders import Pen, SigningPeer, Sink, client, peer_in
from tests.crash.served import Served, copy_of
from tests.doubles.authority import Authority
from tests.federation.network import LiveNode, Network, open_network

READER = "paul"
PENS = 6
SEEDS = 3
MOODS = ("kind", "surly", "mute")
LONGEST_LIFE = 2.0
"""Seconds that a node lives under load, at most."""

KILLED_EARLY = 0.1
"""Share of the lives that end while the node still starts, perhaps amid its recovery."""

TURNS = 50_000

_UNFINISHED = union_all(
    select(
        literal("delivery").label("what"),
        delivery.c.id,
        delivery.c.as_type,
        delivery.c.state,
        delivery.c.last_error.label("note"),
    ).where(delivery.c.state.not_in(("delivered", "dropped"))),
    select(
        literal("message"),
        inbox_message.c.id,
        inbox_message.c.as_type,
        inbox_message.c.state,
        inbox_message.c.note,
    ).where(inbox_message.c.state.not_in(("done", "ignored"))),  # a repeated Undo has nothing to undo,
)


def unfinished(context: Context) -> Sequence[Any]:
    """What is not done with: nothing, when all has come to rest."""
    return context.connection.execute(_UNFINISHED).all()


class MovableClock:
    """The real time, which a test can move: processes beside it have the real one."""

    def __init__(self) -> None:
        self.offset = 0

    def __call__(self) -> int:
        """The time, in milliseconds."""
        return time.time_ns() // 1_000_000 + self.offset

    def advance(self, milliseconds: int) -> None:
        """Move forward."""
        self.offset += milliseconds


@dataclass
class Figures:
    """What an ordeal showed."""

    synchronous: str
    seed: int
    cycles: int = 0
    early_kills: int = 0
    inbox_requests: int = 0
    inbox_acknowledged: int = 0
    posts_confirmed: int = 0
    changes_confirmed: int = 0
    arrivals: int = 0
    refusals: dict[int, int] = field(default_factory=dict)
    restarts: list[float] = field(default_factory=list)
    losses: int = 0
    faults: list[str] = field(default_factory=list)
    tracebacks: int = 0
    seconds: float = 0.0

    def told(self) -> dict[str, Any]:
        """Figures for people: restart times in short."""
        restarts = sorted(self.restarts) or [0.0]
        return asdict(self) | {
            "restarts": {
                "number": len(restarts),
                "median_s": round(median(restarts), 2),
                "p95_s": round(restarts[int(len(restarts) * 0.95)], 2),
                "worst_s": round(restarts[-1], 2),
            },
            "seconds": round(self.seconds, 1),
        }


class Ordeal:
    """Set up by `open_ordeal`; `live` is one life of the node, `settle` brings everything to rest."""

    def __init__(
        self, network: Network, node: LiveNode, folder: Path, figures: Figures, chance: Random
    ) -> None:
        self.network = network
        self.node = node
        self.figures = figures
        self.served = Served(node.node.config, folder, network.authority, network.hosts)
        self.authors: list[Author] = []
        self.pens: list[Pen] = []
        self.sinks: list[Sink] = []
        self.targets: list[str] = []
        self._folder = folder
        self._chance = chance

    async def people(self) -> None:
        """Two authors with three posts to answer and like, a reader who follows four pens, three sinks."""
        reader = await self.node.actor(READER)
        ids = [await self.node.actor(handle) for handle in ("luz", "inti")]
        for author_id in ids:
            for number in range(SEEDS):
                made = await self.node.post(author_id, f"graine {author_id} {number}")
                self.targets.append((await self.node.one(status, id=made))["uri"])
        uris = [(await self.node.row(author_id))["uri"] for author_id in ids]
        self.authors = [Author(handle, Random(self._chance.random())) for handle in ("luz", "inti")]
        peer = await peer_in(self.network, "pens.esn.test")
        for number in range(PENS):
            chance = Random(self._chance.random())
            self.pens.append(Pen(peer, f"pen{number}", chance, self.targets, uris[number % 2]))
        for pen in self.pens:
            await self._follow(reader, peer, pen)
        for mood in MOODS:
            await self._sink(mood, uris)
        await self.network.settle()

    async def _follow(self, reader: int, peer: SigningPeer, pen: Pen) -> None:
        await self.node.follow(reader, await self.node.find(pen.document["id"]))
        await self.node.node.delivery_worker.drain()
        asked = peer.received("Follow")[-1]
        assert await peer.post(self.node, peer.activity(pen.document, "Accept", asked)) == 202
        await self.network.settle()

    async def _sink(self, mood: str, uris: list[str]) -> None:
        peer = await peer_in(self.network, f"{mood}.esn.test")
        sink = Sink(peer, "kind", Random(self._chance.random()))
        for uri in uris:
            assert await peer.post(self.node, peer.activity(sink.document, "Follow", uri)) == 202
        await self.network.settle()
        sink.arrivals.clear()
        self.sinks.append(sink)

    async def live(self) -> None:
        """One life: start, load, SIGKILL, and a look at what is on the disk then."""
        self.figures.cycles += 1
        for sink, mood in zip(self.sinks, MOODS, strict=True):
            sink.mood = mood
        if self._chance.random() < KILLED_EARLY:
            self.figures.early_kills += 1
            await self.served.begin()
            await asyncio.sleep(self._chance.uniform(0.1, 1.2))
        else:
            self.figures.restarts.append(await self.served.start())
            await self._load()
        self._heed(await self.served.kill())
        await self._look()

    async def _load(self) -> None:
        over = asyncio.Event()
        where = (self.served.port, self.served.config.domain)
        async with client() as session, asyncio.TaskGroup() as tasks:
            for pen in self.pens:
                tasks.create_task(pen.send_until(over, session, *where))
            for author in self.authors:
                tasks.create_task(author.write_until(over, self.served))
            await asyncio.sleep(self._chance.uniform(0.02, LONGEST_LIFE))
            assert self.served.process is not None
            self.served.process.kill()
            over.set()

    def _heed(self, log: str) -> None:
        if "Traceback" in log:
            self.figures.tracebacks += log.count("Traceback")
            self.figures.faults.append(log[-4000:])

    async def _look(self) -> None:
        path = copy_of(self.served.config, self._folder / "copy")
        self._note(await maintenance.check(path))
        book = Book(path)
        self._note(book.faults())
        lost = book.lost((uri for pen in self.pens for uri in pen.acknowledged), self.authors)
        self.figures.losses += len(lost)
        self._note(lost)

    def _note(self, faults: list[str]) -> None:
        self.figures.faults += [f"cycle {self.figures.cycles}: {fault}" for fault in faults]

    async def settle(self) -> None:
        """Open the node in this process, let all be sent and applied, and compare it with the model."""
        for sink in self.sinks:
            sink.mood = "kind"
        await self.network.resume(self.node)
        port = self.network.hosts[self.node.domain][1]
        async with client() as session:
            for pen in self.pens:
                await pen.finish(session, port, self.node.domain)
        await self._come_to_rest()
        for row in await self._unfinished():
            self._note([f"{row.what} {row.id} ({row.as_type}) is {row.state}: {row.note}"])
        await self.network.halt(self.node)
        await self._look()
        book = Book(self._folder / "copy" / "esnfed.sqlite")
        self._note(effect_faults(book, self.pens, self.targets, READER))
        followed = {sink.peer.name: {"luz", "inti"} for sink in self.sinks}
        for sink in self.sinks:
            self._note(sink_faults(sink, self.authors, followed))
        self._sum_up()

    async def _come_to_rest(self) -> None:
        clock = self.network.nodes[0].node.runtime.clock
        assert isinstance(clock, MovableClock)
        for _ in range(TURNS):
            moved = await self.node.turn()
            clock.advance(SECOND)
            if not moved:
                if not await self._waits():
                    return
                clock.advance(MINUTE)

    async def _waits(self) -> bool:
        return any(row.state in ("queued", "waiting") for row in await self._unfinished())

    async def _unfinished(self) -> list[Any]:
        return list(await self.node.node.database.read(unfinished, slow=True))

    def _sum_up(self) -> None:
        figures, posts = self.figures, [post for author in self.authors for post in author.posts]
        figures.inbox_requests = sum(pen.sent for pen in self.pens)
        figures.inbox_acknowledged = sum(len(pen.acknowledged) for pen in self.pens)
        figures.posts_confirmed = sum(post.confirmed for post in posts)
        figures.changes_confirmed = sum(post.deleted + post.text.count("revised") for post in posts)
        figures.arrivals = sum(len(sink.arrivals) for sink in self.sinks)
        for pen in self.pens:
            for code, number in pen.refusals.items():
                figures.refusals[code] = figures.refusals.get(code, 0) + number


@asynccontextmanager
async def open_ordeal(folder: Path, seed: int, synchronous: str = "FULL") -> AsyncIterator[Ordeal]:
    """A node with its people, made in this process and halted; nothing of it runs at the end."""
    clock, numbers = MovableClock(), count(1)
    authorities = folder / "authority"
    authorities.mkdir()

    def runtime(**settings: Any) -> Runtime:
        number = next(numbers)
        random = Random(f"{seed} {number}")
        config = Config(data_dir=folder / f"node{number}", environment="test", **settings)
        return Runtime(config, clock, random, IdGenerator(clock, random))

    async def prepare(made: Runtime) -> Runtime:
        await migrate(made.config)
        return made

    async with open_network(runtime, prepare, Authority(authorities)) as network:
        await network.node("witness")  # keeps the time of the network while the other node is a process
        limits = {"first_contact_activities": 1_000_000, "first_contact_mentions": 1_000_000}
        node = await network.node("quito", synchronous=synchronous, **limits)
        ordeal = Ordeal(network, node, folder, Figures(synchronous, seed), Random(seed))
        await ordeal.people()
        await network.halt(node)
        network.stack.push_async_callback(ordeal.served.close)
        yield ordeal


async def suffer(
    folder: Path, cycles: int, seed: int, synchronous: str, tell: Callable[[Figures], None]
) -> Figures:
    """Kill a node `cycles` times and settle; `tell` is called after each. Return the figures."""
    begun = time.monotonic()
    async with open_ordeal(folder, seed, synchronous) as ordeal:
        for _ in range(cycles):
            await ordeal.live()
            tell(ordeal.figures)
        await ordeal.settle()
        ordeal.figures.seconds = time.monotonic() - begun
        return ordeal.figures
