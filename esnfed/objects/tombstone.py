"""Tombstones: what is left of a deleted thing, kept for ever (410 with `formerType` and `deleted`)."""

from __future__ import annotations

from esnfed.context import Context
from esnfed.models import insert, tombstone
from esnfed.vocab import parse
from esnfed.vocab.parse import Document
from esnfed.vocab.terms import AS_CONTEXT

_BURY = insert(tombstone).on_conflict_do_nothing()


def bury(context: Context, uri: str, former_type: str, *, local: bool, actor_uri: str = "") -> None:
    """Remember that `uri` was deleted now; a second time changes nothing.

    `actor_uri` is who deleted a thing that was never here: only their own Create is kept out by it.
    """
    values = {"uri": uri, "actor_uri": actor_uri, "local": local, "former_type": former_type}
    context.connection.execute(_BURY, values | {"deleted_at": context.now()})


def to_document(uri: str, former_type: str, deleted_at: int) -> Document:
    """Return a Tombstone document."""
    return {
        "@context": AS_CONTEXT,
        "id": uri,
        "type": "Tombstone",
        "formerType": former_type,
        "deleted": parse.iso(deleted_at),
    }
