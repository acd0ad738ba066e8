"""Posts fetched from their origin because somebody pointed at them: a boost, a favourite, a reply."""

from __future__ import annotations

from sqlalchemy import RowMapping

from esnfed.context import Context
from esnfed.errors import Ignored
from esnfed.i18n import N_
from esnfed.objects import note
from esnfed.services import arrivals
from esnfed.vocab import parse
from esnfed.vocab.parse import Document


def usable(row: RowMapping | None) -> bool:
    """Say whether a status row is a post that can be boosted, favourited and answered."""
    return row is not None and row["deleted_at"] is None and row["boost_of_id"] is None


def store(context: Context, document: Document, author: RowMapping) -> RowMapping | None:
    """Store a post of a remote `author`, fetched from its origin; return its row, None when there is none.

    It goes to nobody's home timeline and tells nobody: only somebody's pointing at it brought it here. Raises
    Malformed, or Ignored for what is deleted or not understood here.
    """
    if author["local"]:
        raise Ignored(N_("A post of this node does not come from another server."))
    arrivals.store(context, document, author)
    return note.row_of(context, parse.identifier(document))
