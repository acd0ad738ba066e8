"""Counting what arrives and has no effect here, by kind, with a cap on distinct kinds."""

from __future__ import annotations

from sqlalchemy import RowMapping, bindparam, func, select, update

from esnfed.context import Context
from esnfed.models import counter, insert

MAX_KEYS = 200
OTHER = "(other)"

_COUNT = (
    update(counter)
    .where(counter.c.name == bindparam("of_name"), counter.c.key == bindparam("of_key"))
    .values(count=counter.c.count + 1, last_at=bindparam("now"))
)
_HOW_MANY = select(func.count()).select_from(counter).where(counter.c.name == bindparam("of_name"))
_INSERT = insert(counter)
_STORE = _INSERT.on_conflict_do_update(
    index_elements=["name", "key"],
    set_={"count": counter.c.count + 1, "last_at": _INSERT.excluded.last_at},
)
_ALL = select(counter).order_by(counter.c.name, counter.c.count.desc())


def count(context: Context, name: str, key: str) -> None:
    """Add one; past 200 distinct keys of a name further ones count as "(other)", so a peer cannot fill us."""
    key, now = key[:100], context.now()
    known = context.connection.execute(_COUNT, {"of_name": name, "of_key": key, "now": now})
    if known.rowcount:
        return
    if context.connection.execute(_HOW_MANY, {"of_name": name}).scalar_one() >= MAX_KEYS:
        key = OTHER
    context.connection.execute(_STORE, {"name": name, "key": key, "count": 1, "last_at": now})


def all_counters(context: Context) -> list[RowMapping]:
    """Return every counter, the largest of each name first."""
    return list(context.connection.execute(_ALL).mappings())
