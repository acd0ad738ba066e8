"""What follows when a post from elsewhere has been stored: home timelines and notifications."""

from __future__ import annotations

from sqlalchemy import RowMapping

from esnfed import registry
from esnfed.bus import StatusChanged
from esnfed.context import Context
from esnfed.errors import Ignored
from esnfed.i18n import N_
from esnfed.objects import note
from esnfed.objects.note import Stored
from esnfed.services import notifications, polls, statuses, timelines, wanted
from esnfed.vocab import parse
from esnfed.vocab.parse import Document
from esnfed.vocab.terms import ACTOR_TYPES


def store(context: Context, document: Document, author: RowMapping) -> Stored | None:
    """Store a remote object through the receiver of its type; None when it was known.

    Raises Ignored for a type that no receiver knows: it is counted, and nothing of it is kept.
    """
    as_type = parse.type_of(document)
    receiver = registry.receivers.get(as_type) if as_type not in ACTOR_TYPES else None
    if receiver is None:
        raise Ignored(
            N_("Objects of this type are not understood here."), counter="unsupported-object", key=as_type
        )
    stored: Stored | None = receiver(context, document, author)
    return stored


def revise(context: Context, document: Document, author: RowMapping, row: RowMapping) -> None:
    """Apply an Update to a remote post that is here: an edit, or new counts of a poll.

    Raises Malformed, and Ignored when the post became something that no receiver knows.
    """
    as_type = parse.type_of(document)
    if as_type not in registry.forms:
        raise Ignored(
            N_("Objects of this type are not understood here."), counter="unsupported-object", key=as_type
        )
    note.revise(context, document, author, row)
    polls.revised(context, row["id"])
    context.after_commit(StatusChanged(row["id"]))


def announce(context: Context, stored: Stored, author: RowMapping) -> None:
    """Put a new remote status on home timelines, tell those of ours whom it mentions, seek what it answers."""
    parent = stored.parent
    timelines.fan_out(
        context, stored.status_id, author, stored.visibility, parent["actor_id"] if parent else None
    )
    for known in stored.mentioned:
        if known.local:
            notifications.notify(context, known.id, "mention", author["id"], stored.status_id)
    statuses.count_status(context, author["id"], 1, stored.published_at)
    if stored.missing_parent is not None:
        wanted.ancestors(context, stored.missing_parent)
    context.after_commit(StatusChanged(stored.status_id))
