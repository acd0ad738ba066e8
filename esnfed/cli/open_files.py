"""The file descriptors of a serving process: as many as it may have, and a line when none is left."""

from __future__ import annotations

import asyncio
import logging
import os
import resource
from typing import Final

log = logging.getLogger(__name__)

LOOK_SECONDS: Final = 2.0


def raise_limit() -> None:
    """Allow as many open files as the system lets this user have; systems begin with 1,024 or fewer."""
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))


async def watch() -> None:
    """Say when no file can be opened any more, and when one can again, until cancelled.

    The event loop closes new connections then without a word, and a reader only sees a server that is away.
    """
    short = False
    while True:
        was, short = short, not _one_left()
        if short and not was:
            limit, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
            log.error(
                "no file descriptor is left of %d: connections are refused; raise the limit (LimitNOFILE=)",
                limit,
            )
        elif was and not short:
            log.warning("there are file descriptors again")
        await asyncio.sleep(LOOK_SECONDS)


def _one_left() -> bool:
    try:
        os.close(os.open("/dev/null", os.O_RDONLY | os.O_CLOEXEC))
    except OSError:
        return False
    return True
