"""Flag: the moderators of another server, or somebody there, report an actor of ours or its posts."""

from __future__ import annotations

from esnfed.context import Context
from esnfed.errors import Ignored, Malformed
from esnfed.federation.handling import Incoming, on
from esnfed.i18n import N_
from esnfed.services import reports
from esnfed.services.reports import Accused
from esnfed.text.sanitise import plain
from esnfed.vocab import parse


@on("Flag")
class ReceiveFlag:
    """Account and posts in `object` (GoToSocial, Mastodon), or posts in `content` (Misskey)."""

    def needs(self, context: Context, incoming: Incoming) -> list[str]:
        """Nothing: only what is ours can be reported here."""
        return []

    def verify(self, context: Context, incoming: Incoming) -> None:
        """It names an actor or a post of this node."""
        if incoming.activity.object is None:
            raise Malformed(N_("A Flag needs an object."))
        _accused(context, incoming)

    def receive(self, context: Context, incoming: Incoming) -> None:
        """Store it for the moderators; nobody else is told."""
        activity = incoming.activity
        reports.received(
            context, incoming.sender, _accused(context, incoming), _comment(incoming), activity.id
        )


def _comment(incoming: Incoming) -> str:
    return plain(parse.text(incoming.activity.document, "content", reports.MAX_COMMENT))


def _accused(context: Context, incoming: Incoming) -> Accused:
    named = parse.references(incoming.activity.object, reports.MAX_STATUSES + 1)
    written = reports.addresses_in(parse.text(incoming.activity.document, "content", reports.MAX_COMMENT))
    found = reports.accused(context, [*named, *written])
    if found is None:
        raise Ignored(N_("What is reported is not on this node."))
    return found
