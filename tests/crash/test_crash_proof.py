"""A node that is killed at random moments under mixed load loses nothing and repeats nothing.

`python -m tests.crash --cycles 200` does the same for as long as one likes.
"""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from tests.crash import ordeal
from tests.crash.authors import Post
from tests.crash.ledger import Book, activity_of, arrival_faults, effect_faults, rises
from tests.crash.ordeal import READER, open_ordeal
from tests.crash.senders import Arrival
from tests.crash.served import copy_of

CYCLES = 6


async def test_a_node_killed_under_mixed_load_loses_nothing_and_repeats_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ordeal, "LONGEST_LIFE", 0.7)
    async with open_ordeal(tmp_path, seed=7) as suffered:
        for _ in range(CYCLES):
            await suffered.live()
        await suffered.settle()
    figures = suffered.figures
    assert figures.faults == []
    assert figures.inbox_acknowledged > CYCLES
    assert figures.posts_confirmed > 0
    assert figures.arrivals > 0


async def test_the_ordeal_notices_what_is_lost_and_what_is_counted_twice(tmp_path: Path) -> None:
    """The oracle itself, on a file that was spoilt by hand."""
    async with open_ordeal(tmp_path, seed=8) as suffered:
        path = copy_of(suffered.served.config, tmp_path / "spoilt")
        book, pens, targets = Book(path), suffered.pens, suffered.targets
        (kept,) = book.rows("SELECT uri FROM inbox_message WHERE as_type = 'Accept' LIMIT 1")
        assert (
            book.faults(),
            book.lost([activity_of(kept[0])], []),
            effect_faults(book, pens, targets, READER),
        ) == (
            [],
            [],
            [],
        )
        with closing(sqlite3.connect(path)) as spoilt, spoilt:
            spoilt.execute("DELETE FROM inbox_message WHERE uri = ?", kept)
            spoilt.execute("UPDATE status SET favourites_count = 1 WHERE uri = ?", (targets[0],))
        assert book.lost([activity_of(kept[0])], []) == [
            f"{activity_of(kept[0])} was answered 202 and is not stored"
        ]
        assert book.faults() == [f"favourites of {targets[0]}: 1, not 0"]
        pens[0].expected.likes[targets[0]] = "https://pens.esn.test/activities/like"
        assert len(effect_faults(book, pens, targets, READER)) == 2  # no favourite, and nobody was told


def test_the_ordeal_notices_a_post_that_is_missing_or_out_of_order_elsewhere() -> None:
    create, update = Arrival(1, "Create", "uri", "<p>un</p>"), Arrival(2, "Update", "uri", "<p>deux</p>")
    assert rises([create, create, update])
    assert not rises([create, update, create])
    post = Post("deux", number=1, uri="uri", confirmed=True)
    assert arrival_faults(post, []) == ["uri never arrived"]
    assert arrival_faults(post, [create]) == ["uri ended as <p>un</p>, not <p>deux</p>"]
    assert arrival_faults(post, [create, update]) == []
    post.deleted = True
    assert arrival_faults(post, [create]) == ["uri was deleted, and the last word is Create"]
