"""Reports: what somebody complains about, for the moderators here, or for those of the other server."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import RowMapping, bindparam, func, select, update

from esnfed.context import Context
from esnfed.errors import Conflict, Ignored, Invalid, NotFound
from esnfed.i18n import N_
from esnfed.models import actor, insert, node, report, status
from esnfed.services import actors, outbox
from esnfed.vocab import parse, paths
from esnfed.vocab.authority import same_origin

MAX_COMMENT = 5_000
"""As Mastodon."""

MAX_STATUSES = 50
MAX_OPEN_PER_SERVER = 100
"""Open reports of one server; what more it sends is counted and not kept."""

STATES = ("open", "closed")

_INSERT = insert(report)
_STORE = _INSERT.on_conflict_do_nothing(index_elements=["uri"]).returning(report.c.id)
_OPEN_OF = (
    select(func.count())
    .select_from(report)
    .where(report.c.host == bindparam("of_host"), report.c.state == "open", report.c.local.is_(False))
)
_reporter = actor.alias("reporter")
_LISTED = (
    select(
        report,
        actor.c.handle,
        actor.c.domain,
        _reporter.c.handle.label("reporter_handle"),
        _reporter.c.domain.label("reporter_domain"),
    )
    .join(actor, actor.c.id == report.c.target_id)
    .join(_reporter, _reporter.c.id == report.c.reporter_id)
)
_PAGE = (
    _LISTED.where(report.c.state == bindparam("of_state"), report.c.id < bindparam("before_id"))
    .order_by(report.c.id.desc())
    .limit(bindparam("page_size"))
)
_ONE = _LISTED.where(report.c.id == bindparam("report_id"))
_CLOSE = (
    update(report)
    .where(report.c.id == bindparam("report_id"), report.c.state == "open")
    .values(state="closed", conclusion=bindparam("words"), closed_at=bindparam("now"))
)
_FORWARDED = (
    update(report)
    .where(report.c.id == bindparam("report_id"))
    .values(uri=bindparam("flag_uri"), forwarded_at=bindparam("now"))
)
_OWN = (actor.c.local, actor.c.deleted_at.is_(None))
_BY_URI = select(actor).where(actor.c.uri.in_(bindparam("uris", expanding=True)), *_OWN)
_BY_HANDLE = select(actor).where(func.lower(actor.c.handle).in_(bindparam("handles", expanding=True)), *_OWN)
_OWN_STATUSES = (
    select(status)
    .where(status.c.id.in_(bindparam("ids", expanding=True)), status.c.local, status.c.boost_of_id.is_(None))
    .order_by(status.c.id)
)
_STATUSES = select(status).where(status.c.id.in_(bindparam("ids", expanding=True))).order_by(status.c.id)
_NODE_ACTOR = select(actor).join(node, node.c.actor_id == actor.c.id)
_PAGE_OF = re.compile(r"/(?:@|o/)([A-Za-z0-9_]{1,30})")
_NUMBERED = re.compile(r"/(?:ap/objects|r|@[A-Za-z0-9_]+|o/[A-Za-z0-9_]+)/([0-9]{1,18})(?:/[^/]*)?")


@dataclass(frozen=True, slots=True)
class Accused:
    """An actor of this node and its posts that a Flag from elsewhere names."""

    target: RowMapping
    statuses: Sequence[RowMapping]


def _named(context: Context, uris: Sequence[str]) -> dict[str, RowMapping]:
    """Return the actors of this node by those of the addresses that are their ids or pages."""
    origin = context.config.origin
    pages = {uri: match[1].lower() for uri in uris if (match := _PAGE_OF.fullmatch(uri[len(origin) :]))}
    by_uri = context.connection.execute(_BY_URI, {"uris": list(uris)}).mappings()
    found = {row["uri"]: row for row in by_uri}
    if pages:
        by_handle = context.connection.execute(_BY_HANDLE, {"handles": sorted(pages.values())}).mappings()
        handles = {row["handle"].lower(): row for row in by_handle}
        found |= {uri: handles[handle] for uri, handle in pages.items() if handle in handles}
    return found


def accused(context: Context, uris: Iterable[str]) -> Accused | None:
    """Return whom and what of this node some addresses name, ids or pages; None when it is nobody.

    The first actor named counts, else the author of the first post; posts of others are left out.
    """
    origin = context.config.origin
    own = [uri for uri in uris if same_origin(uri, origin)]
    if not own:
        return None
    named = _named(context, own)
    found = [_NUMBERED.fullmatch(uri[len(origin) :]) for uri in own]
    ids = list(dict.fromkeys(int(match[1]) for match in found if match))
    posts = list(context.connection.execute(_OWN_STATUSES, {"ids": ids or [0]}).mappings())
    first = next((named[uri] for uri in own if uri in named), None)
    if first is None:
        if not posts:
            return None
        first = actors.by_id(context, min(posts, key=lambda row: ids.index(row["id"]))["actor_id"])
    theirs = [row for row in posts if row["actor_id"] == first["id"]]
    return Accused(first, theirs[:MAX_STATUSES])


def received(context: Context, sender: RowMapping, found: Accused, comment: str, uri: str) -> int | None:
    """Write a report from elsewhere; return its id, None when it was here before.

    Raises Ignored when a hundred of that server are open: they are counted then.
    """
    waiting = context.connection.execute(_OPEN_OF, {"of_host": sender["host"]}).scalar_one()
    if waiting >= MAX_OPEN_PER_SERVER:
        raise Ignored(N_("A hundred reports of that server are open."), counter="too-many-reports")
    return _store(context, sender, found.target, found.statuses, comment, uri=uri or None)


def _store(
    context: Context,
    reporter: RowMapping,
    target: RowMapping,
    statuses: Sequence[RowMapping],
    comment: str,
    *,
    uri: str | None = None,
) -> int | None:
    values: dict[str, Any] = {
        "id": context.new_id(),
        "local": reporter["local"],
        "uri": uri,
        "reporter_id": reporter["id"],
        "host": reporter["host"],
        "target_id": target["id"],
        "status_ids": [str(row["id"]) for row in statuses],
        "comment": comment[:MAX_COMMENT],
        "state": "open",
        "created_at": context.now(),
    }
    found: int | None = context.connection.execute(_STORE, values).scalar()
    return found


def make(
    context: Context,
    reporter: RowMapping,
    target: RowMapping,
    statuses: Sequence[RowMapping],
    comment: str,
    *,
    forward: bool = False,
) -> int:
    """Let a local actor report another; return the report's id.

    Only with `forward` does the other server hear of it: by a Flag of the node actor, which says nothing of
    who complained. Raises Invalid for oneself, for posts of others, and for a comment over 5,000 characters.
    """
    if reporter["id"] == target["id"]:
        raise Invalid(N_("Nobody reports themselves."), "target")
    if len(comment) > MAX_COMMENT:
        raise Invalid(N_("The comment is too long."), "comment")
    if len(statuses) > MAX_STATUSES or any(row["actor_id"] != target["id"] for row in statuses):
        raise Invalid(N_("A report names up to fifty posts of the one it is about."), "statuses")
    if forward and target["local"]:
        raise Invalid(N_("A report about an actor of this node goes to no other server."), "forward")
    report_id = _store(context, reporter, target, statuses, comment)
    if report_id is None:
        raise Conflict
    if forward:
        _forward(context, report_id, target, statuses, comment)
    return report_id


def _forward(
    context: Context, report_id: int, target: RowMapping, statuses: Sequence[RowMapping], comment: str
) -> None:
    """Send the Flag as GoToSocial does: account and posts in `object`, the words in `content`."""
    activity_id = context.new_id()
    outbox.send(
        context,
        context.connection.execute(_NODE_ACTOR).mappings().one(),
        "Flag",
        [target["uri"], *(row["uri"] for row in statuses)],
        to=[target["uri"]],
        inboxes=outbox.inboxes_of([target]),
        extra={"content": comment},
        activity_id=activity_id,
    )
    uri = paths.activity(context.config.origin, activity_id)
    values = {"report_id": report_id, "flag_uri": uri, "now": context.now()}
    context.connection.execute(_FORWARDED, values)


def listing(context: Context, state: str, limit: int, before: int) -> list[RowMapping]:
    """Return reports in a state, the newest first: report columns, accounts of both."""
    values = {"of_state": state, "page_size": limit, "before_id": before}
    return list(context.connection.execute(_PAGE, values).mappings())


def by_id(context: Context, report_id: int) -> RowMapping:
    """Return one report as `listing` does; raises NotFound."""
    row = context.connection.execute(_ONE, {"report_id": report_id}).mappings().one_or_none()
    if row is None:
        raise NotFound(N_("There is no such report."))
    return row


def statuses_of(context: Context, row: RowMapping) -> list[RowMapping]:
    """Return the posts that a report names, deleted ones too, as far as they are still here."""
    ids = [int(number) for number in row["status_ids"]]
    return list(context.connection.execute(_STATUSES, {"ids": ids or [0]}).mappings())


def close(context: Context, report_id: int, conclusion: str) -> None:
    """End a report with what was decided; Conflict when it is closed already, NotFound without one."""
    by_id(context, report_id)
    values = {"report_id": report_id, "words": conclusion[:MAX_COMMENT], "now": context.now()}
    if not context.connection.execute(_CLOSE, values).rowcount:
        raise Conflict(N_("This report is closed already."))


def addresses_in(text: str) -> list[str]:
    """Return the web addresses in a text, in order, fifty at most: Misskey puts the posts into `content`."""
    found = (parse.web_address(match) for match in _ADDRESS.findall(text[: MAX_COMMENT * 2]))
    return list(dict.fromkeys(address for address in found if address))[:MAX_STATUSES]


_ADDRESS = re.compile(r"https?://[^\s<>\"'()]+")
