"""Polls as documents: whatever arrives becomes a poll within its bounds, or none."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from esnfed.objects import question
from esnfed.objects.question import MAX_OPTION, MAX_OPTIONS
from esnfed.vocab import parse
from tests.unit.objects.documents import documents, values

NOW = 1_767_225_600_000


def option(name: Any, votes: Any = 0) -> dict[str, Any]:
    return {"type": "Note", "name": name, "replies": {"type": "Collection", "totalItems": votes}}


@settings(max_examples=40, deadline=None)
@given(documents("oneOf", "anyOf", "endTime", "closed", "votersCount"))
def test_any_document_gives_a_poll_within_its_bounds_or_none(document: dict[str, Any]) -> None:
    found = question.read(document, NOW)
    if found is None:
        return
    assert 1 <= len(found["options"]) == len(found["tallies"]) <= MAX_OPTIONS
    assert all(isinstance(name, str) and 0 < len(name) <= MAX_OPTION for name in found["options"])
    assert all(0 <= votes < 1 << 31 for votes in found["tallies"])
    assert found["closed_at"] is None or found["closed_at"] <= NOW
    assert found["voters_count"] is None or found["voters_count"] >= 0


@settings(max_examples=40, deadline=None)
@given(st.dictionaries(st.sampled_from(["type", "name", "content", "contentMap", "inReplyTo"]), values))
def test_only_a_note_with_a_name_and_without_content_in_answer_to_something_is_a_vote(
    document: dict[str, Any],
) -> None:
    if question.is_vote(document):
        assert document["type"] == "Note"
        assert isinstance(document["name"], str)
        assert not isinstance(document.get("content"), str) or not document["content"].strip("\x00")
        assert document["inReplyTo"]


@settings(max_examples=40, deadline=None)
@given(
    st.lists(
        st.tuples(st.text("abc déf", min_size=1, max_size=30).filter(str.strip), st.integers(0, 999)),
        min_size=1,
        max_size=MAX_OPTIONS,
    ),
    st.booleans(),
    st.integers(NOW, NOW + 10**10),
)
def test_a_well_formed_poll_is_read_as_it_was_meant(
    answers: list[tuple[str, int]], multiple: bool, ends: int
) -> None:
    document = {
        "anyOf" if multiple else "oneOf": [option(name, votes) for name, votes in answers],
        "endTime": parse.iso(ends),
        "votersCount": 7,
    }
    assert question.read(document, NOW) == {
        "multiple": multiple,
        "options": [name.strip() for name, _ in answers],
        "tallies": [votes for _, votes in answers],
        "voters_count": 7,
        "expires_at": ends,
        "closed_at": None,
    }


@pytest.mark.parametrize(
    ("closed", "closed_at"),
    [
        (True, NOW),
        (False, None),
        ("yes", None),
        ("2025-12-31T00:00:00Z", NOW - 86_400_000),
        ("2027-01-01T00:00:00Z", NOW),
    ],
)
def test_closed_is_a_time_or_true_and_never_later_than_now(closed: Any, closed_at: int | None) -> None:
    found = question.read({"oneOf": [option("un")], "closed": closed}, NOW)
    assert found is not None
    assert found["closed_at"] == closed_at


def test_more_answers_than_twenty_and_longer_ones_are_cut() -> None:
    found = question.read({"oneOf": [option(f"{number} {'x' * 600}") for number in range(30)]}, NOW)
    assert found is not None
    assert len(found["options"]) == MAX_OPTIONS
    assert {len(name) for name in found["options"]} == {MAX_OPTION}


@pytest.mark.parametrize(
    "document",
    [{}, {"oneOf": []}, {"oneOf": "un"}, {"oneOf": [option("")]}, {"oneOf": [option(None)]}],
    ids=["nothing", "no answer", "a text", "an empty answer", "an answer without a name"],
)
def test_a_question_without_answers_is_no_poll(document: dict[str, Any]) -> None:
    assert question.read(document, NOW) is None
