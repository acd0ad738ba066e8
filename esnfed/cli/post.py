"""`esnfed post`: write, change, delete and read posts, boost and favourite them."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from typing import get_args

import click

import esnfed.cli.posting  # noqa: F401 - registers the operations
from esnfed.cli import pinning, threads
from esnfed.cli.control import run_operation
from esnfed.cli.frame import pass_config
from esnfed.cli.output import answer, plain, table
from esnfed.cli.shown import ID, Json, as_option, before_option, limit_option, pairs, sheet
from esnfed.cli.texts import _
from esnfed.cli.usage import group, json_option, option
from esnfed.config import Config
from esnfed.i18n import N_
from esnfed.registry import commands
from esnfed.services.statuses import MAX_CONTENT
from esnfed.text.language import normalise
from esnfed.vocab.addressing import Visibility
from esnfed.vocab.parse import timestamp

VISIBILITIES = {
    "public": N_("public"), "unlisted": N_("unlisted"), "followers": N_("followers"), "direct": N_("direct"),
}  # fmt: skip
TEASER = 60

_language_option = option("--language", metavar="LANG", help=N_("Language of the text, as fr."))
_translation_option = option(
    "--translation", "translations", multiple=True, metavar="LANG=TEXT",
    help=N_("The text in another language, as es=Hola."),
)  # fmt: skip


@group("post", help=N_("Write, change, delete and read posts; boost and favourite them."))
def post() -> None:
    """Hold the subcommands."""


commands.add("post", post)
for _command in (pinning.pin, pinning.unpin, pinning.pinned):
    post.add_command(_command)
post.add_command(threads.show)


def _language(tag: str, flag: str) -> str:
    found = normalise(tag)
    if found is None:
        raise click.BadParameter(_("it is not the code of a language"), param_hint=flag)
    return found


def _translations(given: tuple[str, ...]) -> dict[str, str]:
    """Return {language: text}; BadParameter for what is no language or has no text."""
    found = {}
    for tag, text in pairs("--translation", given).items():
        if not text:
            raise click.BadParameter(_("it has no text"), param_hint="--translation")
        found[_language(tag, "--translation")] = text
    return found


def _typed(text: str | None) -> str:
    """Return the text of the argument, or of standard input when it is `-` or missing."""
    if text is not None and text != "-":
        return text
    if sys.stdin.isatty():
        click.echo(_("Type the post; end it with Ctrl-D on a line of its own."), err=True)
    return sys.stdin.read(MAX_CONTENT + 1)


@post.command(
    "create",
    help=N_(
        "Publish a post. The text is the argument, or standard input. Mentions as @name@domain are looked "
        "up; those that nobody is found for stay text and are named in what is printed."
    ),
)
@click.argument("text", metavar="[TEXT]", required=False)
@as_option
@option(
    "--visibility",
    type=click.Choice(get_args(Visibility)),
    default="public",
    help=N_("Who may read it."),
)
@_language_option
@_translation_option
@option("--warning", default="", help=N_("Words shown in front of the post, which is folded."))
@option("--reply-to", metavar="POST", help=N_("The post that this replies to: its id here or its address."))
@option(
    "--poll",
    "options",
    multiple=True,
    metavar="CHOICE",
    help=N_("A choice of the poll that the post asks; give 2 to 20."),
)
@option(
    "--poll-until",
    "until",
    metavar="TIME",
    help=N_("When the poll ends, as 2026-03-31T18:00+02:00; without it, in a day."),
)
@option("--poll-multiple", "several", is_flag=True, help=N_("Several choices are allowed."))
@json_option
@pass_config
def create(
    config: Config,
    text: str | None,
    handle: str,
    visibility: str,
    language: str | None,
    translations: tuple[str, ...],
    warning: str,
    reply_to: str | None,
    options: tuple[str, ...],
    until: str | None,
    several: bool,
    as_json: bool,
) -> None:  # fmt: skip
    """Have the node publish."""
    primary = _language(language, "--language") if language else config.languages[0]
    others = _translations(translations)
    arguments = {
        "handle": handle,
        "texts": {primary: _typed(text)} | others,
        "visibility": visibility,
        "warning": warning,
        "reply_to": reply_to,
        "poll": _asked(options, until, several),
    }
    answer(run_operation(config, "post-create", arguments), as_json, _told)


def _asked(options: tuple[str, ...], until: str | None, several: bool) -> Json | None:
    """Return the poll that the options describe, None without any."""
    if not options:
        if until is not None or several:
            raise click.UsageError(_("Give the choices of the poll with --poll."))
        return None
    expires_at = None if until is None else timestamp(until)
    if until is not None and expires_at is None:
        raise click.BadParameter(_("it is not a time"), param_hint="--poll-until")
    return {"options": list(options), "expires_at": expires_at, "multiple": several}


def _told(shown: Json) -> Iterator[str]:
    yield f"{shown['id']}  {plain(shown['url'])}"
    for address in shown["unknown"]:
        yield _("Nobody was found for @%(address)s: it stays text.") % {"address": address}


@post.command(
    "edit",
    help=N_(
        "Change a post of this node. A new text replaces the old one and its translations; without a text, "
        "translations are added or replaced. With - as the text, it is standard input."
    ),
)
@click.argument("status_id", metavar="ID", type=ID)
@click.argument("text", metavar="[TEXT]", required=False)
@_language_option
@_translation_option
@option("--warning", help=N_("New words in front of the post; empty takes them away."))
@json_option
@pass_config
def edit(
    config: Config,
    status_id: int,
    text: str | None,
    language: str | None,
    translations: tuple[str, ...],
    warning: str | None,
    as_json: bool,
) -> None:
    """Have the node change the post."""
    if text is None and language is None and not translations and warning is None:
        raise click.UsageError(_("Say what is to change; `esnfed post edit --help` lists what can."))
    arguments = {
        "status_id": status_id,
        "text": None if text is None else _typed(text),
        "language": _language(language, "--language") if language else None,
        "translations": _translations(translations),
        "warning": warning,
    }
    answer(run_operation(config, "post-edit", arguments), as_json, _told)


@post.command("delete", help=N_("Delete a post of this node for good, here and where it was sent."))
@click.argument("status_id", metavar="ID", type=ID)
@json_option
@pass_config
def delete(config: Config, status_id: int, as_json: bool) -> None:
    """Have the node delete the post."""
    done = run_operation(config, "post-delete", {"status_id": status_id})
    answer(done, as_json, lambda gone: [_("Deleted: %(id)s") % gone])


@post.command(
    "show", help=N_("Show one post by its id here or its address; one elsewhere is fetched when new.")
)
@click.argument("name", metavar="POST")
@json_option
@pass_config
def show(config: Config, name: str, as_json: bool) -> None:
    """Print one post."""
    answer(run_operation(config, "post-show", {"name": name}), as_json, _whole)


def _whole(shown: Json) -> Iterator[str]:
    yield from sheet(
        {
            _("Id"): shown["id"],
            _("Author"): shown["author"],
            _("Address"): shown["uri"],
            _("Page"): shown["url"],
            _("Visibility"): _(VISIBILITIES[shown["visibility"]]),
            _("Languages"): ", ".join(shown["content_map"]),
            _("In reply to"): shown["reply_to"],
            _("Tags"): " ".join(f"#{name}" for name in shown["tags"]),
            _("Mentions"): " ".join(f"@{name}" for name in shown["mentions"]),
            _("Replies"): shown["replies"],
            _("Boosts"): shown["boosts"],
            _("Favourites"): shown["favourites"],
            _("Published"): shown["published"],
            _("Edited"): shown["edited"],
            _("Title"): shown["title"],
            _("Teaser"): shown["teaser"],
            _("Warning"): shown["warning"],
        }
    )
    yield ""
    for line in shown["text"].splitlines():
        yield plain(line)
    if shown["poll"]:
        yield ""
        yield from _counts(shown["poll"])


def _counts(poll: Json) -> Iterator[str]:
    for number, each in enumerate(poll["options"], 1):
        yield f"{number}. {plain(each['title'])}: {each['votes']}"
    if poll["voters"] is not None:
        yield _("Voters: %(number)s") % {"number": poll["voters"]}
    if poll["closed"]:
        yield _("The poll is over.")
    elif poll["expires"]:
        yield _("Open until %(date)s") % {"date": poll["expires"]}


@post.command(
    "vote",
    help=N_("Vote in a poll, by the texts or the numbers of its choices. A vote cannot be taken back."),
)
@click.argument("name", metavar="POST")
@click.argument("answers", metavar="CHOICE...", nargs=-1, required=True)
@as_option
@json_option
@pass_config
def vote(config: Config, name: str, answers: tuple[str, ...], handle: str, as_json: bool) -> None:
    """Have the node vote."""
    arguments = {"handle": handle, "name": name, "answers": list(answers)}
    answer(run_operation(config, "post-vote", arguments), as_json, lambda shown: _counts(shown["poll"]))


@post.command("list", help=N_("List what everybody may see: the newest posts known here, or of one actor."))
@option("--author", metavar="NAME", help=N_("Only of this actor, by handle, name@domain or address."))
@option("--local", is_flag=True, help=N_("Only posts of this node."))
@limit_option
@before_option
@json_option
@pass_config
def list_(
    config: Config, author: str | None, local: bool, limit: int, before: int | None, as_json: bool
) -> None:
    """Print posts."""
    if author and local:
        raise click.UsageError(_("Give either --author or --local."))
    arguments = {"author": author, "local": local, "limit": limit, "before": before}
    answer(run_operation(config, "post-list", arguments), as_json, _table)


def _table(found: list[Json]) -> Iterator[str]:
    headings = (_("Id"), _("Published"), _("Author"), _("Boosted by"), _("Visibility"), _("Text"))
    rows = (
        (
            each["id"],
            each["published"],
            each["author"],
            each["boosted_by"],
            _(VISIBILITIES[each["visibility"]]),
            _teaser(each),
        )
        for each in found
    )
    return table(headings, rows)


def _teaser(shown: Json) -> str:
    line = " ".join((shown["title"] or shown["warning"] or shown["text"]).split())
    return line if len(line) <= TEASER else f"{line[: TEASER - 1].rstrip()}…"


def _interaction(name: str, done: str, undone: str, help_text: str) -> None:
    """Add a command that boosts or favourites a post, or takes that back."""

    @post.command(name, help=help_text)
    @click.argument("post_name", metavar="POST")
    @as_option
    @json_option
    @pass_config
    def interact(config: Config, post_name: str, handle: str, as_json: bool) -> None:
        found = run_operation(config, f"post-{name}", {"handle": handle, "name": post_name})
        answer(found, as_json, lambda shown: [_(done if shown["changed"] else undone) % shown["post"]])


_interaction(
    "boost", N_("Boosted: %(uri)s"), N_("It was boosted before: %(uri)s"),
    N_("Boost a post, given by its id here or its address; one elsewhere is fetched when new."),
)  # fmt: skip
_interaction(
    "unboost", N_("No longer boosted: %(uri)s"), N_("It was not boosted: %(uri)s"),
    N_("Take a boost back."),
)  # fmt: skip
_interaction(
    "like", N_("Favourited: %(uri)s"), N_("It was a favourite before: %(uri)s"),
    N_("Favourite a post, given by its id here or its address; one elsewhere is fetched when new."),
)  # fmt: skip
_interaction(
    "unlike", N_("No longer a favourite: %(uri)s"), N_("It was not a favourite: %(uri)s"),
    N_("Take a favourite back."),
)  # fmt: skip
