"""Pages of a list are turned both ways without losing or repeating an entry."""

from __future__ import annotations

import pytest
from aiohttp import web
from aiohttp.test_utils import make_mocked_request

from esnfed.http.leaves import Leaf, Turn, cut, links

ENTRIES = list(range(100, 0, -1))
SIZE = 7


def leaf_at(turn: Turn) -> Leaf[int]:
    """A page as a query answers it: one entry more than fits, newest first."""
    if turn.min_id is not None:
        found = [entry for entry in ENTRIES if entry > turn.min_id][-SIZE - 1 :]
    else:
        found = [entry for entry in ENTRIES if turn.max_id is None or entry < turn.max_id][: SIZE + 1]
    return cut(found, turn, SIZE, int)


def test_going_to_the_end_shows_every_entry_once() -> None:
    shown, leaf = [], leaf_at(Turn())
    assert leaf.newer is None
    while True:
        shown += leaf.rows
        if leaf.older is None:
            break
        leaf = leaf_at(Turn(max_id=leaf.older))
    assert shown == ENTRIES


def test_coming_back_shows_the_same_pages_until_the_beginning() -> None:
    forth = [leaf_at(Turn())]
    while forth[-1].older is not None:
        forth.append(leaf_at(Turn(max_id=forth[-1].older)))
    back, leaf = [forth[-1].rows], forth[-1]
    while leaf.newer is not None:
        leaf = leaf_at(Turn(min_id=leaf.newer))
        back.append(leaf.rows)
    assert leaf.is_beginning
    assert back[::-1] == [leaf.rows for leaf in forth]


def test_beyond_the_end_there_is_a_way_back() -> None:
    leaf = leaf_at(Turn(max_id=1))
    assert (leaf.rows, leaf.older) == ([], None)
    assert leaf_at(Turn(min_id=leaf.newer)).rows == [7, 6, 5, 4, 3, 2, 1]


def test_links_keep_the_filters_and_drop_the_language() -> None:
    request = make_mocked_request("GET", "/records?kind=call&max_id=9&lang=fr")
    assert links(request, Leaf([8, 7], newer=8, older=7)) == {
        "newer": "/records?kind=call&min_id=8",
        "older": "/records?kind=call&max_id=7",
    }


def test_the_beginning_is_the_first_page() -> None:
    request = make_mocked_request("GET", "/records?kind=call&min_id=9")
    with pytest.raises(web.HTTPSeeOther) as raised:
        links(request, Leaf([10], is_beginning=True))
    assert str(raised.value.location) == "/records?kind=call"
