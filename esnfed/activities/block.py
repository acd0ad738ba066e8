"""Block: somebody elsewhere wants nothing to do with an actor of ours."""

from __future__ import annotations

from sqlalchemy import RowMapping

from esnfed.context import Context
from esnfed.errors import Ignored
from esnfed.federation.handling import Incoming, on, undoes
from esnfed.i18n import N_
from esnfed.services import actors, blocks
from esnfed.vocab import parse
from esnfed.vocab.parse import Document


@on("Block")
class ReceiveBlock:
    """Honoured: the follows end in both directions, and the two are kept apart here."""

    def needs(self, context: Context, incoming: Incoming) -> list[str]:
        """Nothing: the blocked actor is ours."""
        return []

    def verify(self, context: Context, incoming: Incoming) -> None:
        """The object is an actor of this node."""
        _target(context, incoming)

    def receive(self, context: Context, incoming: Incoming) -> None:
        """Write the block; repeated it changes nothing."""
        blocks.received(context, incoming.sender, _target(context, incoming), incoming.activity.id)


def _target(context: Context, incoming: Incoming) -> RowMapping:
    row = actors.by_uri(context, incoming.activity.object_uri or "")
    if row is None or not row["local"] or row["deleted_at"]:
        raise Ignored(N_("The blocked actor is not on this node."))
    return row


@undoes("Block")
def undo_block(context: Context, sender: RowMapping, uri: str | None, document: Document | None) -> bool:
    """Forget the block, known by its id or by whom it names."""
    row = blocks.by_uri(context, uri) if uri else None
    if row is None and document is not None:
        target = actors.by_uri(context, parse.reference(document.get("object")) or "")
        row = blocks.between(context, sender["id"], target["id"]) if target else None
    if row is None or row["actor_id"] != sender["id"]:
        return False
    blocks.undone(context, row)
    return True
