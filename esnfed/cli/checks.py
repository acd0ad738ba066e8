"""What each kind of setting accepts: functions that return the value, or raise Invalid saying what is wanted.

The text of the Invalid fits after "must be": the loader and `esnfed init` build one sentence around it.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from ipaddress import IPv4Network, IPv6Network, ip_address, ip_network
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from esnfed.cli.texts import _
from esnfed.errors import Invalid, Malformed
from esnfed.i18n import available
from esnfed.vocab.authority import normalise_authority

ORGANISATION_TYPES = (
    "education-union", "health-mutual", "cooperative", "youth-association", "research-centre", "university",
    "ngo", "foundation", "international-organisation", "public-body", "other",
)  # fmt: skip
TEXT_LIMIT = 2_000

Check = Callable[[Any], Any]


def line(value: Any) -> str:
    """A text of one line without control characters, 2,000 characters at most."""
    if not isinstance(value, str) or len(value) > TEXT_LIMIT or not (value.isprintable() or not value):
        raise Invalid(_("one line of text"))
    return value.strip()


def authority(value: Any) -> str:
    """A host name, with a port where one is needed, in its one spelling."""
    wish = _("a host name such as esn.example.org")
    if not isinstance(value, str):
        raise Invalid(wish)
    try:
        return normalise_authority(value.strip())
    except Malformed as error:
        raise Invalid(wish) from error


def optional_authority(value: Any) -> str:
    """Empty, or a host name."""
    return "" if value == "" else authority(value)


def public(name: str) -> bool:
    """Say whether a normalised authority can be a production domain: a host name with a dot and no port."""
    if ":" in name or "." not in name or throwaway(name):
        return False
    try:
        ip_address(name)
    except ValueError:
        return True
    return False


def throwaway(name: str) -> bool:
    """Say whether a normalised authority is one of those that demo and test nodes answer."""
    host = name.rpartition(":")[0] if ":" in name else name
    return host in ("localhost", "127.0.0.1", "esn.test") or host.endswith((".localhost", ".esn.test"))


def domain(environment: str) -> Check:
    """A host name that fits the environment: public in production, throwaway in a demo or a test."""

    def check(value: Any) -> str:
        found = authority(value)
        if environment == "production" and not public(found):
            raise Invalid(_("a public host name without a port, such as esn.example.org"))
        if environment != "production" and not throwaway(found):
            raise Invalid(_("a name under localhost, 127.0.0.1 or esn.test"))
        return found

    return check


def one_of(*choices: str) -> Check:
    """One of these words."""

    def check(value: Any) -> str:
        if value not in choices:
            raise Invalid(_("one of %(choices)s") % {"choices": ", ".join(choices)})
        return str(value)

    return check


def port(value: Any) -> int:
    """A TCP port; digits are accepted as text, since the environment has no numbers."""
    number = int(value) if isinstance(value, str) and re.fullmatch(r"[0-9]{1,5}", value) else value
    if not isinstance(number, int) or isinstance(number, bool) or not 0 < number < 65536:
        raise Invalid(_("a whole number from 1 to 65535"))
    return number


def whole(least: int, most: int) -> Check:
    """A whole number between two bounds; digits are accepted as text, as the environment has no numbers."""

    def check(value: Any) -> int:
        number = int(value) if isinstance(value, str) and re.fullmatch(r"[0-9]{1,9}", value) else value
        if not isinstance(number, int) or isinstance(number, bool) or not least <= number <= most:
            raise Invalid(_("a whole number from %(least)s to %(most)s") % {"least": least, "most": most})
        return number

    return check


def switch(value: Any) -> bool:
    """True or false; the words are accepted as text, since the environment has nothing else."""
    found = {"true": True, "false": False}.get(value) if isinstance(value, str) else value
    if not isinstance(found, bool):
        raise Invalid(_("true or false"))
    return found


def address(value: Any) -> str:
    """An IP address to listen on, or `localhost`."""
    try:
        return value if value == "localhost" else str(ip_address(value.strip()))
    except (ValueError, AttributeError) as error:
        raise Invalid(_("an IP address such as 127.0.0.1")) from error


def texts(value: Any, wish: str) -> Sequence[str]:
    """A list of texts as it is, a text split at its commas; Invalid with `wish` for anything else."""
    if isinstance(value, str):
        return [part.strip() for part in value.split(",") if part.strip()]
    if not isinstance(value, list | tuple) or not all(isinstance(each, str) for each in value):
        raise Invalid(wish)
    return value


def networks(value: Any) -> tuple[IPv4Network | IPv6Network, ...]:
    """A list of IP networks or addresses, written as texts."""
    wish = _('a list of networks such as ["127.0.0.1", "10.0.0.0/8"]')
    try:
        return tuple(ip_network(each) for each in texts(value, wish))
    except ValueError as error:
        raise Invalid(wish) from error


def languages(value: Any) -> tuple[str, ...]:
    """One language of the interface or more, without repetition, the first being the default."""
    wish = _("a list of these languages: %(choices)s") % {"choices": ", ".join(available())}
    found = tuple(dict.fromkeys(texts(value, wish)))
    if not found or any(each not in available() for each in found):
        raise Invalid(wish)
    return found


def email(value: Any) -> str:
    """An e-mail address."""
    if not isinstance(value, str) or not re.fullmatch(r"[^@\s]{1,64}@[^@\s]{1,253}", value.strip()):
        raise Invalid(_("an e-mail address"))
    return value.strip()


def optional_email(value: Any) -> str:
    """Empty, or an e-mail address."""
    return "" if value == "" else email(value)


def database(value: Any) -> str:
    """Empty for SQLite, or the address of a PostgreSQL database."""
    wish = _("empty for SQLite, or postgresql://user:password@host/name")
    try:
        parts = urlsplit(value)
        fits = value == "" or (parts.scheme == "postgresql" and len(parts.path) > 1)
    except (ValueError, TypeError, AttributeError) as error:
        raise Invalid(wish) from error
    if not fits:
        raise Invalid(wish)
    return str(value)


def folder(value: Any) -> Path:
    """A path, `~` expanded."""
    if not isinstance(value, str) or not value.strip() or not value.isprintable():
        raise Invalid(_("a folder such as /var/lib/esnfed"))
    return Path(value.strip()).expanduser()


def optional_path(value: Any) -> Path | None:
    """None for an empty text, or a path."""
    return None if value == "" else folder(value)


def certificate(value: Any) -> tuple[Path, Path] | None:
    """None for an empty list, or the paths of a certificate and of its key."""
    wish = _("a list of two files, certificate and key")
    paths = texts(value, wish)
    if len(paths) not in (0, 2):
        raise Invalid(wish)
    return (folder(paths[0]), folder(paths[1])) if paths else None


def hosts(value: Any) -> dict[str, tuple[str, int]]:
    """A table of host names to `address:port`."""
    wish = _('a table of host names to addresses, such as { "lyon.esn.test" = "127.0.0.1:8443" }')
    if not isinstance(value, Mapping):
        raise Invalid(wish)
    found = {}
    for name, place in value.items():
        host, colon, number = str(place).rpartition(":")
        if not colon:
            raise Invalid(wish)
        found[authority(name)] = (address(host), port(number))
    return found
