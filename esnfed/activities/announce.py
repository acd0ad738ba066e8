"""Announce: somebody elsewhere boosts a post, ours or anybody's; a group passes one on (FEP-1b12)."""

from __future__ import annotations

from sqlalchemy import RowMapping

from esnfed.context import Context
from esnfed.errors import Ignored, Malformed
from esnfed.federation.handling import Incoming, on, undoes
from esnfed.i18n import N_
from esnfed.objects import actor as actor_object
from esnfed.objects import note
from esnfed.services import actors, arrivals, fetched, groups, interactions, relevance
from esnfed.vocab import authorship, parse
from esnfed.vocab.addressing import READABLE_BY_ALL, visibility
from esnfed.vocab.authority import same_origin
from esnfed.vocab.parse import Document

UNWRAPPED = frozenset({"Create", "Update"})
"""What a group's Announce may carry with effect: the post that it is about is fetched from its origin."""


@on("Announce")
class ReceiveAnnounce:
    """The post comes from its own origin, never from the announcer, whatever the Announce holds of it."""

    def needs(self, context: Context, incoming: Incoming) -> list[str]:
        """The post when it is not here or was changed, then its author; of an activity's id the activity."""
        uri = _post_uri(incoming)
        if uri is None or not _wanted(context, incoming, uri):
            return []
        if note.row_of(context, uri) is not None and not _is_update(incoming):
            return []
        if uri not in incoming.fetched:
            return [] if same_origin(uri, context.config.origin) else [uri]
        author = _author_of(incoming.document(uri))
        return [author] if author and actors.by_uri(context, author) is None else []

    def verify(self, context: Context, incoming: Incoming) -> None:
        """Somebody here follows the announcer, or the post is ours."""
        uri = _post_uri(incoming)
        if not incoming.activity.id or uri is None:
            raise Malformed(N_("An Announce needs an id and an object."))
        if not _wanted(context, incoming, uri):
            raise Ignored(N_("Nobody on this node follows the announcer."), counter="irrelevant")

    def receive(self, context: Context, incoming: Incoming) -> None:
        """Store the post when it is new, then the boost.

        What an activity in an Announce is about is no boost when it is an answer: Lemmy passes every comment
        on, which would flood the home timelines of a group's followers.
        """
        activity, now = incoming.activity, context.now()
        row = _status(context, incoming, _post_uri(incoming) or "")
        if row["visibility"] not in READABLE_BY_ALL and row["actor_id"] != incoming.sender["id"]:
            raise Ignored(N_("Only public posts can be boosted."))
        if _wrapped(incoming) is not None:
            groups.seen(context, incoming.sender)
            if row["in_reply_to_uri"]:
                return
        interactions.store_boost(
            context,
            incoming.sender,
            row,
            uri=activity.id,
            visibility=visibility(activity.to, activity.cc, incoming.sender["followers_uri"]),
            published_at=min(parse.timestamp(activity.document.get("published")) or now, now),
        )


def _wrapped(incoming: Incoming) -> Document | None:
    """Return the activity that an Announce carries, embedded or fetched by its id; None for a post."""
    activity = incoming.activity
    for document in (activity.object_document, incoming.document(activity.object_uri or "")):
        if document is not None and "object" in document and "actor" in document:
            return document
    return None


def _is_update(incoming: Incoming) -> bool:
    wrapped = _wrapped(incoming)
    return wrapped is not None and parse.type_of(wrapped) == "Update"


def _post_uri(incoming: Incoming) -> str | None:
    """Return the id of the post; Ignored for an activity that has no effect inside an Announce."""
    wrapped = _wrapped(incoming)
    if wrapped is None:
        return incoming.activity.object_uri
    as_type = parse.type_of(wrapped)
    if as_type not in UNWRAPPED:
        raise Ignored(
            N_("This activity is not taken from an Announce."), counter="unsupported-announce", key=as_type
        )
    return parse.reference(wrapped.get("object"))


def _wanted(context: Context, incoming: Incoming, uri: str) -> bool:
    return same_origin(uri, context.config.origin) or relevance.is_followed(context, incoming.sender["id"])


def _author_of(document: Document | None) -> str | None:
    return authorship.author_of(document) if document is not None else None


def _status(context: Context, incoming: Incoming, uri: str) -> RowMapping:
    row = note.row_of(context, uri)
    document = incoming.document(uri)
    if row is None:
        row = _fetched(context, incoming, document)
    elif document is not None and fetched.usable(row) and not row["local"]:
        arrivals.revise(context, document, actors.by_id(context, row["actor_id"]), row)
    if row is None or not fetched.usable(row):
        raise Ignored(N_("The boosted post is not here."))
    return row


def _fetched(context: Context, incoming: Incoming, document: Document | None) -> RowMapping | None:
    author_uri = _author_of(document)
    if document is None or author_uri is None:
        raise Ignored(N_("The boosted post could not be fetched."))
    author = actors.by_uri(context, author_uri)
    if author is None:
        resolved = incoming.fetched.get(author_uri)
        if resolved is None:
            raise Ignored(N_("The author of the boosted post could not be fetched."))
        actor_object.store(context, resolved.document, resolved.domain)
        author = actors.by_uri(context, author_uri)
    if author is None:
        raise Ignored(N_("The author of the boosted post is not known."))
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
