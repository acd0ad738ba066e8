"""`Database`: what the rest of the node sees of its database."""

from __future__ import annotations

from collections.abc import Callable, Coroutine, Mapping, Sequence
from typing import Any, TypeVar, TypeVarTuple

from sqlalchemy import Engine, Insert, text

from esnfed.bus import Bus
from esnfed.context import Context, Runtime, Viewer
from esnfed.database.schema import postgres, require_head
from esnfed.database.sqlite import SqliteBackend
from esnfed.database.units import Backend, Limits, bind, forbid_nesting
from esnfed.errors import ConfigError
from esnfed.i18n import N_

T = TypeVar("T")
Arguments = TypeVarTuple("Arguments")

NODE = text("SELECT domain, environment FROM node WHERE id = 1")


class Database:
    """Runs synchronous functions `fn(context, *args)` as units of work; one per node, closed at its end.

    A read never writes, a write never waits for the network, and neither begins another from inside itself.
    """

    def __init__(self, backend: Backend) -> None:
        self._backend = backend

    @classmethod
    async def open(cls, runtime: Runtime, bus: Bus, limits: Limits | None = None) -> Database:
        """Open the database of `runtime.config`; ConfigError when it is not one for this node.

        Refused are: a schema that is not the one of this program, and a node row with another domain or
        environment (an address never changes; a demo is never production).
        """
        await require_head(runtime.config)

        def publish(events: Sequence[object]) -> None:
            for event in events:
                bus.publish(event)

        backend = _backend(runtime, publish, limits or Limits())
        database = cls(backend)
        try:
            await backend.start()
            await database.read(_check_node)
        except BaseException:
            await database.close()
            raise
        return database

    @property
    def engines(self) -> tuple[Engine, ...]:
        """SQLAlchemy's engines, for who listens to their events (a count of statements); never to connect."""
        return self._backend.engines

    def read(
        self,
        fn: Callable[[Context, *Arguments], T],
        *args: *Arguments,
        viewer: Viewer | None = None,
        slow: bool = False,
    ) -> Coroutine[Any, Any, T]:
        """Run `fn(context, *args)` in one read transaction.

        Busy (503) when it needs more than the limit of a fast read; `slow` has no limit and is for exports,
        feeds, search and administration.
        """
        forbid_nesting("read")
        return self._backend.read(bind(fn, args), viewer, slow)

    def write(
        self,
        fn: Callable[[Context, *Arguments], T],
        *args: *Arguments,
        viewer: Viewer | None = None,
        background: bool = False,
    ) -> Coroutine[Any, Any, T]:
        """Run `fn(context, *args)` in one write transaction; the result comes after COMMIT.

        Events collected with `context.after_commit` are published then. What `fn` raises is raised here and
        its changes are taken back. Busy (503) when a client's write waits too long, when the background
        queue is full, or when the disk refuses. `fn` may run again (PostgreSQL: deadlock).
        """
        forbid_nesting("write")
        return self._backend.write(bind(fn, args), viewer, background)

    def append(self, rows: Sequence[tuple[Insert, Mapping[str, Any]]]) -> Coroutine[Any, Any, None]:
        """Insert `rows` in the background, all or none, merged with the rows of neighbouring calls.

        Meant for homogeneous inserts with statements built once at module level; no events.
        """
        forbid_nesting("append")
        return self._backend.append(rows)

    def admit(self) -> None:
        """Raise Busy (503 with `retry_after`) when the background queue is full."""
        self._backend.admit()

    async def close(self) -> None:
        """Accept nothing more, finish what was accepted, then close."""
        await self._backend.close()


def _backend(runtime: Runtime, publish: Callable[[Sequence[object]], None], limits: Limits) -> Backend:
    if not runtime.config.database:
        return SqliteBackend(runtime, publish, limits)
    backend: Backend = postgres().PostgresBackend(runtime, publish, limits)
    return backend


def _check_node(context: Context) -> None:
    row = context.connection.execute(NODE).first()
    if row is None:
        return
    config = context.config
    if row.domain != config.domain:
        raise ConfigError(
            N_("This database belongs to the domain %(stored)s, not to %(domain)s: addresses never change."),
            stored=row.domain,
            domain=config.domain,
        )
    if row.environment != config.environment:
        raise ConfigError(
            N_("This database was created for the environment %(stored)s, not for %(environment)s."),
            stored=row.environment,
            environment=config.environment,
        )
