"""Panels: parts that a network room adds to a page of the social core, which knows nothing of that room."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from esnfed import registry
from esnfed.context import Context


@dataclass(frozen=True, slots=True)
class Panel:
    """A template that is given `panel`, which `read(context, locale)` returns from the page's own read."""

    template: str
    read: Callable[[Context, str], Any]


def of_page(page: str) -> list[Panel]:
    """Return the panels registered as `page:name`, by name."""
    return [panel for name, panel in registry.panels.items() if name.startswith(f"{page}:")]
