"""Queue an activity for inboxes, in the transaction of what it announces, and merge it with what waits."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Iterator, Sequence
from typing import Any, Final, TypeVar

from sqlalchemy import bindparam, update
from sqlalchemy.dialects.postgresql import insert  # its ON CONFLICT is compiled by SQLite's dialect as well

from esnfed.bus import DeliveriesQueued
from esnfed.context import Context
from esnfed.errors import Malformed
from esnfed.federation import delivery_notes as notes
from esnfed.federation.peers import know, standings
from esnfed.models.delivery import delivery
from esnfed.vocab.authority import authority_of

log = logging.getLogger(__name__)

CHUNK: Final = 500

Item = TypeVar("Item")

_dropped: dict[str, Any] = {
    "state": "dropped",
    "done_at": bindparam("now"),
    "last_error": bindparam("note"),
}
_INSERT = insert(delivery).on_conflict_do_nothing(index_elements=[delivery.c.activity_id, delivery.c.inbox])
_same_object = (
    (delivery.c.object_uri == bindparam("b_object_uri"))
    & (delivery.c.actor_id == bindparam("b_actor_id"))
    & (delivery.c.state.concat("") == "queued")  # no index but the object's: its rows are few
)
_DROP_CREATES = (
    update(delivery)
    .where(_same_object, delivery.c.as_type == "Create", delivery.c.begun_at.is_(None))
    .values(_dropped)
    .returning(delivery.c.inbox)
)
_DROP_UPDATES = (
    update(delivery)
    .where(
        _same_object,
        delivery.c.as_type == "Update",
        delivery.c.activity_id != bindparam("b_activity_id"),
        delivery.c.inbox.in_(bindparam("inboxes", expanding=True)),
    )
    .values(_dropped)
)


def queue(
    context: Context,
    *,
    activity_id: int,
    actor_id: int,
    as_type: str,
    object_uri: str,
    inboxes: Iterable[str],
) -> None:
    """Queue an activity, signed by actor `actor_id`, for each distinct inbox, in the caller's transaction.

    `as_type` and `object_uri` are those of the activity and its object: deliveries about one object reach a
    server strictly in this order. What waits is merged (decisions.md 9): a Delete and a Create that was never
    begun for an inbox annihilate there, Updates between them too, and only the newest Update waits. Blocked
    servers and this node itself get nothing; an inbox that is no web address is logged and left out. At most
    five statements for up to 500 inboxes; the deliveries set out after the commit.
    """
    hosts = _hosts(context, inboxes)
    scope = {"b_object_uri": object_uri, "b_actor_id": actor_id, "now": context.now()}
    annihilated: set[str] = set()
    if as_type == "Delete":
        annihilated = _annihilate(context, scope, activity_id)
    elif as_type == "Update":
        _drop_updates(context, scope, activity_id, list(hosts))
    know(context, set(hosts.values()))
    rows = [
        _row(context, inbox, host, inbox in annihilated)
        | {"activity_id": activity_id, "actor_id": actor_id, "as_type": as_type, "object_uri": object_uri}
        for inbox, host in hosts.items()
    ]
    for chunk in _chunks(rows):
        context.connection.execute(_INSERT, chunk)
    waiting = {row["host"] for row in rows if row["state"] == "queued"}
    if waiting:
        context.after_commit(DeliveriesQueued(tuple(sorted(waiting))))


def _hosts(context: Context, inboxes: Iterable[str]) -> dict[str, str]:
    """Inbox -> host, without ourselves and without blocked servers."""
    hosts: dict[str, str] = {}
    for inbox in dict.fromkeys(inboxes):
        try:
            hosts[inbox] = authority_of(inbox)
        except Malformed as error:
            log.warning("nothing is queued for the inbox %.200r: %s", inbox, error)
    found = standings(context, sorted(set(hosts.values())))
    return {
        inbox: host
        for inbox, host in hosts.items()
        if host != context.config.domain and found.get(host) != "blocked"
    }


def _annihilate(context: Context, scope: dict[str, Any], activity_id: int) -> set[str]:
    """Drop the Creates of the object that were never begun, and return their inboxes.

    A lost answer may be an arrival, so a Create that was begun stands and the Delete follows it. Where the
    Create is dropped, waiting Updates go too: Mastodon makes a post from an Update it has no Create for.
    """
    found = context.connection.execute(_DROP_CREATES, {**scope, "note": notes.ANNIHILATED})
    inboxes = set(found.scalars())
    _drop_updates(context, scope | {"note": notes.ANNIHILATED}, activity_id, sorted(inboxes))
    return inboxes


def _drop_updates(context: Context, scope: dict[str, Any], activity_id: int, inboxes: Sequence[str]) -> None:
    values = {"note": notes.SUPERSEDED, **scope, "b_activity_id": activity_id}
    for chunk in _chunks(inboxes):
        context.connection.execute(_DROP_UPDATES, {**values, "inboxes": chunk})


def _row(context: Context, inbox: str, host: str, annihilated: bool) -> dict[str, Any]:
    now = context.now()
    return {
        "id": context.new_id(),
        "inbox": inbox,
        "host": host,
        "state": "dropped" if annihilated else "queued",
        "attempts": 0,
        "next_at": now,
        "created_at": now,
        "done_at": now if annihilated else None,
        "last_error": notes.ANNIHILATED if annihilated else None,
    }


def _chunks(items: Sequence[Item]) -> Iterator[Sequence[Item]]:
    for start in range(0, len(items), CHUNK):
        yield items[start : start + CHUNK]
