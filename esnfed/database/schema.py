"""The schema's revision: what the database has, what this program knows, and the way between."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from functools import partial
from importlib import import_module
from types import ModuleType

from sqlalchemy import Connection

from esnfed import resources
from esnfed.config import Config
from esnfed.database import sqlite
from esnfed.errors import ConfigError
from esnfed.i18n import N_

Progress = Callable[[str], None]


def known_revisions() -> list[str]:
    """Revisions of this program, oldest first: the numbers before the names of the files in versions/.

    Read from the names, because loading Alembic costs a node that only serves 11 MB; a test holds the two
    ways of counting together.
    """
    versions = resources.folder("migrations") / "versions"
    return sorted(path.name.partition("_")[0] for path in versions.glob("[0-9]*_*.py"))


async def schema_state(config: Config) -> tuple[str | None, str]:
    """Return (revision of the database, None for an empty one; newest revision of this program)."""
    if config.database:
        current = await postgres().current_revision(config.database)
    else:
        current = sqlite.current_revision(sqlite.database_path(config))
    return current, known_revisions()[-1]


async def require_head(config: Config) -> None:
    """ConfigError, in one sentence, unless the database has exactly the schema of this program."""
    current, head = await schema_state(config)
    _refuse_newer(current)
    if current is None:
        raise ConfigError(N_("The database is empty: run esnfed init, or esnfed migrate."))
    if current != head:
        behind = N_("The database is at revision %(current)s and needs %(head)s: run esnfed migrate.")
        raise ConfigError(behind, current=current, head=head)


async def migrate(config: Config, *, to: str = "head", progress: Progress | None = None) -> None:
    """Bring the database to revision `to` in one transaction; an empty or missing one is created.

    `progress(revision)` is called after each step, maybe on another thread. There is no way back but a
    backup. ConfigError when the database is newer than this program or `to` is unknown.
    """
    if to != "head" and to not in known_revisions():
        raise ConfigError(N_("There is no revision %(wanted)s of the database."), wanted=to)
    current, _ = await schema_state(config)
    _refuse_newer(current)
    upgrade: Callable[[Connection], None] = partial(
        import_module("esnfed.database.migration").upgrade, to=to, progress=progress
    )
    if config.database:
        await postgres().upgrade(config.database, upgrade)
    else:
        await asyncio.to_thread(sqlite.upgrade, sqlite.database_path(config), upgrade)


def _refuse_newer(current: str | None) -> None:
    if current is not None and current not in known_revisions():
        raise ConfigError(
            N_(
                "The database is at revision %(current)s, which this version does not know: install a newer "
                "version."
            ),
            current=current,
        )


def postgres() -> ModuleType:
    """The PostgreSQL adapter, loaded when it is needed: a node on SQLite starts without asyncpg."""
    try:
        return import_module("esnfed.database.postgres")
    except ModuleNotFoundError as error:
        raise ConfigError(
            N_('PostgreSQL needs additional libraries: run pip install "esnfed[postgres]".')
        ) from error
