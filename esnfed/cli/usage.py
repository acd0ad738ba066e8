"""Click in the reader's language: commands, groups and options whose texts are translated when shown."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

import click
from click.types import OptionHelpExtra

from esnfed.cli.texts import _
from esnfed.i18n import N_

MISSING_COMMAND = "Missing command."  # what Click says of a group without a command
TOO_MANY = "Got unexpected extra argument"  # and how it begins to speak of words that nothing takes
NO_VALUE = "does not take a value."  # and how it ends to speak of an option that only stands there

PLACES = (
    N_("OPTIONS"), N_("COMMAND"), N_("ARGS"), N_("TEXT"), N_("INTEGER"), N_("ADDRESS"), N_("CHOICE"),
    N_("FIELD"), N_("FILE"), N_("FOLDER"), N_("HANDLE"), N_("HOST"), N_("ID"), N_("KEY"), N_("LANG"),
    N_("NAME"), N_("NUMBER"), N_("POST"), N_("ROLE"), N_("TIME"), N_("TYPE"), N_("VALUE"),
)  # fmt: skip
"""Words in capitals that stand for what is typed; a usage line puts them together, as in `[HANDLE]...`."""

SENTENCE = 160
"""Characters of a command's help that a list of commands shows at most."""


def _placed(metavar: str) -> str:
    """Return what stands for a value in the chosen language; names of choices are typed as they are."""
    return re.sub(r"[A-Z]{2,}", lambda word: _(word[0]) if word[0] in PLACES else word[0], metavar)


class Option(click.Option):
    """An option whose help is written in English and shown in the chosen language."""

    def make_metavar(self, ctx: click.Context) -> str:
        """Return what stands for the value, translated."""
        return _placed(super().make_metavar(ctx))

    def get_help_extra(self, ctx: click.Context) -> OptionHelpExtra:
        """Return what Click adds to the help, with its one word translated."""
        extra = super().get_help_extra(ctx)
        if "required" in extra:
            extra["required"] = _(N_("required"))
        return extra

    def get_help_record(self, ctx: click.Context) -> tuple[str, str] | None:
        """Return the name and the translated help."""
        written = self.help
        self.help = _(written) if written else written
        try:
            return super().get_help_record(ctx)
        finally:
            self.help = written


class _Translated(click.Command):
    def get_help_option(self, ctx: click.Context) -> click.Option | None:
        found = super().get_help_option(ctx)
        if found is not None:
            found.help = _(N_("Show this text and end."))
        return found

    def collect_usage_pieces(self, ctx: click.Context) -> list[str]:
        return [_placed(piece) for piece in super().collect_usage_pieces(ctx)]

    def get_short_help_str(self, limit: int = 45) -> str:
        text = _(self.short_help or self.help or "").split(". ")[0].rstrip(".")
        return text if len(text) <= limit else f"{text[: limit - 1].rstrip()}…"

    def format_usage(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        formatter.write_usage(ctx.command_path, " ".join(self.collect_usage_pieces(ctx)), prefix=_("Usage: "))

    def format_help_text(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        if self.help:
            formatter.write_paragraph()
            with formatter.indentation():
                formatter.write_text(_(self.help))

    def format_options(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        options = [each for each in self.get_params(ctx) if not isinstance(each, click.Argument)]
        records = [record for each in options if (record := each.get_help_record(ctx)) is not None]
        if records:
            with formatter.section(_("Options")):
                formatter.write_dl(records)
        if isinstance(self, click.Group):
            self.format_commands(ctx, formatter)


class Command(_Translated):
    """A command whose help is translated."""


class Group(_Translated, click.Group):
    """A group of commands whose help is translated."""

    command_class = Command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """List the commands, each with the first sentence of its help."""
        found = [(name, self.get_command(ctx, name)) for name in self.list_commands(ctx)]
        rows = [(name, each.get_short_help_str(SENTENCE)) for name, each in found if each and not each.hidden]
        if rows:
            with formatter.section(_("Commands")):
                formatter.write_dl(rows)

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Find the command; UsageError names the nearest ones."""
        if self.get_command(ctx, args[0]) is None and not args[0].startswith("-"):
            raise click.NoSuchCommand(args[0], possibilities=self.list_commands(ctx), ctx=ctx)
        return super().resolve_command(ctx, args)


Group.group_class = Group

command: Callable[..., Callable[[Callable[..., Any]], Command]] = partial(click.command, cls=Command)
"""As click.command; `help` is a text marked with N_."""

group: Callable[..., Callable[[Callable[..., Any]], Group]] = partial(click.group, cls=Group)
"""As click.group; `help` is a text marked with N_."""

option = partial(click.option, cls=Option)
"""As click.option; `help` is a text marked with N_."""

json_option = option("--json", "as_json", is_flag=True, help=N_("Print JSON."))
"""Adds the parameter `as_json` to a command that lists or answers."""


def sentence(error: click.ClickException) -> str:
    """Return what is wrong with a command line in one sentence, in the chosen language."""
    if isinstance(error, click.NoSuchCommand):
        return _with_near(
            _("There is no command “%(name)s”.") % {"name": error.command_name}, error.possibilities
        )
    if isinstance(error, click.NoSuchOption):
        return _with_near(
            _("There is no option “%(name)s”.") % {"name": error.option_name}, error.possibilities
        )
    if isinstance(error, click.MissingParameter):
        return _("“%(name)s” is missing.") % {"name": _named(error)}
    if isinstance(error, click.BadParameter):
        said = {"name": _named(error), "wanted": _wanted(error), "reason": _(error.message).rstrip(".")}
        if said["wanted"]:
            return _("“%(name)s” must be %(wanted)s.") % said
        return _("“%(name)s” is not valid: %(reason)s.") % said
    return _misused(error)


def _misused(error: click.ClickException) -> str:
    """Word what Click says in English only, and translate what a command of ours says."""
    if error.message == MISSING_COMMAND:
        return _("A command is missing; `esnfed --help` lists them.")
    if isinstance(error, click.BadOptionUsage):
        said = {"name": error.option_name}
        if error.message.endswith(NO_VALUE):
            return _("“%(name)s” takes no value.") % said
        return _("“%(name)s” needs a value.") % said
    if error.message.startswith(TOO_MANY):
        words = error.message.removesuffix(")").partition("(")[2]
        return _("The command takes fewer words; these are too many: %(words)s") % {"words": words}
    return _(error.format_message())


def _wanted(error: click.BadParameter) -> str:
    """Say what an option takes, for the types that Click describes in English only."""
    kind = error.param.type if error.param else None
    if isinstance(kind, click.Choice):
        return _("one of %(choices)s") % {"choices": ", ".join(map(str, kind.choices))}
    if isinstance(kind, click.IntRange) and kind.min is not None and kind.max is not None:
        return _("a whole number from %(min)d to %(max)d") % {"min": kind.min, "max": kind.max}
    if isinstance(kind, click.Path):
        return _("a file that can be read") if kind.file_okay else _("a folder that can be used")
    return _("a whole number") if isinstance(kind, click.types.IntParamType) else ""


def _named(error: click.BadParameter) -> str:
    if error.param is None:
        return str(error.param_hint or "")
    if isinstance(error.param, click.Option):
        return max(error.param.opts, key=len)
    return _placed(error.param.make_metavar(error.ctx)) if error.ctx else str(error.param.name)


def _with_near(text: str, near: Sequence[str] | None) -> str:
    if not near:
        return text
    question = _("Did you mean “%(name)s”?") % {"name": near[0]}
    return f"{text} {question}"
