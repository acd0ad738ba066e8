"""Reject: somebody elsewhere refuses, or removes, a follower of ours."""

from __future__ import annotations

from sqlalchemy import RowMapping

from esnfed.context import Context
from esnfed.errors import Ignored
from esnfed.federation.handling import Incoming, on
from esnfed.i18n import N_
from esnfed.services import follows


@on("Reject")
class ReceiveReject:
    """A Reject after an Accept means: removed as a follower (federation.md A4)."""

    def needs(self, context: Context, incoming: Incoming) -> list[str]:
        """Nothing: the follow is ours."""
        return []

    def verify(self, context: Context, incoming: Incoming) -> None:
        """There is a follow of the sender by an actor of ours."""
        _follow(context, incoming)

    def receive(self, context: Context, incoming: Incoming) -> None:
        """Move it to rejected; repeated it changes nothing."""
        follows.rejected(context, _follow(context, incoming))


def _follow(context: Context, incoming: Incoming) -> RowMapping:
    activity = incoming.activity
    row = follows.of_answer(context, incoming.sender, activity.object_uri, activity.object_document)
    if row is None:
        raise Ignored(N_("This rejects nothing that was asked from here."))
    return row
