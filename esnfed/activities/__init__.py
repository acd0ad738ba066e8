"""One file per activity type: what happens when it arrives. Importing this registers them all."""

from esnfed.activities import (
    accept,
    add,
    announce,
    block,
    create,
    delete,
    flag,
    follow,
    later,
    like,
    move,
    reject,
    remove,
    undo,
    update,
)

__all__ = [
    "accept",
    "add",
    "announce",
    "block",
    "create",
    "delete",
    "flag",
    "follow",
    "later",
    "like",
    "move",
    "reject",
    "remove",
    "undo",
    "update",
]
