"""The demonstration network: seeded once, resumed after any interruption, and alive."""

from __future__ import annotations

import asyncio
import io
import json
import os
import re
import shutil
import signal
import socket
import sqlite3
import stat
import sys
from collections.abc import AsyncIterator
from contextlib import ExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from random import Random
from typing import Any

import aiohttp
import pytest
from sqlalchemy import update

from esnfed.cli import demo
from esnfed.cli.control import Request, reach
from esnfed.cli.demonstration.display import Console, Watch
from esnfed.cli.demonstration.living import PACE, ROUND, Life
from esnfed.cli.demonstration.plan import Plan, make_plan, prepare_folders, take_ports
from esnfed.cli.demonstration.script import announcements, cast, story
from esnfed.cli.demonstration.seeding import PASSWORDS, Seeding
from esnfed.cli.demonstration.stage import Stage, open_stage
from esnfed.cli.frame import load_commands
from esnfed.cli.lock import sole_use
from esnfed.cli.output import Progress, reporting
from esnfed.context import Context
from esnfed.database import database_path
from esnfed.models import delivery
from tests.doubles.clock import START, Clock

pytestmark = pytest.mark.enable_socket

TURNS = 60
DAY = 24 * 3600 * 1000
WHAT = re.compile(r"  @\S+ +([A-Z][a-z]+(?: [A-Za-z]+)?) ")
TABLES = (
    "node", "actor", "actor_key", "user_account", "consent", "follow", "status", "record", "favourite",
    "activity",
)  # fmt: skip


def free_ports() -> tuple[int, ...]:
    with ExitStack() as stack:
        found = [stack.enter_context(socket.create_server(("127.0.0.1", 0))) for _ in range(3)]
        return tuple(each.getsockname()[1] for each in found)


@asynccontextmanager
async def stage_of(plan: Plan, day: int = 9) -> AsyncIterator[Stage]:
    """The nodes of a plan on some day, their workers turned by hand whenever somebody waits for rest."""
    load_commands()
    clock = Clock(START + day * DAY)
    with ExitStack() as stack:
        listeners = take_ports(stack, plan.ports)
        prepare_folders(plan)
        for config in plan.configs.values():
            stack.enter_context(sole_use(config, "in use"))
        async with open_stage(plan, listeners, clock=clock, random=Random(day), workers=False) as stage:

            async def settle(_patience: float) -> None:
                clock.advance(2_000)  # those who fetch are given their turn
                await turn(stage)

            stage.settle = settle
            yield stage


async def turn(stage: Stage) -> None:
    """Turn every worker until nothing moves."""
    for _ in range(TURNS):
        moved = [
            await worker.step()
            for node in stage.nodes.values()
            for worker in (node.inbox_worker, node.delivery_worker)
        ]
        if not any(moved):
            return
    raise AssertionError("the network never came to rest")


def rows(plan: Plan, statement: str) -> list[Any]:
    """What the databases of all nodes answer."""
    found = []
    for config in plan.configs.values():
        connection = sqlite3.connect(database_path(config))
        try:
            found += connection.execute(statement).fetchall()
        finally:
            connection.close()
    return found


def counts(plan: Plan) -> dict[str, int]:
    """How many rows each table has on all nodes together."""
    return {table: sum(row[0] for row in rows(plan, f"SELECT count(*) FROM {table}")) for table in TABLES}


class Interrupted(Exception):
    """Somebody pressed Ctrl-C."""


async def seed(plan: Plan, day: int, until: tuple[str, int] | None = None) -> bool:
    """Seed on some day, to the end or until this much of this part is done."""

    def sink(progress: Progress) -> None:
        if (progress.text, progress.done) == until:
            raise Interrupted

    async with stage_of(plan, day) as stage:
        with reporting(sink):
            if until is None:
                return await Seeding(stage, plan.folder).run()
            with pytest.raises(Interrupted):
                await Seeding(stage, plan.folder).run()
        return await Seeding(stage, plan.folder).is_done()


@dataclass(frozen=True)
class Seeded:
    """A seeded network to copy; `begun` is a copy from when nobody had said anything yet."""

    plan: Plan
    counts: dict[str, int]
    begun: Path


@pytest.fixture(scope="module")
def template(tmp_path_factory: pytest.TempPathFactory) -> Seeded:
    """A network that was seeded with three interruptions: among people, among follows, and after them."""
    folder = tmp_path_factory.mktemp("demo")
    plan = make_plan(folder / "net", free_ports())
    for day, place in enumerate((("People", 5), ("Follows", 20), ("Follows", len(cast().follows)))):
        assert not asyncio.run(seed(plan, day, place))
    shutil.copytree(plan.folder, folder / "begun")
    assert asyncio.run(seed(plan, 3))
    return Seeded(plan, counts(plan), folder / "begun")


@pytest.fixture
def begun(template: Seeded, tmp_path: Path) -> Plan:
    """A copy of the network with its people and their follows, with the same ports."""
    shutil.copytree(template.begun, tmp_path / "net")
    return make_plan(tmp_path / "net", template.plan.ports)


@pytest.fixture
def seeded(template: Seeded, tmp_path: Path) -> Plan:
    """A copy of the seeded network, with the same ports."""
    shutil.copytree(template.plan.folder, tmp_path / "net")
    return make_plan(tmp_path / "net", template.plan.ports)


def test_everybody_has_an_account_a_receipt_and_a_password_that_only_the_owner_reads(
    template: Seeded,
) -> None:
    people = sum(len(home.people) for home in cast().nodes)
    hashes = rows(template.plan, "SELECT password_hash FROM user_account")
    assert len(set(hashes)) == people
    assert all(found.startswith("$argon2id$") for (found,) in hashes)
    assert rows(template.plan, "SELECT DISTINCT purpose FROM consent") == [("federation",)] * 3
    assert template.counts["consent"] == people
    path = template.plan.folder / PASSWORDS
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert len(set(json.loads(path.read_text()).values())) == people


def test_everything_that_was_sent_arrived_and_was_applied(template: Seeded) -> None:
    assert set(rows(template.plan, "SELECT state, note FROM inbox_message")) == {("done", "")}
    assert set(rows(template.plan, "SELECT state FROM delivery")) == {("delivered",)}
    pending = rows(template.plan, "SELECT 1 FROM follow WHERE state = 'pending'")
    assert len(pending) == 2  # the one who approves by hand has not answered: seen from both ends
    kinds = {kind for (kind,) in rows(template.plan, "SELECT DISTINCT as_type FROM inbox_message")}
    assert kinds == {"Follow", "Accept", "Create", "Like", "Announce"}


async def test_every_board_shows_the_projects_and_the_calls(seeded: Plan) -> None:
    async with stage_of(seeded), aiohttp.ClientSession() as client:
        for config in seeded.configs.values():
            headers = {"Host": config.domain}
            address = f"http://127.0.0.1:{config.port}/api/esn/v1/records"
            async with client.get(address, headers=headers) as response:
                assert response.status == 200
                board = await response.json()
            assert sorted((each["kind"], each["node"].partition(".")[0]) for each in board) == [
                ("call", "hub"), ("call", "union"), ("project", "mutual"), ("project", "union"),
            ]  # fmt: skip
            titles = [each["title"] for each in board]
            assert all(each.sheet["title"] in titles for each in announcements())


async def test_a_second_start_makes_nothing_new(template: Seeded, seeded: Plan) -> None:
    async with stage_of(seeded) as stage:
        seeding = Seeding(stage, seeded.folder)
        assert await seeding.is_done()
        assert await seeding.run()
        await stage.settle(0)
    assert counts(seeded) == template.counts


async def test_a_seeding_that_is_interrupted_again_and_again_makes_nothing_twice(
    template: Seeded, begun: Plan
) -> None:
    places = (("Records", 1), ("Posts", 6), ("Likes and boosts", 9), ("Likes and boosts", 16))
    for day, place in enumerate(places, 4):
        assert not await seed(begun, day, place)
    assert await seed(begun, 9)
    assert counts(begun) == template.counts


async def test_what_has_not_arrived_is_left_for_the_next_start(template: Seeded, begun: Plan) -> None:
    async with stage_of(begun) as stage:
        patient, waits = stage.settle, 0

        async def deaf(patience: float) -> None:
            nonlocal waits
            waits += 1
            if waits <= len(announcements()):  # what comes then does not travel
                await patient(patience)

        stage.settle = deaf
        assert not await Seeding(stage, begun.folder).run()
        assert not await Seeding(stage, begun.folder).is_done()
        await patient(0)
        stage.settle = patient
        assert await Seeding(stage, begun.folder).run()
    assert counts(begun) == template.counts


async def test_life_shows_every_kind_of_activity_and_every_one_has_its_effect(seeded: Plan) -> None:
    stream = io.StringIO()
    async with stage_of(seeded) as stage:
        watch = Watch(stage, Console(stream))
        life = Life(stage, Random(5))
        for _ in range(4 * len(ROUND)):
            assert await life.step()
            await stage.settle(0)
        await watch.catch_up()
    told = stream.getvalue().splitlines()
    seen = {found[1] for line in told if (found := WHAT.search(line))}
    assert seen >= {
        "Create Note", "Update Note", "Delete Note", "Create call", "Update call", "Update project",
        "Update Person", "Like", "Undo Like", "Announce", "Undo Announce", "Follow", "Accept Follow",
        "Undo Follow",
    }  # fmt: skip
    assert all("verified (" in line and line.endswith(" ms") for line in told), told
    assert any("(closed)" in line for line in told)
    assert {state for (state,) in rows(seeded, "SELECT state FROM inbox_message")} == {"done"}
    written = rows(seeded, "SELECT 1 FROM status WHERE local AND deleted_at IS NULL AND source IS NOT NULL")
    assert len(written) > len(story().posts)


async def test_after_living_a_start_seeds_nothing_again(seeded: Plan) -> None:
    async with stage_of(seeded) as stage:
        life = Life(stage, Random(9))
        for _ in range(len(ROUND)):
            await life.step()
            await stage.settle(0)
    before = counts(seeded)
    assert await seed(seeded, 10)
    assert counts(seeded) == before


async def test_life_keeps_its_pace_and_ends_at_the_limit(seeded: Plan) -> None:
    pauses: list[float] = []

    async def pause(seconds: float) -> None:
        pauses.append(seconds)

    async with stage_of(seeded) as stage:
        begun = await stage.activities()
        await Life(stage, Random(2)).run(pause, 3)
        assert pauses == [PACE] * 3
        assert PACE >= 3
        await stage.settle(0)
        reached = await stage.activities()
        assert reached > begun
        limited = Life(stage, Random(2), limit=reached)
        assert not await limited.step()
        await limited.run(pause)
        assert await stage.activities() == reached


async def test_a_delivery_in_trouble_is_told_once_for_each_attempt(seeded: Plan) -> None:
    stream = io.StringIO()
    async with stage_of(seeded) as stage:
        watch = Watch(stage, Console(stream), quiet=True)
        node = stage.nodes["union"]
        for attempts in (1, 1, 2):
            await node.database.write(_put_in_trouble, attempts)
            await watch.look()
    told = stream.getvalue().splitlines()
    assert len(told) == 2
    assert "attempt 2" in told[1]
    assert "nobody is at home" in told[1]


def _put_in_trouble(context: Context, attempts: int) -> None:
    newest = context.connection.execute(delivery.select().order_by(delivery.c.id.desc()).limit(1)).one()
    context.connection.execute(
        update(delivery)
        .where(delivery.c.id == newest.id)
        .values(state="queued", attempts=attempts, last_error="nobody is at home", next_at=1 << 46)
    )


async def test_commands_reach_a_running_node_and_quiet_shows_only_addresses(seeded: Plan) -> None:
    stream, stop = io.StringIO(), asyncio.Event()
    load_commands()
    with ExitStack() as stack:
        listeners = take_ports(stack, seeded.ports)
        for config in seeded.configs.values():
            stack.enter_context(sole_use(config, "in use"))
        running = asyncio.create_task(
            demo.run_demo(seeded, listeners, Console(stream), quiet=True, stop=stop)
        )
        while "Ctrl-C" not in stream.getvalue() and not running.done():
            await asyncio.sleep(0.01)
        union = seeded.configs["union"]
        board = await reach(union, Request("record-list", {"filters": [("status", "all")]}))
        stop.set()
        await running
    assert len(board) == 4
    told = stream.getvalue()
    for config in seeded.configs.values():
        assert f"{config.origin}/" in told
    assert "verified" not in told
    assert not any(word in told for word in json.loads((seeded.folder / PASSWORDS).read_text()).values())
    assert told.endswith(f"Stopping.\nStopped. Everything is kept in {seeded.folder}.\n")


async def run_process(plan: Plan, *, interrupt_at: str = "") -> tuple[int, str]:
    """`esnfed demo` as a process of its own, until it is seeded, or until a line makes us press Ctrl-C."""
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "esnfed", "demo", "--data", str(plan.folder), "--stop-after", "0",
        "--ports", ",".join(map(str, plan.ports)),
        env={"PATH": os.environ["PATH"]}, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT,
    )  # fmt: skip
    assert process.stdout is not None
    told = ""
    async for line in process.stdout:
        told += line.decode()
        if interrupt_at and interrupt_at in told:
            process.send_signal(signal.SIGINT)
            interrupt_at = ""
    return await process.wait(), told


async def test_ctrl_c_in_the_middle_ends_cleanly_and_the_next_start_goes_on(
    template: Seeded, begun: Plan
) -> None:
    plan = begun
    code, told = await run_process(plan, interrupt_at="Create Note")
    assert (code, told.splitlines()[-1]) == (0, f"Stopped. Everything is kept in {plan.folder}."), told
    assert "The network is up" not in told
    code, told = await run_process(plan)
    assert code == 0, told
    assert "The network is up" in told
    assert "Traceback" not in told
    assert counts(plan) == template.counts
    code, told = await run_process(plan)
    assert code == 0, told
    assert "is being made" not in told
    assert counts(plan) == template.counts
