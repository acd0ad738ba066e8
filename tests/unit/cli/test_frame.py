"""The frame of the command line: finding commands, choosing a language, wording failures."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import click
import pytest

from esnfed import __version__
from esnfed.cli import settings
from esnfed.cli.frame import command_modules, pass_config, run
from esnfed.cli.texts import speaking, wanted
from esnfed.cli.usage import command, group, option, sentence
from esnfed.config import Config
from esnfed.errors import Conflict
from esnfed.i18n import N_
from esnfed.registry import Registry

Add = Callable[[click.Command], None]


@pytest.fixture
def add(monkeypatch: pytest.MonkeyPatch) -> Iterator[Add]:
    """Register a command for the length of a test."""
    copy: Registry[click.Command] = Registry("commands of a test")
    monkeypatch.setattr("esnfed.cli.frame.commands", copy)
    monkeypatch.setattr("esnfed.cli.frame.command_modules", dict)

    def register(made: click.Command) -> None:
        copy.add(made.name or "", made)

    return register


def test_every_command_file_registers_and_help_lists_it(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["--help"], {}) == 0
    told = capsys.readouterr().out
    for name in ("init", "serve", "migrate", "routes", "handlers"):
        assert name in command_modules()
        assert f"\n  {name} " in told


def test_what_stands_for_a_value_is_in_the_language_of_the_reader(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert run(["--lang", "es", "post", "vote", "--help"], {}) == 0
    told = capsys.readouterr().out
    assert told.startswith("Uso: esnfed post vote [OPCIONES] PUBLICACIÓN OPCIÓN...\n")
    assert "--as IDENTIFICADOR" in told
    assert "[obligatorio]" in told
    assert run(["--lang", "fr", "--help"], {}) == 0
    told = capsys.readouterr().out
    assert "esnfed [OPTIONS] COMMANDE [ARGUMENTS]..." in told
    assert "--lang [fr|en|es]" in told


def test_the_version_is_printed(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["--version"], {}) == 0
    assert capsys.readouterr().out == f"esnfed {__version__}\n"


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["handlres"], "There is no command “handlres”. Did you mean “handlers”?"),
        (["routes", "--jsno"], "There is no option “--jsno”. Did you mean “--json”?"),
        (["serve", "--port", "x"], "“--port” must be a whole number from 1 to 65535."),
        (["--lang", "xx", "routes"], "“--lang” must be one of fr, en, es."),
        (["--debug"], "A command is missing; `esnfed --help` lists them."),
        (["init", "--no-ask"], "--domain is needed."),
        (["routes", "of", "all"], "The command takes fewer words; these are too many: of all"),
        (["routes", "--json=1"], "“--json” takes no value."),
        (["--lang"], "“--lang” needs a value."),
        (["--config", "/", "routes"], "“--config” must be a file that can be read."),
        (["--lang", "fr", "post", "vote"], "Il manque «\u00a0PUBLICATION\u00a0»."),
    ],
)
def test_wrong_use_is_one_sentence_and_code_2(
    capsys: pytest.CaptureFixture[str], arguments: list[str], told: str
) -> None:
    assert run(arguments, {}) == 2
    captured = capsys.readouterr()
    assert (captured.out, captured.err) == ("", f"{told}\n")


def test_without_arguments_the_help_appears(capsys: pytest.CaptureFixture[str]) -> None:
    assert run([], {}) == 2
    assert "Usage: esnfed" in capsys.readouterr().err


def test_a_missing_configuration_is_one_sentence_and_code_1(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(settings, "PLACES", ())
    assert run(["migrate"], {}) == 1
    assert capsys.readouterr().err.startswith(
        "No configuration was found, and the setting “domain” is needed"
    )
    assert run(["--config", str(tmp_path / "none"), "migrate"], {}) == 1
    assert capsys.readouterr().err == f"The configuration file {tmp_path / 'none'} does not exist.\n"


def test_the_configuration_reaches_the_command(
    add: Add, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    @command("where", help=N_("Say where the node is."))
    @option("--twice", is_flag=True)
    @pass_config
    def where(config: Config, twice: bool) -> None:
        click.echo(config.origin * (2 if twice else 1))

    add(where)
    path = tmp_path / "esnfed.toml"
    path.write_text('domain = "esn.example.org"\ndata_dir = "data"\n')
    assert run(["--config", str(path), "where"], {}) == 0
    assert run(["where", "--twice"], {"ESNFED_CONFIG": str(path)}) == 0
    assert (
        capsys.readouterr().out == "https://esn.example.org\nhttps://esn.example.orghttps://esn.example.org\n"
    )


def failing(name: str, error: Exception) -> click.Command:
    @command(name, help=N_("Fail."))
    def fail(**_options: object) -> None:
        raise error

    return fail


def test_our_errors_are_their_own_sentence_and_others_are_worded(
    add: Add, capsys: pytest.CaptureFixture[str]
) -> None:
    add(failing("ours", Conflict("This handle is taken.")))
    add(failing("other", RuntimeError("the cable is cut")))
    assert run(["ours"], {}) == 1
    assert capsys.readouterr().err == "This handle is taken.\n"
    assert run(["other"], {}) == 1
    assert capsys.readouterr().err == (
        "Something unforeseen happened (RuntimeError: the cable is cut); "
        "run the command with --debug to see where.\n"
    )


@pytest.mark.parametrize("error", [Conflict("Taken."), RuntimeError("cut")])
def test_debug_shows_where_a_failure_came_from(add: Add, error: Exception) -> None:
    add(failing("fail", error))
    with pytest.raises(type(error)):
        run(["--debug", "fail"], {})


def test_an_interrupt_is_code_130(add: Add, capsys: pytest.CaptureFixture[str]) -> None:
    @command("slow", help=N_("Be slow."))
    def slow() -> None:
        raise KeyboardInterrupt

    add(slow)
    assert run(["slow"], {}) == 130
    assert capsys.readouterr().err == "\nStopped.\n"


def test_a_command_of_a_group_is_found_and_near_ones_are_named(
    add: Add, capsys: pytest.CaptureFixture[str]
) -> None:
    @group("peer", help=N_("Other servers."))
    def peer() -> None:
        """Hold the commands."""

    @peer.command("probe", help=N_("Ask a server how it is."))
    @click.argument("host")
    def probe(host: str) -> None:
        click.echo(host)

    add(peer)
    assert run(["peer", "probe", "a.example"], {}) == 0
    assert capsys.readouterr().out == "a.example\n"
    assert run(["peer", "prob"], {}) == 2
    assert capsys.readouterr().err == "There is no command “prob”. Did you mean “probe”?\n"
    assert run(["peer", "probe"], {}) == 2
    assert capsys.readouterr().err == "“HOST” is missing.\n"
    assert run(["peer", "--help"], {}) == 0
    assert "probe  Ask a server how it is" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("environ", "language"),
    [
        ({}, "en"),
        ({"LANG": "fr_FR.UTF-8"}, "fr"),
        ({"LC_ALL": "es_ES", "LANG": "fr_FR"}, "es"),
        ({"LC_ALL": "C", "LANG": "fr_FR"}, "en"),
        ({"LC_ALL": "", "LANG": "es"}, "es"),
        ({"ESNFED_LANG": "fr", "LC_ALL": "es_ES"}, "fr"),
        ({"LANG": "xx_XX"}, "en"),
    ],
)
def test_the_environment_chooses_the_language(environ: dict[str, str], language: str) -> None:
    assert wanted(environ) == language


def test_texts_are_translated_when_they_are_shown(
    add: Add, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    class French:
        def gettext(self, text: str) -> str:
            return f"«{text}»"

    class English:
        def gettext(self, text: str) -> str:
            return text

    monkeypatch.setattr("esnfed.cli.texts.translator", {"fr": French(), "en": English()}.__getitem__)
    made = failing("fail", Conflict("This handle is taken."))
    made.params.append(click.Option(["--plain"], help="Untranslated."))
    option("--much", help=N_("A lot."))(made)
    add(made)
    assert run(["--lang", "fr", "fail", "--help"], {}) == 0
    told = capsys.readouterr().out
    for text in ("«Usage: »", "«Fail.»", "«Options»", "«A lot.»", "«Show this text and end.»"):
        assert text in told
    assert run(["--lang", "fr", "fail"], {}) == 1
    assert capsys.readouterr().err == "«This handle is taken.»\n"
    assert run(["fail"], {}) == 1
    assert capsys.readouterr().err == "This handle is taken.\n"


def test_other_usage_errors_keep_their_words() -> None:
    with speaking("en"):
        assert sentence(click.UsageError("Choose one of the two.")) == "Choose one of the two."
        error = click.BadParameter("no such file.", param_hint="--file")
        assert sentence(error) == "“--file” is not valid: no such file."
