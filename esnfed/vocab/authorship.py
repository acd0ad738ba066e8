"""Who wrote an object, when `attributedTo` names several."""

from __future__ import annotations

from esnfed.vocab import parse
from esnfed.vocab.authority import same_origin
from esnfed.vocab.parse import Document

MAX_AUTHORS = 8


def author_of(document: Document) -> str | None:
    """Return the id of a post's author: of several who live where it lives, the person (PeerTube)."""
    uri = parse.reference(document) or ""
    named = document.get("attributedTo")
    here = [author for author in parse.references(named, MAX_AUTHORS) if same_origin(author, uri)]
    persons = {
        parse.reference(item)
        for item in parse.items(named, MAX_AUTHORS)
        if isinstance(item, dict) and parse.type_of(item) == "Person"
    }
    return next((author for author in here if author in persons), next(iter(here), None))
