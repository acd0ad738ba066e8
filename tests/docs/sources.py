"""Reads our own source: what is sent is known only from the calls that send it."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

from tests.docs.pages import ROOT

ACTIVITY_TYPES = frozenset(
    (
        *("Accept", "Add", "Announce", "Arrive", "Block", "Create", "Delete", "Dislike", "Flag", "Follow"),
        *("Ignore", "Invite", "Join", "Leave", "Like", "Listen", "Move", "Offer", "Reject"),
        *("Read", "Remove", "TentativeReject", "TentativeAccept", "Travel", "Undo", "Update", "View"),
    )
)
"""The activity types of the ActivityStreams vocabulary; Question, which is one there, travels as a post."""

PROGRAM = ROOT / "esnfed"


def trees(*folders: str) -> Iterator[ast.AST]:
    """Yield the syntax tree of every file under these folders of the program."""
    for folder in folders:
        for path in sorted((PROGRAM / folder).rglob("*.py")):
            yield ast.parse(path.read_text("utf-8"), filename=str(path))


def sent_activities() -> set[str]:
    """Return the activity types that a service hands to a call which sends one."""
    return {
        argument.value
        for tree in trees("services", "records")
        for call in ast.walk(tree)
        if isinstance(call, ast.Call) and _called(call) in {"send", "_send", "_answer"}
        for argument in call.args
        if isinstance(argument, ast.Constant) and argument.value in ACTIVITY_TYPES
    }


def _called(call: ast.Call) -> str:
    return call.func.attr if isinstance(call.func, ast.Attribute) else getattr(call.func, "id", "")


def sent_types() -> set[str]:
    """Return every ActivityStreams type that stands as `"type": "..."` in what the program writes."""
    return {
        value.value
        for tree in trees("objects", "activitypub", "records", "services")
        for node in ast.walk(tree)
        if isinstance(node, ast.Dict)
        for key, value in zip(node.keys, node.values, strict=True)
        if isinstance(key, ast.Constant) and key.value == "type"
        if isinstance(value, ast.Constant) and isinstance(value.value, str) and value.value[:1].isupper()
    }


def proposals() -> set[str]:
    """Return the Fediverse Enhancement Proposals that the program's comments name."""
    text = "".join(path.read_text("utf-8") for path in sorted(PROGRAM.rglob("*.py")))
    return set(re.findall(r"FEP-[0-9a-f]{4}", text))


def exists(path: str) -> bool:
    """Say whether a path from the top folder is there."""
    return (ROOT / Path(path)).exists()
