"""Nodes: `node` and `other` on SQLite, `any_node` on SQLite and on PostgreSQL."""

from __future__ import annotations

import pytest

from esnfed.bus import Bus
from esnfed.context import Runtime
from tests.conftest import MakeRuntime, Open, Prepare
from tests.unit.records.nodes import Node, make_node


async def _node(made: Runtime, prepare: Prepare, opened: Open) -> Node:
    ready = await prepare(made)
    return await make_node(await opened(ready, Bus()), ready)


@pytest.fixture
async def node(runtime: MakeRuntime, prepare_sqlite: Prepare, opened: Open) -> Node:
    """A node."""
    return await _node(runtime(domain="a.esn.test"), prepare_sqlite, opened)


@pytest.fixture
async def other(runtime: MakeRuntime, prepare_sqlite: Prepare, opened: Open) -> Node:
    """Another node."""
    return await _node(runtime(domain="b.esn.test"), prepare_sqlite, opened)


@pytest.fixture
async def any_node(runtime: MakeRuntime, prepare: Prepare, opened: Open) -> Node:
    """A node on the back end of the test."""
    return await _node(runtime(domain="a.esn.test"), prepare, opened)
