"""Posts that groups of ours are to pass on, queued where they are written; groups.py sends them."""

from __future__ import annotations

from esnfed.context import Context
from esnfed.jobs import enqueue
from esnfed.vocab.parse import Document

KIND = "group-announce"


def pass_on(context: Context, group_id: int, status_id: int, created: Document | None = None) -> None:
    """Have a group pass a post on; `created` is its Create, None for a post of this node."""
    arguments = {"group_id": group_id, "status_id": status_id, "created": created}
    enqueue(context, KIND, arguments, unique_key=f"{group_id}:{status_id}")
