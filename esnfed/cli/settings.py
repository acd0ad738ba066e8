"""Reads the configuration: a TOML file, then the environment; every complaint is one sentence with a name."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path
from typing import Any

from esnfed.cli import checks
from esnfed.cli.texts import _
from esnfed.config import Config
from esnfed.errors import ConfigError, Invalid
from esnfed.i18n import N_

PLACES = (Path("esnfed.toml"), Path("/etc/esnfed/esnfed.toml"))
"""Where the file is looked for when neither `--config` nor $ESNFED_CONFIG names one."""


@dataclass(frozen=True, slots=True)
class Setting:
    """One setting: its name in the file (ESNFED_NAME in the environment), its check, its comment."""

    name: str
    check: checks.Check
    about: str = ""
    secret: bool = False
    """True: the value is never repeated in a complaint."""

    environments: tuple[str, ...] = ("production", "demo", "test")
    """Where it may be set at all."""

    @property
    def variable(self) -> str:
        """The environment variable that overrides the file."""
        return f"ESNFED_{self.name.upper()}"


_TEST = ("test",)

SETTINGS = (
    Setting(
        "domain",
        checks.authority,
        N_("The public host name of this node: every web address begins with it. It can never change."),
    ),
    Setting(
        "account_domain",
        checks.optional_authority,
        N_("The domain in handles (@name@here), when it is another one. It can never change."),
    ),
    Setting("name", checks.line, N_("The name of the node, as its pages show it.")),
    Setting("description", checks.line, N_("One sentence about the node.")),
    Setting(
        "contact", checks.optional_email, N_("E-mail address of the people who run the node; it is public.")
    ),
    Setting(
        "organisation_type",
        checks.one_of(*checks.ORGANISATION_TYPES),
        N_("What kind of organisation runs it."),
    ),
    Setting(
        "languages", checks.languages, N_("Languages of the node; the first is the default of its pages.")
    ),
    Setting(
        "data_dir", checks.folder, N_("Folder of the database and of everything else that must be kept.")
    ),
    Setting(
        "database",
        checks.database,
        N_("Empty: SQLite in the data folder. Or postgresql://user:password@host/name."),
        secret=True,
    ),
    Setting(
        "synchronous",
        checks.one_of("FULL", "NORMAL"),
        N_("Durability of SQLite. NORMAL is faster and may lose the last confirmed writes in a power cut."),
    ),
    Setting(
        "listen", checks.address, N_("The address on which the node listens, for the proxy in front of it.")
    ),
    Setting("port", checks.port, N_("The port on which it listens.")),
    Setting(
        "trusted_proxies",
        checks.networks,
        N_("Proxies whose X-Forwarded-For and X-Forwarded-Host are believed; nobody else's are."),
    ),
    Setting(
        "log_format", checks.one_of("text", "json"), N_("The form of the log: text, or json for programs.")
    ),
    Setting(
        "proofs",
        checks.one_of("organisations", "everybody"),
        N_("Whose public posts carry a lasting proof of authorship: organisations' only, or everybody's."),
    ),
    Setting(
        "authorised_fetch",
        checks.switch,
        N_("Whether other servers must sign what they ask for: actors, posts and collections."),
    ),
    Setting(
        "first_contact_activities",
        checks.whole(1, 1_000_000),
        N_("How many activities a server that nobody here has met may deliver in its first hour."),
    ),
    Setting(
        "first_contact_mentions",
        checks.whole(0, 1_000_000),
        N_("How many of those activities may mention people here who were not in that conversation."),
    ),
    Setting(
        "environment",
        checks.one_of("production", "demo", "test"),
        N_("Demo and test nodes serve nothing but this machine."),
    ),
    Setting("hosts", checks.hosts, environments=_TEST),
    Setting("tls_authority", checks.optional_path, environments=_TEST),
    Setting("tls_certificate", checks.certificate, environments=_TEST),
)
"""All settings in the order of the file. Those without a comment are for tests and not written into it."""

_BY_NAME = {setting.name: setting for setting in SETTINGS}
_PATHS = ("data_dir", "tls_authority")


def load(path: Path | None, environ: Mapping[str, str]) -> Config:
    """Read the configuration from `path` (else $ESNFED_CONFIG, ./esnfed.toml, /etc/esnfed/esnfed.toml).

    Variables named ESNFED_ and a setting's name in capitals override the file; an empty one counts as not
    set. No file is needed when the environment says all. ConfigError, one sentence with the setting's name.
    """
    chosen = find(path, environ)
    values = _from_file(chosen) if chosen else {}
    for setting in SETTINGS:
        if text := environ.get(setting.variable):
            values[setting.name] = checked(setting, text, setting.variable)
    for name in ("domain", "data_dir"):
        if name not in values:
            raise ConfigError(_missing(name, chosen))
    config = Config(**values)
    agree(config, str(chosen or _("the environment")), frozenset(values))
    return config


def find(path: Path | None, environ: Mapping[str, str]) -> Path | None:
    """Return the file to read: the named one, which must exist, or the first of the usual places, or None."""
    named = path or (Path(environ["ESNFED_CONFIG"]) if environ.get("ESNFED_CONFIG") else None)
    if named is None:
        return next((place for place in PLACES if place.is_file()), None)
    if not named.is_file():
        raise ConfigError(_("The configuration file %(file)s does not exist.") % {"file": named})
    return named


def checked(setting: Setting, value: Any, place: str) -> Any:
    """Return the value as Config wants it; ConfigError names the place, the setting and what it must be."""
    try:
        return setting.check(value)
    except Invalid as error:
        said = {"place": place, "name": setting.name, "wanted": str(error), "value": _shown(value)}
        if setting.secret:
            raise ConfigError(_("%(place)s: the setting “%(name)s” must be %(wanted)s.") % said) from error
        raise ConfigError(
            _("%(place)s: the setting “%(name)s” must be %(wanted)s, not %(value)s.") % said
        ) from error


def _shown(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= 80 else f"{text[:79]}…"


def _missing(name: str, chosen: Path | None) -> str:
    if chosen is None:
        return _(
            "No configuration was found, and the setting “%(name)s” is needed: run `esnfed init`, or name a "
            "file with --config."
        ) % {"name": name}
    return _("%(place)s: the setting “%(name)s” is missing.") % {"place": chosen, "name": name}


def _from_file(path: Path) -> dict[str, Any]:
    try:
        document = tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        said = {"file": path, "reason": error.strerror}
        raise ConfigError(_("The configuration file %(file)s cannot be read: %(reason)s.") % said) from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        said = {"file": path, "reason": str(error)}
        raise ConfigError(
            _("The configuration file %(file)s is not valid TOML: %(reason)s.") % said
        ) from error
    values = {}
    for name, value in document.items():
        setting = _BY_NAME.get(name)
        if setting is None:
            raise ConfigError(_unknown(name, path))
        values[name] = checked(setting, value, str(path))
    return {name: _beside(path, name, value) for name, value in values.items()}


def _unknown(name: str, path: Path) -> str:
    said = {"place": path, "name": name}
    close = get_close_matches(name, [setting.name for setting in SETTINGS if setting.about], n=1)
    if not close:
        return _("%(place)s: there is no setting “%(name)s”.") % said
    return _("%(place)s: there is no setting “%(name)s”; did you mean “%(close)s”?") % {
        **said,
        "close": close[0],
    }


def _beside(path: Path, name: str, value: Any) -> Any:
    """A relative path in the file starts at the file's folder."""
    if name in _PATHS and value is not None:
        return path.resolve().parent / value
    if name == "tls_certificate" and value is not None:
        return tuple(path.resolve().parent / each for each in value)
    return value


def agree(config: Config, place: str, given: frozenset[str] = frozenset()) -> None:
    """Refuse settings that contradict one another; `given` are those set. ConfigError names one of them."""
    for name in sorted(given):
        if config.environment not in _BY_NAME[name].environments:
            _refuse(place, name, _("is only for tests"))
    names = (("domain", config.domain), ("account_domain", config.account_domain))
    for name, value in names:
        if config.environment == "production" and not checks.public(value):
            _refuse(place, name, _("must be a public host name without a port in production"))
        if config.environment != "production" and not checks.throwaway(value):
            _refuse(place, name, _("must be under localhost, 127.0.0.1 or esn.test in a demo or a test"))
    if config.loopback_only and config.listen not in ("localhost", "127.0.0.1", "::1"):
        _refuse(place, "listen", _("must be 127.0.0.1 in a demo or a test"))
    if config.environment == "demo" and config.trusted_proxies:
        _refuse(place, "trusted_proxies", _("must be empty in a demo"))


def _refuse(place: str, name: str, reason: str) -> None:
    said = {"place": place, "name": name, "reason": reason}
    raise ConfigError(_("%(place)s: the setting “%(name)s” %(reason)s.") % said)


def prepare_data_dir(config: Config) -> None:
    """Create the data folder, open to its owner only; ConfigError when it cannot be one."""
    try:
        config.data_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as error:
        said = {"folder": config.data_dir, "reason": error.strerror}
        raise ConfigError(
            _("The setting “data_dir” names %(folder)s, which cannot be a folder: %(reason)s.") % said
        ) from error
