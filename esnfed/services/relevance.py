"""The relevance gate: a post from elsewhere is kept only when it concerns somebody here (as Mastodon)."""

from __future__ import annotations

from sqlalchemy import ColumnElement, Exists, bindparam, exists, select

from esnfed.context import Context
from esnfed.errors import Ignored
from esnfed.i18n import N_
from esnfed.models import actor, block, follow, status
from esnfed.objects import parts
from esnfed.vocab import parse, paths
from esnfed.vocab.parse import Document

_FOLLOWER = actor.alias("follower")


def _followed_here() -> Exists:
    return exists(
        select(1)
        .select_from(follow)
        .join(_FOLLOWER, _FOLLOWER.c.id == follow.c.actor_id)
        .where(
            follow.c.target_id == bindparam("author_id"),
            follow.c.state == "accepted",
            _FOLLOWER.c.local,
        )
    )


def _welcome(actor_id: ColumnElement[int]) -> ColumnElement[bool]:
    """An actor whose block does not keep the author away."""
    return ~exists(select(1).where(block.c.actor_id == actor_id, block.c.target_id == bindparam("author_id")))


_JUDGE = select(
    exists(
        select(1).where(
            status.c.uri == bindparam("parent_uri"),
            status.c.deleted_at.is_(None),
            _welcome(status.c.actor_id),
        )
    ).label("reply"),
    exists(
        select(1).where(
            actor.c.uri.in_(bindparam("named", expanding=True)), actor.c.local, _welcome(actor.c.id)
        )
    ).label("named"),
)
_FOLLOWED = select(_followed_here())


def is_followed(context: Context, actor_id: int) -> bool:
    """Say whether somebody on this node follows the actor."""
    return bool(context.connection.execute(_FOLLOWED, {"author_id": actor_id}).scalar())


def check(context: Context, author_id: int, document: Document) -> None:
    """Raise Ignored unless the author is followed here, the parent is known, or it names somebody here.

    Neither the post nor the name of somebody who blocks the author counts.
    """
    if is_followed(context, author_id):  # nearly always, and the cheaper question
        return
    origin = paths.actor(context.config.origin, 0)[:-1]
    named = {
        uri
        for uri in (
            *parts.mentions_in(document),
            *parts.addressees_in(document),
        )
        if uri.startswith(origin) or uri == paths.node_actor(context.config.origin)
    }
    judged = context.connection.execute(
        _JUDGE,
        {
            "author_id": author_id,
            "parent_uri": parse.web_address(document.get("inReplyTo")) or "",
            "named": sorted(named) or [""],
        },
    ).one()
    if not (judged.reply or judged.named):
        raise Ignored(N_("Nobody on this node follows the author or is addressed."), counter="irrelevant")
