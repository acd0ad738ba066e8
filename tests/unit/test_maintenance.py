"""Online backup and the checks of a file."""

from __future__ import annotations

import asyncio
import sqlite3
from pathlib import Path

import pytest
from sqlalchemy import insert

from esnfed.context import Context
from esnfed.database import Database, database_path
from esnfed.errors import ConfigError
from esnfed.maintenance import backup, check, restore_check
from esnfed.models import node, tag
from tests.conftest import MakeRuntime, Prepare


def add(context: Context, rows: int) -> None:
    rows_of = [
        {"id": context.new_id(), "name": str(context.new_id()), "display_name": "x" * 4_000}
        for _ in range(rows)
    ]
    context.connection.execute(insert(tag), rows_of)


def initialise(context: Context) -> None:
    context.connection.execute(
        insert(node).values(
            id=1, domain=context.config.domain, account_domain=context.config.domain,
            environment=context.config.environment, created_at=context.now(),
        )
    )  # fmt: skip


def count_tags(path: Path) -> int:
    raw = sqlite3.connect(path)
    try:
        return int(raw.execute("SELECT count(*) FROM tag").fetchone()[0])
    finally:
        raw.close()


@pytest.fixture
async def file(sqlite_database: Database, tmp_path: Path) -> Path:
    """The file of a running node with some rows."""
    await sqlite_database.write(initialise)
    await sqlite_database.write(add, 400)
    return tmp_path / "node1" / "esnfed.sqlite"


async def test_a_backup_is_one_sound_private_file(file: Path, tmp_path: Path) -> None:
    told: list[tuple[int, int]] = []
    target = tmp_path / "copies" / "backup.sqlite"
    target.parent.mkdir()
    await backup(file, target, lambda done, total: told.append((done, total)))
    await asyncio.sleep(0)
    assert told
    assert told[-1][0] == told[-1][1] > 400
    assert [path.name for path in target.parent.iterdir()] == ["backup.sqlite"]
    assert target.stat().st_mode & 0o777 == 0o600
    assert count_tags(target) == 400
    assert await check(target) == []


async def test_a_busy_node_neither_restarts_nor_leaks_into_a_backup(
    sqlite_database: Database, file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("esnfed.maintenance.PAGES", 20)
    loop = asyncio.get_running_loop()
    told: list[tuple[int, int]] = []
    writes: list[asyncio.Task[None]] = []

    def meanwhile(done: int, total: int) -> None:
        told.append((done, total))
        writes.append(loop.create_task(sqlite_database.write(add, 10)))

    await backup(file, tmp_path / "backup.sqlite", meanwhile)
    await asyncio.gather(*writes)
    assert len(told) > 10
    assert [done for done, _ in told] == sorted(done for done, _ in told)
    assert len({total for _, total in told}) == 1
    assert count_tags(tmp_path / "backup.sqlite") == 400
    assert count_tags(file) == 400 + 10 * len(writes)


async def test_a_backup_never_replaces_a_file(file: Path, tmp_path: Path) -> None:
    target = tmp_path / "backup.sqlite"
    target.write_text("precious")
    with pytest.raises(ConfigError, match="exists already"):
        await backup(file, target)
    assert target.read_text() == "precious"
    (tmp_path / "other.sqlite.part").write_text("running")
    with pytest.raises(ConfigError, match="in the way"):
        await backup(file, tmp_path / "other.sqlite")
    assert (tmp_path / "other.sqlite.part").read_text() == "running"
    with pytest.raises(ConfigError, match="There is no database"):
        await backup(tmp_path / "nothing", tmp_path / "new.sqlite")


async def test_a_backup_that_fails_leaves_nothing(tmp_path: Path) -> None:
    broken = tmp_path / "broken.sqlite"
    broken.write_bytes(b"certainly not SQLite" * 1_000)
    with pytest.raises(sqlite3.DatabaseError):
        await backup(broken, tmp_path / "backup.sqlite")
    assert [path.name for path in tmp_path.iterdir()] == ["broken.sqlite"]


async def test_check_finds_a_damaged_file(file: Path, sqlite_database: Database) -> None:
    await sqlite_database.close()
    assert await check(file) == []
    content = bytearray(file.read_bytes())
    middle = len(content) // 2
    content[middle : middle + 8_192] = b"\xff" * 8_192
    file.write_bytes(content)
    assert await check(file) != []


async def test_check_finds_a_row_that_refers_to_nothing(file: Path, sqlite_database: Database) -> None:
    await sqlite_database.close()
    raw = sqlite3.connect(file)
    raw.execute("INSERT INTO status_tag (status_id, tag_id) VALUES (7, 8)")
    raw.commit()
    raw.close()
    assert sorted(fault.split(" refers ")[1] for fault in await check(file)) == [
        "to a missing row of status",
        "to a missing row of tag",
    ]


async def test_check_of_no_file_and_of_no_database(tmp_path: Path) -> None:
    assert await check(tmp_path / "nothing") == [f"There is no file {tmp_path / 'nothing'}."]
    (tmp_path / "text").write_text("certainly not SQLite" * 100)
    assert await check(tmp_path / "text") == ["file is not a database"]


async def test_restore_check_accepts_only_this_node(
    file: Path, sqlite_database: Database, runtime: MakeRuntime, prepare_sqlite: Prepare
) -> None:
    await sqlite_database.close()
    assert await restore_check(file, runtime(domain="node1.esn.test").config) == []
    faults = await restore_check(file, runtime(domain="other.esn.test", environment="demo").config)
    assert faults == [
        "It belongs to the domain node1.esn.test, not to other.esn.test.",
        "It was made in the environment test, not in demo.",
    ]
    empty = await prepare_sqlite(runtime())
    assert await restore_check(database_path(empty.config), empty.config) == [
        "It holds no node: nothing was ever initialised in it."
    ]


async def test_restore_check_refuses_a_newer_schema_and_a_foreign_database(
    file: Path, sqlite_database: Database, runtime: MakeRuntime, tmp_path: Path
) -> None:
    await sqlite_database.close()
    raw = sqlite3.connect(file)
    raw.execute("UPDATE alembic_version SET version_num = '9999'")
    raw.commit()
    raw.close()
    config = runtime(domain="node1.esn.test").config
    assert await restore_check(file, config) == ["Its schema 9999 is newer than this version of esnfed."]
    raw = sqlite3.connect(tmp_path / "foreign.sqlite")
    raw.execute("CREATE TABLE something (id INTEGER)")
    raw.close()
    assert await restore_check(tmp_path / "foreign.sqlite", config) == [
        f"{tmp_path / 'foreign.sqlite'} is no database of esnfed."
    ]
