"""The two queues in front of the SQLite writer, and the rules by which a batch is filled from them."""

from __future__ import annotations

import asyncio
import threading
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from esnfed.context import Viewer
from esnfed.database.units import Limits, Row, Work
from esnfed.errors import Busy
from esnfed.i18n import N_


@dataclass(slots=True, eq=False)
class Job:
    """One waiting unit of work, or one append (`rows`)."""

    future: asyncio.Future[Any]
    queued_at: int
    work: Work
    viewer: Viewer | None = None
    rows: Sequence[Row] | None = None


@dataclass(slots=True)
class Batch:
    """Progress of one group commit."""

    started_at: int
    jobs: int = 0
    background_served: bool = False


class Queues:
    """The two queues: clients first, background after, at least one background job per batch."""

    def __init__(self, clock: Callable[[], int], limits: Limits) -> None:
        self._clock = clock
        self._limits = limits
        self._client: deque[Job] = deque()
        self._background: deque[Job] = deque()
        self._arriving: tuple[list[Job], list[Job]] = ([], [])  # client, background; loop's thread only
        self._changed = threading.Condition()
        self._closing = False

    def put(self, job: Job, background: bool) -> bool:
        """Note one job, on the loop's thread; True when `deliver` must now be arranged.

        Busy when the background queue is full or the writer is closing. The writer sees nothing before
        `deliver`: what is written in one turn of the event loop becomes one group commit.
        """
        if self._closing:
            raise Busy(N_("The server is shutting down."))
        if background:
            self.admit()
        first = not any(self._arriving)
        self._arriving[background].append(job)
        return first

    def admit(self) -> None:
        """Raise Busy when the background queue is full."""
        if len(self._background) + len(self._arriving[True]) >= self._limits.background_jobs:
            raise Busy(retry_after=10)

    def deliver(self) -> None:
        """Show what has arrived to the writer, on the loop's thread."""
        client, background = self._arriving
        with self._changed:
            self._client.extend(client)
            self._background.extend(background)
            self._changed.notify()
        client.clear()
        background.clear()

    def close(self) -> None:
        """Accept nothing more; the writer ends when both queues are empty."""
        self.deliver()
        with self._changed:
            self._closing = True
            self._changed.notify()

    def wait(self) -> bool:
        """Wait for a job; False when there is none and there will be none."""
        with self._changed:
            while not (self._client or self._background):
                if self._closing:
                    return False
                self._changed.wait()
            return True

    @property
    def idle(self) -> bool:
        """True when nothing waits."""
        return not (self._client or self._background)

    def take(self, batch: Batch) -> Job | None:
        """Take the next job that has a place in `batch`; None when the batch ends."""
        with self._changed:
            while (queue := self._choose(batch)) is not None:
                job = queue.popleft()
                if job.future.cancelled():
                    continue
                batch.jobs += 1
                batch.background_served |= queue is self._background
                return job
            return None

    def _choose(self, batch: Batch) -> deque[Job] | None:
        owed = bool(self._background) and not batch.background_served
        left = self._limits.batch_jobs - batch.jobs
        late = self._clock() - batch.started_at >= self._limits.batch_ms
        if (late and batch.jobs > 0) or left <= int(owed):
            return self._background if owed and left > 0 else None
        return self._client or self._background or None

    def take_appends(self, batch: Batch, rows: int) -> list[Job]:
        """Take the appends at the head of the background queue, while they fit into one wide job."""
        taken: list[Job] = []
        with self._changed:
            while self._background and batch.jobs < self._limits.batch_jobs:
                head = self._background[0]
                if head.rows is None or rows + len(head.rows) > self._limits.job_rows:
                    break
                self._background.popleft()
                if not head.future.cancelled():
                    taken.append(head)
                    rows += len(head.rows)
                    batch.jobs += 1
        return taken

    def expired(self) -> list[Job]:
        """Take out the client jobs that have waited too long."""
        found: list[Job] = []
        with self._changed:
            oldest = self._clock() - self._limits.client_wait_ms
            while self._client and self._client[0].queued_at <= oldest:
                found.append(self._client.popleft())
        return found

    @property
    def clients_wait(self) -> bool:
        """True while a client's job waits."""
        return bool(self._client)
