"""Authorities and origins of web addresses, normalised in exactly one place.

An authority is `host` or `host:port`, the host in lower-case IDNA 2008 A-labels without a dot at the end,
the port left out when it is the default of the scheme.
"""

from __future__ import annotations

import ipaddress
import re
from dataclasses import dataclass
from urllib.parse import urlsplit

import idna

from esnfed.errors import Malformed

DEFAULT_PORTS = {"https": 443, "http": 80}
MAX_URI_LENGTH = 2048

# Patterns and not loops over characters: each activity asks some fifteen times.
_UNFIT = re.compile(r"[\x00-\x20\x7f\\]")
_NO_AUTHORITY = re.compile(r"[@/\\?# \t\r\n]")
_PORT = re.compile("[0-9]{1,5}")
_LABEL = "[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?"
_HOST = re.compile(rf"{_LABEL}(?:\.{_LABEL})*")


@dataclass(frozen=True, slots=True)
class Address:
    """A checked web address, taken apart. `authority` is normalised; `target` is path and query."""

    scheme: str
    host: str
    port: int
    authority: str
    target: str

    @property
    def origin(self) -> str:
        """Scheme and authority: what FEP-fe34 calls the origin."""
        return f"{self.scheme}://{self.authority}"


def normalise_host(host: str) -> str:
    """Return the host in its one spelling; raises Malformed for anything that is not a host name or address.

    Full-width and other compatibility characters are refused rather than folded: Mastodon's
    CVE-2023-42451 came from two spellings of one domain.
    """
    host = host.lower().removesuffix(".")
    if host.startswith("[") and host.endswith("]"):
        try:
            return f"[{ipaddress.IPv6Address(host[1:-1]).compressed}]"
        except ValueError:
            raise Malformed("The host of an address is not valid.") from None
    if not host or len(host) > 253:
        raise Malformed("The host of an address is not valid.")
    if host.isascii():
        if _HOST.fullmatch(host):
            return host
        raise Malformed("The host of an address is not valid.")
    try:
        return idna.encode(host, strict=True).decode("ascii")
    except idna.IDNAError:
        raise Malformed("The host of an address is not valid.") from None


def normalise_authority(authority: str, scheme: str = "https") -> str:
    """Return `host` or `host:port` in its one spelling; raises Malformed."""
    if _NO_AUTHORITY.search(authority):
        raise Malformed("The host of an address is not valid.")
    host, colon, port = authority.rpartition(":")
    if not colon or authority.endswith("]"):
        return normalise_host(authority)
    if not _PORT.fullmatch(port) or not 0 < int(port) < 65536:
        raise Malformed("The port of an address is not valid.")
    normal = normalise_host(host)
    return normal if int(port) == DEFAULT_PORTS.get(scheme) else f"{normal}:{int(port)}"


def parse_address(uri: object) -> Address:
    """Take a web address apart; raises Malformed unless it is a plain http or https address.

    Refused: user information, control characters and blanks, backslashes, a missing host, over 2,048
    characters. Whether `http` is acceptable is the caller's rule (only in the demo).
    """
    if not isinstance(uri, str) or not 0 < len(uri) <= MAX_URI_LENGTH:
        raise Malformed("An address is missing or too long.")
    if _UNFIT.search(uri):
        raise Malformed("An address holds characters that do not belong there.")
    try:
        parts = urlsplit(uri)
    except ValueError:
        raise Malformed("An address is not valid.") from None
    scheme = parts.scheme.lower()
    if scheme not in DEFAULT_PORTS:
        raise Malformed("An address is not a web address.")
    authority = normalise_authority(parts.netloc, scheme)
    host, colon, port = authority.rpartition(":")
    if not colon or authority.endswith("]"):
        host, number = authority, DEFAULT_PORTS[scheme]
    else:
        number = int(port)
    target = parts.path or "/"
    if parts.query:
        target += f"?{parts.query}"
    return Address(scheme, host, number, authority, target)


def authority_of(uri: object) -> str:
    """Return the normalised authority of a web address; raises Malformed."""
    return parse_address(uri).authority


def origin_of(uri: object) -> str:
    """Return the origin (scheme and normalised authority) of a web address; raises Malformed."""
    return parse_address(uri).origin


def same_origin(one: object, other: object) -> bool:
    """Say whether two values are web addresses of one origin; False for anything that is none."""
    try:
        return origin_of(one) == origin_of(other)
    except Malformed:
        return False
