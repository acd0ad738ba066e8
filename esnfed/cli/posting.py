"""What `esnfed post` asks of a node: posts written, changed and read, boosts and favourites; plain JSON."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any

from sqlalchemy import RowMapping, bindparam, exists, select

from esnfed.app import Node
from esnfed.cli import resolve
from esnfed.cli.post_entry import entry
from esnfed.cli.shown import Json
from esnfed.context import Context
from esnfed.errors import Invalid, Malformed, NotFound, Refused, RemoteError
from esnfed.i18n import N_
from esnfed.models import record
from esnfed.objects import parts, question
from esnfed.registry import operations, readings
from esnfed.services import actors, interactions, polls, public_timelines, statuses, timelines, views
from esnfed.services.polls import NewPoll
from esnfed.services.statuses import Draft
from esnfed.text import mentions
from esnfed.text.compose import Person, compose, tidy
from esnfed.vocab import paths
from esnfed.vocab.addressing import Visibility

MOST_MENTIONS = 50
DAY = 24 * 3600 * 1000

_IS_RECORD = select(exists(select(1).where(record.c.status_id == bindparam("status_id"))))


@dataclass(frozen=True, slots=True)
class Named:
    """Whom the mentions of some texts mean: actor ids by address, and the addresses of nobody."""

    ids: Mapping[str, int]
    unknown: tuple[str, ...]


async def _named(node: Node, texts: Iterable[str]) -> Named:
    """Look up everybody mentioned, over the network where they are new; before any unit of work."""
    addresses = dict.fromkeys(address for text in texts for address in mentions.mentions(text))
    if len(addresses) > MOST_MENTIONS:
        raise Invalid(N_("A post mentions at most fifty people."), "text")
    found = await asyncio.gather(*(_found(node, address) for address in addresses))
    ids = {address: actor_id for address, actor_id in zip(addresses, found, strict=True) if actor_id}
    return Named(ids, tuple(address for address in addresses if address not in ids))


async def _found(node: Node, address: str) -> int | None:
    try:
        return await resolve.actor_id(node, address)
    except (NotFound, Malformed, RemoteError):
        return None  # the answer names this address among the unknown


@operations.register("post-create")
async def create(
    node: Node,
    *,
    handle: str,
    texts: dict[str, str],
    visibility: Visibility = "public",
    warning: str = "",
    reply_to: str | None = None,
    poll: Json | None = None,
) -> Json:
    """Publish a post of a local actor; `texts` are by language, the primary first. Return it.

    `poll`, when given, has `options`, `expires_at` (milliseconds; None: in a day) and `multiple`.
    `unknown` in the answer names mentions that nobody was found for; they stay text.
    """
    await node.database.read(resolve.acting, handle)
    named = await _named(node, texts.values())
    parent_id = await resolve.status_id(node, reply_to) if reply_to else None
    draft = await node.database.read(_prepare, handle, texts, visibility, warning, parent_id, named)
    return await _shown(node, await node.database.write(_publish, draft, poll), named)


def _publish(context: Context, draft: Draft, poll: Json | None) -> int:
    if poll is None:
        return statuses.post(context, draft)
    until = context.now() + DAY if poll["expires_at"] is None else poll["expires_at"]
    return polls.post(context, draft, NewPoll(tuple(poll["options"]), until, poll["multiple"]))


def _prepare(
    context: Context,
    handle: str,
    texts: dict[str, str],
    visibility: Visibility,
    warning: str,
    parent_id: int | None,
    named: Named,
) -> Draft:
    author = resolve.acting(context, handle)
    if visibility == "direct" and not named.ids and parent_id is None:
        raise Invalid(N_("A direct post mentions somebody who is known, or replies to a post."), "text")
    return Draft(
        actor_id=author["id"],
        visibility=visibility,
        content_map=_composed(context, texts, named),
        tags=_tags(texts.values()),
        mentions=sorted(set(named.ids.values())),
        summary=tidy(warning),
        source=tidy(next(iter(texts.values()))),
        in_reply_to_id=parent_id,
    )


def _composed(context: Context, texts: Mapping[str, str], named: Named) -> dict[str, str]:
    rows = {address: actors.by_id(context, actor_id) for address, actor_id in named.ids.items()}
    people = {address: Person(row["url"] or row["uri"], row["handle"]) for address, row in rows.items()}
    origin = context.config.origin
    return {
        language: compose(text, people, partial(paths.tag_page, origin)) for language, text in texts.items()
    }


def _tags(texts: Iterable[str]) -> list[str]:
    return mentions.tags("\n".join(texts))[: parts.MAX_TAGS]


@operations.register("post-edit")
async def edit(
    node: Node,
    *,
    status_id: int,
    text: str | None,
    language: str | None,
    translations: dict[str, str],
    warning: str | None,
) -> Json:
    """Change a post of a local actor; return it.

    A new text replaces all: translations that are not given again go. Without one they stay, and those given
    are added or replaced. A warning of None stays as it is.
    """
    named = await _named(node, [*([text] if text else []), *translations.values()])
    draft = await node.database.read(_prepare_edit, status_id, text, language, translations, warning, named)
    await node.database.write(statuses.revise, status_id, draft)
    return await _shown(node, status_id, named)


def _prepare_edit(
    context: Context,
    status_id: int,
    text: str | None,
    language: str | None,
    translations: dict[str, str],
    warning: str | None,
    named: Named,
) -> Draft:
    row = _own(context, status_id)
    if context.connection.execute(_IS_RECORD, {"status_id": status_id}).scalar():
        raise Refused(N_("This post belongs to a record: `esnfed record update` changes both."))
    first = row["language"] or context.config.languages[0]
    primary = language or first
    typed = ({primary: text} if text is not None else {}) | translations
    others = {tag: html for tag, html in (row["content_map"] or {}).items() if tag != first}
    kept = {} if text is not None else {primary: row["content"]} | others
    return Draft(
        actor_id=row["actor_id"],
        visibility=row["visibility"],
        content_map=kept | _composed(context, typed, named),
        tags=_edited_tags(context, status_id, typed, replace=text is not None),
        mentions=sorted(set(named.ids.values())),
        summary=row["summary"] if warning is None else tidy(warning),
        source=tidy(typed[primary]) if primary in typed else row["source"],
    )


def _edited_tags(context: Context, status_id: int, typed: Mapping[str, str], *, replace: bool) -> list[str]:
    kept = [] if replace else parts.tags_of(context, status_id)
    return list(dict.fromkeys([*kept, *_tags(typed.values())]))[: parts.MAX_TAGS]


def _own(context: Context, status_id: int) -> RowMapping:
    row = _living(context, status_id)
    if not row["local"]:
        raise Refused(N_("This post was written elsewhere."))
    if row["boost_of_id"]:
        raise Refused(N_("This is a boost: `esnfed post unboost` takes it back."))
    return row


def _living(context: Context, status_id: int) -> RowMapping:
    try:
        return statuses.by_id(context, status_id)
    except NotFound:
        raise NotFound(N_("There is no such post.")) from None


@operations.register("post-delete")
def delete(context: Context, status_id: int) -> Json:
    """Delete a post of a local actor for good, with its record if it has one; return its id and address."""
    row = _own(context, status_id)
    statuses.remove(context, status_id, row["actor_id"])
    return {"id": str(status_id), "uri": row["uri"]}


@operations.register("post-show")
async def show(node: Node, *, name: str) -> Json:
    """Return one post by id, address or page; a remote one that is new is fetched."""
    return await node.database.read(_one, await resolve.status_id(node, name))


@readings.register("post-list")
def list_posts(
    context: Context,
    author: str | None = None,
    local: bool = False,
    limit: int = 40,
    before: int | None = None,
) -> list[Json]:
    """Return what everybody may see, the newest first: of one actor known here with boosts, or of all."""
    cursor = timelines.Cursor(max_id=before, limit=limit)
    if author is None:
        rows = public_timelines.public(context, cursor, local_only=local)
    else:
        rows = public_timelines.of_actor(context, resolve.known_actor(context, author)["id"], cursor)
    return [entry(view) for view in views.of_statuses(context, rows)]


def _one(context: Context, status_id: int) -> Json:
    return entry(views.of_statuses(context, [_living(context, status_id)])[0])


async def _shown(node: Node, status_id: int, named: Named) -> Json:
    shown: Json = await node.database.read(_one, status_id)
    return shown | {"unknown": list(named.unknown)}


Interaction = Callable[[Context, RowMapping, RowMapping], Any]


async def _interact(node: Node, interaction: Interaction, handle: str, name: str) -> Json:
    """Boost or favourite a post, or take that back; return the post and whether that changed something."""
    await node.database.read(resolve.acting, handle)
    status_id = await resolve.status_id(node, name)
    changed = await node.database.write(_apply, interaction, handle, status_id)
    return {"changed": changed, "post": await node.database.read(_one, status_id)}


def _apply(context: Context, interaction: Interaction, handle: str, status_id: int) -> bool:
    by, row = resolve.acting(context, handle), _living(context, status_id)
    if interaction is interactions.boost and interactions.boost_by(context, by["id"], row["id"]):
        return False  # boosting again gives the first boost and changes nothing
    return bool(interaction(context, by, row))


@operations.register("post-boost")
async def boost(node: Node, *, handle: str, name: str) -> Json:
    """Let a local actor boost a post, fetched when new; Refused for what is private."""
    return await _interact(node, interactions.boost, handle, name)


@operations.register("post-unboost")
async def unboost(node: Node, *, handle: str, name: str) -> Json:
    """Let a local actor take a boost back."""
    return await _interact(node, interactions.unboost, handle, name)


@operations.register("post-like")
async def like(node: Node, *, handle: str, name: str) -> Json:
    """Let a local actor favourite a post, fetched when new."""
    return await _interact(node, interactions.like, handle, name)


@operations.register("post-unlike")
async def unlike(node: Node, *, handle: str, name: str) -> Json:
    """Let a local actor take a favourite back."""
    return await _interact(node, interactions.unlike, handle, name)


@operations.register("post-vote")
async def vote(node: Node, *, handle: str, name: str, answers: list[str]) -> Json:
    """Let a local actor vote in a poll, fetched when new, by texts of answers or numbers from 1."""
    await node.database.read(resolve.acting, handle)
    status_id = await resolve.status_id(node, name)
    await node.database.write(_vote, handle, status_id, answers)
    return await node.database.read(_one, status_id)


def _vote(context: Context, handle: str, status_id: int, answers: list[str]) -> None:
    by, row = resolve.acting(context, handle), _living(context, status_id)
    found = question.of(context, status_id)
    options: list[str] = found["options"] if found else []
    polls.vote(context, by, row, [_place(options, answer) for answer in answers])


def _place(options: list[str], answer: str) -> int:
    if answer in options:
        return options.index(answer)
    return int(answer) - 1 if answer.isascii() and answer.isdigit() and len(answer) < 3 else -1
