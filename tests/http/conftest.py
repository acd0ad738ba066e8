"""Fixtures of the door tests: `make_site` builds a node's HTTP side, `site` is the plain one."""

from __future__ import annotations

from typing import Any

import pytest

from esnfed import activitypub
from esnfed.bus import Bus
from esnfed.context import Runtime
from esnfed.federation.keys import KeyPair, generate_rsa
from esnfed.http.keys import AUTHENTICATOR, DATABASE, INBOX
from esnfed.http.limits import INBOX_LIMITS
from tests.conftest import MakeRuntime, Open, Prepare
from tests.doubles.clock import Clock
from tests.http.site import DOMAIN, HeaderAuthenticator, RecordingInbox, Site, SiteMaker, make_app


@pytest.fixture(scope="session")
def rsa_pair() -> KeyPair:
    """One RSA key for the whole run."""
    return generate_rsa()


@pytest.fixture
def start(aiohttp_client: Any, opened: Open, clock: Clock, bus: Bus) -> SiteMaker:
    """`start(runtime, authenticator=None)`: the HTTP side of a node whose database is prepared."""

    async def start_one(made: Runtime, authenticator: Any = None) -> Site:
        database = await opened(made, bus)
        inbox, authenticator = RecordingInbox(), authenticator or HeaderAuthenticator()
        app = make_app(made)
        app[DATABASE], app[INBOX], app[AUTHENTICATOR] = database, inbox, authenticator
        activitypub.install(app)
        client = await aiohttp_client(app)
        return Site(client, database, made, clock, inbox, authenticator, app[INBOX_LIMITS])

    return start_one


@pytest.fixture
def make_site(runtime: MakeRuntime, prepare_sqlite: Prepare, start: SiteMaker) -> SiteMaker:
    """Return a function that starts a site on SQLite with given settings (`Config` fields)."""

    async def make(authenticator: Any = None, **settings: Any) -> Site:
        return await start(await prepare_sqlite(runtime(**{"domain": DOMAIN} | settings)), authenticator)

    return make


@pytest.fixture
async def site(make_site: SiteMaker) -> Site:
    """A node with its own actor, and nothing else."""
    made = await make_site()
    await made.node_actor()
    return made


@pytest.fixture
async def either_site(runtime: MakeRuntime, prepare: Prepare, start: SiteMaker) -> Site:
    """The same on SQLite and on PostgreSQL: the test runs on both."""
    made = await start(await prepare(runtime(domain=DOMAIN)))
    await made.node_actor()
    return made
