"""What a network room adds to the pages of the social core, which knows nothing of that room."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import RowMapping

from esnfed import registry
from esnfed.context import Context
from esnfed.http.reader import Reader


@dataclass(frozen=True, slots=True)
class Panel:
    """A template that is given as `panel` what `read(context, reader, subject)` returns in the page's read.

    Registered as `page:name`, for example `home:records`. The subject is the row that the page is about: on
    `actor` the actor, on `home` none.
    """

    template: str
    read: Callable[[Context, Reader, RowMapping | None], Any]


@dataclass(frozen=True, slots=True)
class Inset:
    """What stands in a post's card: `read(context, status_ids, reader)` gives a value for each that has one.

    Registered as `post:name`; the value is `post.name` in the macros. It is hashable and holds all that its
    HTML depends on: cards are kept by it.
    """

    read: Callable[[Context, Collection[int], Reader], Mapping[int, Any]]


Insets = tuple[tuple[str, Any], ...]
"""(name, value) pairs of one post."""


def of_page(
    context: Context, page: str, reader: Reader, subject: RowMapping | None = None
) -> list[tuple[str, Any]]:
    """Return (template, what it is given) of each panel registered for a page, by name."""
    on_page = [panel for name, panel in registry.panels.items() if name.startswith(f"{page}:")]
    return [(panel.template, panel.read(context, reader, subject)) for panel in on_page]


def insets(context: Context, status_ids: Collection[int], reader: Reader) -> dict[int, Insets]:
    """Return the insets of these posts; a post without any is left out."""
    found: dict[int, Insets] = {}
    for name, inset in registry.panels.items():
        place, _, title = name.partition(":")
        if place == "post":
            for status_id, value in inset.read(context, status_ids, reader).items():
                found[status_id] = (*found.get(status_id, ()), (title, value))
    return found
