"""Update: an actor changed its profile, or its author changed a post."""

from __future__ import annotations

from sqlalchemy import RowMapping

from esnfed.context import Context
from esnfed.errors import Ignored, Refused
from esnfed.federation.handling import Incoming, on
from esnfed.i18n import N_
from esnfed.objects import actor as actor_object
from esnfed.objects import note
from esnfed.objects.reading import are_authors
from esnfed.services import actors, arrivals, relevance
from esnfed.vocab import parse
from esnfed.vocab.parse import Document
from esnfed.vocab.terms import ACTOR_TYPES

NOT_ITS_AUTHOR = N_("Only its author can update a post.")
CREATE_FROM_UPDATE = 24 * 3600 * 1000
"""Mastodon creates a post from its Update when it is less than a day old: the Create may come later."""


@on("Update")
class ReceiveUpdate:
    """The sender is the actor itself, or an author of the post; of several, one whom its origin names too."""

    def needs(self, context: Context, incoming: Incoming) -> list[str]:
        """The object when only its id was sent or another wrote it; a profile when its account name changed."""
        activity = incoming.activity
        document, uri = activity.object_document, activity.object_uri
        if uri is None:
            return []
        if document is None:
            return [uri]
        if parse.type_of(document) in ACTOR_TYPES:
            return [uri] if uri == activity.actor and _is_renamed(document, incoming) else []
        row = note.row_of(context, uri)
        author = actors.by_id(context, row["actor_id"]) if row is not None else incoming.sender
        return [uri] if author["id"] != incoming.sender["id"] and _are_neighbours(author, incoming) else []

    def verify(self, context: Context, incoming: Incoming) -> None:
        """An actor updates only itself; whose post it is, `receive` checks on the row."""
        document = _object(incoming)
        if parse.type_of(document) in ACTOR_TYPES and parse.reference(document) != incoming.activity.actor:
            raise Refused(N_("An actor can update only itself."))

    def receive(self, context: Context, incoming: Incoming) -> None:
        """Write the new version; an older one than is here changes nothing."""
        document = _object(incoming)
        if parse.type_of(document) in ACTOR_TYPES:
            _receive_actor(context, incoming, document)
        else:
            _receive_note(context, incoming, document)


def _receive_actor(context: Context, incoming: Incoming, document: Document) -> None:
    """Write a profile as its origin serves it; as it was sent, when it is no older and keeps its name."""
    resolved = incoming.fetched.get(incoming.activity.actor)
    if resolved is not None:
        actor_object.store(context, resolved.document, resolved.domain)
        return
    if _is_renamed(document, incoming):
        raise Ignored(N_("The new name of the actor could not be confirmed."))
    row = actors.by_id(context, incoming.sender["id"])
    updated = parse.timestamp(document.get("updated"))
    if updated is not None and updated < row["updated_at"]:
        raise Ignored(N_("A newer version of this actor is here."))
    actor_object.store(context, document, row["domain"])


def _is_renamed(document: Document, incoming: Incoming) -> bool:
    """The account domain was confirmed for one name only."""
    return bool(document.get("preferredUsername") != incoming.sender["handle"])


def _are_neighbours(author: RowMapping, incoming: Incoming) -> bool:
    """Nobody from another server is one of several authors; nothing is fetched for them."""
    return bool(author["host"] == incoming.sender["host"])


def _of_neighbour(incoming: Incoming, author: RowMapping, uri: str) -> Document:
    """Return the post as its origin serves it, which names the sender as an author beside `author`.

    What the sender sent proves nothing: it may name anybody. Mobilizon lets a group and its people change
    one another's events.
    """
    if not _are_neighbours(author, incoming):
        raise Refused(NOT_ITS_AUTHOR)
    document = _served(incoming)
    if parse.identifier(document) != uri or not are_authors(document, author, incoming.sender):
        raise Refused(NOT_ITS_AUTHOR)
    return document


def _receive_note(context: Context, incoming: Incoming, document: Document) -> None:
    row = note.row_of(context, parse.identifier(document))
    if row is None:
        published = parse.timestamp(document.get("published")) or 0
        if context.now() - published > CREATE_FROM_UPDATE:
            raise Ignored(N_("An update of a post that is not here."))
        relevance.check(context, incoming.sender["id"], document)
        stored = arrivals.store(context, document, incoming.sender)
        if stored is not None:
            arrivals.announce(context, stored, incoming.sender)
        return
    author = actors.by_id(context, row["actor_id"])
    if author["id"] != incoming.sender["id"]:
        document = _of_neighbour(incoming, author, row["uri"])
    if not row["deleted_at"]:
        arrivals.revise(context, document, author, row)


def _object(incoming: Incoming) -> Document:
    return incoming.activity.object_document or _served(incoming)


def _served(incoming: Incoming) -> Document:
    """Return the object as its origin serves it."""
    document = incoming.document(incoming.activity.object_uri or "")
    if document is None:
        raise Ignored(N_("The updated object could not be fetched."))
    return document
