"""`python -m tests.bench [--quick] [--json FILE]`: build the worlds, measure, print one table."""

from __future__ import annotations

import argparse
import asyncio
import os
import platform
import random
import shutil
import sqlite3
import tempfile
import time
from dataclasses import dataclass, replace
from pathlib import Path

from aiohttp import ClientSession, ClientTimeout, TCPConnector

from esnfed.app import open_node
from esnfed.context import Context
from esnfed.federation.keys import generate_ed25519, generate_rsa, load_private
from esnfed.services import actors
from esnfed.services.actors import NewKeys
from tests.bench import bare, delivery, home, site
from tests.bench.figures import Figure, table, write_json
from tests.bench.inbox import Inbox, Pen
from tests.bench.page import Page
from tests.bench.processes import line_of, memory_of, running
from tests.bench.rows import World


@dataclass(frozen=True, slots=True)
class Scale:
    """How much is done: the whole takes under four minutes on two cores, `--quick` half a minute."""

    posts: int = 100_000
    authors: int = 10_000
    follows: tuple[int, ...] = (10, 1_000, 10_000)
    rounds: int = 3
    messages: int = 300
    pages: int = 100
    reads: int = 300
    signatures: int = 200


QUICK = Scale(10_000, 1_000, (10, 100, 1_000), rounds=2, messages=100, pages=30, reads=60, signatures=60)


@dataclass(frozen=True, slots=True)
class Limits:
    """The bare limits of the run, in microseconds of CPU."""

    signing: float
    verifying: float
    echo: float
    posting: float
    inserting: float

    @property
    def figures(self) -> list[Figure]:
        """The first lines of the table."""
        return [
            Figure("bare RSA-2048 signature", self.signing),
            Figure("bare RSA-2048 verification", self.verifying),
            Figure("bare aiohttp server, POST of 3 KB", self.echo),
            Figure("bare aiohttp client, POST of 3 KB, TLS", self.posting),
            Figure("bare SQLite, the rows of one message", self.inserting, note="20 messages a transaction"),
        ]


class Bench:
    """One run in a folder of its own, which is removed at the end."""

    def __init__(self, scale: Scale, folder: Path, client: ClientSession) -> None:
        self._scale = scale
        self._folder = folder
        self._client = client
        self._now = int(time.time() * 1000)
        self._pen = Pen()

    async def run(self) -> list[Figure]:
        """Do everything; return the lines of the table."""
        authority, (certificate, key) = delivery.certificate(self._folder / "tls")
        async with running("tests.bench.server", str(certificate), str(key)) as sink:
            hosts = delivery.addresses(int(await line_of(sink)))
            made = await site.make(self._folder / "node", hosts, authority)
            world, per_note = await self._fill(made)
            small = await self._homes(replace_scale(self._scale))
            large = await home.measure(made, world, self._scale.reads, self._scale.rounds)
            shutil.copyfile(made.database, self._folder / "bare.sqlite")
            return await self._live(made, [*small, *_grown(small, large)], authority, per_note)

    async def _fill(self, made: site.Site) -> tuple[World, float]:
        """Write the rows of every path; return the world and the bytes of one note with its timelines."""
        scale = self._scale
        ids = await _people(made)
        self._pen.write(made)
        delivery.write(made, ids)
        before = made.size()
        world = World(scale.authors, scale.posts, list(scale.follows), self._now)
        world.write(made.database)
        raw = sqlite3.connect(made.database)
        raw.execute("ANALYZE")
        raw.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        raw.close()
        return world, (made.size() - before) / scale.posts

    async def _homes(self, scale: Scale) -> list[Figure]:
        """The first reader of a world with a tenth of the posts: what growth is measured against."""
        small = await site.make(self._folder / "small", {}, None)
        world = World(scale.authors, scale.posts, list(scale.follows[:1]), self._now)
        world.write(small.database)
        return (await home.measure(small, world, scale.reads, scale.rounds))[:1]

    async def _live(
        self, made: site.Site, homes: list[Figure], authority: Path, per_note: float
    ) -> list[Figure]:
        scale = self._scale
        async with site.serving(made, self._client) as live:
            idle, size = memory_of(live.pid), made.size()
            key = load_private(self._pen.keys.private_der)
            echo = await bare.echoing(self._client, scale.messages)
            page = await Page(live, _ids(made)).measure(scale.pages, scale.rounds, echo)
            pages_memory, notes = memory_of(live.pid), made.ask("SELECT count(*) FROM status")
            inbox = await Inbox(live, self._pen).measure(scale.messages, scale.rounds, 1.0)
            grown, notes = made.size() - size, made.ask("SELECT count(*) FROM status") - notes
            signing = bare.signing(key, scale.signatures)
            posting = await self._posting(made, authority)
            sent = await delivery.Delivery(live).measure(scale.rounds, signing, posting)
            after = memory_of(live.pid)
        inserting = self._inserting(made)
        limits = Limits(signing, bare.verifying(key, scale.signatures), echo, posting, inserting)
        least = limits.verifying + limits.echo + limits.inserting
        return [
            *limits.figures,
            *(replace(figure, bare=least) for figure in inbox),
            *sent,
            *homes,
            *page,
            Figure("memory at start", note=f"{idle:.0f} MiB"),
            Figure("memory after the pages", note=f"{pages_memory:.0f} MiB"),
            Figure("memory after everything", note=f"{after:.0f} MiB"),
            Figure("start of the process to first answer", wall=live.started * 1e6),
            Figure("disk, 10,000 notes on timelines", note=f"{per_note * 10_000 / 2**20:.1f} MiB"),
            Figure(
                "the same with their inbox messages",
                note=f"{grown / notes * 10_000 / 2**20:.1f} MiB, kept for 7 days",
            ),
        ]

    async def _posting(self, made: site.Site, authority: Path) -> float:
        """The client's bare limit, against the sink and with as many names as the delivery has."""
        config = replace(made.config, tls_authority=authority)
        async with bare.tls_client(config) as client:
            targets = [f"https://{host}/inbox" for host in delivery.HOSTS]
            return await bare.posting(client, targets, len(targets) * 3)

    def _inserting(self, made: site.Site) -> float:
        """The rows that the inbox path wrote, written again by sqlite3 alone."""
        mine = "status_id IN (SELECT id FROM source.status WHERE uri LIKE 'https://lyon.esn.test/statuses/%')"
        tables = [
            ("status", "uri LIKE 'https://lyon.esn.test/statuses/%'"),
            ("inbox_message", "true"),
            ("replay", "true"),
            ("status_tag", mine),
            ("timeline_entry", f"{mine} AND actor_id = {self._pen.readers[1]}"),
        ]
        return bare.inserting(self._folder / "bare.sqlite", made.database, tables)[0]


def replace_scale(scale: Scale) -> Scale:
    """A tenth of the posts by the same number of authors' tenth."""
    return replace(scale, posts=scale.posts // 10, authors=max(scale.authors // 10, scale.follows[0]))


def _grown(small: list[Figure], large: list[Figure]) -> list[Figure]:
    """Let the first line of the large world say how it compares with the small one."""
    first = large[0]
    growth = (first.cpu or 0) / small[0].cpu if small[0].cpu else None
    return [replace(first, growth=growth), *large[1:]]


def _ids(made: site.Site) -> list[int]:
    raw = sqlite3.connect(made.database)
    try:
        found = raw.execute(
            "SELECT id FROM status WHERE visibility = 'public' ORDER BY id DESC LIMIT 20000"
        ).fetchall()
        return [row[0] for row in found]
    finally:
        raw.close()


async def _people(made: site.Site) -> dict[str, int]:
    """Make the second local author; return the ids of both."""
    rsa, ed25519 = generate_rsa(), generate_ed25519()
    keys = NewKeys(rsa.public_der, rsa.private_der, ed25519.public_der, ed25519.private_der)

    def make(context: Context) -> dict[str, int]:
        paul = actors.create(context, as_type="Person", handle="paul", keys=keys)
        return {"marie": actors.local(context, "marie")["id"], "paul": paul}

    async with open_node(made.config) as node:
        return await node.database.write(make)


async def main(arguments: argparse.Namespace) -> None:
    """Run, print the table, write the JSON when asked."""
    begun = time.perf_counter()
    scale = QUICK if arguments.quick else Scale()
    with tempfile.TemporaryDirectory(prefix="esnfed-bench-") as folder:
        connector = TCPConnector(limit=64, keepalive_timeout=60)
        async with ClientSession(connector=connector, timeout=ClientTimeout(total=60)) as client:
            figures = await Bench(scale, Path(folder), client).run()
    seconds = time.perf_counter() - begun
    print(table(figures))
    print(f"\n{seconds:.0f} s; Python {platform.python_version()}, {os.cpu_count()} cores,", end=" ")
    print("load {:.1f}; CPU and wall in microseconds per operation, best of rounds".format(os.getloadavg()[0]))
    if arguments.json:
        about = {"quick": arguments.quick, "seconds": seconds, "python": platform.python_version()}
        write_json(arguments.json, figures, about)


def parser() -> argparse.ArgumentParser:
    """The options."""
    made = argparse.ArgumentParser(prog="make bench", description=__doc__)
    made.add_argument("--quick", action="store_true", help="a tenth of everything, in half a minute")
    made.add_argument("--json", type=Path, metavar="FILE", help="write the figures to FILE as well")
    return made


if __name__ == "__main__":
    random.seed(1)
    asyncio.run(main(parser().parse_args()))
