"""Polls: asking here, voting here and elsewhere, counting votes that arrive. Only counts leave the node."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from sqlalchemy import RowMapping, bindparam, exists, select, update

from esnfed.bus import StatusChanged
from esnfed.context import Context
from esnfed.errors import Ignored, Invalid, NotFound, Refused
from esnfed.i18n import N_
from esnfed.models import insert, mention, poll, poll_vote
from esnfed.objects import note, question
from esnfed.objects.question import MAX_OPTIONS
from esnfed.services import actors, barriers, follows, outbox, poll_counts, statuses
from esnfed.services.statuses import Draft
from esnfed.vocab import authorship, parse
from esnfed.vocab.addressing import READABLE_BY_ALL
from esnfed.vocab.authority import same_origin
from esnfed.vocab.parse import Document

MAX_OPTION_LENGTH = 100
SHORTEST = 5 * 60 * 1000
LONGEST = 31 * 24 * 3600 * 1000
"""How long a poll of ours may last, in milliseconds; five minutes and a month are Mastodon's limits too."""


@dataclass(frozen=True, slots=True)
class NewPoll:
    """A poll to be asked: its answers, when it ends (milliseconds), whether several may be chosen."""

    options: tuple[str, ...]
    expires_at: int
    multiple: bool = False


_INSERT = insert(poll)
_LOCK = select(poll).where(poll.c.status_id == bindparam("of_status")).with_for_update()
_CHOSEN = select(poll_vote.c.choice).where(
    poll_vote.c.status_id == bindparam("of_status"), poll_vote.c.actor_id == bindparam("voter_id")
)
_VOTE = insert(poll_vote)
_COUNT = (
    update(poll)
    .where(poll.c.status_id == bindparam("of_status"))
    .values(
        tallies=bindparam("new_tallies", type_=poll.c.tallies.type),
        voters_count=poll.c.voters_count + bindparam("voters"),
    )
)
_MENTIONED = select(
    exists(
        select(1).where(
            mention.c.status_id == bindparam("of_status"), mention.c.actor_id == bindparam("by_id")
        )
    )
)


def _check(context: Context, new: NewPoll) -> None:
    if not 2 <= len(new.options) <= MAX_OPTIONS:
        raise Invalid(N_("A poll has 2 to 20 choices."), "poll")
    if not all(0 < len(option) <= MAX_OPTION_LENGTH for option in new.options):
        raise Invalid(N_("A choice of a poll has 1 to 100 characters."), "poll")
    if len({option.casefold() for option in new.options}) < len(new.options):
        raise Invalid(N_("The choices of a poll must differ."), "poll")
    if not SHORTEST <= new.expires_at - context.now() <= LONGEST:
        raise Invalid(N_("A poll lasts between five minutes and 31 days."), "poll_until")


def post(context: Context, draft: Draft, new: NewPoll) -> int:
    """Write a local post that asks, and fan it out; return its id. Raises Invalid, and as `publish`."""
    new = replace(new, options=tuple(" ".join(option.split()) for option in new.options))
    _check(context, new)
    status_id = statuses.publish(context, replace(draft, as_type="Question"))
    values = {
        "status_id": status_id,
        "multiple": new.multiple,
        "options": list(new.options),
        "tallies": [0] * len(new.options),
        "voters_count": 0,
        "expires_at": new.expires_at,
    }
    context.connection.execute(_INSERT, values)
    poll_counts.watch(context, status_id, new.expires_at)
    statuses.announce_creation(context, status_id)
    return status_id


def vote(context: Context, by: RowMapping, row: RowMapping, choices: Iterable[int]) -> None:
    """Let a local actor vote, by places of answers from 0; a poll elsewhere gets one Note for each.

    What was chosen before stays chosen: a vote is never taken back. Raises NotFound where nothing is asked,
    Invalid for answers that are not offered, Refused for a poll that is over, one's own, not open to the
    actor, or already answered.
    """
    if not _may_vote(context, by, row):
        raise Refused(N_("You cannot vote in this poll."))
    found = _locked(context, row["id"])
    if found is None:
        raise NotFound(N_("This post asks nothing."))
    wanted = list(dict.fromkeys(choices))
    if not wanted or not all(0 <= choice < len(found["options"]) for choice in wanted):
        raise Invalid(N_("The poll does not offer this choice."), "choices")
    if len(wanted) > 1 and not found["multiple"]:
        raise Invalid(N_("This poll takes one choice."), "choices")
    counted = _count(context, found, by["id"], wanted)
    if row["local"]:
        poll_counts.tell_soon(context, row["id"])
        return
    author = actors.by_id(context, row["actor_id"])
    for choice in counted:
        _send(context, by, row, author, found["options"][choice])
    if found["expires_at"] is not None:
        poll_counts.watch(context, row["id"], found["expires_at"] + poll_counts.GRACE)
    context.after_commit(StatusChanged(row["id"]))


def _may_vote(context: Context, by: RowMapping, row: RowMapping) -> bool:
    """Not in one's own poll, not across a block, and only in what one may read."""
    if by["id"] == row["actor_id"] or barriers.stands(context, by["id"], row["actor_id"]):
        return False
    if row["visibility"] in READABLE_BY_ALL:
        return True
    following = follows.between(context, by["id"], row["actor_id"])
    if row["visibility"] == "followers" and following is not None and following["state"] == "accepted":
        return True
    parameters = {"of_status": row["id"], "by_id": by["id"]}
    return bool(context.connection.execute(_MENTIONED, parameters).scalar())


def _locked(context: Context, status_id: int) -> RowMapping | None:
    """Return the poll, held until the end of the unit of work: votes are counted one after the other."""
    return context.connection.execute(_LOCK, {"of_status": status_id}).mappings().one_or_none()


def _count(context: Context, found: RowMapping, voter_id: int, wanted: Sequence[int]) -> list[int]:
    """Write and count those of the choices that are new; return them. Raises Refused."""
    if question.is_over(found, context.now()):
        raise Refused(N_("This poll is over."))
    key = {"of_status": found["status_id"], "voter_id": voter_id}
    chosen = set(context.connection.execute(_CHOSEN, key).scalars())
    fresh = [choice for choice in wanted if choice not in chosen]
    if fresh and chosen and not found["multiple"]:
        raise Refused(N_("You have voted in this poll already."))
    if not fresh:
        return []
    rows = [
        {
            "id": context.new_id(),
            "status_id": found["status_id"],
            "actor_id": voter_id,
            "choice": choice,
            "created_at": context.now(),
        }
        for choice in fresh
    ]
    context.connection.execute(_VOTE, rows)
    tallies = [votes + (place in fresh) for place, votes in enumerate(found["tallies"])]
    changes = {"of_status": found["status_id"], "new_tallies": tallies, "voters": 0 if chosen else 1}
    context.connection.execute(_COUNT, changes)
    return fresh


def _send(context: Context, by: RowMapping, row: RowMapping, author: RowMapping, option: str) -> None:
    uri = f"{by['uri']}#votes/{context.new_id()}"
    outbox.send(
        context,
        by,
        "Create",
        question.vote_document(uri, by, row, option, author["uri"]),
        to=[author["uri"]],
        inboxes=[author["inbox"]] if author["shared_inbox"] is None else [author["shared_inbox"]],
    )


def received(context: Context, sender: RowMapping, document: Document) -> None:
    """Count a vote from elsewhere in a poll of ours; one that was counted before changes nothing.

    Raises Malformed, and Ignored for what cannot be counted: no such poll or answer, a poll that is over or
    answered, the voter's own, or not open to the voter.
    """
    uri = parse.identifier(document)
    if not same_origin(uri, sender["uri"]) or sender["uri"] not in authorship.authors_of(document):
        raise Ignored(N_("The vote does not belong to the actor who sent it."))
    row = note.row_of(context, parse.web_address(document.get("inReplyTo")) or "")
    found = _locked(context, row["id"]) if row and row["local"] and not row["deleted_at"] else None
    if row is None or found is None:
        raise Ignored(N_("A poll vote for a poll that is not here."))
    name = parse.text(document, "name", question.MAX_OPTION).strip()
    if name not in found["options"]:
        raise Ignored(N_("The poll does not offer this choice."))
    if not _may_vote(context, sender, row):
        raise Ignored(N_("The poll is not open to this voter."))
    try:
        counted = _count(context, found, sender["id"], [found["options"].index(name)])
    except Refused as error:
        raise Ignored(error.text) from error
    if counted:
        poll_counts.tell_soon(context, row["id"])


_HAS_VOTES = select(exists(select(1).where(poll_vote.c.status_id == bindparam("of_status"))))


def revised(context: Context, status_id: int) -> None:
    """After an Update of a poll elsewhere: have our voters told when it is over, or at its new end."""
    found = question.of(context, status_id)
    if found is None or not context.connection.execute(_HAS_VOTES, {"of_status": status_id}).scalar():
        return
    if question.is_over(found, context.now()):
        poll_counts.watch(context, status_id, context.now())
    elif found["expires_at"] is not None:
        poll_counts.watch(context, status_id, found["expires_at"] + poll_counts.GRACE)
