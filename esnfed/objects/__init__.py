"""One file per object kind: rows to ActivityStreams documents and back. Importing this registers them all."""

from esnfed.objects import actor, article, event, media_object, note, page, question, tombstone

__all__ = ["actor", "article", "event", "media_object", "note", "page", "question", "tombstone"]
