"""The node under test: made by `esnfed init`, run by `esnfed serve`, watched from outside."""

from __future__ import annotations

import asyncio
import sqlite3
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from socket import create_server

from aiohttp import ClientError, ClientSession

from esnfed.cli.config_file import toml_value
from esnfed.cli.settings import load
from esnfed.config import Config
from esnfed.database import database_path
from tests.bench.figures import Sample
from tests.bench.processes import cpu_of, running

DOMAIN = "bench.esn.test"
PATIENCE = 120.0
"""Seconds after which the bench gives up waiting: something hangs."""


@dataclass(frozen=True, slots=True)
class Site:
    """A node's files, before it runs and while it does."""

    file: Path
    config: Config

    @property
    def database(self) -> Path:
        """Its SQLite file."""
        return database_path(self.config)

    @property
    def address(self) -> str:
        """Where it listens."""
        return f"http://127.0.0.1:{self.config.port}"

    def ask(self, statement: str, *values: object) -> int:
        """Return one number from the file, as an independent reader."""
        raw = sqlite3.connect(f"file:{self.database}?mode=ro", uri=True)
        try:
            return int(raw.execute(statement, values).fetchone()[0])
        finally:
            raw.close()

    def size(self) -> int:
        """Return the bytes of the database, what stands in the WAL included."""
        return self.ask("PRAGMA page_count") * self.ask("PRAGMA page_size")


async def make(folder: Path, hosts: dict[str, tuple[str, int]], authority: Path | None) -> Site:
    """Make a node with an administrator named marie that knows these hosts."""
    folder.mkdir()
    file = folder / "esnfed.toml"
    with create_server(("127.0.0.1", 0)) as found:
        port = str(found.getsockname()[1])
    flags = {
        "--domain": DOMAIN, "--environment": "test", "--name": "Bench", "--port": port,
        "--data-dir": str(folder / "data"), "--trusted-proxies": "127.0.0.1",
        "--admin-handle": "marie", "--admin-email": "marie@example.org",
    }  # fmt: skip
    words = [word for flag in flags.items() for word in flag]
    environment = {"ESNFED_ADMIN_PASSWORD": "correct horse"}
    arguments = ("--config", str(file), "init", *words, "--consent", "--no-ask", "--json")
    async with running("esnfed", *arguments, environment=environment) as process:
        await process.communicate()
    with file.open("a", encoding="utf-8") as more:
        if authority is not None:
            more.write(f"\ntls_authority = {toml_value(str(authority))}\n")
        more.write("\n[hosts]\n")
        more.writelines(f'"{host}" = "{place[0]}:{place[1]}"\n' for host, place in hosts.items())
    return Site(file, load(file, {}))


@dataclass(frozen=True, slots=True)
class Live:
    """A running node and the client that bothers it. `started` is seconds to its first answer."""

    site: Site
    pid: int
    client: ClientSession
    started: float

    async def until(self, done: Callable[[], bool], pause: float = 0.01) -> None:
        """Look again and again until something is so."""
        async with asyncio.timeout(PATIENCE):
            while not done():
                await asyncio.sleep(pause)

    @asynccontextmanager
    async def sampled(self, samples: list[Sample], operations: int) -> AsyncIterator[None]:
        """Add what the node's process uses while the block runs."""
        cpu, wall = cpu_of(self.pid), time.perf_counter()
        yield
        samples.append(Sample(cpu_of(self.pid) - cpu, time.perf_counter() - wall, operations))


@asynccontextmanager
async def serving(site: Site, client: ClientSession) -> AsyncIterator[Live]:
    """Start the node and wait for its first answer."""
    begun = time.perf_counter()
    async with running("tests.bench.node", "--config", str(site.file), "serve") as process:
        while True:
            try:
                async with client.get(f"{site.address}/nodeinfo/2.1", headers={"Host": DOMAIN}) as answer:
                    await answer.read()
                    break
            except ClientError:
                if process.returncode is not None or time.perf_counter() - begun > PATIENCE:
                    raise
                await asyncio.sleep(0.005)
        yield Live(site, process.pid, client, time.perf_counter() - begun)
