"""What names on a command line mean: handles, addresses and ids to rows; what is new is fetched first."""

from __future__ import annotations

import re

from sqlalchemy import RowMapping, bindparam, select

from esnfed.app import Node
from esnfed.cli.shown import MAX_ID
from esnfed.cli.texts import _
from esnfed.config import Config
from esnfed.context import Context
from esnfed.errors import Conflict, Invalid, Malformed, NotFound, Refused, RemoteNonsense
from esnfed.federation import peers
from esnfed.i18n import N_
from esnfed.models import actor
from esnfed.objects import note
from esnfed.services import actors, fetched
from esnfed.vocab import authorship
from esnfed.vocab.authority import normalise_authority, same_origin
from esnfed.vocab.parse import Document, identifier

_LOCAL_PAGE = select(actor.c.id).where(
    actor.c.local, actor.c.deleted_at.is_(None), actor.c.url == bindparam("page")
)
_OWN_POST = re.compile(r"/(?:ap/objects|r|@[A-Za-z0-9_]+)/([0-9]{1,19})(?:/[^/]*)?")


def host(config: Config, text: str) -> str:
    """Return a server's name in its one spelling; Invalid for what is none, and for this node's own."""
    try:
        found = normalise_authority(text.strip(), config.scheme)
    except Malformed as error:
        raise Invalid(_("“%(name)s” is not the name of a server.") % {"name": text}) from error
    if found in (config.domain, config.account_domain):
        raise Invalid(_("%(name)s is this node itself.") % {"name": found})
    return found


def acting(context: Context, handle: str) -> RowMapping:
    """Return the local actor who acts; NotFound, or Refused for the node's own actor and suspended ones."""
    row = actors.local(context, handle)
    if row["as_type"] == "Application":
        raise Refused(N_("The node's own actor neither posts nor follows."))
    if row["suspended_at"] is not None:
        raise Refused(N_("This actor is suspended."))
    return row


def known_actor(context: Context, name: str) -> RowMapping:
    """Return the actor called `name`, `name@domain` or by its address, if it is here; else NotFound."""
    row = actors.by_uri(context, name) if "://" in name else _by_account(context, name)
    if row is None or row["deleted_at"] is not None:
        raise NotFound(N_("This actor is not known here."))
    return row


def _by_account(context: Context, name: str) -> RowMapping | None:
    handle, _at, domain = name.removeprefix("acct:").removeprefix("@").partition("@")
    own = context.config.account_domain
    domain = normalise_authority(domain, context.config.scheme) if domain else own
    return actors.by_account(context, handle, own if domain == context.config.domain else domain)


async def actor_id(node: Node, name: str) -> int:
    """Return the id of an actor by handle, id on the wire or page, fetched when it is new.

    Raises NotFound for a local name that nobody has, Malformed or RemoteErrors.
    """
    name = name.strip()
    if same_origin(name, node.config.origin):
        page: int | None = await node.database.read(_by_page, name)
        if page is not None:
            return page
    return await node.discovery.actor_id(name)


def _by_page(context: Context, page: str) -> int | None:
    found: int | None = context.connection.execute(_LOCAL_PAGE, {"page": page}).scalar()
    return found


def open_to(context: Context, row: RowMapping) -> RowMapping:
    """Return an actor row whose server we talk to; Conflict for a blocked one: nothing is sent there."""
    if not row["local"] and peers.standing(context, row["host"]) == "blocked":
        raise Conflict(N_("This server is blocked here; `esnfed peer open` ends that."))
    return row


async def status_id(node: Node, name: str) -> int:
    """Return the id of a post by id here, id on the wire or page; a remote one that is new is fetched.

    Of a boost it is the boosted post. NotFound for what is gone or never was, else as the transport.
    """
    name = name.strip()
    known = await node.database.read(_known_status, name)
    if known is not None:
        return known
    document = (await node.discovery.document(name)).document
    known = await node.database.read(_known_status, identifier(document))
    if known is not None:
        return known
    author = authorship.author_of(document)
    if author is None:
        raise RemoteNonsense(N_("This address does not lead to a post."))
    author_id = await node.discovery.actor_id(author)
    return await node.database.write(_store_status, document, author_id)


def _known_status(context: Context, name: str) -> int | None:
    own = same_origin(name, context.config.origin)
    number = name if name.isascii() and name.isdigit() else _number_in(name, context) if own else ""
    row = note.row_by_id(context, min(int(number), MAX_ID)) if number else note.row_of(context, name)
    if row is None and not number and not own and "://" in name:
        return None
    if row is None or row["deleted_at"] is not None or (own and not row["local"]):
        raise NotFound(N_("There is no such post."))
    return int(row["boost_of_id"] or row["id"])


def _number_in(address: str, context: Context) -> str:
    found = _OWN_POST.fullmatch(address[len(context.config.origin) :])
    return found[1] if found else ""


def _store_status(context: Context, document: Document, author_id: int) -> int:
    row = fetched.store(context, document, actors.by_id(context, author_id))
    if row is None or not fetched.usable(row):
        raise NotFound(N_("There is no such post."))
    return int(row["id"])
