"""Tombstones: what is left of a deleted thing, kept for ever (410 with `formerType` and `deleted`)."""

from __future__ import annotations

from sqlalchemy import bindparam, select

from esnfed.context import Context
from esnfed.models import insert, tombstone
from esnfed.vocab import parse
from esnfed.vocab.parse import Document
from esnfed.vocab.terms import AS_CONTEXT

_BURY = insert(tombstone).on_conflict_do_nothing()
_FIND = select(tombstone).where(tombstone.c.uri == bindparam("uri"))


def bury(context: Context, uri: str, former_type: str, *, local: bool) -> None:
    """Remember that `uri` was deleted now; a second time changes nothing."""
    context.connection.execute(
        _BURY, {"uri": uri, "local": local, "former_type": former_type, "deleted_at": context.now()}
    )


def is_buried(context: Context, uri: str) -> bool:
    """Say whether `uri` was deleted."""
    return context.connection.execute(_FIND, {"uri": uri}).first() is not None


def find(context: Context, uri: str) -> Document | None:
    """Return the Tombstone document of `uri`, or None."""
    row = context.connection.execute(_FIND, {"uri": uri}).mappings().one_or_none()
    return None if row is None else to_document(uri, row["former_type"], row["deleted_at"])


def to_document(uri: str, former_type: str, deleted_at: int) -> Document:
    """Return a Tombstone document."""
    return {
        "@context": AS_CONTEXT,
        "id": uri,
        "type": "Tombstone",
        "formerType": former_type,
        "deleted": parse.iso(deleted_at),
    }
