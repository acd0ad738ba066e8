"""The demonstration lives on: one act after another from the repertoire, so that every kind is seen."""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable
from random import Random

from esnfed.cli.demonstration import announcing, reacting, writing
from esnfed.cli.demonstration.acts import Act
from esnfed.cli.demonstration.stage import Stage
from esnfed.errors import EsnfedError

log = logging.getLogger(__name__)

PACE = 3.0
"""Seconds between two acts, at least."""

LIMIT = 2_000
"""Activities of a data folder, what was seeded included, after which nobody acts any more."""

ROUND: tuple[Act, ...] = (
    writing.post, reacting.like, writing.reply, reacting.boost, announcing.advance, reacting.follow_somebody,
    writing.post, writing.edit, reacting.unlike, announcing.open_call, reacting.answer, writing.reply,
    reacting.unboost, writing.introduce, reacting.like, reacting.boost, announcing.close_call, writing.post,
    reacting.unfollow, writing.delete,
)  # fmt: skip
"""The order of things; what cannot be done just now is passed over."""


class Life:
    """Acts on a stage, one act at a time."""

    def __init__(self, stage: Stage, random: Random, limit: int = LIMIT) -> None:
        self._stage = stage
        self._random = random
        self._limit = limit
        self._place = 0

    async def step(self) -> bool:
        """Do the next act that can be done; False when the limit is reached or nothing can be done."""
        if await self._stage.activities() >= self._limit:
            return False
        for _try in ROUND:
            act = ROUND[self._place % len(ROUND)]
            self._place += 1
            try:
                if await act(self._stage, self._random):
                    return True
            except EsnfedError as error:
                log.warning("the demonstration could not do “%s”: %s", act.__name__, error)
        return False

    async def run(self, pause: Callable[[float], Awaitable[object]], acts_left: int | None = None) -> None:
        """Act every three seconds until the limit, or for `acts_left` acts."""
        while acts_left is None or acts_left > 0:
            await pause(PACE)
            if not await self.step():
                return
            if acts_left is not None:
                acts_left -= 1
