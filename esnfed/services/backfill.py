"""Filling in what never arrived: posts above a reply, and the newest posts of somebody newly followed.

Everything comes from its own origin. What is stored this way tells nobody, and reaches home timelines only
while it is less than a day old.
"""

from __future__ import annotations

from typing import Any

from sqlalchemy import RowMapping

from esnfed.context import Context
from esnfed.errors import Ignored, Malformed
from esnfed.federation.discovery import Post
from esnfed.federation.errands import Found, Turn, errand_kind
from esnfed.objects import actor as actor_object
from esnfed.objects import note
from esnfed.services import actors, arrivals, timelines, wanted
from esnfed.services.wanted import ANCESTORS, OUTBOX
from esnfed.vocab import parse
from esnfed.vocab.addressing import READABLE_BY_ALL, visibility
from esnfed.vocab.authority import same_origin
from esnfed.vocab.parse import Document

MAX_DEPTH = 50
"""Ancestors that are climbed (federation.md C3)."""

OUTBOX_POSTS = 20
POSTS_PER_TURN = 4
FRESH = 24 * 3600 * 1000
"""Younger posts still reach the home timelines of those who follow their author."""


def author_of(context: Context, post: Post) -> RowMapping | None:
    """Return the row of a fetched post's author, stored when it is new; None when it cannot be one."""
    row = actors.by_uri(context, post.author_uri)
    if row is None and post.author is not None:
        try:
            with context.connection.begin_nested():
                actor_object.store(context, post.author.document, post.author.domain)
        except Malformed:
            return None
        row = actors.by_uri(context, post.author_uri)
    if row is None or row["local"] or row["deleted_at"] or row["suspended_at"]:
        return None
    return row


def keep(context: Context, document: Document, author: RowMapping, *, public: bool) -> RowMapping | None:
    """Store a post from its origin; return its row, None for what is not for us, deleted, or understood.

    `public`: only what everybody may read. Else what is for followers too, as somebody here is among them.
    """
    seen_by = visibility(
        parse.references(document.get("to")), parse.references(document.get("cc")), author["followers_uri"]
    )
    if seen_by == "direct" or (public and seen_by not in READABLE_BY_ALL):
        return None
    try:
        with context.connection.begin_nested():  # of a post that turns out unusable half way, nothing stays
            stored = arrivals.store(context, document, author)
        row = note.row_of(context, parse.identifier(document))
    except (Ignored, Malformed):
        return None
    if stored is not None and context.now() - stored.published_at < FRESH:
        answered = stored.parent["actor_id"] if stored.parent else None
        timelines.fan_out(context, stored.status_id, author, stored.visibility, answered)
    return row if row is not None and not row["deleted_at"] else None


@errand_kind(ANCESTORS)
def climb(context: Context, arguments: Any, cursor: Any, found: Found) -> Turn | None:
    """Fetch the parent, then its parent, 50 at most; at the top ask for the replies of the whole thread."""
    if cursor is None:
        return Turn([arguments["uri"]], posts=(arguments["uri"],))
    post = found.posts.get(cursor[-1])
    author = author_of(context, post) if post else None
    row = keep(context, post.document, author, public=False) if post and author else None
    if row is None:
        return None
    root = wanted.root_of(context, row)
    above = wanted.missing_parent(root)
    if above is None or same_origin(above, context.config.origin):
        wanted.descendants(context, root)
        return None
    if above in cursor or len(cursor) >= MAX_DEPTH:
        return None
    return Turn([*cursor, above], posts=(above,))


@errand_kind(OUTBOX)
def look_back(context: Context, arguments: Any, cursor: Any, found: Found) -> Turn | None:
    """Store the newest public posts of an actor: those on the first page of the outbox, 20 at most."""
    author = actors.by_id(context, arguments["actor_id"])
    if cursor is None:
        return Turn({"opened": 1, "left": []}, pages=(author["outbox"],)) if author["outbox"] else None
    for uri in found.posts:
        post = found.posts[uri]
        if post is not None and post.author_uri == author["uri"]:
            keep(context, post.document, author, public=True)
    for page in found.pages.values():
        turn = _open(context, author, page, cursor)
        if turn is not None:
            return turn
    batch = cursor["left"][:POSTS_PER_TURN]
    left = cursor["left"][POSTS_PER_TURN:]
    return Turn(cursor | {"left": left}, posts=tuple(batch)) if batch else None


def _open(context: Context, author: RowMapping, page: Document | None, state: dict[str, Any]) -> Turn | None:
    """Keep what a page embeds, note what it only names; a Turn when the items are on another page."""
    if page is None:
        return None
    if not page.get("orderedItems") and not page.get("items"):
        first = page.get("first")
        inner = parse.embedded(first)
        if inner is not None:
            return _open(context, author, inner, state)
        uri = parse.web_address(first)
        if uri is None or state["opened"] > 1 or not same_origin(uri, author["outbox"]):
            return None
        return Turn(state | {"opened": 2}, pages=(uri,))
    for item in reversed(parse.items(page.get("orderedItems") or page.get("items"), OUTBOX_POSTS)):
        _take(context, author, item, state)
    return None


def _take(context: Context, author: RowMapping, item: Any, state: dict[str, Any]) -> None:
    """Of a Create by the actor an embedded post is believed, as it comes from its origin; an id is asked."""
    if not isinstance(item, dict) or parse.type_of(item) != "Create":
        return
    uri = parse.reference(item.get("object"))
    if uri is None or not same_origin(uri, author["outbox"]) or note.row_of(context, uri) is not None:
        return
    document = parse.embedded(item.get("object"))
    if document is None:
        state["left"].append(uri)
    else:
        keep(context, document, author, public=True)
