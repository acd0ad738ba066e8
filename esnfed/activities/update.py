"""Update: an actor changed its profile, or its author changed a post."""

from __future__ import annotations

from esnfed.context import Context
from esnfed.errors import Ignored, Refused
from esnfed.federation.handling import Incoming, on
from esnfed.i18n import N_
from esnfed.objects import actor as actor_object
from esnfed.objects import note
from esnfed.objects.reading import may_revise
from esnfed.services import actors, arrivals, relevance
from esnfed.vocab import parse
from esnfed.vocab.parse import Document
from esnfed.vocab.terms import ACTOR_TYPES

CREATE_FROM_UPDATE = 24 * 3600 * 1000
"""Mastodon creates a post from its Update when it is less than a day old: the Create may come later."""


@on("Update")
class ReceiveUpdate:
    """The sender is the actor itself, or the author of the post."""

    def needs(self, context: Context, incoming: Incoming) -> list[str]:
        """The object when only its id was sent; the profile again when its account name changed."""
        activity = incoming.activity
        document, uri = activity.object_document, activity.object_uri
        if document is None:
            return [uri] if uri else []
        if parse.type_of(document) in ACTOR_TYPES and uri == activity.actor:
            renamed = document.get("preferredUsername") != incoming.sender["handle"]
            return [uri] if renamed else []
        return []

    def verify(self, context: Context, incoming: Incoming) -> None:
        """An actor updates only itself; whose post it is, `receive` checks on the row."""
        document = _object(incoming)
        if parse.type_of(document) in ACTOR_TYPES and parse.reference(document) != incoming.activity.actor:
            raise Refused(N_("An actor can update only itself."))

    def receive(self, context: Context, incoming: Incoming) -> None:
        """Write the new version; an older one than is here changes nothing."""
        document = _object(incoming)
        if parse.type_of(document) in ACTOR_TYPES:
            resolved = incoming.fetched.get(incoming.activity.actor)
            domain = resolved.domain if resolved else incoming.sender["domain"]
            actor_object.store(context, resolved.document if resolved else document, domain)
            return
        _receive_note(context, incoming, document)


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
    if not may_revise(document, actors.by_id(context, row["actor_id"]), incoming.sender):
        raise Refused(N_("Only its author can update a post."))
    if not row["deleted_at"]:
        arrivals.revise(context, document, incoming.sender, row)


def _object(incoming: Incoming) -> Document:
    activity = incoming.activity
    document = activity.object_document or incoming.document(activity.object_uri or "")
    if document is None:
        raise Ignored(N_("The updated object could not be fetched."))
    return document
