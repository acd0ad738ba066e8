"""Bare limits of this machine at this moment: what no program can do without."""

from __future__ import annotations

import asyncio
import sqlite3
import ssl
import time
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from aiohttp import ClientSession, TCPConnector
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from cryptography.hazmat.primitives.hashes import SHA256

from esnfed.config import Config
from esnfed.database.sqlite import EVERY_CONNECTION, WRITER, open_file
from esnfed.federation.names import Names
from tests.bench.figures import Sample, best
from tests.bench.processes import cpu_of, line_of, running

ROUNDS = 5
CONNECTIONS = 16
BATCH = 20
"""Notes per transaction of the bare insert."""


def timed(work: Callable[[], object], operations: int, rounds: int = ROUNDS) -> list[Sample]:
    """Call `work` (which does so many operations) a few times in this thread."""
    samples = []
    for _ in range(rounds):
        cpu, wall = time.thread_time(), time.perf_counter()
        work()
        samples.append(Sample(time.thread_time() - cpu, time.perf_counter() - wall, operations))
    return samples


def signing(key: RSAPrivateKey, times: int) -> float:
    """Return microseconds of CPU of one RSA signature."""
    padding, digest = PKCS1v15(), SHA256()
    return best(timed(lambda: [key.sign(b"x" * 300, padding, digest) for _ in range(times)], times))[0]


def verifying(key: RSAPrivateKey, times: int) -> float:
    """Return microseconds of CPU of one RSA verification."""
    padding, digest, public = PKCS1v15(), SHA256(), key.public_key()
    signature = key.sign(b"x" * 300, padding, digest)

    def work() -> None:
        for _ in range(times):
            public.verify(signature, b"x" * 300, padding, digest)

    return best(timed(work, times))[0]


async def echoing(client: ClientSession, times: int) -> float:
    """Return microseconds of CPU that an aiohttp server needs to take a POST of 3 KB and answer 202."""
    body, samples = b"x" * 3_000, []
    async with running("tests.bench.server") as process:
        address = f"http://127.0.0.1:{await line_of(process)}/"
        for _ in range(3):
            cpu, wall = cpu_of(process.pid), time.perf_counter()
            await crowd(lambda _: _post(client, address, body), range(times))
            samples.append(Sample(cpu_of(process.pid) - cpu, time.perf_counter() - wall, times))
    return best(samples)[0]


async def posting(client: ClientSession, addresses: Sequence[str], times: int) -> float:
    """Return microseconds of CPU that this process, as an aiohttp client, needs for a POST of 3 KB over TLS.

    The addresses are asked in turn; the first round only opens the connections.
    """
    body, samples = b"x" * 3_000, []
    targets = [addresses[number % len(addresses)] for number in range(times)]
    await crowd(lambda address: _post(client, address, body), addresses)
    for _ in range(3):
        cpu, wall = time.process_time(), time.perf_counter()
        await crowd(lambda address: _post(client, address, body), targets)
        samples.append(Sample(time.process_time() - cpu, time.perf_counter() - wall, times))
    return best(samples)[0]


async def _post(client: ClientSession, address: str, body: bytes) -> None:
    async with client.post(address, data=body) as answer:
        await answer.read()


async def crowd(work: Callable[[Any], Any], items: Any, connections: int = CONNECTIONS) -> None:
    """Call `await work(item)` for every item, so many at a time."""
    waiting = iter(items)

    async def one() -> None:
        for item in waiting:
            await work(item)

    await asyncio.gather(*(one() for _ in range(connections)))


def selecting(file: Path, statements: Sequence[tuple[str, Any]], times: int) -> float:
    """Return microseconds of CPU that sqlite3 itself needs for these statements, rows fetched."""
    raw = open_file(file)

    def work() -> None:
        for _ in range(times):
            for statement, parameters in statements:
                raw.execute(statement, parameters).fetchall()

    try:
        return best(timed(work, times))[0]
    finally:
        raw.close()


def inserting(target: Path, source: Path, tables: Sequence[tuple[str, str]]) -> float:
    """Insert the rows of `tables` (name, condition) of one file into another, 20 at a time, durably.

    Return microseconds of CPU per row of the first table.
    """
    raw = open_file(target)
    for pragma in (*EVERY_CONNECTION, *WRITER, "PRAGMA synchronous=FULL", "PRAGMA foreign_keys=OFF"):
        raw.execute(pragma)
    raw.execute("ATTACH ? AS source", (str(source),))
    work = []
    for name, condition in tables:
        cursor = raw.execute(f"SELECT * FROM source.{name} WHERE {condition}")
        marks = ", ".join("?" * len(cursor.description))
        work.append((f"INSERT OR IGNORE INTO main.{name} VALUES ({marks})", cursor.fetchall()))
    raw.execute("DETACH source")
    operations = len(work[0][1])
    try:
        return best(timed(lambda: _batches(raw, work, operations), operations, 1))[0]
    finally:
        raw.close()


def _batches(raw: sqlite3.Connection, work: list[tuple[str, list[Any]]], operations: int) -> None:
    for start in range(0, operations, BATCH):
        raw.execute("BEGIN IMMEDIATE")
        for statement, rows in work:
            for row in rows[start : start + BATCH]:
                raw.execute(statement, row)
        raw.execute("COMMIT")


@asynccontextmanager
async def tls_client(config: Config) -> AsyncIterator[ClientSession]:
    """A client that finds the names of a test node's neighbours, and no more than that."""
    names = Names(config, lambda: 0)
    context = ssl.create_default_context(cafile=config.tls_authority)
    connector = TCPConnector(
        ssl=context, resolver=names, use_dns_cache=False, limit=150, keepalive_timeout=60
    )
    async with ClientSession(connector=connector) as client:
        yield client
