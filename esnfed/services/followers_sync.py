"""Setting follows right after a look at the followers that another server knows (FEP-8fcf)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import RowMapping, bindparam, select

from esnfed.context import Context
from esnfed.federation.errands import Found, Turn, errand_kind
from esnfed.federation.followers_sync import KIND, MAX_FOLLOWERS, NOBODY, digest_of
from esnfed.models import actor, follow
from esnfed.services import actors, follows, outbox
from esnfed.vocab import parse
from esnfed.vocab.authority import same_origin

MAX_PAGES = 10
"""Pages of one list that are read (Mastodon's value)."""

STEP = 250
"""Listed ids, or follows of ours, dealt with in one turn."""

MAX_UNDOS = 100
"""Undos that one look may cause: a list may name anybody."""

_LOCAL = select(actor).where(
    actor.c.uri.in_(bindparam("uris", expanding=True)), actor.c.local, actor.c.deleted_at.is_(None)
)
_ACCEPTED = (
    select(follow)
    .join(actor, actor.c.id == follow.c.actor_id)
    .where(
        follow.c.target_id == bindparam("target_id"),
        follow.c.state == "accepted",
        follow.c.actor_id > bindparam("after"),
        actor.c.local,
    )
    .order_by(follow.c.actor_id)
    .limit(STEP)
)


@errand_kind(KIND)
def reconcile(context: Context, arguments: Any, cursor: Any, found: Found) -> Turn | None:
    """Read the list page by page, then remove what it does not name, if it is the list that was announced.

    What it names and we do not have is answered by an Undo at once; a request of ours that it names was
    accepted, and we missed it. Removing is the one thing that cannot be taken back: it needs the digest.
    """
    target = actors.by_id(context, arguments["actor_id"])
    if cursor is None:
        state: dict[str, Any] = {
            "pages": [],
            "rest": [],
            "next": None,
            "digest": NOBODY,
            "ours": [],
            "listed": 0,
            "undos": 0,
        }
        return _open(arguments["url"], arguments["url"], state)
    if "after" in cursor:
        return _remove(context, target, cursor)
    if found.pages and not _read(next(iter(found.pages.values())), cursor):
        return None
    if cursor["rest"]:
        _take(context, target, cursor)
        return Turn(cursor)
    if cursor["next"]:
        return _open(cursor["next"], arguments["url"], cursor)
    if cursor["digest"] != arguments["digest"]:
        return None
    return Turn({"after": 0, "ours": cursor["ours"]})


def _open(url: str, first: str, state: dict[str, Any]) -> Turn | None:
    """Ask for a page of the same origin that was not read before; None when there may be no more."""
    if url in state["pages"] or len(state["pages"]) >= MAX_PAGES or not same_origin(url, first):
        return None
    return Turn(state | {"pages": [*state["pages"], url], "next": None}, pages=(url,))


def _read(document: parse.Document | None, state: dict[str, Any]) -> bool:
    """Take a page into the state; False when it could not be had or goes beyond the limits."""
    if document is None:
        return False
    key = "orderedItems" if "orderedItems" in document else "items"
    state["rest"] = parse.references(document.get(key), MAX_FOLLOWERS + 1)
    state["listed"] += len(state["rest"])
    first = parse.embedded(document.get("first"))
    if first is not None:
        return _read(first, state)
    state["next"] = parse.web_address(document.get("next")) or parse.web_address(document.get("first"))
    return bool(state["listed"] <= MAX_FOLLOWERS)


def _take(context: Context, target: RowMapping, state: dict[str, Any]) -> None:
    uris, state["rest"] = state["rest"][:STEP], state["rest"][STEP:]
    state["digest"] = digest_of(uris, state["digest"])
    for follower in _local(context, uris):
        state["ours"].append(follower["id"])
        row = follows.between(context, follower["id"], target["id"])
        if row is not None and row["state"] == "pending":
            follows.accepted(context, row)
        elif (row is None or row["state"] == "rejected") and state["undos"] < MAX_UNDOS:
            state["undos"] += 1
            _undo(context, follower, target)


def _local(context: Context, uris: Sequence[str]) -> list[RowMapping]:
    return list(context.connection.execute(_LOCAL, {"uris": sorted(uris) or [""]}).mappings())


def _undo(context: Context, follower: RowMapping, target: RowMapping) -> None:
    """Take back a follow of which nothing is known here, hence without an id of its own."""
    document = {"type": "Follow", "actor": follower["uri"], "object": target["uri"]}
    inboxes = outbox.inboxes_of([target])
    outbox.send(context, follower, "Undo", document, to=[target["uri"]], inboxes=inboxes)


def _remove(context: Context, target: RowMapping, state: dict[str, Any]) -> Turn | None:
    """Remove the follows of ours that the list does not name, a step of them in each turn."""
    values = {"target_id": target["id"], "after": state["after"]}
    rows = context.connection.execute(_ACCEPTED, values).mappings().all()
    listed = set(state["ours"])
    for row in rows:
        if row["actor_id"] not in listed:
            follows.rejected(context, row)
    return Turn(state | {"after": rows[-1]["actor_id"]}) if len(rows) == STEP else None
