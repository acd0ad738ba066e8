"""Receiving: authenticate, bind the key to the activity's actor, store, and only then answer 202."""

from __future__ import annotations

import hashlib
import logging
from dataclasses import dataclass

from sqlalchemy import bindparam, delete, select

from esnfed import registry
from esnfed.bus import Bus, InboxWaiting
from esnfed.context import Context, Runtime
from esnfed.database import Database
from esnfed.errors import Busy, Malformed, Unauthenticated
from esnfed.federation import counters, followers_sync, proofs
from esnfed.federation.authenticate import Authenticator, Identity
from esnfed.federation.first_contact import FirstContacts
from esnfed.federation.followers_sync import Claimed
from esnfed.federation.parsed_signature import ParsedSignature
from esnfed.i18n import N_
from esnfed.jobs import every
from esnfed.models import actor, inbox_message, insert, replay
from esnfed.vocab import parse
from esnfed.vocab.activity import Activity, read_activity
from esnfed.vocab.authority import authority_of, same_origin

log = logging.getLogger(__name__)

DAY = 24 * 3600 * 1000
KEPT = 7 * DAY
KEPT_PARKED = 30 * DAY
PRUNE_STEP = 500
CLOCKS = 3900 * 1000
"""How far the clock of a proof's maker may be ahead, as for signatures."""

RECURRING = frozenset({"Accept", "Add", "Block", "Follow", "Reject", "Remove", "Undo", "Update"})
"""What may be meant again under the same id: Misskey names a Follow after its two actors, and its Undo after
that, every time. Their handlers change nothing when nothing changed."""


@dataclass(frozen=True, slots=True)
class InboxRequest:
    """One POST to an inbox: its signature, whose form the door has read, and its bytes as they came."""

    signature: ParsedSignature
    body: bytes
    followers: Claimed | None = None
    """What the sender says of its followers here (FEP-8fcf)."""


# The index is named: a clash of two ids is no repeat of a message, and is tried again.
STORE = insert(inbox_message).on_conflict_do_nothing(index_elements=["actor_uri", "uri", "as_type"])
REMEMBER = insert(replay).on_conflict_do_nothing()
_ACTOR = select(actor.c.id).where(actor.c.uri == bindparam("uri"), actor.c.deleted_at.is_(None))


class Inbox:
    """The one way in, for every inbox of the node."""

    def __init__(self, database: Database, authenticator: Authenticator, runtime: Runtime, bus: Bus) -> None:
        self._database = database
        self._authenticator = authenticator
        self._runtime = runtime
        self._bus = bus
        self.first_contacts = FirstContacts(database, runtime, bus)

    async def accept(self, request: InboxRequest) -> None:
        """Store an activity for its handler; returning means 202.

        Raises Malformed (400), Unauthenticated (401), Refused (403), TooMany (429) or Busy (503); nothing was
        written then.
        A repeat, a Delete of an actor never heard of, and an activity type that has no handler here are
        answered 202 without effect; the last is counted. A repeat is the same request again, known by its
        signature (`replay` holds those of which a message was stored); and, but for what may recur under one
        id, another request with the same activity.
        """
        parsed = request.signature
        await self._authenticator.gate(parsed, request.body)
        activity = read_activity(parse.load(request.body))
        if activity.id and not same_origin(activity.id, activity.actor):
            raise Malformed(N_("The activity does not live where its actor lives."))
        if await self._is_farewell_of_a_stranger(parsed, activity):
            return
        identity, scheme = await self._authentic(parsed, activity, len(request.body))
        await self.first_contacts.admit(authority_of(parsed.key_uri), activity)
        if activity.as_type not in registry.handlers:
            await self._database.write(
                counters.count, "unsupported-activity", activity.as_type, background=True
            )
            return
        await self._store(parsed, identity, activity, request.body, scheme)
        if request.followers is not None and scheme != "proof":
            await self._compare_followers(identity.actor_id, request.followers)

    async def _compare_followers(self, actor_id: int, claimed: Claimed) -> None:
        """Queue a look at the sender's list when the two sides differ; the activity is stored already."""
        try:
            if await self._database.read(followers_sync.differs, actor_id, claimed):
                await self._database.write(followers_sync.compare_again, actor_id, claimed, background=True)
        except Busy as error:
            log.info("followers are not compared now: %s", error)

    async def _authentic(
        self, parsed: ParsedSignature, activity: Activity, size: int
    ) -> tuple[Identity, str]:
        """Return the actor of the activity, proven, and by what: the scheme of its signature, or `proof`.

        Who signs for itself needs no proof; but one that is there, is understood and is by a key known here
        must be right: it has precedence over the signature (FEP-8b32), and others would be shown it.
        """
        deliverer = await self._authenticator.prove(parsed)
        proof = proofs.find(activity.document, self._runtime.clock()) if size <= proofs.MAX_DOCUMENT else None
        if deliverer.actor_uri != activity.actor:
            if proof is None or not self._is_timely(proof, activity):
                raise Unauthenticated(N_("The signature is not by the actor of the activity."))
            return await self._vouched(proof, activity), "proof"
        if proof is not None and await self._is_known(proof):
            await self._vouched(proof, activity)
        return deliverer, parsed.kind

    async def _vouched(self, proof: proofs.Proof, activity: Activity) -> Identity:
        """Return the activity's actor, whose own key made the proof; raises as the authenticator."""
        if not same_origin(proof.key_uri, activity.actor):
            raise Unauthenticated(N_("The key of the proof does not live where its actor lives."))
        identity = await self._authenticator.vouch(proof, activity.document)
        if identity.actor_uri != activity.actor:
            raise Unauthenticated(N_("The proof is not by the actor of the activity."))
        return identity

    async def _is_known(self, proof: proofs.Proof) -> bool:
        """A key that is not yet here does not hold up its own actor: the signature is enough."""
        return await self._authenticator.known(proof.key_uri) is not None

    def _is_timely(self, proof: proofs.Proof, activity: Activity) -> bool:
        """A signature ends within the hour, a proof never does: it counts while its activity is remembered.

        Else anybody could bring back, years later, what was since undone.
        """
        if proof.created is None or not activity.id:
            return False
        return 0 <= self._runtime.clock() + CLOCKS - proof.created < KEPT

    async def _is_farewell_of_a_stranger(self, parsed: ParsedSignature, activity: Activity) -> bool:
        """Deleted actors cannot be fetched any more, and one that was never here leaves nothing to delete.

        One that is here under another key is no stranger: it has new keys, which must be fetched.
        """
        if activity.as_type != "Delete" or activity.object_uri != activity.actor:
            return False
        if await self._authenticator.known(parsed.key_uri) is not None:
            return False
        return not await self._database.read(_is_here, activity.actor)

    async def _store(
        self, parsed: ParsedSignature, identity: Identity, activity: Activity, body: bytes, scheme: str
    ) -> None:
        now = self._runtime.clock()
        message = {
            "id": self._runtime.ids.next(),
            "actor_uri": identity.actor_uri,
            "uri": _key(parsed, activity, body),
            "as_type": activity.as_type,
            "host": identity.host,
            "scheme": scheme,
            "body": body,
            "state": "waiting",
            "next_at": now,
            "received_at": now,
        }
        # The signature's memory goes with the message it belongs to, in one transaction (decisions.md 9).
        seen = {"signature_hash": parsed.fingerprint, "expires_at": parsed.deadline}
        await self._database.append([(STORE, message), (REMEMBER, seen)])
        self._bus.publish(InboxWaiting())


def _key(parsed: ParsedSignature, activity: Activity, body: bytes) -> str:
    """Return what a message is known by, beside its actor and type: its id, or a hash of its bytes.

    What may recur is known by its signature too, so that only the same request is a repeat. Not so what has a
    proof: anybody can bring that again, under a signature of theirs.
    """
    if not activity.id:
        return f"sha256:{hashlib.sha256(body).hexdigest()}"
    if activity.as_type in RECURRING and "proof" not in activity.document:
        return f"{activity.id}#signature:{parsed.fingerprint.hex()}"
    return activity.id


def _is_here(context: Context, uri: str) -> bool:
    return context.connection.execute(_ACTOR, {"uri": uri}).scalar() is not None


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
