"""The HTML of posts, kept between two pages: bounded in bytes, one store per node, rebuilt from rows."""

from __future__ import annotations

from collections import OrderedDict

from esnfed.rendering import Renderer
from esnfed.services.views import StatusView
from esnfed.web import presenters

LIMIT = 16 << 20

Key = tuple[int, int, int, int, str, bool]


class Fragments:
    """Post cards by status, its version, its author's version and the language; no viewer is in them."""

    def __init__(self, renderer: Renderer, limit: int = LIMIT) -> None:
        self._renderer = renderer
        self._limit = limit
        self._size = 0
        self._kept: OrderedDict[Key, str] = OrderedDict()

    def card(self, view: StatusView, locale: str, *, main: bool = False) -> str:
        """Return the card of one post; `main` is the one that its page is about."""
        shown = view.boosted or view
        key = (
            view.status["id"],
            shown.status["version"],
            shown.author["updated_at"],
            view.author["updated_at"],
            locale,
            main,
        )
        found = self._kept.get(key)
        if found is not None:
            self._kept.move_to_end(key)
            return found
        card = str(
            self._renderer.fragment("macros/posts.html", "post_card", locale, presenters.post(view), main)
        )
        self._keep(key, card)
        return card

    def _keep(self, key: Key, card: str) -> None:
        self._kept[key] = card
        self._size += len(card)
        while self._size > self._limit:
            _, oldest = self._kept.popitem(last=False)
            self._size -= len(oldest)

    def cards(self, views: list[StatusView], locale: str) -> list[str]:
        """Return the cards of a page of posts."""
        return [self.card(view, locale) for view in views]
