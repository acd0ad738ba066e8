"""The board: records by kind, place, theme, goal, language, owner and state, paged by id."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from types import MappingProxyType

from sqlalchemy import ColumnElement, RowMapping, and_, bindparam, case, exists, or_, select

from esnfed.context import Context
from esnfed.errors import Gone, NotFound
from esnfed.i18n import N_
from esnfed.models import actor, peer, record, record_facet, status

MAX_LIMIT = 80

_CLOSED = or_(
    record.c.closed_at.is_not(None),
    and_(record.c.closes_at.is_not(None), record.c.closes_at <= bindparam("now")),
)
"""Closed by its owner, or by its deadline: nobody sends a message when a deadline passes."""

_COLUMNS = (
    record,
    case((_CLOSED, "closed"), else_="open").label("state"),
    status.c.url.label("page"),
    status.c.replies_count,
    actor.c.handle.label("owner_handle"),
    actor.c.domain.label("owner_domain"),
    actor.c.name.label("owner_name"),
    actor.c.uri.label("owner_uri"),
    actor.c.url.label("owner_url"),
    actor.c.host.label("owner_host"),
)
_ALL = (
    select(*_COLUMNS)
    .join(status, status.c.id == record.c.status_id)
    .join(actor, actor.c.id == record.c.owner_id)
)
_VISIBLE = _ALL.where(
    record.c.deleted_at.is_(None),
    status.c.deleted_at.is_(None),
    status.c.visibility == "public",
    actor.c.suspended_at.is_(None),
    actor.c.deleted_at.is_(None),
    ~exists(select(1).where(peer.c.host == actor.c.host, peer.c.standing.in_(("limited", "blocked")))),
)
_ONE = _VISIBLE.where(record.c.status_id == bindparam("status_id"))
_SOME = _VISIBLE.where(record.c.status_id.in_(bindparam("status_ids", expanding=True)))
_DELETED = select(record.c.uri, record.c.deleted_at).where(
    record.c.status_id == bindparam("status_id"), record.c.deleted_at.is_not(None)
)


def _in_facet(name: str) -> ColumnElement[bool]:
    # Facets hold what contains them too (a region its country, a target its goal), so equality is enough.
    found = select(record_facet.c.status_id).where(
        record_facet.c.facet == name, record_facet.c.value.in_(bindparam(name, expanding=True))
    )
    return record.c.status_id.in_(found)


_STATES: Mapping[str, ColumnElement[bool]] = MappingProxyType(
    {
        "open": and_(
            record.c.closed_at.is_(None),
            or_(record.c.closes_at.is_(None), record.c.closes_at > bindparam("now")),
        ),
        "closed": _CLOSED,
    }
)
_CONDITIONS: Mapping[str, ColumnElement[bool]] = MappingProxyType(
    {
        "kind": record.c.kind.in_(bindparam("kind", expanding=True)),
        "territory": _in_facet("territory"),
        "theme": _in_facet("theme"),
        "sdg": _in_facet("sdg"),
        "language": _in_facet("language"),
        "owner_id": record.c.owner_id == bindparam("owner_id"),
        "closing_before": record.c.closes_at < bindparam("closing_before"),
        "max_id": record.c.status_id < bindparam("max_id"),
        "since_id": record.c.status_id > bindparam("since_id"),
        "min_id": record.c.status_id > bindparam("min_id"),
    }
)


@dataclass(frozen=True, slots=True)
class BoardQuery:
    """What is asked of the board. Values of one filter are alternatives; filters narrow one another.

    `state` is open, closed or all; `closing_before` is in milliseconds; `max_id` and `since_id` bound a page,
    `min_id` takes the entries just above it; newest first in every case.
    """

    kind: tuple[str, ...] = ()
    territory: tuple[str, ...] = ()
    theme: tuple[str, ...] = ()
    sdg: tuple[str, ...] = ()
    language: tuple[str, ...] = ()
    owner_id: int | None = None
    state: str = "open"
    closing_before: int | None = None
    max_id: int | None = None
    since_id: int | None = None
    min_id: int | None = None
    limit: int = 20


def page(context: Context, query: BoardQuery) -> list[RowMapping]:
    """Return up to `limit` records (80 at most) with their owners' columns and `state`; newest first."""
    asked = {name: getattr(query, name) for name in _CONDITIONS}
    values = {name: value for name, value in asked.items() if value not in ((), None)}
    conditions = [_CONDITIONS[name] for name in values]
    if query.state in _STATES:
        conditions.append(_STATES[query.state])
    upwards = query.min_id is not None
    order = record.c.status_id.asc() if upwards else record.c.status_id.desc()
    statement = _VISIBLE.where(*conditions).order_by(order).limit(bindparam("page_size"))
    parameters = values | {"now": context.now(), "page_size": max(1, min(query.limit, MAX_LIMIT))}
    rows = list(context.connection.execute(statement, parameters).mappings())
    return rows[::-1] if upwards else rows


def one(context: Context, status_id: int) -> RowMapping:
    """Return one public record as `page` does; raises Gone when it was deleted here, else NotFound."""
    parameters = {"status_id": status_id, "now": context.now()}
    row = context.connection.execute(_ONE, parameters).mappings().one_or_none()
    if row is not None:
        return row
    deleted = context.connection.execute(_DELETED, {"status_id": status_id}).one_or_none()
    if deleted is not None:
        raise Gone(uri=deleted.uri, former_type="Note", deleted_at=deleted.deleted_at)
    raise NotFound(N_("There is no such record."))


def some(context: Context, status_ids: Collection[int]) -> list[RowMapping]:
    """Return those of these statuses that are public records, as `page` does, in no order."""
    if not status_ids:
        return []
    parameters = {"status_ids": list(status_ids), "now": context.now()}
    return list(context.connection.execute(_SOME, parameters).mappings())
