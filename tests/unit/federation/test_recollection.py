"""What is kept in mind of the database: bounded, for a while, and never from before the last change."""

from __future__ import annotations

from collections.abc import Callable

from esnfed.federation.recollection import LIFETIME, Recollection
from tests.doubles.clock import Clock


def kept(*keys: str, limit: int = 10) -> tuple[Clock, Recollection[str, int]]:
    clock = Clock()
    found: Recollection[str, int] = Recollection(clock, limit)
    for number, key in enumerate(keys):
        found.keep(key, number, found.mark)
    return clock, found


def test_an_answer_is_used_for_a_minute_and_shown_longer_to_who_cannot_read() -> None:
    clock, found = kept("a")
    clock.advance(LIFETIME - 1)
    assert found.get("a") == 0
    clock.advance(1)
    assert found.get("a") is None
    assert found.last("a") == 0


def test_an_answer_on_its_way_while_something_changed_is_not_kept() -> None:
    _, found = kept()
    changes: list[Callable[[], None]] = [lambda: found.forget("a"), found.note_change]
    for change in changes:
        mark = found.mark
        change()
        found.keep("a", 1, mark)
        assert not found.holds(mark)
        assert found.get("a") is None


def test_an_answer_from_before_a_change_takes_a_newer_one_with_it() -> None:
    _, found = kept()
    old = found.mark
    found.forget("a")
    found.keep("a", 2, found.mark)
    found.keep("a", 1, old)
    assert found.last("a") is None


def test_the_one_needed_longest_ago_leaves_first() -> None:
    _, found = kept("a", "b", limit=2)
    assert found.get("a") == 0
    found.keep("c", 2, found.mark)
    assert [key for key, _ in found] == ["a", "c"]
    assert len(found) == 2
