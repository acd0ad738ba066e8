"""What must hold in a node's database, whenever it is looked at and when all has come to rest."""

from __future__ import annotations

import sqlite3
from collections import Counter, defaultdict
from collections.abc import Iterable
from contextlib import closing
from pathlib import Path
from typing import Any

from tests.crash.authors import Author, Post
from tests.crash.senders import Arrival, Pen, Sink

HOME_CAP = 800
"""Rows that a home timeline is trimmed to (services/timelines.py)."""

COUNTERS = {
    "favourites": "SELECT s.uri, s.favourites_count, (SELECT count(*) FROM favourite f"
    " WHERE f.status_id = s.id) FROM status s",
    "boosts": "SELECT s.uri, s.boosts_count, (SELECT count(*) FROM status b WHERE b.boost_of_id = s.id"
    " AND b.deleted_at IS NULL) FROM status s WHERE s.boost_of_id IS NULL",
    "replies": "SELECT s.uri, s.replies_count, (SELECT count(*) FROM status r WHERE r.in_reply_to_id = s.id"
    " AND r.deleted_at IS NULL) FROM status s WHERE s.deleted_at IS NULL",
    "followers": "SELECT a.uri, a.followers_count, (SELECT count(*) FROM follow f WHERE f.target_id = a.id"
    " AND f.state = 'accepted') FROM actor a",
    "following": "SELECT a.uri, a.following_count, (SELECT count(*) FROM follow f WHERE f.actor_id = a.id"
    " AND f.state = 'accepted') FROM actor a",
    "statuses": "SELECT a.uri, a.statuses_count, (SELECT count(*) FROM status s WHERE s.actor_id = a.id"
    " AND s.deleted_at IS NULL) FROM actor a",
}
"""Name -> (whose, what is counted, what there is) per row."""

DOUBLES = {
    "inbox messages": "SELECT actor_uri, uri FROM inbox_message GROUP BY actor_uri, uri, as_type HAVING count(*) > 1",
    "statuses": "SELECT uri FROM status GROUP BY uri HAVING count(*) > 1",
    "posts by command": "SELECT content FROM status WHERE local AND content <> '' GROUP BY actor_id, content"
    " HAVING count(*) > 1",
    "boosts": "SELECT actor_id, boost_of_id FROM status WHERE boost_of_id IS NOT NULL AND deleted_at IS NULL"
    " GROUP BY actor_id, boost_of_id HAVING count(*) > 1",
    "timeline rows": "SELECT actor_id, status_id FROM timeline_entry GROUP BY actor_id, status_id"
    " HAVING count(*) > 1",
    "notifications": "SELECT actor_id, kind, from_actor_id, status_id FROM notification"
    " GROUP BY actor_id, kind, from_actor_id, status_id HAVING count(*) > 1",
    "deliveries": "SELECT activity_id, inbox FROM delivery GROUP BY activity_id, inbox HAVING count(*) > 1",
    "creates of one post": "SELECT object_uri FROM activity WHERE as_type = 'Create' GROUP BY object_uri"
    " HAVING count(*) > 1",
}


def activity_of(uri: str) -> str:
    """The id of the activity in a message's key: what may recur is known by its signature too."""
    return uri.partition("#signature:")[0]


class Book:
    """One database file, read directly and not through the program under test."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def rows(self, statement: str, *values: Any) -> list[Any]:
        """Run a query."""
        with closing(sqlite3.connect(self._path)) as connection:
            return connection.execute(statement, values).fetchall()

    def faults(self) -> list[str]:
        """Whatever is doubled or miscounted, in words; true at any moment between two transactions."""
        found = [
            f"{name}: {row} is there twice" for name, query in DOUBLES.items() for row in self.rows(query)
        ]
        for name, query in COUNTERS.items():
            found += [
                f"{name} of {who}: {said}, not {real}" for who, said, real in self.rows(query) if said != real
            ]
        return found

    def lost(self, acknowledged: Iterable[str], authors: Iterable[Author]) -> list[str]:
        """What was answered 202, or confirmed to an author, and is not there."""
        stored = {activity_of(uri) for (uri,) in self.rows("SELECT uri FROM inbox_message")}
        found = [f"{uri} was answered 202 and is not stored" for uri in acknowledged if uri not in stored]
        here = {uri: (deleted, content) for uri, deleted, content in self.rows(OWN)}
        for post in (post for author in authors for post in author.posts if post.confirmed):
            found += _post_faults(post, *here.get(post.uri, (None, None)))
        return found


OWN = "SELECT uri, deleted_at IS NOT NULL, content FROM status WHERE local"


def _post_faults(post: Post, deleted: int | None, content: str | None) -> list[str]:
    gone = deleted is None or bool(deleted)
    if gone and not post.deleted and post.doubt != "delete":
        return [f"{post.uri} ({post.text}) was confirmed and is not there"]
    if post.deleted:
        return [] if gone else [f"{post.uri} was deleted and is there"]
    right = {f"<p>{post.text}</p>"} | ({f"<p>{post.revised}</p>"} if post.doubt == "edit" else set())
    return [] if gone or content in right else [f"{post.uri} says {content}, not {sorted(right)}"]


def effect_faults(book: Book, pens: Iterable[Pen], targets: list[str], reader: str) -> list[str]:
    """Compare what the pens' activities brought about with what each exactly once would have."""
    found: list[str] = []
    for pen in pens:
        who, want = pen.document["id"], pen.expected
        notes = dict(book.rows(NOTES, who))
        found += _unequal(f"notes of {who}", want.notes, notes)
        found += _unequal(f"replies of {who}", want.answers, dict(book.rows(REPLIES, who)))
        found += _unequal(f"likes of {who}", want.likes, dict(book.rows(LIKES, who)))
        found += _unequal(f"boosts of {who}", want.boosts, dict(book.rows(BOOSTS, who)))
        follows = bool(book.rows(FOLLOWS, who))
        found += [] if follows == want.follows else [f"{who} follows: {follows}, not {want.follows}"]
        told = Counter(kind for (kind,) in book.rows(TOLD, who))
        wanted = Counter(
            {"favourite": len(want.likes), "reblog": len(want.boosts), "follow": int(want.follows)}
        )
        found += [] if told == +wanted else [f"told of {who}: {told}, not {+wanted}"]
    return found + _timeline_faults(book, list(pens), targets, reader)


def _timeline_faults(book: Book, pens: list[Pen], targets: list[str], reader: str) -> list[str]:
    """The reader follows every pen: each note is a row, replies to people it does not follow are none."""
    rows = {uri for (uri,) in book.rows(HOME, reader)}
    notes = {uri for pen in pens for uri in pen.expected.notes if uri not in pen.expected.answers}
    if len(rows) >= HOME_CAP:
        return [f"the home of {reader} shows {uri}" for uri in sorted(rows - notes)]
    return _unequal(f"home of {reader}", dict.fromkeys(notes, ""), dict.fromkeys(rows, ""))


def _unequal(name: str, wanted: dict[str, str], there: dict[str, str]) -> list[str]:
    missing = {key: value for key, value in wanted.items() if there.get(key) != value}
    surplus = {key: value for key, value in there.items() if key not in wanted}
    return [f"{name}: {missing} missing, {surplus} too many"] if missing or surplus else []


_OF = "JOIN actor a ON a.id = {}.actor_id AND a.uri = ?"
NOTES = (
    f"SELECT s.uri, s.content FROM status s {_OF.format('s')}"
    " WHERE s.boost_of_id IS NULL AND s.deleted_at IS NULL"
)
REPLIES = (
    f"SELECT s.uri, p.uri FROM status s {_OF.format('s')} JOIN status p ON p.id = s.in_reply_to_id"
    " WHERE s.deleted_at IS NULL"
)
LIKES = f"SELECT s.uri, f.uri FROM favourite f {_OF.format('f')} JOIN status s ON s.id = f.status_id"
BOOSTS = (
    f"SELECT s.uri, b.uri FROM status b {_OF.format('b')} JOIN status s ON s.id = b.boost_of_id"
    " WHERE b.deleted_at IS NULL"
)
FOLLOWS = f"SELECT 1 FROM follow f {_OF.format('f')} WHERE f.state = 'accepted'"
TOLD = (
    "SELECT n.kind FROM notification n JOIN actor a ON a.id = n.from_actor_id AND a.uri = ?"
    " WHERE n.kind <> 'mention'"
)
HOME = (
    "SELECT s.uri FROM timeline_entry t JOIN actor r ON r.id = t.actor_id AND r.handle = ? AND r.local"
    " JOIN status s ON s.id = t.status_id WHERE s.boost_of_id IS NULL AND s.deleted_at IS NULL"
)


def sink_faults(sink: Sink, authors: Iterable[Author], followed: dict[str, set[str]]) -> list[str]:
    """Every confirmed post arrived, all about it in its order, and the last word is the right one."""
    by_object: dict[str, list[Arrival]] = defaultdict(list)
    for arrival in sink.arrivals:
        by_object[arrival.object_uri].append(arrival)
    name = sink.peer.name
    found = [
        f"{name}: {uri} came in the order {_told(here)}" for uri, here in by_object.items() if not rises(here)
    ]
    for author in authors:
        if author.handle in followed[name]:
            for post in (post for post in author.posts if post.confirmed):
                found += [f"{name}: {fault}" for fault in arrival_faults(post, by_object.get(post.uri, []))]
    return found


def rises(arrivals: list[Arrival]) -> bool:
    """Say whether what is about one post came in the order in which it was done here."""
    numbers = [arrival.number for arrival in arrivals]
    kinds = [("Create", "Update", "Delete").index(arrival.as_type) for arrival in arrivals]
    return numbers == sorted(numbers) and kinds == sorted(kinds)


def _told(arrivals: list[Arrival]) -> str:
    return ", ".join(f"{arrival.as_type} {arrival.number}" for arrival in arrivals)


def arrival_faults(post: Post, arrivals: list[Arrival]) -> list[str]:
    """Return what is wrong with what arrived of one post whose author got a confirmation."""
    if not arrivals:  # an unsent Create and its Delete annihilate (decisions.md 9)
        return [] if post.deleted or post.doubt == "delete" else [f"{post.uri} never arrived"]
    last = arrivals[-1]
    if arrivals[0].as_type != "Create":
        return [f"{post.uri} began with {arrivals[0].as_type}"]
    if post.deleted and last.as_type != "Delete":
        return [f"{post.uri} was deleted, and the last word is {last.as_type}"]
    if post.doubt or post.deleted:
        return []
    right = f"<p>{post.text}</p>"
    return [] if last.content == right else [f"{post.uri} ended as {last.content}, not {right}"]
