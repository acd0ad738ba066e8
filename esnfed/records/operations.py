"""What commands ask of a node about records; each returns plain JSON."""

from __future__ import annotations

from typing import Any, Protocol

from sqlalchemy import RowMapping

from esnfed.context import Context
from esnfed.database import Database
from esnfed.errors import NotFound
from esnfed.i18n import N_
from esnfed.records import presentation, query, service, storage
from esnfed.records.filters import read_filters, resolve
from esnfed.registry import operations, readings
from esnfed.services import actors

Json = dict[str, Any]


class HasDatabase(Protocol):
    """What an operation needs of a node."""

    @property
    def database(self) -> Database:
        """The node's database."""


@operations.register("record-announce")
async def announce(node: HasDatabase, *, owner: str, kind: str, sheet: Json) -> Json:
    """Announce a record for the local actor `owner` (a handle); return the record as the board shows it."""
    plan = await node.database.read(_prepare_announcement, owner, kind, sheet)
    return await _shown(node, await node.database.write(service.apply_announcement, plan))


def _prepare_announcement(context: Context, owner: str, kind: str, sheet: Json) -> service.AnnouncementPlan:
    return service.prepare_announcement(context, actors.local(context, owner)["id"], kind, sheet)


@operations.register("record-update")
async def update(
    node: HasDatabase, *, record_id: int, changes: Json, replace: bool = False, reopen: bool = False
) -> Json:
    """Change fields of a record (null removes one), or with `replace` its whole sheet; return it."""
    plan = await node.database.read(_prepare_update, record_id, changes, replace, reopen)
    return await _shown(node, await node.database.write(service.apply_revision, plan))


def _prepare_update(
    context: Context, record_id: int, changes: Json, replace: bool, reopen: bool
) -> service.RevisionPlan:
    row = _local(context, record_id)
    sheet = changes if replace else {**storage.whole_sheet(row), **changes}
    return service.prepare_update(context, row["owner_id"], record_id, sheet, reopen=reopen)


@operations.register("record-close")
async def close(node: HasDatabase, *, record_id: int) -> Json:
    """Close a record, visibly; return it."""
    plan = await node.database.read(_prepare_closing, record_id)
    return await _shown(node, await node.database.write(service.apply_revision, plan))


def _prepare_closing(context: Context, record_id: int) -> service.RevisionPlan:
    return service.prepare_closing(context, _local(context, record_id)["owner_id"], record_id)


@operations.register("record-delete")
def delete(context: Context, record_id: int) -> Json:
    """Delete a record and its post for good; return its id."""
    service.delete(context, _local(context, record_id)["owner_id"], record_id)
    return {"id": str(record_id)}


@readings.register("record-list")
def list_records(context: Context, filters: list[tuple[str, str]]) -> list[Json]:
    """Return a page of the board; `filters` are (name, value) pairs as in the API."""
    board = resolve(context, read_filters(filters))
    return [presentation.entry(row) for row in query.page(context, board)]


@readings.register("record-show")
def show(context: Context, record_id: int) -> Json:
    """Return one record whole; of a record of ours also the fields that never leave the node."""
    row = query.one(context, record_id)
    shown = presentation.whole(row)
    return {**shown, "private": row["private"] or {}} if row["local"] else shown


def _local(context: Context, record_id: int) -> RowMapping:
    row = storage.row_of(context, record_id)
    if row is None or not row["local"]:
        raise NotFound(N_("There is no such record."))
    return row


async def _shown(node: HasDatabase, record_id: int) -> Json:
    return await node.database.read(_public, record_id)


def _public(context: Context, record_id: int) -> Json:
    return presentation.whole(query.one(context, record_id))
