"""Group commit on SQLite: many jobs in one transaction, each inside a savepoint of its own."""

from __future__ import annotations

import logging
import sqlite3
from typing import cast

from sqlalchemy import Connection

from esnfed.context import Context, Runtime
from esnfed.database.queues import Batch, Job, Queues
from esnfed.database.rows import insert_merged
from esnfed.database.trouble import Trouble, code_of, reason_of
from esnfed.database.units import Limits, Outcome, attempt, report_overrun
from esnfed.errors import Busy
from esnfed.i18n import N_

log = logging.getLogger("esnfed.database")

REDRAWS = 3
"""How often a job runs again because an id that it drew was taken: back-dated ids are drawn (ids.py)."""

Settled = tuple[Job, Outcome]


class TransactionLost(Exception):
    """The whole transaction is gone, with the work of every job in it."""


class GroupCommit:
    """Fills and commits one batch after another; everything here runs on the writer's thread.

    Savepoints are issued on the sqlite3 connection itself (28 us; SQLAlchemy's `begin_nested` costs 145).
    """

    def __init__(self, connection: Connection, queues: Queues, runtime: Runtime, limits: Limits) -> None:
        self._connection = connection
        self._queues = queues
        self._runtime = runtime
        self._limits = limits
        self._trouble = Trouble(runtime.clock, "written")
        self._raw = cast(sqlite3.Connection, connection.connection.driver_connection)

    def run(self) -> list[Settled]:
        """Run one batch; return its jobs with their outcomes, after COMMIT or after its failure."""
        batch = Batch(self._runtime.clock())
        taken: list[Job] = []
        try:
            settled = self._transaction(batch, taken)
        except Exception as error:  # noqa: BLE001 - carried to every future of the batch
            self._complain(_cause(error), len(taken))
            self._raw.rollback()  # nothing is left after a rollback by SQLAlchemy or by SQLite itself
            return [(job, Outcome(error=_unwritten(error))) for job in taken]
        if settled:
            self._trouble.over()
        return settled

    def _complain(self, cause: BaseException, jobs: int) -> None:
        """What is wrong around the node is one line a minute; what is wrong in it is shown whole."""
        if reason_of(cause) is not None:
            self._trouble.failed(cause, jobs)
        else:
            log.error("%d writes failed together", jobs, exc_info=cause)

    def _transaction(self, batch: Batch, taken: list[Job]) -> list[Settled]:
        settled: list[Settled] = []
        job = self._queues.take(batch)
        if job is None:
            return settled
        taken.append(job)  # before BEGIN, so that a refused BEGIN is somebody's error and not silence
        with self._connection.begin():
            while job is not None:
                settled.extend(self._settle(job, batch, taken))
                if (job := self._queues.take(batch)) is not None:
                    taken.append(job)
        return settled

    def _settle(self, job: Job, batch: Batch, taken: list[Job]) -> list[Settled]:
        if job.rows is None:
            return [(job, self._work(job))]
        neighbours = self._queues.take_appends(batch, len(job.rows))
        taken.extend(neighbours)
        return self._appends([job, *neighbours])

    def _work(self, job: Job) -> Outcome:
        before, rows = self._runtime.clock(), self._raw.total_changes
        outcome = self._attempt(job)
        for _ in range(REDRAWS):
            if outcome.error is None or not _drew_a_taken_id(outcome.error):
                break
            outcome = self._attempt(job)
        report_overrun(job.work, self._runtime.clock() - before, self._raw.total_changes - rows, self._limits)
        return outcome

    def _attempt(self, job: Job) -> Outcome:
        self._raw.execute("SAVEPOINT job")
        outcome = attempt(job.work, Context(self._runtime, self._connection, job.viewer))
        if outcome.error is None:
            self._raw.execute("RELEASE job")
        else:
            self._undo(outcome.error)
        return outcome

    def _appends(self, jobs: list[Job]) -> list[Settled]:
        outcome = self._insert(jobs)
        if outcome.error is not None and len(jobs) > 1:
            return [(job, self._insert([job])) for job in jobs]  # only the wrong one fails
        return [(job, outcome) for job in jobs]

    def _insert(self, jobs: list[Job]) -> Outcome:
        merged = [job.rows for job in jobs if job.rows is not None]
        self._raw.execute("SAVEPOINT job")
        outcome = attempt(
            lambda context: insert_merged(context.connection, merged),
            Context(self._runtime, self._connection),
        )
        if outcome.error is None:
            self._raw.execute("RELEASE job")
        else:
            self._undo(outcome.error)
        return outcome

    def _undo(self, error: Exception) -> None:
        """Take back one job; raise when the transaction around it is lost too."""
        if not self._raw.in_transaction or reason_of(error) is not None:
            raise TransactionLost from error
        self._raw.execute("ROLLBACK TO job")
        self._raw.execute("RELEASE job")


def _cause(error: Exception) -> BaseException:
    return error.__cause__ or error if isinstance(error, TransactionLost) else error


def _drew_a_taken_id(error: Exception) -> bool:
    return code_of(error) == sqlite3.SQLITE_CONSTRAINT_PRIMARYKEY


def _unwritten(error: Exception) -> Busy:
    busy = Busy(N_("The server cannot write to its database just now."), retry_after=60)
    busy.__cause__ = _cause(error)
    return busy
