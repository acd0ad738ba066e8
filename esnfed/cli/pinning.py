"""`esnfed post pin`, `unpin` and `pinned`: the posts that an actor shows first."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import click
from sqlalchemy import RowMapping

from esnfed.cli import resolve
from esnfed.cli.control import run_operation
from esnfed.cli.frame import pass_config
from esnfed.cli.output import answer, table
from esnfed.cli.shown import ID, Json, time
from esnfed.cli.texts import _
from esnfed.cli.usage import command, json_option
from esnfed.config import Config
from esnfed.context import Context
from esnfed.errors import NotFound, Refused
from esnfed.i18n import N_
from esnfed.registry import operations, readings
from esnfed.services import actors, pins, statuses
from esnfed.text.sanitise import teaser

TEASER = 60


def _change(
    context: Context, status_id: int, change: Callable[[Context, RowMapping, RowMapping], bool]
) -> Json:
    try:
        row = statuses.by_id(context, status_id)
    except NotFound:
        raise NotFound(N_("There is no such post.")) from None
    if not row["local"]:
        raise Refused(N_("This post was written elsewhere."))
    changed = change(context, actors.by_id(context, row["actor_id"]), row)
    return {"id": str(status_id), "uri": row["uri"], "changed": changed}


@operations.register("post-pin")
def pin_post(context: Context, status_id: int) -> Json:
    """Pin a post of a local actor to its profile."""
    return _change(context, status_id, pins.pin_status)


@operations.register("post-unpin")
def unpin_post(context: Context, status_id: int) -> Json:
    """Take a pinned post of a local actor off its profile."""
    return _change(context, status_id, pins.unpin_status)


@readings.register("post-pinned")
def list_pinned(context: Context, author: str) -> list[Json]:
    """Return the pinned posts of an actor known here, the newest pin first."""
    owner = resolve.known_actor(context, author)
    return [
        {
            "id": str(row["id"]),
            "uri": row["uri"],
            "published": time(row["published_at"]),
            "content": row["content"],
        }
        for row in pins.of(context, owner["id"])
    ]


@command("pin", help=N_("Pin a public post of this node to its author's profile; five at most."))
@click.argument("status_id", metavar="ID", type=ID)
@json_option
@pass_config
def pin(config: Config, status_id: int, as_json: bool) -> None:
    """Have the node pin the post."""
    done = run_operation(config, "post-pin", {"status_id": status_id})
    answer(done, as_json, _pinned)


def _pinned(done: Json) -> Iterator[str]:
    text = _("Pinned: %(uri)s") if done["changed"] else _("It was pinned before: %(uri)s")
    yield text % done


@command("unpin", help=N_("Take a pinned post off its author's profile."))
@click.argument("status_id", metavar="ID", type=ID)
@json_option
@pass_config
def unpin(config: Config, status_id: int, as_json: bool) -> None:
    """Have the node take the pin away."""
    done = run_operation(config, "post-unpin", {"status_id": status_id})
    answer(done, as_json, _unpinned)


def _unpinned(done: Json) -> Iterator[str]:
    text = _("No longer pinned: %(uri)s") if done["changed"] else _("It was not pinned: %(uri)s")
    yield text % done


@command("pinned", help=N_("List the pinned posts of an actor, by handle, name@domain or address."))
@click.argument("author", metavar="NAME")
@json_option
@pass_config
def pinned(config: Config, author: str, as_json: bool) -> None:
    """Print the pinned posts."""
    answer(run_operation(config, "post-pinned", {"author": author}), as_json, _table)


def _table(found: list[Json]) -> Iterator[str]:
    headings = (_("Id"), _("Published"), _("Text"))
    return table(
        headings, ([each["id"], each["published"], teaser(each["content"], TEASER)] for each in found)
    )
