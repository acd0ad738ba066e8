"""The order in which servers are looked at."""

from __future__ import annotations

from esnfed.federation.agenda import Agenda


def test_the_earliest_comes_first_and_only_when_due() -> None:
    agenda = Agenda()
    for host, due in (("late", 30), ("early", 10), ("middle", 20)):
        agenda.put(host, due)
    assert agenda.take(5, 9) == []
    assert agenda.take(20, 9) == ["early", "middle"]
    assert agenda.next_due() == 30
    assert len(agenda) == 1


def test_hosts_due_at_once_take_turns() -> None:
    agenda = Agenda()
    for host in "abc":
        agenda.put(host, 0)
    turns = []
    for _ in range(6):
        (host,) = agenda.take(0, 1)
        turns.append(host)
        agenda.put(host, 0)
    assert turns == list("abcabc")


def test_waking_brings_forward_and_keeps_the_place_of_those_that_are_due() -> None:
    agenda = Agenda()
    agenda.put("due", 5)
    agenda.put("later", 50)
    agenda.wake(["later", "due", "new"], 10)
    assert agenda.take(10, 9) == ["due", "later", "new"]


def test_putting_again_replaces_also_with_a_later_time() -> None:
    agenda = Agenda()
    agenda.put("host", 5)
    agenda.put("host", 50)
    assert agenda.take(10, 9) == []
    assert agenda.next_due() == 50


def test_memory_does_not_grow_with_the_number_of_changes() -> None:
    agenda = Agenda()
    for change in range(10_000):
        agenda.put(f"host{change % 10}", change)
    assert len(agenda) == 10
    assert len(agenda._heap) < 100
    assert agenda.take(10_000, 99) == [f"host{number}" for number in range(10)]
