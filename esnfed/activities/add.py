"""Add: an actor elsewhere pins a post to its profile."""

from __future__ import annotations

from esnfed.context import Context
from esnfed.errors import Ignored
from esnfed.federation.handling import Incoming, on
from esnfed.i18n import N_
from esnfed.services import featured


@on("Add")
class ReceiveAdd:
    """Only into the sender's own `featured` collection; its post comes from its own origin."""

    def needs(self, context: Context, incoming: Incoming) -> list[str]:
        """The post, when it is not here and somebody here follows its author."""
        return featured.missing(context, incoming)

    def verify(self, context: Context, incoming: Incoming) -> None:
        """The collection is the sender's pinned posts."""
        featured.check(incoming)

    def receive(self, context: Context, incoming: Incoming) -> None:
        """Write the pin; repeated, or beyond the fifth, it changes nothing."""
        if not featured.add(context, incoming):
            raise Ignored(N_("This post cannot be pinned, is pinned already, or five are."))
