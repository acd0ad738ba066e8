"""Canonical JSON: the vectors of RFC 8785, and the two roads to it, which must give the same."""

from __future__ import annotations

import json
import struct
from pathlib import Path
from typing import Any

import orjson
import pytest
import rfc8785
from hypothesis import given
from hypothesis import strategies as st

from esnfed.errors import Malformed
from esnfed.federation import jcs
from esnfed.federation.jcs import MAX_INTEGER, canonical

VECTORS = json.loads((Path(__file__).parents[2] / "fixtures" / "rfc8785" / "vectors.json").read_text("utf-8"))

ASCII = st.text(st.characters(min_codepoint=0, max_codepoint=127))
TEXTS = st.text(st.characters(exclude_categories=["Cs"]))
SAFE = st.integers(-MAX_INTEGER, MAX_INTEGER)


def values(keys: st.SearchStrategy[str], leaves: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    """JSON of these keys and leaves."""
    return st.recursive(
        leaves,
        lambda inner: st.lists(inner, max_size=5) | st.dictionaries(keys, inner, max_size=5),
        max_leaves=20,
    )


PLAIN = values(ASCII, st.none() | st.booleans() | SAFE | TEXTS)
ANY = values(
    TEXTS, st.none() | st.booleans() | SAFE | TEXTS | st.floats(allow_nan=False, allow_infinity=False)
)


@pytest.mark.parametrize("vector", VECTORS["documents"], ids=lambda vector: vector["name"])
def test_the_documents_of_the_standard(vector: dict[str, str]) -> None:
    assert canonical(orjson.loads(vector["text"])).decode() == vector["canonical"]


@pytest.mark.parametrize("vector", VECTORS["numbers"], ids=lambda vector: vector["bits"])
def test_the_numbers_of_the_standard(vector: dict[str, str | None]) -> None:
    number = struct.unpack(">d", bytes.fromhex(vector["bits"] or ""))[0]
    if vector["text"] is None:
        with pytest.raises(Malformed):
            canonical([number])
    else:
        assert canonical([number]).decode() == f"[{vector['text']}]"


def test_a_negative_zero_is_written_without_its_sign() -> None:
    assert (
        canonical({"a": -0.0, "b": orjson.loads(b"-0.0"), "c": orjson.loads(b"-0")}) == b'{"a":0,"b":0,"c":0}'
    )


@given(PLAIN)
def test_both_roads_give_the_same_where_the_short_one_is_taken(value: Any) -> None:
    assert jcs._is_plain(value)
    assert canonical(value) == rfc8785.dumps(value)


@given(ANY)
def test_whatever_the_road_the_result_is_that_of_the_standard(value: Any) -> None:
    assert canonical(value) == rfc8785.dumps(value)


@given(values(TEXTS, st.none() | st.booleans() | SAFE | TEXTS | st.floats(-1e15, 1e15)))
def test_what_is_canonical_stays_as_it_is(value: Any) -> None:
    once = canonical(value)
    assert canonical(orjson.loads(once)) == once


class Text(str):
    """A text that is not of JSON's own type."""

    __slots__ = ()


@pytest.mark.parametrize(
    "value",
    [1.0, [1.5], {"a": {"b": [0.0]}}, {"é": 1}, {"\ufb33": 1}, Text("a"), (1,), MAX_INTEGER + 1],
    ids=[
        "float",
        "in a list",
        "deep inside",
        "key",
        "key past the surrogates",
        "own type",
        "tuple",
        "integer",
    ],
)
def test_the_short_road_is_not_taken_for(value: Any) -> None:
    assert not jcs._is_plain(value)


def test_keys_are_ordered_by_utf_16_where_a_sorted_dump_orders_by_bytes() -> None:
    value = {"\ufb33": 1, "\U0001f600": 2}
    assert canonical(value) == '{"\U0001f600":2,"\ufb33":1}'.encode()
    assert orjson.dumps(value, option=orjson.OPT_SORT_KEYS) != canonical(value)


@pytest.mark.parametrize(
    "value",
    [1 << 53, -(1 << 53), 1 << 70, float("nan"), float("inf"), "\ud800", {"\ud800": 1}, {1: 2}, b"a", {1, 2}],
)
def test_what_has_no_canonical_form_is_refused(value: Any) -> None:
    for inside in (value, [value], {"a": value}):
        with pytest.raises(Malformed):
            canonical(inside)
