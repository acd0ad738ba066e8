"""Runs a named operation on a node: a reading, a client job of its writer, or work with its network parts."""

from __future__ import annotations

import inspect
from functools import partial
from typing import Any

from esnfed.app import Node
from esnfed.context import Viewer
from esnfed.errors import Invalid, NotFound
from esnfed.i18n import N_
from esnfed.registry import operations, readings


async def perform(node: Node, name: str, arguments: dict[str, Any], viewer: Viewer | None = None) -> Any:
    """Run one operation and return what it returns, a JSON-able value.

    A reading is `function(context, **arguments)` in a slow read; an operation is the same as a client job, so
    that its events are published after the commit, or `async function(node, **arguments)`. NotFound for an
    unknown name, Invalid for arguments that do not fit; else whatever the operation raises.
    """
    found = readings.get(name) or operations.get(name)
    if found is None:
        raise NotFound(N_("This node knows no operation named %(name)s."), name=name)
    try:
        inspect.signature(found).bind(None, **arguments)
    except TypeError as error:
        wrong = N_("The arguments do not fit the operation %(name)s: %(reason)s.")
        raise Invalid(wrong, name=name, reason=str(error)) from error
    if inspect.iscoroutinefunction(found):
        return await found(node, **arguments)
    bound = partial(found, **arguments)
    if name in readings:
        return await node.database.read(bound, viewer=viewer, slow=True)
    return await node.database.write(bound, viewer=viewer)
