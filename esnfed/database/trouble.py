"""What is wrong around the database: said in one line when it begins, once a minute, and when it is over."""

from __future__ import annotations

import logging
import sqlite3
import threading
from collections.abc import Callable
from typing import Final

from sqlalchemy.exc import DBAPIError

log = logging.getLogger("esnfed.database")

REMIND_MS: Final = 60_000

DAMAGED: Final = "the file is damaged or is no database: stop the node and restore the last backup"

REASONS: Final = {
    sqlite3.SQLITE_NOMEM: "there is no memory left",
    sqlite3.SQLITE_READONLY: "it is read-only: look at the owner of the data folder and at its file system",
    sqlite3.SQLITE_IOERR: "the disk is full, or does not work",
    sqlite3.SQLITE_CORRUPT: DAMAGED,
    sqlite3.SQLITE_FULL: "the disk is full: make room",
    sqlite3.SQLITE_CANTOPEN: "its files cannot be opened: look at the owner of the data folder, and at the"
    " number of open files that the system allows",
    sqlite3.SQLITE_NOTADB: DAMAGED,
}
"""Primary result codes after which nothing of a transaction can be trusted, and what they mean for people."""


def code_of(error: BaseException | None) -> int:
    """Return SQLite's extended result code of an error, 0 when it has none."""
    original = error.orig if isinstance(error, DBAPIError) else error
    return int(getattr(original, "sqlite_errorcode", None) or 0)


def reason_of(error: BaseException | None) -> str | None:
    """Say what is wrong around the database, from its error; None when the error is of another kind."""
    return REASONS.get(code_of(error) & 0xFF)


class Trouble:
    """Keeps the log readable while every read or write fails for one reason; any thread may call it."""

    def __init__(self, clock: Callable[[], int], deed: str) -> None:
        self._clock = clock
        self._deed = deed
        self._lock = threading.Lock()
        self._failed = 0
        self._told_at = 0

    def failed(self, error: BaseException, number: int = 1) -> None:
        """Count failures that have a reason in `REASONS`, and say so: at once, then once a minute."""
        with self._lock:
            now = self._clock()
            if not self._failed or abs(now - self._told_at) >= REMIND_MS:
                self._told_at = now
                log.error("the database cannot be %s: %s (%s)", self._deed, reason_of(error), _said(error))
            self._failed += number

    def over(self) -> None:
        """Say that it works again, when it did not."""
        if not self._failed:
            return
        with self._lock:
            log.warning("the database can be %s again; %d attempts had failed", self._deed, self._failed)
            self._failed = 0


def _said(error: BaseException) -> str:
    return str(error.orig if isinstance(error, DBAPIError) else error)
