"""Online backup of a node's SQLite file, and the checks of a file; the one module that uses aiosqlite."""

from __future__ import annotations

import asyncio
import os
import sqlite3
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import aiosqlite

from esnfed.config import Config
from esnfed.database.schema import known_revisions
from esnfed.errors import ConfigError
from esnfed.i18n import N_

PAGES = 2_000
"""Pages of one step of the backup: 8 MB; between two steps progress is told and the task can be cancelled."""

FAULTS = 100
"""An integrity check stops after so many faults."""

Progress = Callable[[int, int], None]


@asynccontextmanager
async def _opened(path: Path, mode: str) -> AsyncIterator[aiosqlite.Connection]:
    connection = aiosqlite.connect(_uri(path, mode), uri=True, isolation_level=None)
    try:
        await connection
        yield connection
    finally:
        await connection.close()  # its thread would keep the interpreter alive


def _uri(path: Path, mode: str) -> str:
    return f"{path.absolute().as_uri()}?mode={mode}"


async def backup(source: Path, target: Path, progress: Progress | None = None) -> None:
    """Copy the file of a running node to `target`, which must not exist; it is complete or absent.

    One read transaction is held meanwhile: without it each commit of a busy node would begin the copy anew.
    `progress(pages done, pages in all)` is called on the event loop's thread. The copy is one plain file,
    readable by its owner only, with no WAL beside it. ConfigError when a file is missing or in the way.
    """
    part = _reserve(source, target)
    try:
        await _copy(source, part, progress)
        _finish(part, target)
    finally:
        part.unlink(missing_ok=True)


def _reserve(source: Path, target: Path) -> Path:
    """Create the empty file that becomes `target` when it is complete."""
    if not source.exists():
        raise ConfigError(N_("There is no database at %(path)s."), path=source)
    if target.exists():
        raise ConfigError(N_("%(path)s exists already."), path=target)
    part = target.with_name(target.name + ".part")
    try:
        os.close(os.open(part, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600))
    except FileExistsError as error:
        taken = N_("%(path)s is in the way: another backup runs, or was broken off.")
        raise ConfigError(taken, path=part) from error
    return part


def _finish(part: Path, target: Path) -> None:
    _sync(part)
    part.rename(target)
    _sync(target.parent)


async def _copy(source: Path, part: Path, progress: Progress | None) -> None:
    loop = asyncio.get_running_loop()

    def tell(_status: int, remaining: int, total: int) -> None:
        if progress is not None:
            loop.call_soon_threadsafe(progress, total - remaining, total)

    async with _opened(source, "ro") as reading, _opened(part, "rw") as writing:
        await reading.execute("BEGIN")
        await reading.execute_fetchall("SELECT count(*) FROM sqlite_master")  # the snapshot begins here
        await reading.backup(writing, pages=PAGES, progress=tell)
        await reading.execute("ROLLBACK")
        await writing.execute_fetchall("PRAGMA journal_mode=DELETE")


def _sync(path: Path) -> None:
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


async def check(path: Path) -> list[str]:
    """Return the faults of a file in words, none when it is sound: integrity, then foreign keys."""
    if missing := _missing(path):
        return missing
    try:
        async with _opened(path, "ro") as connection:
            found = await connection.execute_fetchall(f"PRAGMA integrity_check({FAULTS})")
            faults = [str(row[0]) for row in found if row[0] != "ok"]
            if faults:
                return faults
            broken = await connection.execute_fetchall("PRAGMA foreign_key_check")
    except sqlite3.DatabaseError as error:
        return [str(error)]
    return [f"row {row[1]} of {row[0]} refers to a missing row of {row[2]}" for row in list(broken)[:FAULTS]]


def _missing(path: Path) -> list[str]:
    return [] if path.exists() else [f"There is no file {path}."]


async def restore_check(path: Path, config: Config) -> list[str]:
    """Return what forbids to restore the file at `path` for the node of `config`, in sentences; else [].

    A restored file must be sound, have a schema that this program knows (an older one is migrated
    afterwards), and belong to the same domain and environment, because addresses never change.
    """
    faults = await check(path)
    if faults:
        return faults
    async with _opened(path, "ro") as connection:
        tables = {row[0] for row in await connection.execute_fetchall("SELECT name FROM sqlite_master")}
        if not {"alembic_version", "node"} <= tables:
            return [f"{path} is no database of esnfed."]
        revisions = [
            row[0] for row in await connection.execute_fetchall("SELECT version_num FROM alembic_version")
        ]
        nodes = list(await connection.execute_fetchall("SELECT domain, environment FROM node"))
    return [*_unknown(revisions), *_foreign(nodes, config)]


def _unknown(revisions: list[str]) -> list[str]:
    strange = [revision for revision in revisions if revision not in known_revisions()]
    return [f"Its schema {revision} is newer than this version of esnfed." for revision in strange]


def _foreign(nodes: list[sqlite3.Row], config: Config) -> list[str]:
    if not nodes:
        return ["It holds no node: nothing was ever initialised in it."]
    domain, environment = nodes[0]
    faults = []
    if domain != config.domain:
        faults.append(f"It belongs to the domain {domain}, not to {config.domain}.")
    if environment != config.environment:
        faults.append(f"It was made in the environment {environment}, not in {config.environment}.")
    return faults
