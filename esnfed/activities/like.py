"""Like: somebody elsewhere favourites a post."""

from __future__ import annotations

from sqlalchemy import RowMapping

from esnfed.context import Context
from esnfed.errors import Ignored, Malformed
from esnfed.federation.handling import Incoming, on, undoes
from esnfed.i18n import N_
from esnfed.objects import note
from esnfed.services import interactions
from esnfed.vocab import parse
from esnfed.vocab.parse import Document


@on("Like")
class ReceiveLike:
    """Counts once for each actor."""

    def needs(self, context: Context, incoming: Incoming) -> list[str]:
        """Nothing: a Like of a post that is not here tells us nothing."""
        return []

    def verify(self, context: Context, incoming: Incoming) -> None:
        """The activity has an id, and its object is here."""
        if not incoming.activity.id:
            raise Malformed(N_("A Like needs an id."))
        _status(context, incoming.activity.object_uri)

    def receive(self, context: Context, incoming: Incoming) -> None:
        """Write the favourite."""
        row = _status(context, incoming.activity.object_uri)
        interactions.store_favourite(context, incoming.sender, row, incoming.activity.id)


def _status(context: Context, uri: str | None) -> RowMapping:
    row = note.row_of(context, uri) if uri else None
    if row is None or row["deleted_at"] or row["boost_of_id"]:
        raise Ignored(N_("The favourite is for a post that is not here."))
    return row


@undoes("Like")
def undo_like(context: Context, sender: RowMapping, uri: str | None, document: Document | None) -> bool:
    """Take the favourite back, known by its id or by what it likes."""
    known = interactions.favourite_by_uri(context, uri) if uri else None
    if known is not None and known["actor_id"] == sender["id"]:
        row = note.row_by_id(context, known["status_id"])
    else:
        row = note.row_of(context, parse.reference((document or {}).get("object")) or "")
    return row is not None and interactions.remove_favourite(context, sender, row) is not None
