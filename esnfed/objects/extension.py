"""What an extension of an object is: a namespaced property that a network room adds to a Note and reads."""

from __future__ import annotations

from typing import Any, Protocol

from sqlalchemy import RowMapping

from esnfed import registry
from esnfed.context import Context
from esnfed.vocab.parse import Document


class Extension(Protocol):
    """Registered in `registry.extensions` under the property's name, such as `esn:record`."""

    terms: dict[str, Any]
    """Inline JSON-LD terms that the property needs."""

    def write(self, context: Context, status: RowMapping) -> Document:
        """Return properties to merge into the document of a local status; {} when it carries none.

        Lists under `attachment` and `tag` are added to those of the note.
        """

    def receive(self, context: Context, status_id: int, author: RowMapping, document: Document) -> None:
        """Read the property from a stored remote note, on Create and Update; never raises on its content."""

    def deleted(self, context: Context, status_id: int) -> None:
        """Take back what `receive` or a local announcement stored."""


def extensions() -> list[tuple[str, Extension]]:
    """Return (property name, extension) pairs."""
    return registry.extensions.items()
