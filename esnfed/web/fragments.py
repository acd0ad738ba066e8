"""The HTML of posts, kept between two pages: bounded in bytes, one store per node, rebuilt from rows."""

from __future__ import annotations

from collections import OrderedDict

from esnfed.http.panels import Insets
from esnfed.http.reader import Reader
from esnfed.rendering import Renderer
from esnfed.services.views import PollView, StatusView
from esnfed.web import presenters
from esnfed.web.shown import Shown

LIMIT = 16 << 20

Key = tuple[int, int, int, int, str, str | None, bool, Insets, PollView | None]


class Fragments:
    """Post cards by status, its version, its authors' versions and the languages; no viewer is in them."""

    def __init__(self, renderer: Renderer, limit: int = LIMIT) -> None:
        self._renderer = renderer
        self._limit = limit
        self._size = 0
        self._kept: OrderedDict[Key, str] = OrderedDict()

    def card(self, shown: Shown, reader: Reader, *, main: bool = False) -> str:
        """Return the card of one post; `main` is the one that its page is about."""
        key = _key(shown.view, shown.insets, reader, main)
        found = self._kept.get(key)
        if found is not None:
            self._kept.move_to_end(key)
            return found
        values = presenters.post(shown.view, key[5], shown.insets)
        card = str(self._renderer.fragment("macros/posts.html", "post_card", reader.locale, values, main))
        self._keep(key, card)
        return card

    def _keep(self, key: Key, card: str) -> None:
        self._kept[key] = card
        self._size += len(card.encode())
        while self._size > self._limit:
            _, oldest = self._kept.popitem(last=False)
            self._size -= len(oldest.encode())

    def cards(self, posts: list[Shown], reader: Reader) -> list[str]:
        """Return the cards of a page of posts."""
        return [self.card(shown, reader) for shown in posts]


def _key(view: StatusView, insets: Insets, reader: Reader, main: bool) -> Key:
    post = view.boosted or view
    return (
        view.status["id"],
        post.status["version"],
        post.author["updated_at"],
        view.author["updated_at"],
        reader.locale,
        presenters.language_of(post.status, reader),
        main,
        insets,
        post.poll,
    )
