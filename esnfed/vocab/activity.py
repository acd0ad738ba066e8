"""An activity as read from the wire: the few properties that every handler needs, checked and capped."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from esnfed.errors import Malformed
from esnfed.vocab import parse
from esnfed.vocab.authority import parse_address
from esnfed.vocab.parse import Document


@dataclass(frozen=True, slots=True)
class Activity:
    """One activity. `document` is the whole JSON; the other fields are its checked parts."""

    as_type: str
    id: str
    actor: str
    to: tuple[str, ...]
    cc: tuple[str, ...]
    document: Document

    @property
    def object(self) -> Any:
        """The raw `object`: a string, a mapping, a list, or None."""
        return self.document.get("object")

    @property
    def object_uri(self) -> str | None:
        """The id of the object, embedded or not."""
        return parse.reference(self.object)

    @property
    def object_document(self) -> Document | None:
        """The embedded object, or None when only its id was sent."""
        return parse.embedded(self.object)


def read_activity(document: Mapping[str, Any]) -> Activity:
    """Return the activity; raises Malformed without a type, an actor, or an id that is a web address.

    An activity without an id gets "": Akkoma and some bots send such; the caller gives it one.
    """
    as_type = parse.type_of(document)
    if not as_type:
        raise Malformed("The activity has no type, or several.")
    actor = parse.identifier(document, "actor")
    uri = document.get("id")
    if uri is None:
        uri = ""
    elif not isinstance(uri, str):
        raise Malformed("The id of the activity is not a string.")
    else:
        parse_address(uri)
    return Activity(
        as_type,
        uri,
        actor,
        tuple(parse.references(document.get("to"))),
        tuple(parse.references(document.get("cc"))),
        dict(document),
    )
