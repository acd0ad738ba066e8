"""Merging of homogeneous inserts: rows of several appends, grouped by statement into few `executemany`."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from sqlalchemy import Connection, Insert

from esnfed.database.units import Row


def insert_merged(connection: Connection, appends: Iterable[Sequence[Row]]) -> None:
    """Insert the rows of all `appends`, one `executemany` per statement and set of columns.

    Statements run in the order in which they first appear, so a row may refer to one of an earlier statement
    of its own append. The set of columns counts because SQLAlchemy takes the columns of an `executemany`
    from its first row and drops a column that only a later row has, without a word.
    """
    groups: dict[tuple[int, frozenset[str]], tuple[Insert, list[dict[str, Any]]]] = {}
    for rows in appends:
        for statement, values in rows:
            key = (id(statement), frozenset(values))
            groups.setdefault(key, (statement, []))[1].append(dict(values))
    for statement, parameters in groups.values():
        connection.execute(statement, parameters)
