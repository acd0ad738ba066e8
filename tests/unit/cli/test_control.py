"""Commands reach a running node through its socket, and do without one by opening the database themselves."""

from __future__ import annotations

import asyncio
import socket
import stat
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import func, select

from esnfed import registry
from esnfed.bus import Bus, PeerChanged
from esnfed.cli import control
from esnfed.cli.control import ControlServer, Request, reach, run_operation
from esnfed.cli.lock import DataLock, sole_use
from esnfed.cli.output import Progress, report, reporting
from esnfed.config import Config
from esnfed.context import Context, Runtime, Viewer
from esnfed.database import Database
from esnfed.errors import ConfigError, Conflict, EsnfedError, Invalid, NotFound
from esnfed.models import insert, peer
from tests.conftest import MakeRuntime, Open, Prepare

pytestmark = pytest.mark.enable_socket


@dataclass
class PlainNode:
    """As much of a node as operations on the database need."""

    config: Config
    runtime: Runtime
    bus: Bus
    database: Database


def allow(context: Context, *, host: str) -> dict[str, Any]:
    """Write a row, tell the node."""
    now = context.now()
    context.connection.execute(insert(peer).values(host=host, first_seen_at=now))
    context.after_commit(PeerChanged(host))
    return {"host": host, "viewer": context.viewer.actor_id if context.viewer else None}


def count(context: Context) -> int:
    """Count rows."""
    return context.connection.execute(select(func.count()).select_from(peer)).scalar_one()


def write_in_a_reading(context: Context) -> None:
    """Try what a reading may not."""
    allow(context, host="never.example")


def refuse(context: Context) -> None:
    """Refuse."""
    raise Invalid("This is refused.")


def break_down(context: Context) -> None:
    """Fail in an unforeseen way."""
    raise RuntimeError("secret detail")


async def travel(node: PlainNode, *, steps: int) -> str:
    """Do long work with the node's parts."""
    for step in range(steps):
        report("Travelling", step + 1, steps)
    await node.database.write(allow_one)
    return node.config.domain


def allow_one(context: Context) -> None:
    """Write a row from a network operation."""
    allow(context, host="travelled.example")


@pytest.fixture(autouse=True)
def registered(monkeypatch: pytest.MonkeyPatch) -> None:
    """Operations for the length of a test."""
    operations: registry.Registry[Any] = registry.Registry("operations")
    readings: registry.Registry[Any] = registry.Registry("readings")
    for name, function in (
        ("peer.allow", allow), ("refuse", refuse), ("break", break_down), ("travel", travel),
    ):  # fmt: skip
        operations.add(name, function)
    readings.add("peer.count", count)
    readings.add("peer.sneak", write_in_a_reading)
    monkeypatch.setattr("esnfed.cli.operations.operations", operations)
    monkeypatch.setattr("esnfed.cli.operations.readings", readings)


@pytest.fixture
async def node(
    runtime: MakeRuntime, prepare_sqlite: Prepare, opened: Open, bus: Bus
) -> AsyncIterator[PlainNode]:
    """A running node that holds its lock and listens on its socket."""
    ready = await prepare_sqlite(runtime())
    database = await opened(ready, bus)
    made = PlainNode(ready.config, ready, bus, database)
    server = ControlServer(made)  # type: ignore[arg-type]
    with sole_use(made.config, "in use"):
        await server.start()
        yield made
        await server.close()


async def test_a_change_runs_in_the_node_and_its_events_reach_it(node: PlainNode, bus: Bus) -> None:
    seen: list[PeerChanged] = []
    bus.listen(PeerChanged, seen.append)
    request = Request("peer.allow", {"host": "a.example"}, Viewer(7, scopes=frozenset({"admin"})))
    assert await reach(node.config, request) == {"host": "a.example", "viewer": 7}
    assert seen == [PeerChanged("a.example")]
    assert await reach(node.config, Request("peer.count")) == 1


async def test_a_reading_cannot_write(node: PlainNode) -> None:
    with pytest.raises(EsnfedError):
        await reach(node.config, Request("peer.sneak"))
    assert await reach(node.config, Request("peer.count")) == 0


async def test_work_with_the_network_reports_its_progress_to_the_command(node: PlainNode) -> None:
    told: list[Progress] = []
    with reporting(told.append):
        assert await reach(node.config, Request("travel", {"steps": 3})) == node.config.domain
    assert told == [Progress("Travelling", step, 3) for step in (1, 2, 3)]
    assert await reach(node.config, Request("peer.count")) == 1


async def test_errors_keep_their_class_and_text(node: PlainNode) -> None:
    with pytest.raises(Invalid, match=r"This is refused\."):
        await reach(node.config, Request("refuse"))
    with pytest.raises(NotFound, match="no operation named nothing"):
        await reach(node.config, Request("nothing"))
    with pytest.raises(Invalid, match="do not fit the operation"):
        await reach(node.config, Request("peer.allow", {"hots": "a.example"}))


async def test_an_unforeseen_failure_stays_in_the_nodes_log(
    node: PlainNode, caplog: pytest.LogCaptureFixture
) -> None:
    with pytest.raises(EsnfedError, match="its log says why") as caught:
        await reach(node.config, Request("break"))
    assert "secret" not in str(caught.value)
    assert "secret detail" in caplog.text


@pytest.mark.parametrize("line", [b"no json\n", b'{"x":1}\n', b'{"command":"refuse","more":1}\n'])
async def test_a_malformed_request_is_refused(node: PlainNode, line: bytes) -> None:
    reader, writer = await asyncio.open_unix_connection(str(node.config.data_dir / control.FILE))
    writer.write(line)
    assert b'"kind":"Malformed"' in await reader.read()
    writer.close()
    await writer.wait_closed()


async def test_a_request_over_one_mebibyte_is_refused(
    node: PlainNode, monkeypatch: pytest.MonkeyPatch
) -> None:
    reader, writer = await asyncio.open_unix_connection(str(node.config.data_dir / control.FILE))
    writer.write(b"x" * (control.LINE_LIMIT + 2))
    assert b'"kind":"TooLarge"' in await reader.readline()
    writer.close()
    await writer.wait_closed()


async def test_another_user_gets_no_answer(
    node: PlainNode, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(control, "_peer", lambda _writer: 123_456)
    with pytest.raises(Conflict):
        await reach(node.config, Request("peer.count"))
    assert "another user" in caplog.text


async def test_the_socket_is_its_owners_and_goes_with_the_node(
    runtime: MakeRuntime, prepare_sqlite: Prepare, opened: Open, bus: Bus
) -> None:
    ready = await prepare_sqlite(runtime())
    path = ready.config.data_dir / control.FILE
    path.write_text("left by a crash")
    server = ControlServer(PlainNode(ready.config, ready, bus, await opened(ready, bus)))  # type: ignore[arg-type]
    await server.start()
    assert stat.S_ISSOCK(path.stat().st_mode)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    await server.close()
    assert not path.exists()


async def test_a_deep_data_folder_is_no_obstacle(
    runtime: MakeRuntime, prepare_sqlite: Prepare, opened: Open, bus: Bus, tmp_path: Path
) -> None:
    ready = await prepare_sqlite(runtime(data_dir=tmp_path / ("d" * 120)))
    server = ControlServer(PlainNode(ready.config, ready, bus, await opened(ready, bus)))  # type: ignore[arg-type]
    with sole_use(ready.config, "in use"):
        await server.start()
        assert await reach(ready.config, Request("peer.count")) == 0
        await server.close()


async def test_closing_lets_a_running_command_finish(
    node: PlainNode, monkeypatch: pytest.MonkeyPatch
) -> None:
    begun, go = asyncio.Event(), asyncio.Event()

    async def wait(_node: object) -> str:
        begun.set()
        await go.wait()
        return "finished"

    slow: registry.Registry[Any] = registry.Registry("operations")
    slow.add("wait", wait)
    monkeypatch.setattr("esnfed.cli.operations.operations", slow)
    server = ControlServer(node)  # type: ignore[arg-type]
    await server.start()
    command = asyncio.create_task(reach(node.config, Request("wait")))
    await begun.wait()
    closing = asyncio.create_task(server.close())
    go.set()
    assert await command == "finished"
    await closing


async def test_a_holder_of_the_lock_that_does_not_answer_is_one_sentence(
    runtime: MakeRuntime, prepare_sqlite: Prepare
) -> None:
    config = (await prepare_sqlite(runtime())).config
    with sole_use(config, "in use"):
        with pytest.raises(Conflict, match="in use by a process that does not answer"):
            await reach(config, Request("peer.count"), patience=0)
        with socket.socket(socket.AF_UNIX) as silent:
            silent.bind(str(config.data_dir / control.FILE))
            silent.listen()
            with pytest.raises(Conflict, match="in use by a process that does not answer"):
                await reach(config, Request("peer.count"), patience=0.01)


async def test_without_a_node_the_command_opens_the_database_itself(
    runtime: MakeRuntime, prepare: Prepare, opened: Open, monkeypatch: pytest.MonkeyPatch
) -> None:
    ready = await prepare(runtime())

    @asynccontextmanager
    async def open_node(config: Config) -> AsyncIterator[PlainNode]:
        bus = Bus()
        database = await Database.open(ready, bus)
        held = DataLock(config.data_dir).acquire() if config.data_dir.exists() else True
        assert held is bool(config.database), "on SQLite, and there alone, the lock is held"
        try:
            yield PlainNode(config, ready, bus, database)
        finally:
            await database.close()

    monkeypatch.setattr(control, "open_node", open_node)
    await reach(ready.config, Request("peer.allow", {"host": "a.example"}))
    assert await reach(ready.config, Request("peer.count")) == 1


def test_a_command_waits_for_the_lock_of_another_command(
    runtime: MakeRuntime, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    config = runtime(data_dir=tmp_path).config
    other = DataLock(config.data_dir)
    assert other.acquire()
    waits: list[float] = []

    async def sleep(seconds: float) -> None:
        waits.append(seconds)
        other.release()

    async def alone(_config: Config, request: Request) -> str:
        return request.command

    monkeypatch.setattr(control.asyncio, "sleep", sleep)
    monkeypatch.setattr(control, "_alone", alone)
    assert run_operation(config, "peer.count") == "peer.count"
    assert len(waits) == 1


def test_the_lock_is_exclusive_and_given_back(runtime: MakeRuntime, tmp_path: Path) -> None:
    config = runtime(data_dir=tmp_path).config
    with sole_use(config, "in use"), pytest.raises(Conflict, match="in use"), sole_use(config, "in use"):
        pass
    with sole_use(config, "in use"):
        assert stat.S_IMODE((tmp_path / "lock").stat().st_mode) == 0o600
    postgres = runtime(database="postgresql://u@h/n", data_dir=tmp_path / "none").config
    with sole_use(postgres, "in use"), sole_use(postgres, "in use"):
        assert not postgres.data_dir.exists()


def test_a_data_folder_that_cannot_be_used_is_one_sentence(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="run the command as the node's user"):
        DataLock(tmp_path / "none").acquire()
