"""Alembic, driven on a connection that the caller has opened; loaded only to migrate."""

from __future__ import annotations

from collections.abc import Callable

from alembic import command
from alembic.config import Config
from sqlalchemy import Connection

from esnfed import resources


def settings(connection: Connection | None = None, progress: Callable[[str], None] | None = None) -> Config:
    """Alembic's configuration: our folder, the caller's connection and progress (see migrations/env.py)."""
    config = Config()
    config.set_main_option("script_location", str(resources.folder("migrations")).replace("%", "%%"))
    config.attributes["connection"] = connection
    config.attributes["progress"] = progress
    return config


def upgrade(connection: Connection, *, to: str, progress: Callable[[str], None] | None) -> None:
    """Run the missing migrations inside the caller's transaction."""
    command.upgrade(settings(connection, progress), to)
