"""Join, Leave, Offer, Invite and QuoteRequest: understood and counted until they can be answered."""

from __future__ import annotations

from typing import ClassVar

from esnfed.context import Context
from esnfed.errors import Ignored, Malformed
from esnfed.federation.handling import Incoming, on
from esnfed.i18n import N_
from esnfed.vocab import parse

COUNTER = "not-yet"
"""Under this name `esnfed inbox counters` shows how many of each type came."""


class _Later:
    """Checks the shape, so that what is counted could be answered, and says so in the message's note."""

    compulsory: ClassVar[tuple[str, ...]] = ("object",)

    def needs(self, context: Context, incoming: Incoming) -> list[str]:
        """Nothing: it has no effect."""
        return []

    def verify(self, context: Context, incoming: Incoming) -> None:
        """Malformed without an id or a compulsory property, else Ignored."""
        activity = incoming.activity
        if not activity.id:
            raise Malformed(N_("The activity needs an id."))
        for name in self.compulsory:
            if parse.reference(activity.document.get(name)) is None:
                raise Malformed(N_("The activity lacks a property that its type must have."))
        raise Ignored(
            N_("This type of activity is understood, and nothing here can be asked for with it yet."),
            counter=COUNTER,
            key=activity.as_type,
        )

    def receive(self, context: Context, incoming: Incoming) -> None:
        """Do nothing: `verify` has refused it."""


@on("Join")
class ReceiveJoin(_Later):
    """Somebody wants to take part (Mobilizon: events and groups)."""


@on("Leave")
class ReceiveLeave(_Later):
    """Somebody no longer takes part."""


@on("Offer")
class ReceiveOffer(_Later):
    """Something is offered to an actor of ours."""


@on("Invite")
class ReceiveInvite(_Later):
    """An actor of ours is invited: `object` to what, `target` who, or the other way round."""


@on("QuoteRequest")
class ReceiveQuoteRequest(_Later):
    """Somebody asks to quote (FEP-044f): `object` is the quoted post, `instrument` the one that quotes it."""

    compulsory = ("object", "instrument")
