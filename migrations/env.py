"""Alembic's environment: runs on the connection and inside the transaction that the caller gives."""

from __future__ import annotations

from typing import Any

from alembic import context
from alembic.autogenerate.api import AutogenContext

from esnfed.models import metadata
from esnfed.models.types import Json


def render_item(kind: str, item: Any, _context: AutogenContext) -> str | bool:
    """Write our own column types as what they are in the database."""
    return "sa.Text()" if kind == "type" and isinstance(item, Json) else False


def on_version_apply(*, step: Any, **_: Any) -> None:
    """Tell the caller which revision was reached."""
    if progress is not None:
        progress(step.up_revision_id)


connection = context.config.attributes["connection"]
progress = context.config.attributes["progress"]
context.configure(
    connection=connection,
    target_metadata=metadata,
    render_item=render_item,
    on_version_apply=on_version_apply,
    transactional_ddl=True,
)
context.run_migrations()
