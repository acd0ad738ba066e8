"""Move: an actor elsewhere has gone to another account, and its followers here go along (FEP-7628)."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import RowMapping

from esnfed.context import Context
from esnfed.errors import Ignored, Malformed
from esnfed.federation.handling import Incoming, on
from esnfed.i18n import N_
from esnfed.objects import actor as actor_object
from esnfed.services import actors, moves, relevance
from esnfed.vocab import parse
from esnfed.vocab.authority import same_origin
from esnfed.vocab.terms import ACTOR_TYPES


@dataclass(frozen=True, slots=True)
class Route:
    """From where to where. The sender is one of the two: the old account, or the new one (pull mode)."""

    old: str
    new: str


@on("Move")
class ReceiveMove:
    """Both accounts must say so: the old one by the Move or its `movedTo`, the new one by `alsoKnownAs`."""

    def needs(self, context: Context, incoming: Incoming) -> list[str]:
        """The account that is not the sender, as its origin gives it now; of ours we know."""
        route = _route(incoming)
        if not _concerns(context, incoming, route):
            return []
        wanted = route.new if route.old == incoming.sender["uri"] else route.old
        return [] if same_origin(wanted, context.config.origin) else [wanted]

    def verify(self, context: Context, incoming: Incoming) -> None:
        """Somebody here follows the old account."""
        if not _concerns(context, incoming, _route(incoming)):
            raise Ignored(N_("Nobody on this node follows the actor that moves."), counter="irrelevant")

    def receive(self, context: Context, incoming: Incoming) -> None:
        """Store the other account as it is now, and lead the followers."""
        route = _route(incoming)
        old, new = _row(context, incoming, route.old), _row(context, incoming, route.new)
        if old["local"]:
            raise Ignored(N_("An actor of this node moves only from here."))
        pulled = old["uri"] != incoming.sender["uri"]
        if pulled and old["moved_to_uri"] != new["uri"]:
            raise Ignored(N_("The old account does not say that it has moved."))
        moves.received(context, old, new)


def _route(incoming: Incoming) -> Route:
    activity = incoming.activity
    old, new = activity.object_uri, parse.web_address(activity.document.get("target"))
    if old is None or new is None or old == new:
        raise Malformed(N_("A Move needs an object and another target."))
    if activity.actor not in (old, new):
        raise Malformed(N_("A Move is sent by the account that moves, or by the one it moves to."))
    return Route(old, new)


def _concerns(context: Context, incoming: Incoming, route: Route) -> bool:
    old = incoming.sender if route.old == incoming.sender["uri"] else actors.by_uri(context, route.old)
    return old is not None and relevance.is_followed(context, old["id"])


def _row(context: Context, incoming: Incoming, uri: str) -> RowMapping:
    resolved = incoming.fetched.get(uri)
    if resolved is not None and parse.type_of(resolved.document) in ACTOR_TYPES:
        actor_object.store(context, resolved.document, resolved.domain)
    elif uri in incoming.fetched:
        raise Ignored(N_("The other account could not be fetched."))
    row = actors.by_uri(context, uri)
    if row is None:
        raise Ignored(N_("The other account is not known."))
    return row
