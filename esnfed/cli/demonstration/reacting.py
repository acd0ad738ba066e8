"""Acts of people who react: likes, boosts, follows, answers to requests, and taking them back."""

from __future__ import annotations

from random import Random

from sqlalchemy import RowMapping, bindparam, select

from esnfed.cli.demonstration.acts import others_posts, people, shuffled, somewhere
from esnfed.cli.demonstration.deeds import ask_to_follow
from esnfed.cli.demonstration.script import cast
from esnfed.cli.demonstration.stage import Stage
from esnfed.context import Context
from esnfed.models import actor, favourite, follow, status
from esnfed.services import follows, interactions, statuses

_LIKED = (
    select(status)
    .join(favourite, favourite.c.status_id == status.c.id)
    .where(
        favourite.c.actor_id == bindparam("actor_id"),
        status.c.local.is_(False),
        status.c.deleted_at.is_(None),
    )
)
_BOOSTED = select(status.c.boost_of_id).where(
    status.c.actor_id == bindparam("actor_id"), status.c.as_type == "Announce"
)
_ASKED = select(follow).where(follow.c.target_id == bindparam("actor_id"), follow.c.state == "pending")
_FOLLOWED = (
    select(actor)
    .join(follow, follow.c.target_id == actor.c.id)
    .where(follow.c.actor_id == bindparam("actor_id"), follow.c.state == "accepted", actor.c.local.is_(False))
)


@somewhere
def like(context: Context, random: Random) -> bool:
    """Somebody likes a post from another node."""
    return any(
        interactions.like(context, row, written)
        for row, _person in people(context, random)
        for written in others_posts(context, random)
    )


@somewhere
def unlike(context: Context, random: Random) -> bool:
    """Somebody takes a like back."""
    for row, _person in people(context, random):
        liked = list(context.connection.execute(_LIKED, {"actor_id": row["id"]}).mappings())
        if liked:
            return interactions.unlike(context, row, random.choice(liked))
    return False


@somewhere
def boost(context: Context, random: Random) -> bool:
    """Somebody boosts a post from another node."""
    for row, _person in people(context, random):
        for written in others_posts(context, random):
            if interactions.boost_by(context, row["id"], written["id"]) is None:
                interactions.boost(context, row, written)
                return True
    return False


@somewhere
def unboost(context: Context, random: Random) -> bool:
    """Somebody takes a boost back."""
    for row, _person in people(context, random):
        boosted = list(context.connection.execute(_BOOSTED, {"actor_id": row["id"]}).scalars())
        if boosted:
            return interactions.unboost(context, row, statuses.by_id(context, random.choice(boosted)))
    return False


async def follow_somebody(stage: Stage, random: Random) -> bool:
    """Somebody begins to follow somebody of another node, who may be new to their own."""
    names = [f"{each.handle}@{home.key}" for home in cast().nodes for each in home.people]
    pairs = [
        (who, whom) for who in names for whom in names if who.partition("@")[2] != whom.partition("@")[2]
    ]
    for who, whom in shuffled(random, pairs):
        key = who.partition("@")[2]
        pair = await stage.find(key, who), await stage.find(key, whom)
        if await stage.nodes[key].database.write(ask_to_follow, *pair):
            return True
    return False


@somewhere
def unfollow(context: Context, random: Random) -> bool:
    """Somebody stops following somebody whom the story does not make them follow."""
    for row, _person in people(context, random):
        followed = list(context.connection.execute(_FOLLOWED, {"actor_id": row["id"]}).mappings())
        for other in shuffled(random, followed):
            if not _in_story(row, other):
                return follows.unfollow(context, row, other)
    return False


def _in_story(follower: RowMapping, target: RowMapping) -> bool:
    """Follows of the story stay, because its conversations travel along them."""
    pair = tuple(f"{row['handle']}@{row['host'].partition('.')[0]}" for row in (follower, target))
    return pair in cast().follows


@somewhere
def answer(context: Context, random: Random) -> bool:
    """Somebody who approves followers by hand accepts a request, or now and then refuses one."""
    for row, _person in people(context, random):
        request = context.connection.execute(_ASKED, {"actor_id": row["id"]}).mappings().first()
        if request is not None:
            decide = follows.reject if random.random() < 0.3 else follows.accept
            return decide(context, row, request)
    return False
