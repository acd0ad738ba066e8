"""HTML: the node's home page of 20 posts through its handler, with its fragments warm, and cold."""

from __future__ import annotations

from dataclasses import dataclass

from tests.bench.bare import crowd
from tests.bench.figures import Figure, Sample, best
from tests.bench.site import DOMAIN, Live

PAGE = 20
BACK = 200
"""The pages begin this many posts back: behind what the inbox path writes."""


@dataclass(frozen=True, slots=True)
class Page:
    """The path, on a running node. `ids` are those of the public posts, newest first."""

    live: Live
    ids: list[int]

    async def measure(self, number: int, rounds: int, bare: float) -> list[Figure]:
        """Return the figures; a page is cold when nobody has asked for its posts before."""
        first = ["/"] * number
        await self._get("/")
        warm = await self._rounds([first] * rounds)
        starts = range(BACK, len(self.ids), PAGE)[: number * rounds]
        pages = [f"/?max_id={self.ids[start]}" for start in starts]
        share = max(len(pages) // rounds, 1)
        groups = [pages[start : start + share] for start in range(0, share * rounds, share)]
        cold = await self._rounds(groups)
        again = await self._rounds([groups[-1]] * rounds)
        return [
            Figure("HTML page of 20 posts, cold", *best(cold), bare, None, "every page another one"),
            Figure("HTML page of 20 posts, warm", *best(again), bare, None, "pages asked for before"),
            Figure("HTML home page, warm", *best(warm), bare, None, "with its panels"),
        ]

    async def _rounds(self, groups: list[list[str]]) -> list[Sample]:
        samples: list[Sample] = []
        for paths in groups:
            async with self.live.sampled(samples, len(paths)):
                await crowd(self._get, paths, connections=8)
        return samples

    async def _get(self, path: str) -> None:
        headers = {"Host": DOMAIN, "Accept": "text/html", "Accept-Language": "fr"}
        async with self.live.client.get(f"{self.live.site.address}{path}", headers=headers) as answer:
            text = await answer.text()
            if answer.status != 200 or "réseau, numéro" not in text:
                raise RuntimeError(f"{path}: {answer.status}")
