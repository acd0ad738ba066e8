"""`python -m tests.bench [--quick] [--json FILE]`: build the worlds, measure, print one table."""

from __future__ import annotations

import argparse
import asyncio
import os
import platform
import shutil
import sqlite3
import tempfile
import time
from dataclasses import dataclass, replace
from pathlib import Path

from aiohttp import ClientSession, ClientTimeout, TCPConnector
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey

from esnfed.app import open_node
from esnfed.context import Context
from esnfed.federation.keys import generate_ed25519, generate_rsa, load_private
from esnfed.services import actors
from esnfed.services.actors import NewKeys
from tests.bench import bare, delivery, home, site
from tests.bench.figures import Figure, table, write_json
from tests.bench.inbox import HOST, Inbox, Pen
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
            Figure("bare SQLite, the rows of one message", self.inserting, note="20 in a transaction"),
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
        scale = self._scale
        self._authority, (certificate, key) = delivery.certificate(self._folder / "tls")
        async with running("tests.bench.server", str(certificate), str(key)) as sink:
            hosts = delivery.addresses(int(await line_of(sink)))
            made = await site.make(self._folder / "node", hosts, self._authority)
            world, disk = await self._fill(made)
            [small] = await self._tenth()
            homes = await home.measure(made, world, scale.reads, scale.rounds)
            growth = homes[0].cpu / small.cpu if homes[0].cpu and small.cpu else None
            shutil.copyfile(made.database, self._folder / "bare.sqlite")
            async with site.serving(made, self._client) as live:
                figures = await self._live(live, [small, replace(homes[0], growth=growth), *homes[1:]])
        return [*figures, disk]

    async def _fill(self, made: site.Site) -> tuple[World, Figure]:
        """Write the rows of every path; return the world and what its notes take on the disk."""
        scale = self._scale
        ids = await _people(made)
        self._pen.write(made)
        delivery.write(made, ids)
        before = made.size()
        world = World(scale.authors, scale.posts, list(scale.follows), self._now)
        world.write(made.database)
        per_note = (made.size() - before) / scale.posts
        return world, Figure("disk, 10,000 notes", note=f"{per_note * 10_000 / 2**20:.1f} MiB")

    async def _tenth(self) -> list[Figure]:
        """The first reader of a world with a tenth of the posts, to which the whole is compared."""
        scale = self._scale
        small = await site.make(self._folder / "small", {}, None)
        world = World(scale.authors // 10, scale.posts // 10, list(scale.follows[:1]), self._now)
        world.write(small.database)
        return (await home.measure(small, world, scale.reads, scale.rounds))[:1]

    async def _live(self, live: site.Live, homes: list[Figure]) -> list[Figure]:
        """Measure what needs the running node, and the bare limits beside it."""
        scale, made, idle = self._scale, live.site, memory_of(live.pid)
        key = load_private(self._pen.keys.private_der)
        assert isinstance(key, RSAPrivateKey)
        signing, verifying = bare.signing(key, scale.signatures), bare.verifying(key, scale.signatures)
        echo = await bare.echoing(self._client, scale.messages)
        pages = await Page(live, _ids(made)).measure(scale.pages, scale.rounds, echo)
        before, size = _notes(made), made.size()
        inbox = await Inbox(live, self._pen).measure(scale.messages, scale.rounds)
        per_note = (made.size() - size) / (_notes(made) - before)
        posting = await self._posting(made)
        sent = await delivery.Delivery(live).measure(scale.rounds, signing, posting)
        after = memory_of(live.pid)
        limits = Limits(signing, verifying, echo, posting, self._inserting(made))
        least = limits.verifying + limits.echo + limits.inserting
        kept = f"{per_note * 10_000 / 2**20:.1f} MiB while their inbox messages are kept"
        return [
            *limits.figures,
            *(replace(figure, bare=least) for figure in inbox),
            *sent,
            *homes,
            *pages,
            Figure("start of the process to first answer", wall=live.started * 1e6),
            Figure("memory at start", note=str(idle)),
            Figure("memory after everything", note=str(after)),
            Figure("disk, 10,000 notes received", note=kept),
        ]

    async def _posting(self, made: site.Site) -> float:
        """The client's bare limit, against the sink and with as many names as the delivery has."""
        async with bare.tls_client(made.config) as client:
            targets = [f"https://{host}/inbox" for host in delivery.HOSTS]
            return await bare.posting(client, targets, len(targets) * 3)

    def _inserting(self, made: site.Site) -> float:
        """The rows that the inbox path wrote, written again by sqlite3 alone."""
        notes = f"uri LIKE 'https://{HOST}/statuses/%'"
        mine = f"status_id IN (SELECT id FROM source.status WHERE {notes})"
        tables = [
            ("status", notes),
            ("inbox_message", "true"),
            ("replay", "true"),
            ("status_tag", mine),
            ("timeline_entry", f"{mine} AND actor_id = {self._pen.readers[1]}"),
        ]
        return bare.inserting(self._folder / "bare.sqlite", made.database, tables)


def _notes(made: site.Site) -> int:
    return made.ask("SELECT count(*) FROM status")


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
    print(f"load {os.getloadavg()[0]:.1f}; microseconds per operation, the best of several rounds")
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
    asyncio.run(main(parser().parse_args()))
