"""Delivery: posts of people with many followers on many servers, until every server has answered."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from esnfed.cli.control import Request, reach
from tests.bench import rows
from tests.bench.figures import Figure, Sample, best
from tests.bench.site import Live, Site
from tests.doubles.authority import Authority

HOSTS = tuple(f"s{number}.esn.test" for number in range(100))
POSTS = 5
SIZES = (1_000, 10_000)
"""Followers of marie and of paul, on the same servers."""

HANDLES = dict(zip(SIZES, ("marie", "paul"), strict=True))


def write(site: Site, author_ids: dict[str, int]) -> None:
    """Give the two authors their followers, spread over the servers."""
    now = int(time.time() * 1000)
    people = [
        rows.actor_row(800_000 + number, f"follower{number}", HOSTS[number % len(HOSTS)], now)
        for number in range(max(SIZES))
    ]
    pairs = [
        (people[index]["id"], author_ids[handle]) for size, handle in HANDLES.items() for index in range(size)
    ]
    rows.write(
        site.database,
        [
            (rows.ACTOR, people),
            (
                rows.FOLLOW,
                (rows.follow_row(6_000_000 + number, *pair, now) for number, pair in enumerate(pairs)),
            ),
        ],
    )


@dataclass(frozen=True, slots=True)
class Delivery:
    """The path, on a running node whose every neighbour is one sink."""

    live: Live

    async def measure(self, rounds: int, signing: float, posting: float) -> list[Figure]:
        """Return the figures; the bare limit is one signature and one POST over a kept connection."""
        cold = await self._posts(SIZES[0], 1, [])
        bare = signing + posting
        figures = [
            Figure(
                "delivery, fresh connections", *best(cold), bare, None, "1 post, publication and TLS included"
            )
        ]
        for size in SIZES:
            samples: list[Sample] = []
            for _ in range(rounds):
                await self._posts(size, POSTS, samples)
            cpu, wall = best(samples)
            growth = cpu / (figures[-1].cpu or cpu) if len(figures) > 1 else None
            note = f"{POSTS} posts to {len(HOSTS)} hosts, publication included"
            figures.append(Figure(f"delivery, {size:,} followers", cpu, wall, bare, growth, note))
        return figures

    async def _posts(self, size: int, posts: int, samples: list[Sample]) -> Sequence[Sample]:
        before, number = self._delivered(), posts * len(HOSTS)
        async with self.live.sampled(samples, number):
            for post in range(posts):
                arguments = {"handle": HANDLES[size], "text": rows.TEXT.format(number=post)}
                await reach(self.live.site.config, Request("bench-post", arguments))
            await self.live.until(lambda: self._delivered() - before >= number)
        return samples

    def _delivered(self) -> int:
        return self.live.site.ask("SELECT count(*) FROM delivery WHERE state = 'delivered'")


def addresses(port: int) -> dict[str, tuple[str, int]]:
    """Return where each server is found: all of them are the sink."""
    return dict.fromkeys(HOSTS, ("127.0.0.1", port))


def certificate(folder: Path) -> tuple[Path, tuple[Path, Path]]:
    """Return the throwaway authority, and the sink's certificate and key for all its names."""
    folder.mkdir()
    made = Authority(folder)
    return made.path, made.files(*HOSTS)
