"""One file per object kind: rows to ActivityStreams documents and back. Importing this registers them all."""

from esnfed.objects import actor, note, tombstone

__all__ = ["actor", "note", "tombstone"]
