"""Actors: finding them, and making, changing and deleting our own."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import RowMapping, bindparam, func, select, update

from esnfed.bus import ActorChanged
from esnfed.context import Context
from esnfed.errors import Conflict, Invalid, NotFound
from esnfed.i18n import N_
from esnfed.models import actor, actor_key, insert
from esnfed.objects import actor as actor_object
from esnfed.services import outbox
from esnfed.text.sanitise import sanitise
from esnfed.vocab import paths
from esnfed.vocab.terms import PUBLIC

HANDLE = re.compile(r"[a-z0-9_]{1,30}")
LOCAL_TYPES = ("Person", "Organization", "Group", "Service", "Application")
NO_SUCH_TYPE = N_("An actor here is a Person, an Organization, a Group, a Service or an Application.")
RESERVED = frozenset({"relay", "admin", "administrator", "root", "postmaster", "abuse", "webmaster"})


@dataclass(frozen=True, slots=True)
class NewKeys:
    """Key material for a new actor, made before the unit of work: DER, public (SPKI) and private (PKCS 8)."""

    rsa_public: bytes
    rsa_private: bytes
    ed25519_public: bytes
    ed25519_private: bytes


_BY_ID = select(actor).where(actor.c.id == bindparam("actor_id"))
_BY_URI = select(actor).where(actor.c.uri == bindparam("uri"))
_BY_ACCOUNT = (
    select(actor)
    .where(
        func.lower(actor.c.handle) == bindparam("handle"),
        actor.c.domain == bindparam("domain"),
        actor.c.deleted_at.is_(None),
    )
    .order_by(actor.c.fetched_at.desc())
    .limit(1)
)
_LOCAL_BY_HANDLE = select(actor).where(func.lower(actor.c.handle) == bindparam("handle"), actor.c.local)
_LOCAL = select(actor).where(actor.c.local, actor.c.deleted_at.is_(None)).order_by(actor.c.id)
_INSERT = insert(actor)
_INSERT_KEY = insert(actor_key)


def by_id(context: Context, actor_id: int) -> RowMapping:
    """Return the actor row; raises NotFound."""
    row = context.connection.execute(_BY_ID, {"actor_id": actor_id}).mappings().one_or_none()
    if row is None:
        raise NotFound
    return row


def by_uri(context: Context, uri: str) -> RowMapping | None:
    """Return the actor row with this id on the wire, or None."""
    return context.connection.execute(_BY_URI, {"uri": uri}).mappings().one_or_none()


def by_account(context: Context, handle: str, domain: str) -> RowMapping | None:
    """Return the living actor known as handle@domain, or None."""
    parameters = {"handle": handle.lower(), "domain": domain}
    return context.connection.execute(_BY_ACCOUNT, parameters).mappings().one_or_none()


def local_by_handle(context: Context, handle: str) -> RowMapping | None:
    """Return the local actor with this handle, deleted or not, or None."""
    return context.connection.execute(_LOCAL_BY_HANDLE, {"handle": handle.lower()}).mappings().one_or_none()


def local(context: Context, handle: str) -> RowMapping:
    """Return the living local actor with this handle (with or without @); raises NotFound."""
    row = local_by_handle(context, handle.removeprefix("@"))
    if row is None or row["deleted_at"]:
        raise NotFound(N_("There is no such actor on this node."))
    return row


def all_local(context: Context) -> list[RowMapping]:
    """Return the living local actors, oldest first."""
    return list(context.connection.execute(_LOCAL).mappings())


def create(
    context: Context,
    *,
    as_type: str,
    handle: str,
    keys: NewKeys,
    name: str = "",
    summary: str = "",
    fields: list[dict[str, str]] | None = None,
    locked: bool = False,
    discoverable: bool = False,
    indexable: bool = False,
    hides_network: bool = False,
) -> int:
    """Create a local actor with its two keys; return its id.

    Raises Invalid for a handle that is not 1 to 30 of a-z, 0-9 and _ or is reserved, Conflict when it is
    taken, also by a deleted actor: an account name never gets a second owner.
    """
    _check_new(context, as_type, handle)
    actor_id, now = context.new_id(), context.now()
    addresses = _addresses(context, as_type, handle, actor_id)
    values = addresses | {
        "id": actor_id,
        "as_type": as_type,
        "local": True,
        "handle": handle,
        "domain": context.config.account_domain,
        "host": context.config.domain,
        "name": name,
        "summary": sanitise(summary),
        "fields": [{"name": field["name"], "value": sanitise(field["value"])} for field in fields or []],
        "locked": locked,
        "discoverable": discoverable,
        "indexable": indexable,
        "hides_network": hides_network,
        "created_at": now,
        "updated_at": now,
    }
    context.connection.execute(_INSERT, values)
    store_keys(context, actor_id, addresses["uri"], keys)
    context.after_commit(ActorChanged(actor_id))
    return actor_id


def _check_new(context: Context, as_type: str, handle: str) -> None:
    if as_type not in LOCAL_TYPES:
        raise Invalid(NO_SUCH_TYPE, "type")
    if not HANDLE.fullmatch(handle) or (handle in RESERVED and as_type != "Application"):
        raise Invalid(N_("A handle has 1 to 30 characters: a-z, 0-9 and _; some are reserved."), "handle")
    if local_by_handle(context, handle):
        raise Conflict(N_("This handle is taken."))


def _addresses(context: Context, as_type: str, handle: str, actor_id: int) -> dict[str, str]:
    """Return every address of a new actor: of the node actor under /relay, of others under their number."""
    origin = context.config.origin
    if as_type == "Application":
        uri, page = paths.node_actor(origin), f"{origin}/about"
    else:
        uri = paths.actor(origin, actor_id)
        page = paths.profile_page(origin, handle, organisation=as_type == "Organization")
    collections = {f"{name}_uri": f"{uri}/{name}" for name in ("followers", "following", "featured")}
    return collections | {
        "uri": uri,
        "url": page,
        "inbox": f"{uri}/inbox",
        "shared_inbox": paths.shared_inbox(origin),
        "outbox": f"{uri}/outbox",
    }


def store_keys(context: Context, actor_id: int, uri: str, keys: NewKeys) -> None:
    """Write the two keys of a local actor: #main-key for HTTP signatures, #ed25519-key beside it."""
    now = context.now()
    context.connection.execute(
        _INSERT_KEY,
        [
            {
                "id": context.new_id(),
                "actor_id": actor_id,
                "uri": f"{uri}#main-key",
                "kind": "rsa",
                "public_der": keys.rsa_public,
                "private_der": keys.rsa_private,
                "created_at": now,
            },
            {
                "id": context.new_id(),
                "actor_id": actor_id,
                "uri": f"{uri}#ed25519-key",
                "kind": "ed25519",
                "public_der": keys.ed25519_public,
                "private_der": keys.ed25519_private,
                "created_at": now,
            },
        ],
    )


_EDITABLE = frozenset({"name", "summary", "fields", "locked", "discoverable", "indexable", "hides_network"})


def edit(context: Context, row: RowMapping, changes: Mapping[str, Any]) -> None:
    """Change the profile of a local actor and send an Update to the servers of its followers."""
    unknown = set(changes) - _EDITABLE
    if unknown:
        raise Invalid(N_("This property of an actor cannot be edited."), sorted(unknown)[0])
    values = dict(changes)
    if "summary" in values:
        values["summary"] = sanitise(values["summary"])
    if "fields" in values:
        values["fields"] = [
            {"name": field["name"], "value": sanitise(field["value"])} for field in values["fields"]
        ]
    statement = update(actor).where(actor.c.id == row["id"]).values(updated_at=context.now(), **values)
    context.connection.execute(statement)
    fresh = by_id(context, row["id"])
    outbox.send(
        context,
        fresh,
        "Update",
        actor_object.to_document(context, fresh),
        to=[PUBLIC],
        cc=[fresh["followers_uri"]],
        inboxes=outbox.follower_inboxes(context, fresh["id"]),
    )
    context.after_commit(ActorChanged(row["id"]))
