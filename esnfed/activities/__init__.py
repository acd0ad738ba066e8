"""One file per activity type: what happens when it arrives. Importing this registers them all."""

from esnfed.activities import accept, announce, create, delete, follow, like, reject, undo, update

__all__ = ["accept", "announce", "create", "delete", "follow", "like", "reject", "undo", "update"]
