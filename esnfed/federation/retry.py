"""When to try a server again and what an answer means: pure functions, no database, no network."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from random import Random
from typing import Literal

Health = Literal["well", "failing", "dormant"]

SECOND = 1_000
MINUTE = 60 * SECOND
HOUR = 60 * MINUTE
DAY = 24 * HOUR

STEPS = (30 * SECOND, 2 * MINUTE, 10 * MINUTE, 30 * MINUTE, 2 * HOUR, 6 * HOUR)
"""Pauses after the first failures, in milliseconds (federation.md F3)."""

LAST_STEP = 12 * HOUR
PROBE_STEP = DAY
HORIZON = 7 * DAY
"""How long a server may fail before it is dormant; Misskey and Mastodon wait as long."""

DORMANT_HORIZON = 90 * DAY
JITTER = 0.25
MAX_RETRY_AFTER = DAY
NEVER = 1 << 62
"""A time that does not come: nothing is tried until the server itself is heard again."""

KNOCKS = 3
"""How often a delivery that is answered 401 or 403 under both signature schemes is tried."""

RAMP = 14
"""Where the count of fine deliveries begins after a failure: that far below zero."""

PACES = ((-11, SECOND), (-7, SECOND // 2), (0, SECOND // 4))
"""Below this count of fine deliveries, this pause after each: 1, then 2, then 4 a second."""

_TRY_LATER = frozenset({408, 421, 425, 429})
_KNOCK = frozenset({401, 403})


class Outcome(Enum):
    """What an answer to a delivery means."""

    DELIVERED = "delivered"
    FINAL = "final"
    """This delivery will never be accepted; the server itself is well."""

    KNOCK = "knock"
    """Refused under both signature schemes; a few spaced tries, then final."""

    RETRY = "retry"


@dataclass(frozen=True, slots=True)
class Rest:
    """How a server stands after a failure: its health, and the time before which nothing is sent."""

    health: Health
    next_at: int


def judge(status: int) -> Outcome:
    """Say what the HTTP status of an inbox's answer means (federation.md F1, F3).

    Any 2xx is done, 202 included. 404 and 410 name an inbox that is not there; other 4xx and 501 cannot
    become better by waiting. Mastodon, GoToSocial and Fedify draw the same line.
    """
    if 200 <= status < 300:
        return Outcome.DELIVERED
    if status in _KNOCK:
        return Outcome.KNOCK
    if status == 501 or (400 <= status < 500 and status not in _TRY_LATER):
        return Outcome.FINAL
    return Outcome.RETRY


def after(failures: int, now: int, random: Random) -> int:
    """Return the time (milliseconds) of the next try after `failures` failures in a row, at least 1."""
    step = STEPS[failures - 1] if failures <= len(STEPS) else LAST_STEP
    return now + _jittered(step, random)


def pause(retry_after: int, now: int, random: Random) -> int:
    """Return when a server that asked for `retry_after` seconds may be asked again, in milliseconds.

    Never earlier than it asked, never later than 24 hours; at least our own first pause. mastodon#26078:
    servers that ignore 429 are banned by address.
    """
    asked = min(max(retry_after * SECOND, STEPS[0]), MAX_RETRY_AFTER)
    return min(now + asked + int(asked * JITTER * random.random()), now + MAX_RETRY_AFTER)


def rest(failures: int, failing_since: int, now: int, random: Random, retry_after: int | None = None) -> Rest:
    """Return the health and the next try of a server that has failed `failures` times since `failing_since`.

    A server that names the time to come back is alive and stays "well" with a pause, until the horizon.
    """
    failing_for = now - failing_since
    if failing_for >= DORMANT_HORIZON:
        return Rest("dormant", NEVER)
    if failing_for >= HORIZON:
        probe = now + _jittered(PROBE_STEP, random)
        return Rest("dormant", probe if retry_after is None else max(probe, pause(retry_after, now, random)))
    if retry_after is not None:
        return Rest("well", pause(retry_after, now, random))
    return Rest("failing", after(failures, now, random))


def pace(fine_in_a_row: int) -> int:
    """Return the pause (milliseconds) after a success of a server that is being led back.

    `fine_in_a_row` is -RAMP after a failure and rises by one with each success; from 0 on there is no pause.
    A recovered server must not meet a storm of everything that waited (misskey#16981).
    """
    return next((gap for bound, gap in PACES if fine_in_a_row < bound), 0)


def _jittered(delay: int, random: Random) -> int:
    return int(delay * random.uniform(1 - JITTER, 1 + JITTER))
