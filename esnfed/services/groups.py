"""Groups of ours pass on what their followers address to them: to each server in the form that it reads."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import orjson
from sqlalchemy import RowMapping, bindparam, or_, select, update

from esnfed.context import Context
from esnfed.errors import NotFound, Refused
from esnfed.jobs import step
from esnfed.models import activity, actor, peer
from esnfed.objects.note import Stored
from esnfed.services import actors, follows, group_queue, interactions, outbox, statuses
from esnfed.vocab import paths
from esnfed.vocab.authority import authority_of
from esnfed.vocab.parse import Document
from esnfed.vocab.terms import PUBLIC

WRAPPING = frozenset({"lemmy", "piefed", "mbin"})
"""Software whose communities are told activities inside an Announce, and not objects (FEP-1b12)."""

_GROUPS = select(actor.c.id).where(
    actor.c.id.in_(bindparam("ids", expanding=True)),
    actor.c.as_type == "Group",
    actor.c.local,
    actor.c.deleted_at.is_(None),
)
_SEEN = (
    update(peer)
    .where(peer.c.host == bindparam("of_host"), peer.c.wraps_activities.is_(False))
    .values(wraps_activities=True)
)
_WRAPPING_HOSTS = select(peer.c.host).where(
    peer.c.host.in_(bindparam("hosts", expanding=True)),
    or_(peer.c.wraps_activities, peer.c.software.in_(sorted(WRAPPING))),
)
_CREATED = (
    select(activity.c.body)
    .where(activity.c.object_uri == bindparam("about"), activity.c.as_type == "Create")
    .order_by(activity.c.id)
    .limit(1)
)


def seen(context: Context, group: RowMapping) -> None:
    """Note that the server of a group elsewhere wraps activities: it reads ours only so."""
    context.connection.execute(_SEEN, {"of_host": group["host"]})


def among(context: Context, actor_ids: Iterable[int]) -> list[int]:
    """Return the ids of those actors that are living groups of this node."""
    wanted = sorted(set(actor_ids))
    return list(context.connection.execute(_GROUPS, {"ids": wanted}).scalars()) if wanted else []


def arrived(context: Context, stored: Stored, created: Document) -> None:
    """Have our groups that a new post from elsewhere is addressed to pass it on; `created` is its Create."""
    if stored.visibility != "public":
        return
    for group_id in among(context, (known.id for known in stored.addressed)):
        group_queue.pass_on(context, group_id, stored.status_id, created)


@step(group_queue.KIND)
def announce(context: Context, arguments: dict[str, Any], cursor: Any) -> None:
    """Announce a public post of a follower: the activity to FEP-1b12 servers, the object to all others."""
    group = actors.by_id(context, arguments["group_id"])
    try:
        row = statuses.by_id(context, arguments["status_id"])
    except NotFound:
        return  # deleted meanwhile
    if group["deleted_at"] or group["suspended_at"] or not _is_for(context, group, row):
        return
    activity_id = context.new_id()
    uri, now = paths.activity(context.config.origin, activity_id), context.now()
    try:
        boost_id = interactions.store_boost(
            context, group, row, uri=uri, visibility="public", published_at=now
        )
    except Refused:
        return  # a block between the group and the author
    if boost_id is None:
        return
    _send(context, group, row, activity_id, arguments["created"])


def _is_for(context: Context, group: RowMapping, row: RowMapping) -> bool:
    if row["visibility"] != "public" or row["boost_of_id"]:
        return False
    membership = follows.between(context, row["actor_id"], group["id"])
    return membership is not None and membership["state"] == "accepted"


def _send(
    context: Context, group: RowMapping, row: RowMapping, activity_id: int, created: Document | None
) -> None:
    author = actors.by_id(context, row["actor_id"])
    inboxes = dict.fromkeys([*outbox.inboxes_of([author]), *outbox.follower_inboxes(context, group["id"])])
    wrapping = _wrapping(context, list(inboxes))
    addressed: dict[str, Any] = {"to": [PUBLIC], "cc": [group["followers_uri"], author["uri"]]}
    outbox.send(
        context,
        group,
        "Announce",
        row["uri"],
        inboxes=[inbox for inbox in inboxes if inbox not in wrapping],
        activity_id=activity_id,
        **addressed,
    )
    created = created or _own_create(context, row["uri"])
    if wrapping and created is not None:
        outbox.send(context, group, "Announce", created, inboxes=wrapping, **addressed)


def _wrapping(context: Context, inboxes: Sequence[str]) -> list[str]:
    """Return the inboxes of servers that read activities inside an Announce."""
    hosts = {inbox: authority_of(inbox) for inbox in inboxes}
    found: set[str] = set()
    wanted = sorted(set(hosts.values()))
    for start in range(0, len(wanted), 500):
        chunk = {"hosts": wanted[start : start + 500]}
        found.update(context.connection.execute(_WRAPPING_HOSTS, chunk).scalars())
    return [inbox for inbox, host in hosts.items() if host in found]


def _own_create(context: Context, status_uri: str) -> Document | None:
    body = context.connection.execute(_CREATED, {"about": status_uri}).scalar()
    document: Document | None = orjson.loads(body) if body else None
    return document
