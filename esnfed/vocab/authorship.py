"""Who wrote an object, when `attributedTo` names several."""

from __future__ import annotations

from esnfed.vocab import parse
from esnfed.vocab.authority import same_origin
from esnfed.vocab.parse import Document

MAX_AUTHORS = 8


def authors_of(document: Document) -> list[str]:
    """Return the ids that `attributedTo` names; PeerTube and WordPress send several.

    Mobilizon attributes an Event to its group, and names the person who sends it under `actor`.
    """
    named = parse.references(document.get("attributedTo"), MAX_AUTHORS)
    if parse.type_of(document) == "Event":
        named += parse.references(document.get("actor"), 1)
    return list(dict.fromkeys(named))


def author_of(document: Document) -> str | None:
    """Return the id of a post's author: of several who live where it lives, the person (PeerTube)."""
    uri = parse.reference(document) or ""
    here = [author for author in authors_of(document) if same_origin(author, uri)]
    persons = {
        parse.reference(item)
        for item in parse.items(document.get("attributedTo"), MAX_AUTHORS)
        if isinstance(item, dict) and parse.type_of(item) == "Person"
    }
    return next((author for author in here if author in persons), next(iter(here), None))
