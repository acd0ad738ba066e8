"""Posts fetched from their origin because somebody pointed at them: a boost, a favourite, a reply."""

from __future__ import annotations

from sqlalchemy import RowMapping

from esnfed.context import Context
from esnfed.errors import Ignored
from esnfed.i18n import N_
from esnfed.objects import note, reading
from esnfed.services import arrivals
from esnfed.vocab import parse
from esnfed.vocab.authority import same_origin
from esnfed.vocab.parse import Document


def author_of(document: Document) -> str | None:
    """Return the id of a post's author: of several who live where it lives, the person (PeerTube)."""
    uri = parse.reference(document) or ""
    here = [author for author in reading.authors_of(document) if same_origin(author, uri)]
    persons = {
        parse.reference(item)
        for item in parse.items(document.get("attributedTo"), 8)
        if isinstance(item, dict) and parse.type_of(item) == "Person"
    }
    return next((author for author in here if author in persons), next(iter(here), None))


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
