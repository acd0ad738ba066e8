"""What leaves the node of an activity row: its bytes as stored, or with a proof where decisions ask for one.

Stored bytes carry no proof. It is added when the activity is first sent or served, by this one function, and
because `created` is the activity's `published` both give the same bytes.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from typing import Final, cast

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from sqlalchemy import bindparam, func, select

from esnfed.context import Context
from esnfed.federation import proofs
from esnfed.federation.keys import load_private
from esnfed.models import activity, actor, actor_key
from esnfed.vocab import parse

ORGANISED: Final = frozenset({"Organization", "Group", "Service", "Application"})
"""Whose public activities are proven. A person's are only where the node's operator chose so: a proof can be
shown to anybody for ever, and nobody can deny it."""

NEVER: Final = frozenset({"Accept", "Reject"})
"""The answer to a Follow tells who follows whom: it is never proven, whatever it is addressed to."""

_NEWEST = (
    select(func.max(actor_key.c.id))
    .where(
        actor_key.c.actor_id == activity.c.actor_id,
        actor_key.c.kind == "ed25519",
        actor_key.c.private_der.is_not(None),
        actor_key.c.retired_at.is_(None),
    )
    .correlate(activity)
    .scalar_subquery()
)
_ROWS = (
    select(
        activity.c.id,
        activity.c.actor_id,
        activity.c.as_type,
        activity.c.public,
        activity.c.body,
        activity.c.key_id,
        activity.c.created_at,
        actor.c.as_type.label("actor_type"),
        actor_key.c.uri.label("key_uri"),
        actor_key.c.private_der,
    )
    .join(actor, actor.c.id == activity.c.actor_id)
    .outerjoin(actor_key, actor_key.c.id == _NEWEST)
    .where(activity.c.id.in_(bindparam("ids", expanding=True)))
)


@dataclass(frozen=True, slots=True)
class Body:
    """The bytes of an activity as it leaves the node; `actor_id` is whose keys they depend on.

    `key_id` names the key that signs its first delivery, where that is not the newest.
    """

    actor_id: int
    data: bytes
    key_id: int | None = None


def is_proven(as_type: str, actor_type: str, *, public: bool, persons: bool) -> bool:
    """Say whether an activity of one of our actors carries a proof (decisions.md 6).

    `persons` is the node's setting for persons. What is for followers, one party or the network never does.
    """
    if not public or as_type in NEVER:
        return False
    return actor_type in ORGANISED or (persons and actor_type == "Person")


def bodies(context: Context, ids: Collection[int]) -> dict[int, Body]:
    """Return what leaves the node of each activity row by its id; rows that are gone are left out.

    The newest Ed25519 key of the actor proves; an actor without one sends without a proof. One statement.
    """
    persons = context.config.proofs == "everybody"
    loaded: dict[str, Ed25519PrivateKey] = {}
    found: dict[int, Body] = {}
    for row in context.connection.execute(_ROWS, {"ids": sorted(ids)}):
        data = row.body.encode()
        if row.key_uri and is_proven(row.as_type, row.actor_type, public=row.public, persons=persons):
            if row.key_uri not in loaded:
                loaded[row.key_uri] = cast(
                    Ed25519PrivateKey, load_private(row.private_der)
                )  # its kind says so
            data = _prove(data, row.created_at, row.key_uri, loaded[row.key_uri])
        found[row.id] = Body(row.actor_id, data, row.key_id)
    return found


def _prove(data: bytes, created_at: int, key_uri: str, private: Ed25519PrivateKey) -> bytes:
    document = parse.load(data)
    created = parse.timestamp(document.get("published"))
    return parse.dump(proofs.add(document, key_uri, private, created_at if created is None else created))
