"""Image, Audio and Video as posts: videos of PeerTube, sounds of Funkwhale and Castopod, single pictures."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from esnfed.objects import parts
from esnfed.objects.duration import duration
from esnfed.objects.note import arriving
from esnfed.objects.titled import Titled
from esnfed.vocab import parse
from esnfed.vocab.parse import Document


@arriving("Image", "Audio", "Video")
class MediaObject(Titled):
    """The post is the file: its address is among the Links under `url`."""

    def attachments(self, document: Document) -> list[dict[str, Any]]:
        """Return the file, the first of its media type, then the picture that goes with it."""
        as_type = parse.type_of(document)
        link = next(_links(document, as_type), None)
        if link is None:
            return super().attachments(document)
        item = {
            "type": as_type,
            "url": link.get("href"),
            "mediaType": link.get("mediaType"),
            "name": document.get("name"),
            "width": link.get("width") or document.get("width"),
            "height": link.get("height") or document.get("height"),
            "blurhash": document.get("blurhash"),
        }
        files = [
            file | {"duration": duration(document.get("duration"))}
            for file in parts.attachments_in({"attachment": item})
        ]
        return files + super().attachments(document)


def _links(document: Document, as_type: str) -> Iterator[Document]:
    """Yield the Links to files of this kind; PeerTube keeps them inside the `tag` of the playlist's Link."""
    wanted = f"{as_type.lower()}/"
    for item in parse.items(document.get("url"), 32):
        if isinstance(item, str):
            item = {"href": item, "mediaType": document.get("mediaType")}
        if not isinstance(item, dict):
            continue
        for link in (item, *parse.items(item.get("tag"), 64)):
            if isinstance(link, dict) and parse.text(link, "mediaType", 100).startswith(wanted):
                yield link
