"""The node itself: its row, stamped once, and its Application actor."""

from __future__ import annotations

from sqlalchemy import RowMapping, select, update

from esnfed.context import Context
from esnfed.errors import Conflict
from esnfed.i18n import N_
from esnfed.models import insert, node
from esnfed.services import actors
from esnfed.services.actors import NewKeys

NODE_HANDLE = "relay"

_GET = select(node)
_INSERT = insert(node).on_conflict_do_nothing()


def get(context: Context) -> RowMapping | None:
    """Return the node row, or None before init."""
    return context.connection.execute(_GET).mappings().one_or_none()


def create_node(context: Context, *, keys: NewKeys) -> int:
    """Stamp the database with its domain and environment and create the node actor; return the actor's id.

    Raises Conflict when this database belongs to a node already.
    """
    config = context.config
    created = context.connection.execute(
        _INSERT,
        {
            "id": 1,
            "domain": config.domain,
            "account_domain": config.account_domain,
            "environment": config.environment,
            "created_at": context.now(),
        },
    )
    if not created.rowcount:
        raise Conflict(N_("This database belongs to a node already."))
    actor_id = actors.create(
        context, as_type="Application", handle=NODE_HANDLE, keys=keys, name=config.name, hides_network=True
    )
    context.connection.execute(update(node).values(actor_id=actor_id))
    return actor_id
