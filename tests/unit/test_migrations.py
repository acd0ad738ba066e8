"""The migrations: from empty to head on both back ends, exactly the tables of the models."""

from __future__ import annotations

import re
import sqlite3
import warnings
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, create_engine, text

from esnfed.bus import Bus
from esnfed.database import Database, database_path, migrate, schema_state
from esnfed.database import schema as schema_module
from esnfed.database.migration import settings
from esnfed.database.schema import known_revisions
from esnfed.database.sqlite import make_engine
from esnfed.errors import ConfigError
from esnfed.models import metadata
from tests.conftest import MakeRuntime, Open, Prepare
from tests.doubles.postgres import Cluster

POSTGRES_SHAPE = text(
    "SELECT table_name, column_name, data_type, is_nullable, column_default FROM information_schema.columns"
    " WHERE table_schema = 'public' UNION ALL"
    " SELECT tablename, indexname, indexdef, '', '' FROM pg_indexes WHERE schemaname = 'public' UNION ALL"
    " SELECT conrelid::regclass::text, conname, pg_get_constraintdef(oid), '', '' FROM pg_constraint"
    " WHERE connamespace = 'public'::regnamespace"
)


def differences(connection: Connection) -> list[Any]:
    context = MigrationContext.configure(
        connection, opts={"compare_server_default": connection.dialect.name == "postgresql"}
    )
    with warnings.catch_warnings():
        # SQLite cannot reflect indexes on expressions; the comparison of sqlite_master below covers them
        warnings.filterwarnings("ignore", message="autogenerate skipping metadata-specified expression")
        warnings.filterwarnings("ignore", message="Skipped unsupported reflection of expression-based index")
        return list(compare_metadata(context, metadata))


def sqlite_shape(path: Path) -> dict[str, list[str]]:
    """Every table and index of a file as sorted lines of its SQL, without spaces and quotes."""
    raw = sqlite3.connect(path)
    try:
        rows = raw.execute("SELECT name, sql FROM sqlite_master WHERE sql IS NOT NULL").fetchall()
    finally:
        raw.close()
    return {
        name: sorted(re.sub(r'[\s"]+', " ", line).strip(" ,") for line in sql.splitlines())
        for name, sql in rows
        if name != "alembic_version"
    }


async def test_migrations_give_the_models_on_sqlite(runtime: MakeRuntime, tmp_path: Path) -> None:
    config = runtime().config
    await migrate(config)
    with make_engine(database_path(config)).connect() as connection:
        assert differences(connection) == []
    created = create_engine(f"sqlite:///{tmp_path / 'created.sqlite'}")
    metadata.create_all(created)
    created.dispose()
    assert sqlite_shape(database_path(config)) == sqlite_shape(tmp_path / "created.sqlite")


async def test_migrations_give_the_models_on_postgresql(
    postgres_database: Database, postgres_cluster: Cluster
) -> None:
    def shape(connection: Connection) -> list[tuple[Any, ...]]:
        rows = connection.execute(POSTGRES_SHAPE)
        return sorted(tuple(row) for row in rows if row.table_name != "alembic_version")

    def compare(context: Any) -> tuple[list[Any], list[tuple[Any, ...]]]:
        return differences(context.connection), shape(context.connection)

    def recreate(context: Any) -> list[tuple[Any, ...]]:
        metadata.drop_all(context.connection)
        metadata.create_all(context.connection)
        return shape(context.connection)

    found, migrated = await postgres_database.read(compare, slow=True)
    assert found == []
    assert migrated == await postgres_database.write(recreate)


async def test_a_changed_model_is_noticed(
    runtime: MakeRuntime, prepare: Prepare, opened: Open, bus: Bus
) -> None:
    database = await opened(await prepare(runtime()), bus)

    def lose_a_column(context: Any) -> list[Any]:
        context.connection.execute(text("ALTER TABLE tag DROP COLUMN display_name"))
        return differences(context.connection)

    assert [change[0] for change in await database.write(lose_a_column)] == ["add_column"]


def test_the_numbers_of_the_files_are_the_revisions_of_alembic() -> None:
    script = ScriptDirectory.from_config(settings())
    assert known_revisions() == [found.revision for found in reversed(list(script.walk_revisions()))]
    assert script.get_heads() == [known_revisions()[-1]]


async def test_migrate_goes_from_nothing_to_head_and_tells_each_step(runtime: MakeRuntime) -> None:
    config = runtime().config
    assert await schema_state(config) == (None, known_revisions()[-1])
    steps: list[str] = []
    await migrate(config, progress=steps.append)
    assert steps == known_revisions()
    assert await schema_state(config) == (known_revisions()[-1], known_revisions()[-1])
    await migrate(config, progress=steps.append)
    assert steps == known_revisions()
    assert database_path(config).stat().st_mode & 0o777 == 0o600


async def test_migrate_on_postgresql_and_its_state(runtime: MakeRuntime, postgres_cluster: Cluster) -> None:
    await postgres_cluster.execute("CREATE DATABASE empty")
    try:
        config = runtime(database=postgres_cluster.url("empty")).config
        assert await schema_state(config) == (None, known_revisions()[-1])
        steps: list[str] = []
        await migrate(config, progress=steps.append)
        assert steps == known_revisions()
        assert await schema_state(config) == (known_revisions()[-1], known_revisions()[-1])
    finally:
        await postgres_cluster.execute("DROP DATABASE empty WITH (FORCE)")


async def test_an_empty_database_is_refused_with_one_sentence(runtime: MakeRuntime, bus: Bus) -> None:
    with pytest.raises(ConfigError, match=r"^The database is empty: run esnfed init, or esnfed migrate\.$"):
        await Database.open(runtime(), bus)


async def test_an_older_schema_is_refused(
    runtime: MakeRuntime, prepare: Prepare, bus: Bus, monkeypatch: pytest.MonkeyPatch
) -> None:
    ready = await prepare(runtime())
    monkeypatch.setattr(schema_module, "known_revisions", lambda: ["0001", "0002"])
    with pytest.raises(ConfigError, match=r"at revision 0001 and needs 0002: run esnfed migrate\.$"):
        await Database.open(ready, bus)


async def test_a_newer_schema_is_refused(
    runtime: MakeRuntime, prepare: Prepare, opened: Open, bus: Bus
) -> None:
    ready = await prepare(runtime())
    database = await opened(ready, bus)

    def make_newer(context: Any) -> None:
        context.connection.execute(text("UPDATE alembic_version SET version_num = '9999'"))

    await database.write(make_newer)
    await database.close()
    with pytest.raises(ConfigError, match=r"9999, which this version does not know: install a newer version"):
        await Database.open(ready, bus)
    with pytest.raises(ConfigError, match="9999"):
        await migrate(ready.config)


async def test_an_unknown_target_is_refused(runtime: MakeRuntime) -> None:
    with pytest.raises(ConfigError, match=r"There is no revision 0815"):
        await migrate(runtime().config, to="0815")


async def test_a_server_that_is_away_is_one_sentence(runtime: MakeRuntime, tmp_path: Path) -> None:
    away = replace(runtime().config, database=f"postgresql://nobody@/nothing?host={tmp_path}")
    with pytest.raises(ConfigError, match=r"^The PostgreSQL database cannot be opened"):
        await schema_state(away)


async def test_a_file_that_is_no_database_is_one_sentence(runtime: MakeRuntime) -> None:
    config = runtime().config
    config.data_dir.mkdir(parents=True)
    database_path(config).write_bytes(b"certainly not SQLite" * 100)
    with pytest.raises(ConfigError, match=r"is damaged"):
        await schema_state(config)


async def test_without_the_postgresql_libraries_one_sentence_names_the_extra(
    runtime: MakeRuntime, monkeypatch: pytest.MonkeyPatch
) -> None:
    def absent(name: str) -> None:
        raise ModuleNotFoundError(name)

    monkeypatch.setattr(schema_module, "import_module", absent)
    with pytest.raises(ConfigError, match=r'pip install "esnfed\[postgres\]"'):
        await schema_state(runtime(database="postgresql://localhost/x").config)
