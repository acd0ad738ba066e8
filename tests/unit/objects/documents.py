"""Documents for hypothesis: JSON of every shape, and objects whose known properties hold anything."""

from __future__ import annotations

from typing import Any

from hypothesis import strategies as st

URI = "https://peer.example/notes/1"
AUTHOR: dict[str, Any] = {
    "id": 1,
    "uri": "https://peer.example/users/alice",
    "followers_uri": "https://peer.example/users/alice/followers",
}

scalars: st.SearchStrategy[Any] = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-(1 << 40), 1 << 40),
    st.floats(allow_nan=False, allow_infinity=False),
    st.text(max_size=40),
    st.sampled_from(
        [
            "https://peer.example/x",
            "https://peer.example/\x00",
            "Link",
            "Note",
            "Image",
            "Place",
            "video/mp4",
            "2026-01-01T00:00:00Z",
            "9999-12-31T23:59:59+14:00",
            "PT5S",
            "Europe/Paris",
            "../../etc/passwd",
        ]
    ),
)
KEYS = (
    "type",
    "id",
    "name",
    "url",
    "href",
    "mediaType",
    "replies",
    "totalItems",
    "address",
    "tag",
    "content",
)
values: st.SearchStrategy[Any] = st.recursive(
    scalars,
    lambda inner: st.one_of(
        st.lists(inner, max_size=6),
        st.dictionaries(st.one_of(st.sampled_from(KEYS), st.text(max_size=8)), inner, max_size=6),
    ),
    max_leaves=24,
)


def documents(*names: str) -> st.SearchStrategy[dict[str, Any]]:
    """Return objects in which each of these properties is absent or anything."""
    return st.fixed_dictionaries({}, optional=dict.fromkeys(names, values))
