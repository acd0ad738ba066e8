"""Rows in bulk, written straight into a node's file before it starts: authors, posts, follows, timelines."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import islice
from pathlib import Path
from typing import Any

from sqlalchemy import Insert

from esnfed.database.sqlite import make_engine
from esnfed.models import actor, actor_key, follow, insert, status, timeline_entry
from esnfed.services.timelines import HOME_CAP

Row = dict[str, Any]

CHUNK = 5_000
TEXT = (
    "<p>Une nouvelle du réseau, numéro {number} : les syndicats et les mutuelles de l’éducation échangent"
    " leurs projets, leurs appels et leurs outils. Qui veut se joindre à nous écrit simplement ici,"
    ' dans sa langue. <a href="https://lyon.esn.test/tags/ecole" class="mention hashtag" rel="tag">'
    "#<span>ecole</span></a></p>"
)
"""Some 350 bytes, as posts are."""


def identifier(milliseconds: int, number: int = 0) -> int:
    """Return an id that sorts at a time, the `number`-th of it."""
    return milliseconds << 16 | number


def actor_row(number: int, handle: str, host: str, now: int, *, local: bool = False) -> Row:
    """Return the row of an actor, remote by default; the id is made of its number."""
    uri = f"https://{host}/users/{handle}"
    return {
        "id": identifier(1_600_000_000_000 + number),
        "as_type": "Person",
        "local": local,
        "handle": handle,
        "domain": host,
        "host": host,
        "uri": uri,
        "url": f"https://{host}/@{handle}",
        "inbox": f"{uri}/inbox",
        "shared_inbox": f"https://{host}/inbox",
        "followers_uri": f"{uri}/followers",
        "name": f"Person {number}",
        "created_at": now,
        "updated_at": now,
        "fetched_at": now,
    }


def key_row(owner: Row, public_der: bytes) -> Row:
    """Return the row of the RSA key of a remote actor."""
    return {
        "id": owner["id"],
        "actor_id": owner["id"],
        "uri": f"{owner['uri']}#main-key",
        "kind": "rsa",
        "public_der": public_der,
        "created_at": owner["created_at"],
    }


def follow_row(number: int, follower_id: int, target_id: int, now: int) -> Row:
    """Return the row of an accepted follow."""
    return {
        "id": identifier(1_600_000_000_000 + number),
        "actor_id": follower_id,
        "target_id": target_id,
        "state": "accepted",
        "uri": f"https://follows.esn.test/{number}",
        "created_at": now,
        "answered_at": now,
    }


def status_row(number: int, author: Row, published: int) -> Row:
    """Return the row of a public post."""
    uri = f"https://{author['host']}/notes/{number}"
    status_id = identifier(published, number & 0xFFFF)
    return {
        "id": status_id,
        "local": False,
        "uri": uri,
        "url": uri,
        "actor_id": author["id"],
        "as_type": "Note",
        "thread_id": status_id,
        "visibility": "public",
        "content": TEXT.format(number=number),
        "language": "fr",
        "published_at": published,
    }


def write(file: Path, batches: Iterable[tuple[Insert, Iterable[Row]]]) -> None:
    """Insert rows in transactions of 5,000, in order."""
    engine = make_engine(file)
    for statement, rows in batches:
        waiting = iter(rows)
        while chunk := list(islice(waiting, CHUNK)):
            with engine.begin() as connection:
                connection.execute(statement, chunk)
    engine.dispose()


class World:
    """Authors with posts, and readers of this node who follow many or few of them.

    Post n is by author n modulo their number, one per second up to `now`, so that every author writes alike.
    """

    def __init__(self, authors: int, posts: int, follows: list[int], now: int) -> None:
        self.authors = [
            actor_row(number, f"author{number}", f"h{number % 500}.esn.test", now)
            for number in range(authors)
        ]
        self.readers = {
            count: actor_row(authors + index, f"reader{count}", "bench.esn.test", now, local=True)
            for index, count in enumerate(follows)
        }
        self.posts = posts
        self.now = now

    def write(self, file: Path) -> None:
        """Fill the file."""
        write(
            file,
            [
                (insert(actor), [*self.authors, *self.readers.values()]),
                (insert(follow), self._follows()),
                (insert(status), (self._post(number) for number in range(self.posts))),
                (insert(timeline_entry), self._entries()),
            ],
        )

    def _post(self, number: int) -> Row:
        author = self.authors[number % len(self.authors)]
        return status_row(number, author, self.now - (self.posts - number) * 1000)

    def _follows(self) -> Iterator[Row]:
        pairs = ((count, target) for count in self.readers for target in self._followed(count))
        for number, (count, target) in enumerate(pairs):
            yield follow_row(number, self.readers[count]["id"], self.authors[target]["id"], self.now)

    def _followed(self, count: int) -> range:
        step = len(self.authors) // count
        return range(0, step * count, step)

    def _entries(self) -> Iterator[Row]:
        """The newest 800 for each reader: what fan-out has written and trimming has left."""
        for count, reader in self.readers.items():
            step = len(self.authors) // count
            mine = (
                number
                for number in range(self.posts - 1, -1, -1)
                if number % len(self.authors) % step == 0 and number % len(self.authors) < step * count
            )
            for number in islice(mine, HOME_CAP):
                yield {"actor_id": reader["id"], "status_id": self._post(number)["id"]}


KEY = insert(actor_key)
ACTOR = insert(actor)
FOLLOW = insert(follow)
