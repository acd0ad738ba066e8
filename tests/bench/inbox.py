"""Inbox: signed Creates of known actors over HTTP, until they are on their followers' timelines."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import count

from esnfed.federation.keys import KeyPair, generate_rsa, load_private
from esnfed.federation.signatures import Signer, sign
from esnfed.vocab import parse
from esnfed.vocab.terms import ACTIVITY_JSON, PUBLIC
from tests.bench import rows
from tests.bench.bare import crowd
from tests.bench.figures import Figure, Sample, best, quantiles
from tests.bench.site import DOMAIN, Live, Site

HOST = "lyon.esn.test"
FOLLOWERS = (1, 10, 100)
WARM_UP = 60

# The shape and the length of what Mastodon sends: 2.6 KB.
_CONTEXT = [
    "https://www.w3.org/ns/activitystreams",
    {
        "ostatus": "http://ostatus.org#",
        "atomUri": "ostatus:atomUri",
        "inReplyToAtomUri": "ostatus:inReplyToAtomUri",
        "conversation": "ostatus:conversation",
        "sensitive": "as:sensitive",
        "toot": "http://joinmastodon.org/ns#",
        "votersCount": "toot:votersCount",
        "Hashtag": "as:Hashtag",
    },
]


@dataclass(frozen=True, slots=True)
class Letter:
    """One signed request, ready to be sent."""

    body: bytes
    headers: dict[str, str]


class Pen:
    """Signs the Creates of authors that the node knows, each followed by so many people here."""

    def __init__(self) -> None:
        self.keys: KeyPair = generate_rsa()
        self._numbers = count(1)
        self.authors: dict[int, rows.Row] = {}
        self.readers: dict[int, int] = {}

    def write(self, site: Site) -> None:
        """Put authors, their keys, their followers and the follows into the node's file."""
        now = int(time.time() * 1000)
        people = [
            rows.actor_row(900_000 + number, f"neighbour{number}", DOMAIN, now, local=True)
            for number in range(max(FOLLOWERS))
        ]
        for number in FOLLOWERS:
            self.authors[number] = rows.actor_row(950_000 + number, f"writer{number}", HOST, now)
            self.readers[number] = people[number - 1]["id"]
        authors = list(self.authors.values())
        follows = [
            (people[index]["id"], author["id"])
            for number, author in self.authors.items()
            for index in range(number)
        ]
        rows.write(
            site.database,
            [
                (rows.ACTOR, [*people, *authors]),
                (rows.KEY, [rows.key_row(author, self.keys.public_der) for author in authors]),
                (
                    rows.FOLLOW,
                    (rows.follow_row(5_000_000 + number, *pair, now) for number, pair in enumerate(follows)),
                ),
            ],
        )

    def letters(self, followers: int, number: int) -> list[Letter]:
        """Return so many signed Creates of the author with so many followers here."""
        return [self._letter(self.authors[followers]) for _ in range(number)]

    def _letter(self, author: rows.Row) -> Letter:
        number, now = next(self._numbers), int(time.time() * 1000)
        body = parse.dump(_create(author, f"https://{HOST}/statuses/{number}", parse.iso(now), number))
        signer = Signer(f"{author['uri']}#main-key", load_private(self.keys.private_der))
        headers = {
            "Host": DOMAIN,
            "Content-Type": ACTIVITY_JSON,
            # As through the proxy in front of every node, each time from another address.
            "X-Forwarded-For": f"198.18.{number >> 8 & 255}.{number & 255}",
        }
        return Letter(body, headers | sign("cavage", signer, "POST", f"https://{DOMAIN}/inbox", body, now))


def _create(author: rows.Row, uri: str, published: str, number: int) -> parse.Document:
    content = rows.TEXT.format(number=number)
    audience = {"to": [PUBLIC], "cc": [author["followers_uri"]]}
    note = {
        "id": uri,
        "type": "Note",
        "summary": None,
        "inReplyTo": None,
        "published": published,
        "url": uri.replace("/statuses/", "/@writer/"),
        "attributedTo": author["uri"],
        **audience,
        "sensitive": False,
        "atomUri": uri,
        "inReplyToAtomUri": None,
        "conversation": f"tag:{HOST},2026-11-21:objectId={number}:objectType=Conversation",
        "context": f"https://{HOST}/contexts/{number}",
        "content": content,
        "contentMap": {"fr": content},
        "attachment": [],
        "tag": [{"type": "Hashtag", "href": f"https://{HOST}/tags/ecole", "name": "#ecole"}],
        "replies": {
            "id": f"{uri}/replies",
            "type": "Collection",
            "first": {"type": "CollectionPage", "next": f"{uri}/replies?page=true", "items": []},
        },
        "likes": {"id": f"{uri}/likes", "type": "Collection", "totalItems": 0},
        "shares": {"id": f"{uri}/shares", "type": "Collection", "totalItems": 0},
    }
    return {
        "@context": _CONTEXT,
        "id": f"{uri}/activity",
        "type": "Create",
        "actor": author["uri"],
        "published": published,
        **audience,
        "object": note,
    }


@dataclass(frozen=True, slots=True)
class Inbox:
    """The path, on a running node."""

    live: Live
    pen: Pen

    async def measure(self, number: int, rounds: int) -> list[Figure]:
        """Return the figures, without the bare limit: it needs the rows that are written here."""
        await self._round(self.pen.letters(1, WARM_UP), 1)
        figures: list[Figure] = []
        for followers in FOLLOWERS:
            samples: list[Sample] = []
            for _ in range(rounds):
                letters = self.pen.letters(followers, number)
                async with self.live.sampled(samples, number):
                    await self._round(letters, followers)
            cpu, wall = best(samples)
            growth = cpu / (figures[-1].cpu or cpu) if figures else None
            name = f"inbox until visible, {followers} follower{'s' * (followers > 1)} here"
            figures.append(Figure(name, cpu, wall, None, growth, "16 connections"))
        return [*figures, await self._alone(number // 4)]

    async def _alone(self, number: int) -> Figure:
        """One message at a time: how long a reader waits, and what no batching costs."""
        letters, waits, samples = self.pen.letters(1, number), [], list[Sample]()
        async with self.live.sampled(samples, number):
            for letter in letters:
                begun = time.perf_counter()
                await self._round([letter], 1, pause=0.0005)
                waits.append(time.perf_counter() - begun)
        p50, p99 = quantiles(waits)
        note = f"wall p50 {p50 / 1000:.1f} ms, p99 {p99 / 1000:.1f} ms"
        return Figure("inbox until visible, one at a time", *best(samples), note=note)

    async def _round(self, letters: Sequence[Letter], followers: int, pause: float = 0.01) -> None:
        reader = self.pen.readers[followers]
        before = self._visible(reader)
        await crowd(self._send, letters)
        await self.live.until(lambda: self._visible(reader) - before >= len(letters), pause)

    async def _send(self, letter: Letter) -> None:
        url = f"{self.live.site.address}/inbox"
        async with self.live.client.post(url, data=letter.body, headers=letter.headers) as answer:
            if answer.status != 202:
                raise RuntimeError(f"{answer.status} {await answer.text()}")

    def _visible(self, reader: int) -> int:
        return self.live.site.ask("SELECT count(*) FROM timeline_entry WHERE actor_id = ?", reader)
