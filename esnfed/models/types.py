"""Column types that are the same on SQLite and PostgreSQL, and the one MetaData of all tables.

Times are integers: milliseconds since 1970, UTC. Ids are those of ids.py.
"""

from __future__ import annotations

from typing import Any

import orjson
from sqlalchemy import BigInteger, Dialect, Integer, MetaData, Text
from sqlalchemy.types import TypeDecorator

metadata = MetaData(
    naming_convention={
        "ix": "ix_%(column_0_N_label)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "fk": "fk_%(table_name)s_%(column_0_name)s_%(referred_table_name)s",
        "pk": "pk_%(table_name)s",
    }
)

Id = BigInteger().with_variant(Integer, "sqlite")
"""A 64-bit id; on SQLite INTEGER, so that a primary key is the rowid itself."""

Millis = BigInteger().with_variant(Integer, "sqlite")
"""Milliseconds since 1970, UTC."""


class Json(TypeDecorator[Any]):
    """A JSON value kept as text, read and written with orjson."""

    impl = Text
    cache_ok = True

    def process_bind_param(self, value: Any, dialect: Dialect) -> str | None:
        """Encode; None stays NULL."""
        return None if value is None else orjson.dumps(value).decode()

    def process_result_value(self, value: str | None, dialect: Dialect) -> Any:
        """Decode; NULL stays None."""
        return None if value is None else orjson.loads(value)
