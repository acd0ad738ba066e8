"""Pinned posts of actors elsewhere: told by Add and Remove, and asked for once a day, as not all tell."""

from __future__ import annotations

from typing import Any

from sqlalchemy import RowMapping, bindparam, exists, or_, select, update

from esnfed.context import Context
from esnfed.errors import Ignored, Malformed
from esnfed.federation.errands import Found, Turn, errand_kind, send
from esnfed.federation.handling import Incoming
from esnfed.i18n import N_
from esnfed.jobs import every
from esnfed.models import actor, follow
from esnfed.objects import note
from esnfed.services import actors, fetched, pins, relevance
from esnfed.vocab import authorship, parse
from esnfed.vocab.authority import same_origin
from esnfed.vocab.parse import Document

DAY = 24 * 3600 * 1000
ASKED_STEP = 20
"""Actors whose collection is asked for in one step; GoToSocial tells nobody of its pins."""

ERRAND = "featured"

_follower = actor.alias("follower")
_DUE = (
    select(actor.c.id, actor.c.featured_uri, actor.c.host)
    .where(
        actor.c.local.is_(False),
        actor.c.featured_uri.is_not(None),
        actor.c.deleted_at.is_(None),
        actor.c.suspended_at.is_(None),
        or_(actor.c.featured_at.is_(None), actor.c.featured_at < bindparam("before")),
        exists(
            select(1)
            .select_from(follow.join(_follower, _follower.c.id == follow.c.actor_id))
            .where(follow.c.target_id == actor.c.id, follow.c.state == "accepted", _follower.c.local)
        ),
    )
    .order_by(actor.c.id)
    .limit(ASKED_STEP)
)
_ASKED = (
    update(actor).where(actor.c.id.in_(bindparam("ids", expanding=True))).values(featured_at=bindparam("now"))
)


def check(incoming: Incoming) -> None:
    """Raise Malformed without object and target, Ignored for another collection than the sender's pins."""
    target = parse.reference(incoming.activity.document.get("target"))
    if incoming.activity.object_uri is None or target is None:
        raise Malformed(N_("The activity needs an object and a target."))
    if target != incoming.sender["featured_uri"]:
        raise Ignored(N_("Only pinned posts are understood."), counter="unsupported-collection")


def missing(context: Context, incoming: Incoming) -> list[str]:
    """Return the pinned post's id when it must be fetched: it is the sender's, new, and wanted here."""
    uri = incoming.activity.object_uri
    if uri is None or not same_origin(uri, incoming.sender["uri"]) or note.row_of(context, uri) is not None:
        return []
    return [uri] if relevance.is_followed(context, incoming.sender["id"]) else []


def add(context: Context, incoming: Incoming) -> bool:
    """Pin the object of an Add, storing it when it was fetched; False when it cannot be or was."""
    uri = incoming.activity.object_uri or ""
    row = note.row_of(context, uri) or _stored(context, incoming.document(uri), incoming.sender)
    return row is not None and pins.store(context, incoming.sender["id"], row)


def remove(context: Context, incoming: Incoming) -> bool:
    """Unpin the object of a Remove; False when it was not pinned."""
    row = note.row_of(context, incoming.activity.object_uri or "")
    return row is not None and pins.remove(context, incoming.sender["id"], row["id"])


def _stored(context: Context, document: Document | None, author: RowMapping) -> RowMapping | None:
    if document is None or authorship.author_of(document) != author["uri"]:
        return None
    return fetched.store(context, document, author)


@every(3600, "ask-featured")
def ask(context: Context, _cursor: object) -> Any:
    """Send an errand for the pinned posts of twenty followed actors that were not asked for a day."""
    now = context.now()
    due = context.connection.execute(_DUE, {"before": now - DAY}).all()
    if not due:
        return None
    for row in due:
        send(context, ERRAND, row.featured_uri, {"actor_id": row.id}, host=row.host)
    context.connection.execute(_ASKED, {"ids": [row.id for row in due], "now": now})
    return True


@errand_kind(ERRAND)
def fetch(context: Context, arguments: Any, cursor: Any, found: Found) -> Turn | None:
    """Read the collection, or its first page, then the posts that are not here; at most five are kept."""
    owner = actors.by_id(context, arguments["actor_id"])
    uri = owner["featured_uri"]
    if uri is None or owner["deleted_at"]:
        return None
    if cursor is None:
        return Turn({"page": uri, "hops": 1}, pages=(uri,))
    if "page" in cursor:
        return _read(context, owner, cursor, found)
    rows = [_row(context, owner, address, found) for address in cursor["items"]]
    pins.replace(context, owner["id"], [row for row in rows if row is not None])
    return None


def _read(context: Context, owner: RowMapping, cursor: Any, found: Found) -> Turn | None:
    page = found.pages.get(cursor["page"])
    if page is None:
        return None  # not had: what is known stays, and tomorrow is another day
    listed = page.get("orderedItems", page.get("items"))
    first = page.get("first")
    if listed is None and isinstance(first, dict):
        listed = first.get("orderedItems", first.get("items"))
    address = parse.reference(first)
    if listed is None and address and cursor["hops"] and same_origin(address, owner["uri"]):
        return Turn({"page": address, "hops": cursor["hops"] - 1}, pages=(address,))
    if listed is None:
        return None
    uris = [uri for uri in parse.references(listed, 20) if same_origin(uri, owner["uri"])][: pins.MAX_PINS]
    new = tuple(uri for uri in uris if note.row_of(context, uri) is None)
    return Turn({"items": uris}, posts=new)


def _row(context: Context, owner: RowMapping, uri: str, found: Found) -> RowMapping | None:
    row = note.row_of(context, uri)
    if row is not None:
        return row
    post = found.posts.get(uri)
    try:
        return _stored(context, post.document if post else None, owner)
    except (Ignored, Malformed):
        return None  # one odd post of another server does not hide the rest
