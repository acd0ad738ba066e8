"""What people of the demonstration do, as units of work: finding, writing, liking, boosting."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from functools import partial

from sqlalchemy import RowMapping, bindparam, select

from esnfed.cli.accounts import CONSENT_VERSION
from esnfed.cli.demonstration.script import Organisation, Person, Texts
from esnfed.context import Context
from esnfed.models import actor, record, status
from esnfed.services import actors, follows, interactions, statuses, users
from esnfed.services.actors import NewKeys
from esnfed.services.statuses import Draft
from esnfed.services.users import ConsentGiven
from esnfed.text.compose import compose
from esnfed.text.mentions import tags
from esnfed.vocab import paths
from esnfed.vocab.addressing import Visibility

_BY_SOURCE = (
    select(status.c.id)
    .join(actor, actor.c.id == status.c.actor_id)
    .where(actor.c.local, actor.c.handle == bindparam("handle"), status.c.source == bindparam("source"))
    .limit(1)
)
_BY_URI = select(status.c.id).where(status.c.uri == bindparam("uri"), status.c.deleted_at.is_(None))
_SHEETS = (
    select(record.c.status_id, record.c.sheet)
    .join(actor, actor.c.id == record.c.owner_id)
    .where(record.c.local, actor.c.handle == bindparam("handle"))
    .order_by(record.c.status_id)
)


def has_actor(context: Context, handle: str) -> bool:
    """Say whether a local actor has this handle."""
    return actors.local_by_handle(context, handle) is not None


def post_of(context: Context, handle: str, source: str) -> int | None:
    """Return the local post of somebody with exactly this text, None when it is not written."""
    found: int | None = context.connection.execute(_BY_SOURCE, {"handle": handle, "source": source}).scalar()
    return found


def record_of(context: Context, handle: str, title: Texts) -> int | None:
    """Return the oldest record of a local owner with this title, deleted or not; None without one."""
    rows = context.connection.execute(_SHEETS, {"handle": handle})
    return next((int(row.status_id) for row in rows if row.sheet.get("title") == title), None)


def status_at(context: Context, uri: str) -> int | None:
    """Return the row id of a post by its address, None while it is not here."""
    found: int | None = context.connection.execute(_BY_URI, {"uri": uri}).scalar()
    return found


def found_organisation(context: Context, organisation: Organisation, keys: NewKeys) -> int:
    """Create the actor of a node's organisation; it wants to be found."""
    return actors.create(
        context,
        as_type="Organization",
        handle=organisation.handle,
        keys=keys,
        name=organisation.name,
        summary=organisation.summary,
        fields=organisation.fields,
        discoverable=True,
        indexable=True,
    )


def welcome(context: Context, person: Person, password_hash: str, keys: NewKeys) -> int:
    """Create a person's account with the receipt of consent, in the person's language; return the user id."""
    user_id = users.create(
        context,
        handle=person.handle,
        email=f"{person.handle}@{context.config.domain.partition(':')[0]}",
        password_hash=password_hash,
        role=person.role,
        locale=person.language,
        keys=keys,
        consents=(ConsentGiven("federation", CONSENT_VERSION, person.language),),
        name=person.name,
        summary=person.summary,
    )
    if person.locked:
        actors.edit(context, actors.local(context, person.handle), {"locked": True})
    return user_id


def ask_to_follow(context: Context, follower_id: int, target_id: int) -> bool:
    """Let a local actor follow; False when it follows already or waits for the answer."""
    known = follows.between(context, follower_id, target_id)
    if known is not None and known["state"] != "rejected":
        return False
    follows.follow_actor(context, actors.by_id(context, follower_id), actors.by_id(context, target_id))
    return True


def draft(
    context: Context,
    author: RowMapping,
    texts: Texts,
    *,
    visibility: Visibility = "public",
    in_reply_to_id: int | None = None,
) -> Draft:
    """Return a post of these texts as a person would type them; tags become links."""
    return Draft(
        actor_id=author["id"],
        visibility=visibility,
        content_map={language: _html(context, text) for language, text in texts.items()},
        tags=_tags(texts.values()),
        source=next(iter(texts.values())),
        in_reply_to_id=in_reply_to_id,
    )


def _html(context: Context, text: str) -> str:
    return compose(text, {}, partial(paths.tag_page, context.config.origin))


def _tags(texts: Iterable[str]) -> Sequence[str]:
    return list(dict.fromkeys(name for text in texts for name in tags(text)))


def write_post(
    context: Context, handle: str, texts: Texts, visibility: Visibility, in_reply_to_id: int | None
) -> int:
    """Publish a post of a local actor; return its id."""
    author = actors.local(context, handle)
    made = draft(context, author, texts, visibility=visibility, in_reply_to_id=in_reply_to_id)
    return statuses.post(context, made)


def like(context: Context, handle: str, status_id: int) -> bool:
    """Favourite a post; False when that was done before."""
    return interactions.like(context, actors.local(context, handle), statuses.by_id(context, status_id))


def boost(context: Context, handle: str, status_id: int) -> bool:
    """Boost a post; False when that was done before."""
    by = actors.local(context, handle)
    if interactions.boost_by(context, by["id"], status_id) is not None:
        return False
    interactions.boost(context, by, statuses.by_id(context, status_id))
    return True


def vary(text: str, values: Mapping[str, str]) -> str:
    """Return a text with its {place} and {number} filled in."""
    for name, value in values.items():
        text = text.replace(f"{{{name}}}", value)
    return text
