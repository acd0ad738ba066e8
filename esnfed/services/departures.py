"""A user leaves: the actor is deleted everywhere, the account is closed, and what named the person goes."""

from __future__ import annotations

from typing import Any

from sqlalchemy import RowMapping, bindparam, exists, or_, select, update

from esnfed.context import Context
from esnfed.errors import Conflict
from esnfed.i18n import N_
from esnfed.models import consent, user
from esnfed.services import actors, removal

_other = user.alias("other")
_another_owner = exists(
    select(1).where(
        _other.c.role == "owner", _other.c.disabled_at.is_(None), _other.c.id != bindparam("leaver_id")
    )
)
_CLOSE = (
    update(user)
    .where(
        user.c.id == bindparam("leaver_id"),
        user.c.disabled_at.is_(None),
        or_(user.c.role != "owner", _another_owner),
    )
    .values(
        # The column is unique and never empty; RFC 2606 keeps .invalid free for ever.
        email=bindparam("nobody"),
        password_hash="",
        credential_epoch=user.c.credential_epoch + 1,
        disabled_at=bindparam("now"),
    )
)
_WITHDRAW = (
    update(consent)
    .where(consent.c.user_id == bindparam("leaver_id"), consent.c.withdrawn_at.is_(None))
    .values(withdrawn_at=bindparam("now"))
)


def remove_user(context: Context, row: RowMapping) -> None:
    """Close an account for good and delete its actor; `row` is one of services/users.py.

    E-mail address and password go, every session and token ends, the consent receipts stay as withdrawn. Its
    handle is never given again. Conflict for the only owner of the node, or when it was closed before.
    """
    now = context.now()
    parameters: dict[str, Any] = {
        "leaver_id": row["id"],
        "now": now,
        "nobody": f"{row['id']}@removed.invalid",
    }
    if not context.connection.execute(_CLOSE, parameters).rowcount:
        raise Conflict(N_("This account is removed already, or it is the only owner's: a node needs one."))
    context.connection.execute(_WITHDRAW, {"leaver_id": row["id"], "now": now})
    removal.remove_local(context, actors.by_id(context, row["actor_id"]))
