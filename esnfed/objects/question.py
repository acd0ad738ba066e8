"""Question: a poll, its answers with the votes counted for each, and votes as Notes (FEP-9967)."""

from __future__ import annotations

from typing import Any

from sqlalchemy import RowMapping, bindparam, delete, select, update

from esnfed.context import Context
from esnfed.models import insert, poll, poll_vote
from esnfed.objects.form import Form
from esnfed.objects.note import arriving
from esnfed.vocab import parse
from esnfed.vocab.parse import Document

MAX_OPTIONS = 20
MAX_OPTION = 500
"""Characters of one answer of a poll from elsewhere; longer ones are cut."""

_POLL = select(poll).where(poll.c.status_id == bindparam("status_id"))
_INSERT = insert(poll)
_UPSERT = _INSERT.on_conflict_do_update(
    index_elements=["status_id"],
    set_={
        name: getattr(_INSERT.excluded, name)
        for name in ("multiple", "options", "tallies", "voters_count", "expires_at", "closed_at")
    },
)
_FIGURES = ("tallies", "voters_count", "expires_at", "closed_at")
_RECOUNT = (
    update(poll)
    .where(poll.c.status_id == bindparam("of_status"))
    .values(
        tallies=bindparam("new_tallies", type_=poll.c.tallies.type),
        voters_count=bindparam("new_voters_count"),
        expires_at=bindparam("new_expires_at"),
        closed_at=bindparam("new_closed_at"),
    )
)
_FORGET_VOTES = delete(poll_vote).where(poll_vote.c.status_id == bindparam("status_id"))
_FORGET = delete(poll).where(poll.c.status_id == bindparam("status_id"))


def read(document: Document, now: int) -> dict[str, Any] | None:
    """Return the column values of the poll in a Question, or None when it offers no answer.

    As Mastodon: `anyOf` lets people choose several; `closed` may be a time or true; what has no name, and
    what comes after 20 answers, is left out.
    """
    multiple = bool(parse.items(document.get("anyOf"), 1))
    found = [
        (name, _votes(item))
        for item in parse.items(document.get("anyOf" if multiple else "oneOf"), MAX_OPTIONS)
        if isinstance(item, dict) and (name := parse.text(item, "name", MAX_OPTION).strip())
    ]
    if not found:
        return None
    closed = parse.timestamp(document.get("closed")) or (now if parse.boolean(document, "closed") else None)
    return {
        "multiple": multiple,
        "options": [name for name, _ in found],
        "tallies": [votes for _, votes in found],
        "voters_count": parse.count(document.get("votersCount")),
        "expires_at": parse.timestamp(document.get("endTime")),
        "closed_at": min(closed, now) if closed else None,
    }


def _votes(option: Document) -> int:
    replies = parse.embedded(option.get("replies")) or {}
    told = (parse.count(replies.get("totalItems")), parse.count(option.get("_misskey_votes")))
    return next((votes for votes in told if votes is not None), 0)


def of(context: Context, status_id: int) -> RowMapping | None:
    """Return the poll of a status, or None."""
    return context.connection.execute(_POLL, {"status_id": status_id}).mappings().one_or_none()


def is_over(row: RowMapping, now: int) -> bool:
    """Say whether nobody can vote in a poll any more."""
    return row["closed_at"] is not None or (row["expires_at"] is not None and row["expires_at"] <= now)


def is_vote(document: Document) -> bool:
    """Say whether a document is a vote: a Note with a name and without content that answers something."""
    return bool(
        parse.type_of(document) == "Note"
        and parse.text(document, "name", 10)
        and not parse.text(document, "content", 10)
        and not parse.language_map(document.get("contentMap"), 10)
        and parse.web_address(document.get("inReplyTo"))
    )


def vote_document(uri: str, voter: RowMapping, question: RowMapping, option: str, to: str) -> Document:
    """Return the Note that tells a poll's server of one vote; it goes to the author alone (FEP-9967)."""
    return {
        "id": uri,
        "type": "Note",
        "attributedTo": voter["uri"],
        "inReplyTo": question["uri"],
        "name": option,
        "to": [to],
    }


@arriving("Question")
class Question(Form):
    """A post that asks; one without any answer to choose is a plain post."""

    def store(self, context: Context, status_id: int, document: Document) -> None:
        """Write the poll; when its answers are no longer the same, the votes given here are void."""
        values = read(document, context.now())
        if values is None:
            self.forget(context, status_id)
            return
        known = of(context, status_id)
        if known is not None and known["options"] != values["options"]:
            context.connection.execute(_FORGET_VOTES, {"status_id": status_id})
        context.connection.execute(_UPSERT, {"status_id": status_id} | values)

    def recount(self, context: Context, status_id: int, document: Document) -> bool:
        """Take the new figures of the same answers; other answers are an edit and need `updated`."""
        values, known = read(document, context.now()), of(context, status_id)
        if values is None or known is None or known["options"] != values["options"]:
            return False
        changed = {f"new_{name}": values[name] for name in _FIGURES}
        context.connection.execute(_RECOUNT, {"of_status": status_id} | changed)
        return True

    def forget(self, context: Context, status_id: int) -> None:
        """Remove the poll and the votes in it."""
        for statement in (_FORGET_VOTES, _FORGET):
            context.connection.execute(statement, {"status_id": status_id})

    def write(self, context: Context, status: RowMapping) -> Document:
        """Return answers and figures; never who voted."""
        row = of(context, status["id"])
        if row is None:
            return {}
        options = [
            {"type": "Note", "name": name, "replies": {"type": "Collection", "totalItems": votes}}
            for name, votes in zip(row["options"], row["tallies"], strict=True)
        ]
        document: Document = {
            "type": "Question",
            "anyOf" if row["multiple"] else "oneOf": options,
            "votersCount": row["voters_count"] or 0,
        }
        if row["expires_at"] is not None:
            document["endTime"] = parse.iso(row["expires_at"])
        if is_over(row, context.now()):
            document["closed"] = parse.iso(row["closed_at"] or row["expires_at"])
        return document
