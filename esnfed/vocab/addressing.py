"""Who an activity or object is for: `to` and `cc` to one visibility, and back (federation.md A4)."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Literal

from esnfed.vocab.terms import PUBLIC, PUBLIC_SPELLINGS

Visibility = Literal["public", "unlisted", "followers", "direct"]

READABLE_BY_ALL: frozenset[str] = frozenset({"public", "unlisted"})


def visibility(to: Iterable[str], cc: Iterable[str], followers: str | None) -> Visibility:
    """Return the visibility that peers mean: Public in `to`, Public in `cc`, the author's followers, or none.

    `followers` is the id of the author's followers collection, compared literally, as Mastodon does.
    """
    to, cc = set(to), set(cc)
    if to & PUBLIC_SPELLINGS:
        return "public"
    if cc & PUBLIC_SPELLINGS:
        return "unlisted"
    if followers and followers in to | cc:
        return "followers"
    return "direct"


def addressing(
    kind: Visibility, followers: str, mentioned: Sequence[str] = ()
) -> tuple[list[str], list[str]]:
    """Return (`to`, `cc`) for a visibility: the full Public address, and always lists (FEP-ae0c)."""
    if kind == "public":
        return [PUBLIC], [followers, *mentioned]
    if kind == "unlisted":
        return [followers], [PUBLIC, *mentioned]
    if kind == "followers":
        return [followers], list(mentioned)
    return list(mentioned), []
