"""Fixtures of delivery: a node on SQLite, and one on each back end."""

from __future__ import annotations

import pytest

from esnfed.bus import Bus
from esnfed.database import Database
from esnfed.federation.keys import KeyPair, generate_rsa
from tests.conftest import MakeRuntime, Open, Prepare
from tests.doubles.clock import Clock
from tests.unit.delivery.doubles import Node


@pytest.fixture(scope="session")
def rsa_pair() -> KeyPair:
    """One RSA key for every test: making one takes 40 ms."""
    return generate_rsa()


@pytest.fixture
async def node(
    runtime: MakeRuntime, prepare_sqlite: Prepare, opened: Open, bus: Bus, clock: Clock, rsa_pair: KeyPair
) -> Node:
    """A node on SQLite."""
    prepared = await prepare_sqlite(runtime())
    database: Database = await opened(prepared, bus)
    return await Node(database, prepared, bus, clock, rsa_pair).start()


@pytest.fixture
async def both(
    runtime: MakeRuntime, prepare: Prepare, opened: Open, bus: Bus, clock: Clock, rsa_pair: KeyPair
) -> Node:
    """A node on SQLite and, in another run of the test, on PostgreSQL."""
    prepared = await prepare(runtime())
    database: Database = await opened(prepared, bus)
    return await Node(database, prepared, bus, clock, rsa_pair).start()
