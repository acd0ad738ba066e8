"""Paging by key: the Link header and the parameters that it leads to."""

from __future__ import annotations

import pytest
from aiohttp.test_utils import make_mocked_request

from esnfed.errors import Malformed
from esnfed.http.paging import identifier, limit, link_header, parse_identifier

ORIGIN = "https://lyon.esn.test"


def test_the_link_header_keeps_the_filters_and_replaces_the_cursors() -> None:
    header = link_header(
        ORIGIN, "/api/esn/v1/records", {"kind": "call", "max_id": "9", "since_id": "1"}, newest=8, oldest=3
    )
    assert header == (
        f'<{ORIGIN}/api/esn/v1/records?kind=call&max_id=3>; rel="next", '
        f'<{ORIGIN}/api/esn/v1/records?kind=call&min_id=8>; rel="prev"'
    )


def test_an_empty_page_has_no_links() -> None:
    assert link_header(ORIGIN, "/x", {}, newest=None, oldest=None) == ""


def test_filters_are_encoded() -> None:
    header = link_header(ORIGIN, "/x", {"q": 'a">; rel="x"&b'}, newest=None, oldest=1)
    assert header == f'<{ORIGIN}/x?q=a%22%3E%3B+rel%3D%22x%22%26b&max_id=1>; rel="next"'


@pytest.mark.parametrize("value", ["-1", "1.5", "x", "9223372036854775808", "٣", "1" * 400])
def test_what_is_no_id_is_refused(value: str) -> None:
    with pytest.raises(Malformed):
        parse_identifier(value)


@pytest.mark.parametrize(("query", "expected"), [("", None), ("max_id=", None), ("max_id=42", 42)])
def test_an_id_of_the_query_string(query: str, expected: int | None) -> None:
    assert identifier(make_mocked_request("GET", f"/x?{query}"), "max_id") == expected


@pytest.mark.parametrize(("query", "expected"), [("", 20), ("limit=5", 5), ("limit=0", 1), ("limit=999", 40)])
def test_a_limit_stays_within_its_bounds(query: str, expected: int) -> None:
    assert limit(make_mocked_request("GET", f"/x?{query}"), 20, 40) == expected


def test_a_limit_that_is_no_number_is_refused() -> None:
    with pytest.raises(Malformed):
        limit(make_mocked_request("GET", "/x?limit=many"), 20, 40)
