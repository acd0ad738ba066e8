"""What can be done with records: announce, update, close (prepared in a read, applied in a job), delete."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import RowMapping

from esnfed.context import Context
from esnfed.errors import Conflict, Gone, Invalid, NotFound, Refused
from esnfed.i18n import N_
from esnfed.records import rendering, storage
from esnfed.records.definition import Definition, Sheet, kind_named
from esnfed.records.hashtags import hashtags
from esnfed.services import actors, statuses
from esnfed.vocab import paths


@dataclass(frozen=True, slots=True)
class AnnouncementPlan:
    """A new record, checked and rendered; nothing is written yet."""

    definition: Definition
    sheet: Sheet
    draft: statuses.Draft
    status_id: int


@dataclass(frozen=True, slots=True)
class RevisionPlan:
    """A change of a record, checked and rendered. `version` is the one it was made from."""

    definition: Definition
    sheet: Sheet
    draft: statuses.Draft
    status_id: int
    version: int
    closed_at: int | None


def prepare_announcement(
    context: Context, owner_actor_id: int, kind: str, sheet: Mapping[str, Any]
) -> AnnouncementPlan:
    """Check everything and render the post; raises Invalid naming the field, Refused for a foreign owner."""
    definition = kind_named(kind)
    if definition is None:
        raise Invalid(N_("There is no such kind of record."), "kind")
    _owner(context, owner_actor_id)
    checked = definition.validate(sheet)
    status_id = context.new_id()
    page = paths.record_page(context.config.origin, status_id, rendering.slug(checked))
    draft = _draft(
        definition, checked, owner_actor_id, page, closed=definition.is_over(checked), status_id=status_id
    )
    return AnnouncementPlan(definition, checked, draft, status_id)


def apply_announcement(context: Context, plan: AnnouncementPlan) -> int:
    """Write the status and its record, and queue the Create; return the id of both."""
    _owner(context, plan.draft.actor_id)
    now = context.now()
    statuses.publish(context, plan.draft)
    closed_at = now if plan.definition.is_over(plan.sheet) else None
    _store(context, plan.definition, plan.sheet, plan.draft.actor_id, plan.status_id, 1, closed_at, now)
    statuses.announce_creation(context, plan.status_id)
    return plan.status_id


def prepare_update(
    context: Context,
    owner_actor_id: int,
    status_id: int,
    sheet: Mapping[str, Any],
    *,
    reopen: bool = False,
) -> RevisionPlan:
    """Check a whole new sheet for a record and render it. A closed record stays so unless `reopen`.

    Raises Invalid naming the field, NotFound or Gone, Refused for anybody but the owner.
    """
    row = owned(context, owner_actor_id, status_id)
    definition = _definition(row)
    checked = definition.validate(sheet)
    closed_at = row["closed_at"]
    if definition.is_over(checked):
        closed_at = closed_at or context.now()
    elif reopen or definition.closes_by_sheet:
        closed_at = None
    return _revision(context, row, definition, checked, closed_at)


def prepare_closing(context: Context, owner_actor_id: int, status_id: int) -> RevisionPlan:
    """Prepare to close a record; raises Conflict when it is closed already, else as `prepare_update`."""
    row = owned(context, owner_actor_id, status_id)
    if row["closed_at"] is not None:
        raise Conflict(N_("This record is closed already."))
    definition = _definition(row)
    return _revision(context, row, definition, definition.closed(storage.whole_sheet(row)), context.now())


def apply_revision(context: Context, plan: RevisionPlan) -> int:
    """Write the new state and queue its Update; Conflict when the record changed since it was prepared."""
    row = owned(context, plan.draft.actor_id, plan.status_id)
    if row["version"] != plan.version:
        raise Conflict
    _store(
        context,
        plan.definition,
        plan.sheet,
        plan.draft.actor_id,
        plan.status_id,
        plan.version + 1,
        plan.closed_at,
        row["published_at"],
    )
    statuses.revise(context, plan.status_id, plan.draft)
    return plan.status_id


def delete(context: Context, owner_actor_id: int, status_id: int) -> None:
    """Delete a record with its post; a Delete goes out, a tombstone stays."""
    owned(context, owner_actor_id, status_id)
    statuses.remove(context, status_id, owner_actor_id)


def owned(context: Context, owner_actor_id: int, status_id: int) -> RowMapping:
    """Return the record row of a local owner; raises NotFound, Gone, or Refused for another's record."""
    row = storage.row_of(context, status_id)
    if row is None:
        raise NotFound(N_("There is no such record."))
    if row["owner_id"] != owner_actor_id or not row["local"]:
        raise Refused(N_("Only its owner can change a record."))
    if row["deleted_at"] is not None:
        raise Gone(uri=row["uri"], former_type="Note", deleted_at=row["deleted_at"])
    return row


def _owner(context: Context, actor_id: int) -> RowMapping:
    row = actors.by_id(context, actor_id)
    if not row["local"] or row["deleted_at"] is not None or row["suspended_at"] is not None:
        raise Refused(N_("Records can be announced only for an actor of this node."))
    return row


def _definition(row: RowMapping) -> Definition:
    definition = kind_named(row["kind"])
    if definition is None:
        raise Invalid(N_("There is no such kind of record."), "kind")
    return definition


def _revision(
    context: Context, row: RowMapping, definition: Definition, sheet: Sheet, closed_at: int | None
) -> RevisionPlan:
    page = statuses.by_id(context, row["status_id"])["url"]
    draft = _draft(
        definition, sheet, row["owner_id"], page, closed=closed_at is not None, status_id=row["status_id"]
    )
    return RevisionPlan(definition, sheet, draft, row["status_id"], row["version"], closed_at)


def _draft(
    definition: Definition, sheet: Sheet, owner_id: int, page: str, *, closed: bool, status_id: int
) -> statuses.Draft:
    public = definition.public(sheet)
    return statuses.Draft(
        actor_id=owner_id,
        visibility="public",
        content_map=rendering.content_map(definition, public, page, closed=closed),
        tags=hashtags(definition, public),
        status_id=status_id,
        url=page,
    )


def _store(
    context: Context,
    definition: Definition,
    sheet: Sheet,
    owner_id: int,
    status_id: int,
    version: int,
    closed_at: int | None,
    published_at: int,
) -> None:
    entry = storage.Entry(
        status_id=status_id,
        uri=paths.object_(context.config.origin, status_id),
        owner_id=owner_id,
        local=True,
        definition=definition,
        version=version,
        public=definition.public(sheet),
        private=definition.private(sheet),
        closed_at=closed_at,
        published_at=published_at,
        updated_at=context.now(),
    )
    if not storage.put(context, entry):
        raise Conflict
