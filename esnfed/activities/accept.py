"""Accept: somebody elsewhere lets an actor of ours follow them."""

from __future__ import annotations

from sqlalchemy import RowMapping

from esnfed.context import Context
from esnfed.errors import Ignored
from esnfed.federation.handling import Incoming, on
from esnfed.i18n import N_
from esnfed.services import follows


@on("Accept")
class ReceiveAccept:
    """Only the followed actor itself can accept (Pixelfed CVE-2025-30741)."""

    def needs(self, context: Context, incoming: Incoming) -> list[str]:
        """Nothing: the follow is ours."""
        return []

    def verify(self, context: Context, incoming: Incoming) -> None:
        """There is a follow of the sender by an actor of ours."""
        _follow(context, incoming)

    def receive(self, context: Context, incoming: Incoming) -> None:
        """Move it from pending to accepted; repeated, or after an Undo, it changes nothing."""
        follows.accepted(context, _follow(context, incoming))


def _follow(context: Context, incoming: Incoming) -> RowMapping:
    activity = incoming.activity
    row = follows.of_answer(context, incoming.sender, activity.object_uri, activity.object_document)
    if row is None:
        raise Ignored(N_("This accepts nothing that was asked from here."))
    return row
