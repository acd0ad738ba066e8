"""Create: a post from elsewhere."""

from __future__ import annotations

from esnfed.context import Context
from esnfed.errors import Ignored
from esnfed.federation.handling import Incoming, on
from esnfed.i18n import N_
from esnfed.objects.question import is_vote
from esnfed.services import arrivals, groups, polls, relevance
from esnfed.vocab.parse import Document


@on("Create")
class ReceiveCreate:
    """Stored once, whatever the number of copies that arrive."""

    def needs(self, context: Context, incoming: Incoming) -> list[str]:
        """The object, when only its id was sent; a stranger who names nobody here does not make us fetch."""
        activity = incoming.activity
        if activity.object_document is not None or not activity.object_uri:
            return []
        relevance.check(context, incoming.sender["id"], activity.document)
        return [activity.object_uri]

    def verify(self, context: Context, incoming: Incoming) -> None:
        """Somebody here has to do with it; that author and sender are one is the receiver's check."""
        relevance.check(context, incoming.sender["id"], _object(incoming))

    def receive(self, context: Context, incoming: Incoming) -> None:
        """Count a vote; store anything else, tell whom it concerns, and let our groups pass it on."""
        document = _object(incoming)
        if is_vote(document):
            polls.received(context, incoming.sender, document)
            return
        stored = arrivals.store(context, document, incoming.sender)
        if stored is not None:
            arrivals.announce(context, stored, incoming.sender)
            groups.arrived(context, stored, incoming.activity.document | {"object": document})


def _object(incoming: Incoming) -> Document:
    activity = incoming.activity
    document = activity.object_document or incoming.document(activity.object_uri or "")
    if document is None:
        raise Ignored(N_("The created object could not be fetched."))
    return document
