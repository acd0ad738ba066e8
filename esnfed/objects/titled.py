"""What posts with a title share: Article, Event, Page, Image, Audio and Video."""

from __future__ import annotations

from typing import Any

from esnfed.objects import parts
from esnfed.objects.form import Form
from esnfed.text.sanitise import plain
from esnfed.vocab import parse
from esnfed.vocab.parse import Document

MAX_TITLE = 500
MAX_TEASER = 5_000
TITLED = frozenset({"Article", "Event", "Page", "Image", "Audio", "Video"})
"""Types whose `name` is a title and whose `summary` is a teaser, not a content warning (federation.md B1)."""


class Titled(Form):
    """A post with a title, a teaser and a picture of its own."""

    def read(self, document: Document) -> dict[str, Any]:
        """Return title and teaser as plain text; only `sensitive` itself folds such a post."""
        return {
            "title": " ".join(plain(parse.text(document, "name", MAX_TITLE)).split()),
            "summary": plain(parse.text(document, "summary", MAX_TEASER)),
            "sensitive": parse.boolean(document, "sensitive"),
            "facts": self.facts(document) or None,
        }

    def facts(self, document: Document) -> dict[str, Any]:
        """Return what is said beside the text: {"about": address} of the first Link under `attachment`.

        Lemmy puts there what a Page is about, Mobilizon the web site of an Event.
        """
        links = (
            item.get("href")
            for item in parse.items(document.get("attachment"), 16)
            if isinstance(item, dict) and parse.type_of(item) == "Link"
        )
        about = next(filter(None, map(parse.web_address, links)), None)
        return {"about": about} if about else {}

    def attachments(self, document: Document) -> list[dict[str, Any]]:
        """Return the picture under `image`, where WordPress and Lemmy put the one that goes with a text."""
        pictures = [
            {"type": "Image"} | item
            for item in parse.items(document.get("image"), 4)
            if isinstance(item, dict)
        ]
        return parts.attachments_in({"attachment": pictures})
