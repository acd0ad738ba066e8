"""Markdown of record bodies in, sanitised HTML out."""

from __future__ import annotations

import mistune

from esnfed.errors import TooLarge
from esnfed.text.sanitise import sanitise

MARKDOWN_LIMIT = 100_000
"""Characters of Markdown in one body."""


class _Renderer(mistune.HTMLRenderer):
    """Mistune's, with images as links: a picture belongs to the attachments, its description to the text."""

    def image(self, text: str, url: str, title: str | None = None) -> str:
        return self.link(text or mistune.escape(url), url, title)


_markdown = mistune.create_markdown(
    renderer=_Renderer(escape=True), hard_wrap=False, plugins=["strikethrough", "url"]
)


def render(source: str) -> str:
    """Return the HTML of a Markdown text, sanitised.

    CommonMark, ~~struck~~ and bare links; raw HTML is shown as text. TooLarge over MARKDOWN_LIMIT characters.
    """
    if len(source) > MARKDOWN_LIMIT:
        raise TooLarge
    return sanitise(str(_markdown(source)))
