"""Undo: somebody elsewhere takes back a Follow, a Like or an Announce of theirs."""

from __future__ import annotations

from esnfed import registry
from esnfed.context import Context
from esnfed.errors import Ignored, Malformed, Refused
from esnfed.federation.handling import Incoming, on
from esnfed.i18n import N_
from esnfed.vocab import parse


@on("Undo")
class ReceiveUndo:
    """The object may be the whole activity or only its id (federation.md A4)."""

    def needs(self, context: Context, incoming: Incoming) -> list[str]:
        """Nothing: every id was stored when its activity arrived."""
        return []

    def verify(self, context: Context, incoming: Incoming) -> None:
        """One undoes only what one did oneself."""
        inner = incoming.activity.object_document
        if incoming.activity.object_uri is None and inner is None:
            raise Malformed(N_("An Undo needs an object."))
        if inner is not None and parse.reference(inner.get("actor")) not in (None, incoming.activity.actor):
            raise Refused(N_("Nobody undoes what another did."))

    def receive(self, context: Context, incoming: Incoming) -> None:
        """Ask the undo function of the inner type; with an id alone, each until one knows it."""
        inner, uri = incoming.activity.object_document, incoming.activity.object_uri
        as_type = parse.type_of(inner) if inner else ""
        if as_type and as_type not in registry.undoers:
            raise Ignored(N_("This cannot be undone here."), counter="unsupported-undo", key=as_type)
        undoers = [registry.undoers[as_type]] if as_type else [undo for _, undo in registry.undoers.items()]
        if not any(undo(context, incoming.sender, uri, inner) for undo in undoers):
            raise Ignored(N_("There is nothing to undo."))
