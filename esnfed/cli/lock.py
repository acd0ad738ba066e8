"""The exclusive lock on a data folder: on SQLite whoever writes holds it, a node or one command."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from esnfed.cli.texts import _
from esnfed.config import Config
from esnfed.errors import ConfigError, Conflict

FILE = "lock"


class DataLock:
    """The lock of one data folder. The system releases it when its process ends, however it ends."""

    def __init__(self, data_dir: Path) -> None:
        self._path = data_dir / FILE
        self._descriptor: int | None = None

    def acquire(self) -> bool:
        """Take the lock; False when another process holds it. ConfigError when the folder is not ours."""
        try:
            descriptor = os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        except OSError as error:
            said = {"folder": self._path.parent, "reason": error.strerror}
            raise ConfigError(
                _(
                    "The data folder %(folder)s cannot be used: %(reason)s; run the command as "
                    "the node's user."
                )
                % said
            ) from error
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(descriptor)
            return False
        self._descriptor = descriptor
        return True

    def release(self) -> None:
        """Give the lock back; without effect when it is not held."""
        if self._descriptor is not None:
            os.close(self._descriptor)
            self._descriptor = None


@contextmanager
def sole_use(config: Config, refusal: str) -> Iterator[None]:
    """Hold the lock during the block where there is one; Conflict with `refusal` while somebody else does.

    On PostgreSQL several nodes and commands share the database, and there is no lock.
    """
    if config.database:
        yield
        return
    lock = DataLock(config.data_dir)
    if not lock.acquire():
        raise Conflict(refusal)
    try:
        yield
    finally:
        lock.release()
