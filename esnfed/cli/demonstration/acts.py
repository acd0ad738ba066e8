"""What every act of the living demonstration needs: who is there, and what they may act upon."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from functools import wraps
from random import Random
from typing import TypeVar

from sqlalchemy import RowMapping, bindparam, select

from esnfed.cli.demonstration.deeds import vary
from esnfed.cli.demonstration.script import Home, Person, cast, repertoire, story
from esnfed.cli.demonstration.stage import Stage
from esnfed.context import Context
from esnfed.models import status
from esnfed.services import actors, outbox

RECENT = 30

Act = Callable[[Stage, Random], Awaitable[bool]]
"""One kind of act: True when it was done, False when there is nothing to do it to."""

Deed = Callable[[Context, Random], bool]

Item = TypeVar("Item")

_OTHERS_POSTS = (
    select(status)
    .where(
        status.c.local.is_(False),
        status.c.as_type == "Note",
        status.c.visibility == "public",
        status.c.deleted_at.is_(None),
    )
    .order_by(status.c.id.desc())
    .limit(RECENT)
)
_OWN_POSTS = (
    select(status)
    .where(
        status.c.actor_id == bindparam("actor_id"),
        status.c.as_type == "Note",
        status.c.source.is_not(None),
        status.c.deleted_at.is_(None),
    )
    .order_by(status.c.id.desc())
    .limit(RECENT)
)


def somewhere(deed: Deed) -> Act:
    """Decorate a deed of one node: the act tries the nodes in random order until it is done on one."""

    @wraps(deed)
    async def act(stage: Stage, random: Random) -> bool:
        for key in shuffled(random, list(stage.nodes)):
            if await stage.nodes[key].database.write(deed, random):
                return True
        return False

    return act


def shuffled(random: Random, items: list[Item]) -> list[Item]:
    """Return the items in random order."""
    return random.sample(items, len(items))


def home_of(context: Context) -> Home | None:
    """Return what the script knows of this node."""
    key = context.config.domain.partition(".")[0]
    return next((home for home in cast().nodes if home.key == key), None)


def people(context: Context, random: Random, *, heard: bool = False) -> list[tuple[RowMapping, Person]]:
    """Return the people of the script who live on this node, in random order, with their rows.

    With `heard` only those whom somebody follows from another node: what they say travels.
    """
    home = home_of(context)
    known = ((actors.local_by_handle(context, each.handle), each) for each in (home.people if home else []))
    here = [(row, each) for row, each in known if row is not None and not row["deleted_at"]]
    if heard:
        here = [(row, each) for row, each in here if outbox.follower_inboxes(context, row["id"])]
    return shuffled(random, here)


def others_posts(context: Context, random: Random) -> list[RowMapping]:
    """Return the newest public posts of other nodes that are here, in random order."""
    return shuffled(random, list(context.connection.execute(_OTHERS_POSTS).mappings()))


def later_posts(context: Context, actor_id: int) -> list[RowMapping]:
    """Return the newest posts of a local actor that are no part of the story, newest first."""
    told = {post.source for post in story().posts}
    rows = context.connection.execute(_OWN_POSTS, {"actor_id": actor_id}).mappings()
    return [row for row in rows if row["source"] not in told]


def worded(random: Random, choices: dict[str, list[str]], language: str) -> str:
    """Return one of the texts of a language, its place and number filled in."""
    values = {
        "place": random.choice(repertoire().places[language]),
        "number": str(random.randint(3, 48)),
    }
    return vary(random.choice(choices[language]), values)
