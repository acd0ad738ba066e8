"""Write a migration from what esnfed.models has more than the migrations before it.

    python -m tests.doubles.postgres python migrations/generate.py URL 0002 "the message"

URL is an empty PostgreSQL database (SQLite cannot tell Alembic about indexes on expressions); the first half
of the line above gives a throw-away one. To write the first migration anew, remove its file before:

    rm migrations/versions/0001_kernel.py
    python -m tests.doubles.postgres python migrations/generate.py URL 0001 kernel
    ruff format migrations; ruff check --fix migrations

Read what was generated: a comparison never finds renamed columns and data to move. The number is the
revision, and migrations are applied in the order of their numbers.
"""

from __future__ import annotations

import asyncio
import sys

from alembic import command
from sqlalchemy import Connection

from esnfed.database.migration import settings, upgrade
from esnfed.database.postgres import make_engine


def generate(connection: Connection, number: str, message: str) -> None:
    """Bring the database to the newest migration, compare it with the models, write the new file."""
    if number != "0001":
        upgrade(connection, to="head", progress=None)
    command.revision(settings(connection), message, autogenerate=True, rev_id=number)


async def main(url: str, number: str, message: str) -> None:
    """Generate on one connection."""
    engine = make_engine(url)
    async with engine.begin() as connection:
        await connection.run_sync(generate, number, message)
    await engine.dispose()


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
