"""Remove: an actor elsewhere takes a pinned post off its profile."""

from __future__ import annotations

from esnfed.context import Context
from esnfed.errors import Ignored
from esnfed.federation.handling import Incoming, on
from esnfed.i18n import N_
from esnfed.services import featured


@on("Remove")
class ReceiveRemove:
    """Only out of the sender's own `featured` collection."""

    def needs(self, context: Context, incoming: Incoming) -> list[str]:
        """Nothing: a post that is not here is pinned to nothing here."""
        return []

    def verify(self, context: Context, incoming: Incoming) -> None:
        """The collection is the sender's pinned posts."""
        featured.check(incoming)

    def receive(self, context: Context, incoming: Incoming) -> None:
        """Take the pin away; the post stays."""
        if not featured.remove(context, incoming):
            raise Ignored(N_("This post was not pinned."))
