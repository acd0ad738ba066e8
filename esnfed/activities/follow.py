"""Follow: somebody elsewhere wants to follow an actor of ours."""

from __future__ import annotations

from sqlalchemy import RowMapping

from esnfed.context import Context
from esnfed.errors import Ignored, Malformed
from esnfed.federation.handling import Incoming, on, undoes
from esnfed.i18n import N_
from esnfed.services import actors, follows
from esnfed.vocab import parse
from esnfed.vocab.parse import Document


@on("Follow")
class ReceiveFollow:
    """Locked actors get a request, others accept at once."""

    def needs(self, context: Context, incoming: Incoming) -> list[str]:
        """Nothing: the follower is the sender, the followed is ours."""
        return []

    def verify(self, context: Context, incoming: Incoming) -> None:
        """The object is a living actor of this node, and the activity has an id to answer to."""
        if not incoming.activity.id:
            raise Malformed(N_("A Follow needs an id."))
        _target(context, incoming)

    def receive(self, context: Context, incoming: Incoming) -> None:
        """Write the follow and answer it."""
        follows.received(context, incoming.sender, _target(context, incoming), incoming.activity.id)


def _target(context: Context, incoming: Incoming) -> RowMapping:
    row = actors.by_uri(context, incoming.activity.object_uri or "")
    if row is None or not row["local"] or row["deleted_at"]:
        raise Ignored(N_("The followed actor is not on this node."))
    return row


@undoes("Follow")
def undo_follow(context: Context, sender: RowMapping, uri: str | None, document: Document | None) -> bool:
    """Remove the follow, known by its id or by whom it names."""
    target_uri = parse.reference(document.get("object")) if document else None
    target = actors.by_uri(context, target_uri) if target_uri else None
    row = follows.by_uri(context, uri) if uri else None
    if (row is None or row["actor_id"] != sender["id"]) and target is not None:
        row = follows.between(context, sender["id"], target["id"])
    if row is None or row["actor_id"] != sender["id"]:
        return False
    follows.removed(context, row)
    return True
