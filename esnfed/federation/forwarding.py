"""Forwarding from the inbox (ActivityPub 7.1.2): followers of a post's author see what was answered to it.

Only what carries its author's own proof is passed on, byte for byte, so that nobody has to believe us; and
only what everybody may read.
"""

from __future__ import annotations

from collections.abc import Collection
from typing import Final

from sqlalchemy import RowMapping, bindparam, func, select

from esnfed.context import Context
from esnfed.errors import Unauthenticated
from esnfed.federation import counters, proofs
from esnfed.federation.handling import Incoming
from esnfed.federation.keys import load_public
from esnfed.federation.queueing import queue
from esnfed.models import activity, actor, actor_key, follow, inbox_message, insert, status
from esnfed.vocab import parse
from esnfed.vocab.activity import Activity
from esnfed.vocab.addressing import READABLE_BY_ALL
from esnfed.vocab.authority import origin_of
from esnfed.vocab.terms import PUBLIC_SPELLINGS

FORWARDED: Final = frozenset({"Create", "Update", "Delete"})
"""What happens to an answer. The specification names no types but `inReplyTo`, `object`, `target` and `tag`;
likes and boosts of a post are between their server and ours, which counts them."""

MAX_INBOXES: Final = 500
"""One unit of work writes no more rows (decisions.md 2, rule 3)."""

HOUR: Final = 3600 * 1000
MAX_IN_HOUR: Final = 60
"""From one server for the followers of one author: else who answers much would have us send much."""

_reply = status.alias("reply")
_parent = status.alias("parent")
_PARENT_AUTHOR = (
    select(actor.c.id, actor.c.followers_uri)
    .select_from(_reply)
    .join(_parent, _parent.c.id == _reply.c.in_reply_to_id)
    .join(actor, actor.c.id == _parent.c.actor_id)
    .where(
        _reply.c.uri == bindparam("uri"),
        _reply.c.actor_id == bindparam("sender_id"),
        _reply.c.visibility.in_(sorted(READABLE_BY_ALL)),
        _parent.c.local,
        _parent.c.visibility.in_(sorted(READABLE_BY_ALL)),
        _parent.c.deleted_at.is_(None),
        actor.c.local,
        actor.c.deleted_at.is_(None),
        actor.c.suspended_at.is_(None),
    )
)
_KEY = select(actor_key.c.public_der).where(
    actor_key.c.uri == bindparam("uri"),
    actor_key.c.actor_id == bindparam("sender_id"),
    actor_key.c.retired_at.is_(None),
)
_BODY = select(inbox_message.c.body).where(inbox_message.c.id == bindparam("message_id"))
_LATELY = select(func.count()).where(
    activity.c.actor_id == bindparam("author_id"),
    activity.c.public.is_(False),
    activity.c.id > bindparam("after"),
    func.substr(activity.c.uri, 1, func.length(bindparam("origin"))) == bindparam("origin"),
)
# The inbox the answer came from is left out by its server: nothing is sent back.
_INBOXES = (
    select(func.coalesce(actor.c.shared_inbox, actor.c.inbox).label("inbox"))
    .join(follow, follow.c.actor_id == actor.c.id)
    .where(
        follow.c.target_id == bindparam("author_id"),
        follow.c.state == "accepted",
        actor.c.local.is_(False),
        actor.c.deleted_at.is_(None),
        actor.c.suspended_at.is_(None),
        actor.c.host != bindparam("origin_host"),
    )
    .distinct()
    .order_by("inbox")
    .limit(MAX_INBOXES)
)
_STORE = insert(activity).on_conflict_do_nothing(index_elements=[activity.c.uri]).returning(activity.c.id)


def forward(context: Context, message_id: int, incoming: Incoming) -> bool:
    """Queue a message that was just applied for the followers of whom it answers; say whether it was.

    It answers a public post of ours, is public itself, is addressed to the followers of that post's author,
    and carries a valid proof by its sender. The author signs the deliveries, in the caller's transaction.
    What was forwarded once never is again.
    """
    found = incoming.activity
    if found.as_type not in FORWARDED or not found.id or "proof" not in found.document:
        return False
    author = _author(context, found, incoming.sender)
    if author is None or not _is_proven(context, found, incoming.sender):
        return False
    inboxes = _inboxes(context, author, incoming.sender)
    if not inboxes or _had_enough(context, author, incoming.sender):
        return False
    return _queue(context, message_id, found, author, inboxes)


def _author(context: Context, found: Activity, sender: RowMapping) -> RowMapping | None:
    """The author of the post that is answered, when the answer is for everybody and for its followers."""
    addressed = {*found.to, *found.cc, *parse.references(found.document.get("audience"))}
    if not addressed & PUBLIC_SPELLINGS:
        return None
    values = {"uri": found.object_uri or "", "sender_id": sender["id"]}
    author = context.connection.execute(_PARENT_AUTHOR, values).mappings().one_or_none()
    return author if author is not None and author["followers_uri"] in addressed else None


def _is_proven(context: Context, found: Activity, sender: RowMapping) -> bool:
    """Say whether the proof is by a key of the sender; who delivered it may have needed none."""
    try:
        proof = proofs.find(found.document, context.now())
        if proof is None:
            return False
        values = {"uri": proof.key_uri, "sender_id": sender["id"]}
        der = context.connection.execute(_KEY, values).scalar()
        if der is None:
            return False
        proofs.verify(proof, found.document, load_public(der))
    except Unauthenticated:
        return False
    return True


def _inboxes(context: Context, author: RowMapping, sender: RowMapping) -> list[str]:
    values = {"author_id": author["id"], "origin_host": sender["host"]}
    return list(context.connection.execute(_INBOXES, values).scalars())


def _had_enough(context: Context, author: RowMapping, sender: RowMapping) -> bool:
    after = (context.now() - HOUR) << 16  # ids begin with their time
    values = {"author_id": author["id"], "after": after, "origin": f"{origin_of(sender['uri'])}/"}
    if context.connection.execute(_LATELY, values).scalar_one() < MAX_IN_HOUR:
        return False
    counters.count(context, "not-forwarded", sender["host"])
    return True


def _queue(
    context: Context, message_id: int, found: Activity, author: RowMapping, inboxes: Collection[str]
) -> bool:
    body: bytes | None = context.connection.execute(_BODY, {"message_id": message_id}).scalar()
    if body is None or len(body) > proofs.MAX_DOCUMENT:
        return False
    object_uri = found.object_uri or found.id
    row = {
        "id": context.new_id(),
        "uri": found.id,
        "actor_id": author["id"],
        "as_type": found.as_type,
        "object_uri": object_uri,
        "public": False,
        "body": bytes(body).decode(),
        "created_at": context.now(),
    }
    activity_id = context.connection.execute(_STORE, row).scalar()
    if activity_id is None:
        return False
    queue(
        context,
        activity_id=activity_id,
        actor_id=author["id"],
        as_type=found.as_type,
        object_uri=object_uri,
        inboxes=inboxes,
    )
    return True
