"""Filling in a thread: the collection of its owner (FEP-7888, FEP-f228), else the replies of each post.

The caps are Mastodon's: 500 replies of one post, 1,000 posts and 500 pages in all, pages of one origin only.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from typing import Any

from sqlalchemy import bindparam, select

from esnfed.context import Context
from esnfed.federation.discovery import Post
from esnfed.federation.errands import Found, Turn, errand_kind
from esnfed.models import status
from esnfed.objects import note
from esnfed.services import backfill
from esnfed.services.backfill import POSTS_PER_TURN
from esnfed.services.wanted import THREAD
from esnfed.vocab import parse
from esnfed.vocab.authority import same_origin
from esnfed.vocab.parse import Document

MAX_POSTS = 1_000
MAX_PAGES = 500
MAX_REPLIES = 500
"""Of one post; a context collection, which has those of all posts, is bounded by MAX_POSTS."""

PAGES_PER_TURN = 2
MAX_SEEN = 4 * MAX_POSTS

ROOT, CONTEXT = "", "context"
"""Why a post was asked for: it is the thread's root, or the owner's collection names it; else the id of the
post under whose replies it was named."""

State = dict[str, Any]

_ANSWERS = (
    select(status.c.uri)
    .where(
        status.c.in_reply_to_id == bindparam("parent_id"),
        status.c.deleted_at.is_(None),
    )
    .order_by(status.c.id)
    .limit(MAX_REPLIES)
)


@errand_kind(THREAD)
def fill(context: Context, arguments: Any, cursor: Any, found: Found) -> Turn | None:
    """Take what was fetched, and ask for the next posts and pages."""
    state = cursor
    if state is None:
        state = {
            "asked": {}, "pages": {}, "posts": [], "next": [], "seen": [], "context": None, "fallback": [],
            "posts_left": MAX_POSTS, "pages_left": MAX_PAGES,
        }  # fmt: skip
        _want(context, state, [arguments["uri"]], ROOT)
    for uri, post in found.posts.items():
        _take_post(context, state, uri, post)
    for url, page in found.pages.items():
        _take_page(context, state, url, page)
    if not state["posts"] and not state["next"] and state["fallback"]:
        state["next"], state["fallback"] = state["fallback"], []
    return _go_on(state)


def _go_on(state: State) -> Turn | None:
    posts, pages = state["posts"][:POSTS_PER_TURN], state["next"][:PAGES_PER_TURN]
    posts, pages = posts[: state["posts_left"]], pages[: state["pages_left"]]
    if not posts and not pages:
        return None
    state["posts"], state["next"] = state["posts"][len(posts) :], state["next"][len(pages) :]
    state["posts_left"] -= len(posts)
    state["pages_left"] -= len(pages)
    state["asked"] = dict(posts)
    state["pages"] = {page["url"]: page for page in pages}
    return Turn(state, posts=tuple(state["asked"]), pages=tuple(state["pages"]))


def _fresh(state: State, uri: str) -> bool:
    """Note an address; False when it was noted before. A short hash, as the row is written every turn."""
    mark = hashlib.sha256(uri.encode()).hexdigest()[:16]
    if mark in state["seen"]:
        return False
    state["seen"].append(mark)
    return True


def _want(context: Context, state: State, uris: Iterable[str], why: str) -> int:
    """Put posts on the list, of our own the answers that are here; return how many were new."""
    new = 0
    waiting = [(uri, why) for uri in uris]
    while waiting:
        uri, reason = waiting.pop(0)
        if len(state["posts"]) >= state["posts_left"] or len(state["seen"]) >= MAX_SEEN:
            break
        if not _fresh(state, uri):
            continue
        new += 1
        if same_origin(uri, context.config.origin):
            row = note.row_of(context, uri)
            if row is not None and why != CONTEXT:
                found = context.connection.execute(_ANSWERS, {"parent_id": row["id"]}).scalars()
                waiting.extend((answer, uri) for answer in found)
        elif why != CONTEXT or note.row_of(context, uri) is None:
            state["posts"].append([uri, reason])
    return new


def _take_post(context: Context, state: State, uri: str, post: Post | None) -> None:
    why = state["asked"].get(uri)
    if post is None or why is None or not _belongs(context, state, post.document, why):
        return
    author = backfill.author_of(context, post)
    row = backfill.keep(context, post.document, author, public=True) if author else None
    if row is None or why == CONTEXT:
        return
    replies = _collection(post.document, "replies")
    if why == ROOT:
        state["context"] = _collection(post.document, "context")
        if state["context"]:
            _open(state, state["context"], CONTEXT, MAX_POSTS)
            state["fallback"] = _opened(state, replies, row["uri"]) if replies else []
            return
    if replies:
        _open(state, replies, row["uri"], MAX_REPLIES)


def _belongs(context: Context, state: State, document: Document, why: str) -> bool:
    """Nobody puts others' posts into a thread: each says itself what it answers, or whose context it has."""
    parent = parse.web_address(document.get("inReplyTo"))
    if why == ROOT:
        return True
    if why != CONTEXT:
        return parent == why
    if parse.reference(document.get("context")) == state["context"]:
        return True
    return parent is not None and note.row_of(context, parent) is not None


def _collection(document: Document, name: str) -> str | None:
    """The address of a collection of a post, which lives where the post lives."""
    uri = parse.web_address(document.get(name))
    if uri is None and isinstance(inner := document.get(name), dict):
        uri = parse.web_address(inner.get("first"))  # Akkoma: a collection without an id
    return uri if uri and same_origin(uri, document.get("id")) else None


def _opened(state: State, url: str, why: str) -> list[dict[str, Any]]:
    return [{"url": url, "why": why, "left": MAX_REPLIES}] if _fresh(state, url) else []


def _open(state: State, url: str, why: str, left: int) -> None:
    if left > 0 and _fresh(state, url):
        state["next"].append({"url": url, "why": why, "left": left})


def _take_page(context: Context, state: State, url: str, page: Document | None) -> None:
    """Put on the list what a page names, then its next page, or the first one of a collection."""
    asked = state["pages"].get(url)
    if page is None or asked is None:
        return
    left = asked["left"]
    for part in (page, parse.embedded(page.get("first")) or {}):
        named = parse.references(part.get("orderedItems") or part.get("items"), left)
        left -= len(named)
        if _want(context, state, named, asked["why"]) and asked["why"] == CONTEXT:
            state["fallback"] = []
        for name in ("next", "first"):
            following = part.get(name)
            if isinstance(following, str) and same_origin(following, url):
                _open(state, following, asked["why"], left)
