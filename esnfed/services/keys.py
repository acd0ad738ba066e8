"""Keys of our actors: new ones take over, the old ones stay for a while, and are retired in the end."""

from __future__ import annotations

import re
from typing import Any, Literal

from sqlalchemy import RowMapping, bindparam, select, update

from esnfed.bus import ActorChanged
from esnfed.context import Context
from esnfed.errors import Refused
from esnfed.i18n import N_
from esnfed.jobs import every
from esnfed.models import actor, actor_key, insert
from esnfed.objects import actor as actor_object
from esnfed.services import actors, outbox
from esnfed.services.actors import NewKeys
from esnfed.vocab.terms import PUBLIC

GRACE = 30 * 24 * 3600 * 1000
"""How long an old key is kept beside the new one: what waits for a silent server waits no longer."""

RETIRE_STEP = 200
FRAGMENTS = {"rsa": "main-key", "ed25519": "ed25519-key"}
_NUMBER = re.compile(r"-([0-9]{1,9})$")

_OF = select(actor_key).where(actor_key.c.actor_id == bindparam("of_actor")).order_by(actor_key.c.id)
_INSERT = insert(actor_key)
_SUPERSEDE = (
    update(actor_key)
    .where(
        actor_key.c.actor_id == bindparam("of_actor"),
        actor_key.c.superseded_at.is_(None),
        actor_key.c.retired_at.is_(None),
    )
    .values(superseded_at=bindparam("now"))
)
_TOUCH = update(actor).where(actor.c.id == bindparam("of_actor")).values(updated_at=bindparam("now"))


def of(context: Context, actor_id: int) -> list[RowMapping]:
    """Return every key that an actor has or had, the oldest first."""
    return list(context.connection.execute(_OF, {"of_actor": actor_id}).mappings())


def rotate(context: Context, row: RowMapping, keys: NewKeys) -> list[str]:
    """Give a local actor new keys under new addresses; return the two addresses.

    The servers of its followers get an Update that carries the new keys and is signed with the old one, which
    they know (federation.md A3); everything else is signed with the new one from now on. Where no old key is
    left to sign with, the new one signs the Update too, and other servers fetch the actor again. Raises
    Refused for an actor that is not ours or is gone.
    """
    if not row["local"] or row["deleted_at"]:
        raise Refused(N_("Only a living actor of this node gets new keys."))
    known, now = of(context, row["id"]), context.now()
    signing = [
        key["id"]
        for key in known
        if key["kind"] == "rsa" and key["private_der"] is not None and key["retired_at"] is None
    ]
    context.connection.execute(_SUPERSEDE, {"of_actor": row["id"], "now": now})
    context.connection.execute(_TOUCH, {"of_actor": row["id"], "now": now})
    fresh = [
        _fresh(context, row, known, "rsa", keys.rsa_public, keys.rsa_private),
        _fresh(context, row, known, "ed25519", keys.ed25519_public, keys.ed25519_private),
    ]
    context.connection.execute(_INSERT, fresh)
    _announce(context, row["id"], signing[-1] if signing else None)
    context.after_commit(ActorChanged(row["id"]))
    return [key["uri"] for key in fresh]


def _fresh(
    context: Context,
    row: RowMapping,
    known: list[RowMapping],
    kind: Literal["rsa", "ed25519"],
    public_der: bytes,
    private_der: bytes,
) -> dict[str, Any]:
    """Return a new row; its address ends in the next number, so that no address ever means another key."""
    numbers = [_number(key["uri"]) for key in known if key["kind"] == kind]
    fragment = FRAGMENTS[kind] + (f"-{max(numbers) + 1}" if numbers else "")
    return {
        "id": context.new_id(),
        "actor_id": row["id"],
        "uri": f"{row['uri']}#{fragment}",
        "kind": kind,
        "public_der": public_der,
        "private_der": private_der,
        "created_at": context.now(),
    }


def _number(uri: str) -> int:
    found = _NUMBER.search(uri)
    return int(found[1]) if found else 1


def _announce(context: Context, actor_id: int, signing_key_id: int | None) -> None:
    fresh = actors.by_id(context, actor_id)
    outbox.send(
        context,
        fresh,
        "Update",
        actor_object.to_document(context, fresh),
        to=[PUBLIC],
        cc=[fresh["followers_uri"]],
        inboxes=outbox.follower_inboxes(context, actor_id),
        key_id=signing_key_id,
    )


_OVERDUE = (
    select(actor_key.c.id, actor_key.c.actor_id)
    .where(actor_key.c.superseded_at < bindparam("before"), actor_key.c.retired_at.is_(None))
    .order_by(actor_key.c.id)
    .limit(RETIRE_STEP)
)
_RETIRE = (
    update(actor_key)
    .where(actor_key.c.id.in_(bindparam("ids", expanding=True)), actor_key.c.retired_at.is_(None))
    .values(retired_at=bindparam("now"), private_der=None)
)


@every(6 * 3600, "retire-keys")
def retire(context: Context, _cursor: object) -> Literal[True] | None:
    """Retire the keys that were superseded thirty days ago: shown no more, their private half destroyed."""
    now = context.now()
    overdue = context.connection.execute(_OVERDUE, {"before": now - GRACE}).all()
    if not overdue:
        return None
    context.connection.execute(_RETIRE, {"ids": [key.id for key in overdue], "now": now})
    for actor_id in sorted({key.actor_id for key in overdue}):
        context.after_commit(ActorChanged(actor_id))
    return True
