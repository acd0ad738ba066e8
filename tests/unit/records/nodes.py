"""A node as far as records see it: a real database, an organisation, documents handed over by hand."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import orjson
from sqlalchemy import Table, insert, select, update

from esnfed.context import Context, Runtime
from esnfed.database import Database
from esnfed.models import activity, actor, delivery, status
from esnfed.objects import note
from esnfed.records import service
from esnfed.services import actors

Document = dict[str, Any]
KEYS = actors.NewKeys(b"rsa public", b"rsa private", b"ed public", b"ed private")


@dataclass
class Node:
    """One node with the organisation `sne`."""

    database: Database
    runtime: Runtime
    owner: int

    async def announce(self, kind: str, sheet: Document, owner: int | None = None) -> int:
        """Announce a record of `owner`, or of the organisation."""
        plan = await self.database.read(service.prepare_announcement, owner or self.owner, kind, sheet)
        return await self.database.write(service.apply_announcement, plan)

    async def update(self, status_id: int, sheet: Document, *, reopen: bool = False) -> int:
        """Replace the sheet of a record."""
        plan = await self.database.read(_prepare_update, self.owner, status_id, sheet, reopen)
        return await self.database.write(service.apply_revision, plan)

    async def close(self, status_id: int) -> int:
        """Close a record."""
        plan = await self.database.read(service.prepare_closing, self.owner, status_id)
        return await self.database.write(service.apply_revision, plan)

    async def delete(self, status_id: int) -> None:
        """Delete a record."""
        await self.database.write(service.delete, self.owner, status_id)

    async def sent(self) -> list[Document]:
        """Every activity that was written to be sent, oldest first."""
        return await self.database.read(_sent)

    async def rows(self, table: Table) -> list[Any]:
        """All rows of a table."""
        return await self.database.read(_rows, table)

    async def row(self, table: Table, row_id: int) -> Any:
        """One row by its first column."""
        return await self.database.read(_row, table, row_id)

    async def change(self, table: Table, row_id: int | str, **values: Any) -> None:
        """Change a row by its first column."""
        await self.database.write(_change, table, row_id, values)

    async def receive(self, document: Document) -> int:
        """Store or revise a note of another node, as its Create or Update would; return the status id."""
        return await self.database.write(_receive, document)


def _prepare_update(
    context: Context, owner: int, status_id: int, sheet: Document, reopen: bool
) -> service.RevisionPlan:
    return service.prepare_update(context, owner, status_id, sheet, reopen=reopen)


def _sent(context: Context) -> list[Document]:
    bodies = context.connection.execute(select(activity.c.body).order_by(activity.c.id)).scalars()
    return [orjson.loads(body) for body in bodies]


def _rows(context: Context, table: Table) -> list[Any]:
    return list(context.connection.execute(select(table)).mappings())


def _row(context: Context, table: Table, row_id: int) -> Any:
    first = next(iter(table.c))
    return context.connection.execute(select(table).where(first == row_id)).mappings().one()


def _change(context: Context, table: Table, row_id: int | str, values: dict[str, Any]) -> None:
    first = next(iter(table.c))
    context.connection.execute(update(table).where(first == row_id).values(**values))


def _receive(context: Context, document: Document) -> int:
    author = actors.by_uri(context, document["attributedTo"]) or _remote_author(
        context, document["attributedTo"]
    )
    known = note.row_of(context, document["id"])
    if known is None:
        stored = note.store(context, document, author)
        assert stored is not None
        return stored.status_id
    note.revise(context, document, author, known)
    return int(known["id"])


def _remote_author(context: Context, uri: str) -> Any:
    host = uri.split("/")[2]
    row = {
        "id": context.new_id(),
        "as_type": "Organization",
        "local": False,
        "handle": "sne",
        "domain": host,
        "host": host,
        "uri": uri,
        "inbox": f"{uri}/inbox",
        "followers_uri": f"{uri}/followers",
        "created_at": context.now(),
        "updated_at": context.now(),
    }
    context.connection.execute(insert(actor), row)
    return actors.by_uri(context, uri)


def every_value(rows: Iterable[Any], columns: Sequence[str] = ()) -> str:
    """Return everything that stands in rows as one text; `columns` are left out."""
    return repr([{name: value for name, value in row.items() if name not in columns} for row in rows])


async def make_node(database: Database, runtime: Runtime) -> Node:
    """Give an empty database its organisation."""

    def create(context: Context) -> int:
        return actors.create(context, as_type="Organization", handle="sne", name="SNE", keys=KEYS)

    return Node(database, runtime, await database.write(create))


TRAVELLING: tuple[Table, ...] = (activity, delivery, status)
"""Tables whose content is sent, served or shown; `record` keeps its private column to itself."""
