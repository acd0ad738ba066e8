"""Receiving: authenticate, bind the key to the activity's actor, store, and only then answer 202."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

from sqlalchemy import bindparam, delete, select

from esnfed import registry
from esnfed.bus import Bus, InboxWaiting
from esnfed.context import Context, Runtime
from esnfed.database import Database
from esnfed.errors import Malformed, Unauthenticated
from esnfed.federation import counters
from esnfed.federation.authenticate import Authenticator, Identity
from esnfed.federation.parsed_signature import ParsedSignature
from esnfed.jobs import every
from esnfed.models import inbox_message, insert, replay
from esnfed.vocab import parse
from esnfed.vocab.activity import Activity, read_activity
from esnfed.vocab.authority import same_origin

DAY = 24 * 3600 * 1000
KEPT = 7 * DAY
KEPT_PARKED = 30 * DAY
PRUNE_STEP = 500


@dataclass(frozen=True, slots=True)
class InboxRequest:
    """One POST to an inbox: its signature, whose form the door has read, and its bytes as they came."""

    signature: ParsedSignature
    body: bytes


STORE = insert(inbox_message).on_conflict_do_nothing()
REMEMBER = insert(replay).on_conflict_do_nothing()


class Inbox:
    """The one way in, for every inbox of the node."""

    def __init__(self, database: Database, authenticator: Authenticator, runtime: Runtime, bus: Bus) -> None:
        self._database = database
        self._authenticator = authenticator
        self._runtime = runtime
        self._bus = bus

    async def accept(self, request: InboxRequest) -> None:
        """Store an activity for its handler; returning means 202.

        Raises Malformed (400), Unauthenticated (401), Refused (403) or Busy (503); nothing was written then.
        A repeat, a Delete of an actor never heard of, and an activity type that has no handler here are
        answered 202 without effect; the last is counted.
        """
        parsed = request.signature
        await self._authenticator.gate(parsed, request.body)
        activity = read_activity(parse.load(request.body))
        if activity.id and not same_origin(activity.id, activity.actor):
            raise Malformed("The activity does not live where its actor lives.")
        if await self._is_farewell_of_a_stranger(parsed, activity):
            return
        identity = await self._authenticator.prove(parsed)
        if identity.actor_uri != activity.actor:
            raise Unauthenticated("The signature is not by the actor of the activity.")
        if activity.as_type not in registry.handlers:
            await self._database.write(
                counters.count, "unsupported-activity", activity.as_type, background=True
            )
            return
        await self._store(parsed, identity, activity, request.body)

    async def _is_farewell_of_a_stranger(self, parsed: ParsedSignature, activity: Activity) -> bool:
        """Deleted actors cannot be fetched any more, and one that was never here leaves nothing to delete."""
        if activity.as_type != "Delete" or activity.object_uri != activity.actor:
            return False
        return await self._authenticator.known(parsed) is None

    async def _store(
        self, parsed: ParsedSignature, identity: Identity, activity: Activity, body: bytes
    ) -> None:
        now = self._runtime.clock()
        message = {
            "id": self._runtime.ids.next(),
            "actor_uri": identity.actor_uri,
            "uri": activity.id or f"sha256:{hashlib.sha256(body).hexdigest()}",
            "as_type": activity.as_type,
            "host": identity.host,
            "scheme": parsed.kind,
            "body": body,
            "state": "waiting",
            "next_at": now,
            "received_at": now,
        }
        # The signature's memory goes with the message it belongs to, in one transaction (decisions.md 9).
        seen = {"signature_hash": parsed.fingerprint, "expires_at": parsed.deadline}
        await self._database.append([(STORE, message), (REMEMBER, seen)])
        self._bus.publish(InboxWaiting())


_FORGET_REPLAYS = delete(replay).where(
    replay.c.signature_hash.in_(
        select(replay.c.signature_hash).where(replay.c.expires_at < bindparam("now")).limit(PRUNE_STEP)
    )
)
_FORGET_MESSAGES = delete(inbox_message).where(
    inbox_message.c.id.in_(
        select(inbox_message.c.id)
        .where(
            inbox_message.c.state == bindparam("in_state"),
            inbox_message.c.id < bindparam("before"),
        )
        .order_by(inbox_message.c.id)
        .limit(PRUNE_STEP)
    )
)


@every(1800, "prune-inbox")
def prune(context: Context, cursor: object) -> object:
    """Forget what was dealt with: signatures past their window, messages after 7 days, parked after 30."""
    now = context.now()
    removed = context.connection.execute(_FORGET_REPLAYS, {"now": now}).rowcount
    for state, kept in (("done", KEPT), ("ignored", KEPT), ("parked", KEPT_PARKED)):
        before = (now - kept) << 16
        parameters = {"in_state": state, "before": before}
        removed = max(removed, context.connection.execute(_FORGET_MESSAGES, parameters).rowcount)
    return True if removed >= PRUNE_STEP else None
