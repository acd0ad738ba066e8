"""Delete: an actor deletes itself, or its author deletes a post, also before it arrived."""

from __future__ import annotations

from esnfed.context import Context
from esnfed.errors import Malformed, Refused
from esnfed.federation.handling import Incoming, on
from esnfed.i18n import N_
from esnfed.objects import note, tombstone
from esnfed.services import actors, removal, statuses
from esnfed.vocab import parse
from esnfed.vocab.authority import same_origin


@on("Delete")
class ReceiveDelete:
    """What is deleted shares the sender's origin, always."""

    def needs(self, context: Context, incoming: Incoming) -> list[str]:
        """Nothing: what is gone cannot be fetched."""
        return []

    def verify(self, context: Context, incoming: Incoming) -> None:
        """The object lives where the sender lives."""
        uri = incoming.activity.object_uri
        if uri is None:
            raise Malformed(N_("A Delete needs an object."))
        if not same_origin(uri, incoming.activity.actor):
            raise Refused(N_("Only its own server can delete a thing."))

    def receive(self, context: Context, incoming: Incoming) -> None:
        """Empty the row and remember the id, so that a late Create does not bring it back."""
        uri = incoming.activity.object_uri or ""
        if uri == incoming.activity.actor:
            removal.mark_deleted(context, incoming.sender["id"])
            tombstone.bury(context, uri, incoming.sender["as_type"], local=False)
            return
        row = note.row_of(context, uri)
        if row is None:
            if actors.by_uri(context, uri) is not None:
                raise Refused(N_("Only it itself can delete an actor."))
            former = incoming.activity.object_document or {}
            as_type = parse.text(former, "formerType", 100) or "Note"
            tombstone.bury(context, uri, as_type, local=False, actor_uri=incoming.activity.actor)
            return
        if row["actor_id"] != incoming.sender["id"]:
            raise Refused(N_("Only its author can delete a post."))
        statuses.clear(context, row)
