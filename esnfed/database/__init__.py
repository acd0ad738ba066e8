"""Units of work: one hop per read or write, on SQLite (one writer thread) or PostgreSQL (asyncpg)."""

from esnfed.database.facade import Database
from esnfed.database.schema import migrate, schema_state
from esnfed.database.sqlite import database_path
from esnfed.database.units import Limits

__all__ = ["Database", "Limits", "database_path", "migrate", "schema_state"]
