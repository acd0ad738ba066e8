"""The `esnfed` command: finds the commands, reads the configuration for them, and words every failure."""

from __future__ import annotations

import logging
import os
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import wraps
from importlib import import_module
from pathlib import Path
from pkgutil import iter_modules
from typing import Any, TypeVar

import click
from click.exceptions import NoArgsIsHelpError

from esnfed import __version__
from esnfed.cli import settings
from esnfed.cli.texts import _, speak, speaking, wanted
from esnfed.cli.usage import Group, Option, sentence
from esnfed.config import Config
from esnfed.errors import EsnfedError
from esnfed.i18n import N_, available
from esnfed.registry import commands

log = logging.getLogger(__name__)

Function = TypeVar("Function", bound=Callable[..., Any])

FAILED = 1
MISUSED = 2
STOPPED = 130


@dataclass
class Invocation:
    """One call of the command line: what its general options say."""

    environ: Mapping[str, str]
    path: Path | None = None
    debug: bool = False
    _config: Config | None = field(default=None, repr=False)

    def config(self) -> Config:
        """Return the configuration, read once; ConfigError when it is bad or missing."""
        if self._config is None:
            self._config = settings.load(self.path, self.environ)
        return self._config


def current() -> Invocation:
    """Return the call of the command line that is under way."""
    found = click.get_current_context().find_object(Invocation)
    assert found is not None, "commands are called through run()"
    return found


def pass_config(function: Function) -> Callable[..., Any]:
    """Decorate a command: its first argument is the Config."""

    @wraps(function)
    def call(*args: Any, **options: Any) -> Any:
        return function(current().config(), *args, **options)

    return call


def command_modules() -> dict[str, str]:
    """Return command-file name -> module: the files of this folder, and `cli.py` of every network room."""
    here = Path(__file__).parent
    found = {each.name: f"esnfed.cli.{each.name}" for each in iter_modules([str(here)])}
    rooms = (each.parent.name for each in here.parent.glob("*/cli.py"))
    return found | {f"{room}/cli": f"esnfed.{room}.cli" for room in rooms}


def load_commands() -> None:
    """Import every command file, so that all commands and operations are registered."""
    for module in command_modules().values():
        import_module(module)


class Frame(Group):
    """The root command; a command is imported when it is first asked for."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Return the names of all commands, sorted."""
        load_commands()
        return list(commands)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Return a command: from the file of its name, else from any; None when there is none."""
        module = command_modules().get(cmd_name)
        if module is not None:
            import_module(module)
        if cmd_name not in commands:
            load_commands()
        found = commands.get(cmd_name)
        return found if isinstance(found, click.Command) else None


def _speak(ctx: click.Context, _option: click.Parameter, chosen: str | None) -> None:
    if chosen:
        speak(chosen)


def _version(ctx: click.Context, _option: click.Parameter, asked: bool) -> None:
    if asked:
        click.echo(f"esnfed {__version__}")
        ctx.exit()


@click.group("esnfed", cls=Frame, help=N_("A federated server of the Education and Solidarity Network."))
@click.option(
    "--lang", cls=Option, type=click.Choice(available()), is_eager=True, expose_value=False, callback=_speak,
    help=N_("Language of the texts (else ESNFED_LANG, LC_ALL, LANG)."),
)  # fmt: skip
@click.option(
    "--version", cls=Option, is_flag=True, is_eager=True, expose_value=False, callback=_version,
    help=N_("Print the version and end."),
)  # fmt: skip
@click.option(
    "--config", "path", cls=Option, type=click.Path(dir_okay=False, path_type=Path), metavar="FILE",
    help=N_("The configuration file (else ESNFED_CONFIG, ./esnfed.toml, /etc/esnfed/esnfed.toml)."),
)  # fmt: skip
@click.option("--debug", cls=Option, is_flag=True, help=N_("Show where a failure came from."))
@click.pass_obj
def root(invocation: Invocation, path: Path | None, debug: bool) -> None:
    """Keep the general options for the command that follows."""
    invocation.path = path
    invocation.debug = debug


def run(arguments: Sequence[str], environ: Mapping[str, str] = os.environ) -> int:
    """Run one command line; return the exit code: 0, 1 (failed), 2 (wrongly used) or 130 (stopped).

    A failure is one sentence on standard error; a traceback appears only with `--debug`.
    """
    invocation = Invocation(environ)
    with speaking(wanted(environ)):
        try:
            outcome = root.main(list(arguments), prog_name="esnfed", standalone_mode=False, obj=invocation)
            return outcome if isinstance(outcome, int) and not isinstance(outcome, bool) else 0
        except NoArgsIsHelpError as error:
            click.echo(error.format_message(), err=True)
            return MISUSED
        except click.ClickException as error:
            return _complain(sentence(error), error.exit_code)
        except click.Abort:
            return _complain(_("Stopped."), STOPPED)
        except EsnfedError as error:
            if invocation.debug:
                raise
            return _complain(error.told(_), FAILED)
        except Exception as error:
            if invocation.debug:
                raise
            log.debug("the command failed", exc_info=True)
            return _complain(_unforeseen(error), FAILED)


def _complain(text: str, code: int) -> int:
    click.echo(text, err=True)
    return code


def _unforeseen(error: Exception) -> str:
    said = {"reason": f"{type(error).__name__}: {error}".splitlines()[0].rstrip(".")}
    return _("Something unforeseen happened (%(reason)s); run the command with --debug to see where.") % said


def main() -> None:
    """The console script."""
    sys.exit(run(sys.argv[1:]))
