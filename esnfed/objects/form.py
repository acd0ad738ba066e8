"""What the posts of one ActivityStreams type have more than a Note, read and written."""

from __future__ import annotations

from typing import Any

from sqlalchemy import RowMapping

from esnfed import registry
from esnfed.context import Context
from esnfed.vocab.parse import Document


class Form:
    """A Note, which has nothing more; other types override what differs.

    Registered in `registry.forms` under each of its types by `note.arriving`.
    """

    def read(self, document: Document) -> dict[str, Any]:
        """Return column values of the status that this type reads otherwise than a Note."""
        return {}

    def attachments(self, document: Document) -> list[dict[str, Any]]:
        """Return media that stand elsewhere than under `attachment`, as `parts.attachments_in` does."""
        return []

    def store(self, context: Context, status_id: int, document: Document) -> None:
        """Write what has rows of its own; the same on Create and on Update."""

    def recount(self, context: Context, status_id: int, document: Document) -> bool:
        """Take over figures that change without an edit; True when something was there to take."""
        return False

    def forget(self, context: Context, status_id: int) -> None:
        """Remove what `store` wrote, when an edit gave the post another type."""

    def write(self, context: Context, status: RowMapping) -> Document:
        """Return the properties that a local status of this type has more; its `type` among them."""
        return {}


def form_of(as_type: str) -> Form:
    """Return the form of a type; what was stored under a type that is no longer known counts as a Note."""
    form: Form | None = registry.forms.get(as_type)
    return form or Form()
