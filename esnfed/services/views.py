"""Statuses as somebody sees them: a whole page at once, in a fixed number of statements."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import RowMapping, Select, bindparam, select

from esnfed.context import Context
from esnfed.models import actor, media_attachment, mention, poll, status, status_tag, tag
from esnfed.objects import question


@dataclass(frozen=True, slots=True)
class PollView:
    """A poll as it stands now: answers with their votes, and whether it is over; nobody is named."""

    options: tuple[tuple[str, int], ...]
    multiple: bool
    voters: int | None
    expires_at: int | None
    closed: bool

    @property
    def votes(self) -> int:
        """All votes, of which one voter may have given several."""
        return sum(votes for _, votes in self.options)


@dataclass(frozen=True, slots=True)
class StatusView:
    """One status with everything around it. `boosted` is the original when this is a boost."""

    status: RowMapping
    author: RowMapping
    media: Sequence[RowMapping] = ()
    mentions: Sequence[RowMapping] = ()
    tags: Sequence[str] = ()
    boosted: StatusView | None = None
    poll: PollView | None = None


_STATUSES = select(status).where(
    status.c.id.in_(bindparam("ids", expanding=True)), status.c.deleted_at.is_(None)
)
_ACTORS = select(actor).where(actor.c.id.in_(bindparam("ids", expanding=True)))
_MEDIA = (
    select(media_attachment)
    .where(media_attachment.c.status_id.in_(bindparam("ids", expanding=True)))
    .order_by(media_attachment.c.status_id, media_attachment.c.position)
)
_MENTIONS = (
    select(
        mention.c.status_id,
        actor.c.id,
        actor.c.handle,
        actor.c.domain,
        actor.c.uri,
        actor.c.url,
        actor.c.local,
        actor.c.as_type,
    )
    .join(actor, actor.c.id == mention.c.actor_id)
    .where(mention.c.status_id.in_(bindparam("ids", expanding=True)))
    .order_by(mention.c.status_id, actor.c.id)
)
_TAGS = (
    select(status_tag.c.status_id, tag.c.display_name)
    .join(tag, tag.c.id == status_tag.c.tag_id)
    .where(status_tag.c.status_id.in_(bindparam("ids", expanding=True)))
    .order_by(status_tag.c.status_id, tag.c.name)
)

_POLLS = select(poll).where(poll.c.status_id.in_(bindparam("ids", expanding=True)))


def of_statuses(context: Context, rows: Sequence[RowMapping]) -> list[StatusView]:
    """Return the views of status rows in their order, in six statements; boosts of what is gone left out."""
    boosted_ids = sorted({row["boost_of_id"] for row in rows if row["boost_of_id"]})
    originals = {row["id"]: row for row in _fetch(context, _STATUSES, boosted_ids)}
    shown = {row["id"]: row for row in (*rows, *originals.values())}
    content_ids = sorted(identifier for identifier, row in shown.items() if not row["boost_of_id"])
    authors = {
        row["id"]: row for row in _fetch(context, _ACTORS, {row["actor_id"] for row in shown.values()})
    }
    media = _grouped(_fetch(context, _MEDIA, content_ids))
    mentions = _grouped(_fetch(context, _MENTIONS, content_ids))
    tags = _grouped(_fetch(context, _TAGS, content_ids))
    asking = sorted(identifier for identifier, row in shown.items() if row["as_type"] == "Question")
    polls = {row["status_id"]: _poll(context, row) for row in _fetch(context, _POLLS, asking)}

    def view(row: RowMapping, boosted: StatusView | None = None) -> StatusView:
        identifier = row["id"]
        return StatusView(
            status=row,
            author=authors[row["actor_id"]],
            media=media[identifier],
            mentions=mentions[identifier],
            tags=[found["display_name"] for found in tags[identifier]],
            boosted=boosted,
            poll=polls.get(identifier),
        )

    views = []
    for row in rows:
        original = originals.get(row["boost_of_id"]) if row["boost_of_id"] else None
        if not row["boost_of_id"]:
            views.append(view(row))
        elif original is not None:
            views.append(view(row, view(original)))
    return views


def _poll(context: Context, row: RowMapping) -> PollView:
    votes = sum(row["tallies"])
    return PollView(
        options=tuple(zip(row["options"], row["tallies"], strict=True)),
        multiple=row["multiple"],
        voters=row["voters_count"] if row["multiple"] or row["voters_count"] is not None else votes,
        expires_at=row["expires_at"],
        closed=question.is_over(row, context.now()),
    )


def _fetch(context: Context, statement: Select[Any], ids: Iterable[int]) -> Sequence[RowMapping]:
    wanted = list(ids)
    if not wanted:
        return ()
    return context.connection.execute(statement, {"ids": wanted}).mappings().all()


def _grouped(rows: Sequence[RowMapping]) -> defaultdict[int, list[RowMapping]]:
    found: defaultdict[int, list[RowMapping]] = defaultdict(list)
    for row in rows:
        found[row["status_id"]].append(row)
    return found
