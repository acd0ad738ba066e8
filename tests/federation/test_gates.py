"""The count gates: statements, units of work and commits, which a noisy machine does not change."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from typing import Any

import pytest
from multidict import CIMultiDict

from esnfed.context import Context
from esnfed.database import Database
from esnfed.federation import inbox_worker, signatures
from esnfed.federation.inbox import InboxRequest
from esnfed.models import inbox_message, timeline_entry
from esnfed.services import timelines, views
from esnfed.vocab import parse
from tests.conftest import Counted, MakeRuntime, Prepare
from tests.doubles.authority import Authority
from tests.federation.network import LiveNode, Network, open_network
from tests.federation.test_inbox import Forger, scene

Counter = Callable[[Database], Counted]


@pytest.fixture
async def network(
    runtime: MakeRuntime, prepare_sqlite: Prepare, authority: Authority
) -> AsyncIterator[Network]:
    """Live nodes on SQLite, whose group commit is what is counted."""
    async with open_network(runtime, prepare_sqlite, authority) as found:
        yield found


class Units:
    """Counts the units of work that a node's database is asked for."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, live: LiveNode) -> None:
        self.names: list[str] = []
        for name in ("read", "write", "append"):
            monkeypatch.setattr(Database, name, self._counting(name, live, getattr(Database, name)))

    def _counting(self, name: str, live: LiveNode, original: Any) -> Any:
        async def counted(database: Database, *args: Any, **settings: Any) -> Any:
            if database is live.node.database:
                self.names.append(name)
            return await original(database, *args, **settings)

        return counted


async def test_a_create_by_a_known_actor_is_two_writer_jobs_and_at_most_eight_statements(
    network: Network, statement_counter: Counter, monkeypatch: pytest.MonkeyPatch
) -> None:
    _, dakar, paul, pen = await scene(network)
    first = await pen.activity("Create", await pen.note("warm"))
    assert await pen.send(dakar, first) == 202
    await dakar.node.inbox_worker.step()
    tag = [{"type": "Hashtag", "name": "#santé"}]
    create = await pen.activity("Create", await pen.note("un", tag=tag))
    units, counted = Units(monkeypatch, dakar), statement_counter(dakar.node.database)
    assert await pen.send(dakar, create) == 202
    assert units.names == ["append"]
    assert (len(counted.statements), counted.commits) == (2, 1)
    counted.reset()
    units.names.clear()
    message = await dakar.one(inbox_message, uri=create["id"])
    prepared = await dakar.node.database.read(_prepared, message)
    counted.reset()
    units.names.clear()
    await dakar.node.inbox_worker._apply(prepared)
    assert units.names == ["write"]
    assert len(counted.statements) <= 8, counted.statements
    assert counted.commits == 1
    assert len(await dakar.home(paul)) == 2


def _prepared(context: Context, message: Any) -> Any:
    return inbox_worker.prepare_one(context, message, {})


async def test_a_hundred_activities_that_arrive_together_are_stored_in_one_commit(
    network: Network, statement_counter: Counter
) -> None:
    """The writer's clock stands still: only the number of jobs can end a batch."""
    _, dakar, _, pen = await scene(network)
    assert await pen.send(dakar, await pen.activity("Create", await pen.note("warm"))) == 202
    await network.settle()
    requests = [await _request(dakar, pen, f"n{number}") for number in range(100)]
    counted = statement_counter(dakar.node.database)
    await asyncio.gather(*(dakar.node.inbox.accept(request) for request in requests))
    assert (counted.commits, len(counted.statements)) == (1, 2)
    assert len(await dakar.rows(inbox_message, state="waiting")) == 100


async def _request(target: LiveNode, pen: Forger, name: str) -> InboxRequest:
    body = parse.dump(await pen.activity("Create", await pen.note(name)))
    headers = CIMultiDict(await pen.headers(target, body))
    return InboxRequest(signatures.parse("POST", "/inbox", target.domain, "https", headers), body)


async def test_a_hundred_waiting_activities_are_applied_in_one_commit(
    network: Network, statement_counter: Counter
) -> None:
    _, dakar, paul, pen = await scene(network)
    bodies = [await pen.activity("Create", await pen.note(f"n{number}")) for number in range(100)]
    assert set(await asyncio.gather(*(pen.send(dakar, body) for body in bodies))) == {202}
    counted = statement_counter(dakar.node.database)
    await dakar.node.inbox_worker.step()
    assert counted.commits == 1
    assert len(await dakar.rows(timeline_entry, actor_id=paul)) == 100


async def test_home_is_one_hop_and_seven_statements_however_many_statuses(
    network: Network, statement_counter: Counter
) -> None:
    _, dakar, paul, pen = await scene(network)
    for number in range(40):
        assert await pen.send(dakar, await pen.activity("Create", await pen.note(f"n{number}"))) == 202
    await network.settle()
    counted = statement_counter(dakar.node.database)
    seen = []
    for limit in (5, 20, 40):
        counted.reset()
        page = await dakar.node.database.read(_home_page, paul, limit)
        assert len(page) == limit
        seen.append(len(counted.statements))
    assert max(seen) <= 7
    assert len(set(seen)) == 1


def _home_page(context: Context, reader_id: int, limit: int) -> list[views.StatusView]:
    return views.of_statuses(context, timelines.home(context, reader_id, timelines.Cursor(limit=limit)))
