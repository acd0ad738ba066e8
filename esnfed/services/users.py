"""Users: people who can log in here, each with a Person actor and the receipts of their consent."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, get_args

from argon2 import PasswordHasher
from sqlalchemy import RowMapping, bindparam, func, select, update

from esnfed.context import Context
from esnfed.errors import Conflict, Invalid, NotFound
from esnfed.i18n import N_
from esnfed.models import actor, consent, insert, user
from esnfed.services import actors
from esnfed.services.actors import NewKeys

Role = Literal["member", "moderator", "administrator", "owner"]

# 19 MiB, two passes, one lane: OWASP's minimum for argon2id, 86 ms on a small machine.
_HASHER = PasswordHasher(time_cost=2, memory_cost=19 * 1024, parallelism=1)
MIN_PASSWORD = 10
EMAIL = re.compile(r"[^@\s]{1,64}@[^@\s]{1,255}")
PRIVATE_BY_DEFAULT = frozenset({"education-union", "health-mutual"})
"""Organisation types on whose nodes an account reveals membership (decisions.md 6)."""


@dataclass(frozen=True, slots=True)
class ConsentGiven:
    """One thing a person agreed to: why, in which version and language of the text."""

    purpose: str
    text_version: str
    language: str


def hash_password(password: str) -> str:
    """Return the argon2id hash; slow on purpose, so never inside a unit of work. Raises Invalid if short."""
    if len(password) < MIN_PASSWORD:
        raise Invalid(N_("A password has at least ten characters."), "password")
    return _HASHER.hash(password)


_INSERT = insert(user)
_INSERT_CONSENT = insert(consent)
_BY_EMAIL = select(user.c.id).where(func.lower(user.c.email) == bindparam("email"))
_ALL = (
    select(
        user.c.id,
        user.c.actor_id,
        user.c.email,
        user.c.role,
        user.c.locale,
        user.c.created_at,
        user.c.disabled_at,
        actor.c.handle,
        actor.c.name,
    )
    .join(actor, actor.c.id == user.c.actor_id)
    .order_by(user.c.id)
)
_BY_HANDLE = _ALL.where(func.lower(actor.c.handle) == bindparam("handle"))
_RESET = (
    update(user)
    .where(user.c.id == bindparam("user_id"))
    .values(
        password_hash=bindparam("new_hash"),
        credential_epoch=user.c.credential_epoch + 1,
    )
)


def create(
    context: Context,
    *,
    handle: str,
    email: str,
    password_hash: str,
    role: Role,
    locale: str,
    keys: NewKeys,
    consents: Sequence[ConsentGiven],
    name: str = "",
    summary: str = "",
) -> int:
    """Create a user with a Person actor, private by default, and store the consent receipts; return its id.

    Raises Invalid for a bad address or role or without consent to federation, Conflict when taken.
    """
    if not EMAIL.fullmatch(email):
        raise Invalid(N_("This is not an e-mail address."), "email")
    if role not in get_args(Role):
        raise Invalid(N_("There is no such role."), "role")
    if not any(given.purpose == "federation" for given in consents):
        raise Invalid(N_("An account federates; without consent to that it cannot be made."), "consent")
    if context.connection.execute(_BY_EMAIL, {"email": email.lower()}).first():
        raise Conflict(N_("This e-mail address has an account already."))
    actor_id = actors.create(
        context,
        as_type="Person",
        handle=handle,
        keys=keys,
        name=name,
        summary=summary,
        hides_network=context.config.organisation_type in PRIVATE_BY_DEFAULT,
    )
    user_id, now = context.new_id(), context.now()
    context.connection.execute(
        _INSERT,
        {
            "id": user_id,
            "actor_id": actor_id,
            "email": email,
            "password_hash": password_hash,
            "role": role,
            "locale": locale,
            "created_at": now,
            "confirmed_at": now,
        },
    )
    _store_receipts(context, user_id, consents)
    return user_id


def _store_receipts(context: Context, user_id: int, consents: Sequence[ConsentGiven]) -> None:
    now = context.now()
    receipts = [
        {
            "id": context.new_id(),
            "user_id": user_id,
            "purpose": given.purpose,
            "text_version": given.text_version,
            "language": given.language,
            "given_at": now,
        }
        for given in consents
    ]
    context.connection.execute(_INSERT_CONSENT, receipts)


def all_users(context: Context) -> list[RowMapping]:
    """Return every user with handle and name, oldest first; no password hashes."""
    return list(context.connection.execute(_ALL).mappings())


def by_handle(context: Context, handle: str) -> RowMapping:
    """Return the user whose actor has this handle; raises NotFound."""
    parameters = {"handle": handle.removeprefix("@").lower()}
    row = context.connection.execute(_BY_HANDLE, parameters).mappings().one_or_none()
    if row is None:
        raise NotFound(N_("There is no such user on this node."))
    return row


def reset_password(context: Context, user_id: int, password_hash: str) -> None:
    """Set a new password; every session and token from before ends with the credential epoch."""
    changed = context.connection.execute(_RESET, {"user_id": user_id, "new_hash": password_hash})
    if not changed.rowcount:
        raise NotFound(N_("There is no such user on this node."))
