"""Acts of people who write: posts, replies, edits, deletions, and a new word on the profile."""

from __future__ import annotations

from random import Random

from esnfed.cli.demonstration.acts import later_posts, others_posts, people, somewhere, worded
from esnfed.cli.demonstration.deeds import draft
from esnfed.cli.demonstration.script import repertoire
from esnfed.context import Context
from esnfed.services import actors, statuses

KEPT = 2
"""Newest posts of a person that are never deleted, so that a watcher can look at them."""


@somewhere
def post(context: Context, random: Random) -> bool:
    """Somebody writes something new."""
    for row, person in people(context, random, heard=True):
        texts = {person.language: worded(random, repertoire().posts, person.language)}
        statuses.post(context, draft(context, row, texts))
        return True
    return False


@somewhere
def reply(context: Context, random: Random) -> bool:
    """Somebody answers a post from another node that has no answer from there yet."""
    for row, person in people(context, random):
        for parent in others_posts(context, random):
            if parent["replies_count"] < 3 and parent["in_reply_to_actor_id"] != row["id"]:
                texts = {person.language: worded(random, repertoire().replies, person.language)}
                statuses.post(context, draft(context, row, texts, in_reply_to_id=parent["id"]))
                return True
    return False


@somewhere
def edit(context: Context, random: Random) -> bool:
    """Somebody adds a line to a later post of theirs, once."""
    for row, person in people(context, random):
        for written in later_posts(context, row["id"]):
            if written["version"] == 1:
                addition = random.choice(repertoire().additions[person.language])
                texts = {person.language: f"{written['source']}\n\n{addition}"}
                fresh = draft(context, row, texts, visibility=written["visibility"])
                statuses.revise(context, written["id"], fresh)
                return True
    return False


@somewhere
def delete(context: Context, random: Random) -> bool:
    """Somebody takes back a later post that nobody answered, not one of the newest."""
    for row, _person in people(context, random):
        for written in reversed(later_posts(context, row["id"])[KEPT:]):
            if not written["replies_count"]:
                statuses.remove(context, written["id"], row["id"])
                return True
    return False


@somewhere
def introduce(context: Context, random: Random) -> bool:
    """Somebody adds another sentence to their profile."""
    for row, person in people(context, random, heard=True):
        motto = random.choice(repertoire().mottos[person.language])
        summary = f"{person.summary}<p>{motto}</p>"
        if summary != row["summary"]:
            actors.edit(context, row, {"summary": summary})
            return True
    return False
