"""Announce: somebody elsewhere boosts a post, ours or anybody's."""

from __future__ import annotations

from sqlalchemy import RowMapping

from esnfed.context import Context
from esnfed.errors import Ignored, Malformed
from esnfed.federation.handling import Incoming, on, undoes
from esnfed.objects import actor as actor_object
from esnfed.objects import note
from esnfed.services import actors, fetched, interactions, relevance
from esnfed.vocab import parse
from esnfed.vocab.addressing import READABLE_BY_ALL, visibility
from esnfed.vocab.authority import same_origin
from esnfed.vocab.parse import Document


@on("Announce")
class ReceiveAnnounce:
    """The boosted post comes from its own origin, never from the announcer."""

    def needs(self, context: Context, incoming: Incoming) -> list[str]:
        """The post when it is not here, then its author."""
        uri = incoming.activity.object_uri
        if uri is None or note.row_of(context, uri) is not None or not _wanted(context, incoming, uri):
            return []
        if uri not in incoming.fetched:
            return [uri]
        author = _author_of(incoming.document(uri))
        return [author] if author and actors.by_uri(context, author) is None else []

    def verify(self, context: Context, incoming: Incoming) -> None:
        """Somebody here follows the announcer, or the post is ours."""
        uri = incoming.activity.object_uri
        if not incoming.activity.id or uri is None:
            raise Malformed("An Announce needs an id and an object.")
        if not _wanted(context, incoming, uri):
            raise Ignored("Nobody on this node follows the announcer.", counter="irrelevant")

    def receive(self, context: Context, incoming: Incoming) -> None:
        """Store the post when it is new, then the boost."""
        activity, now = incoming.activity, context.now()
        row = _status(context, incoming)
        if row["visibility"] not in READABLE_BY_ALL and row["actor_id"] != incoming.sender["id"]:
            raise Ignored("Only public posts can be boosted.")
        interactions.store_boost(
            context,
            incoming.sender,
            row,
            uri=activity.id,
            visibility=visibility(activity.to, activity.cc, incoming.sender["followers_uri"]),
            published_at=min(parse.timestamp(activity.document.get("published")) or now, now),
        )


def _wanted(context: Context, incoming: Incoming, uri: str) -> bool:
    return same_origin(uri, context.config.origin) or relevance.is_followed(context, incoming.sender["id"])


def _author_of(document: Document | None) -> str | None:
    return fetched.author_of(document) if document is not None else None


def _status(context: Context, incoming: Incoming) -> RowMapping:
    uri = incoming.activity.object_uri or ""
    row = note.row_of(context, uri) or _fetched(context, incoming, uri)
    if row is None or not fetched.usable(row):
        raise Ignored("The boosted post is not here.")
    return row


def _fetched(context: Context, incoming: Incoming, uri: str) -> RowMapping | None:
    document = incoming.document(uri)
    author_uri = _author_of(document)
    if document is None or author_uri is None:
        raise Ignored("The boosted post could not be fetched.")
    author = actors.by_uri(context, author_uri)
    if author is None:
        resolved = incoming.fetched.get(author_uri)
        if resolved is None:
            raise Ignored("The author of the boosted post could not be fetched.")
        actor_object.store(context, resolved.document, resolved.domain)
        author = actors.by_uri(context, author_uri)
    if author is None:
        raise Ignored("The author of the boosted post is not known.")
    return fetched.store(context, document, author)


@undoes("Announce")
def undo_announce(context: Context, sender: RowMapping, uri: str | None, document: Document | None) -> bool:
    """Take the boost back, known by its id or by what it boosts."""
    row = note.row_of(context, uri) if uri else None
    if row is None and document is not None:
        boosted = note.row_of(context, parse.reference(document.get("object")) or "")
        row = interactions.boost_by(context, sender["id"], boosted["id"]) if boosted else None
    if row is None or not row["boost_of_id"] or row["actor_id"] != sender["id"]:
        return False
    return interactions.remove_boost(context, row)
