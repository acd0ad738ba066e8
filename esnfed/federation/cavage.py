"""HTTP signatures of draft-cavage-http-signatures-12, as the fediverse speaks them."""

from __future__ import annotations

import binascii
import re
from base64 import b64decode, b64encode
from collections.abc import Mapping
from datetime import UTC, datetime
from email.utils import formatdate
from typing import Final

from esnfed.errors import Malformed, Unauthenticated
from esnfed.federation.digests import digest_header
from esnfed.federation.parsed_signature import (
    MAX_COMPONENTS,
    MAX_HEADER_LENGTH,
    HashName,
    KeyKind,
    ParsedSignature,
    SignedRequest,
    milliseconds,
    signature_bytes,
)

_PARAMETER = re.compile(
    r"[ \t]*([A-Za-z][A-Za-z0-9_-]*)[ \t]*=[ \t]*"
    r'(?:"([^"\\\x00-\x1f\x7f]*)"|([0-9A-Za-z!#$%&\'*+.^_`|~-]+))[ \t]*(,|\Z)'
)
_SHAPE = re.compile(r'(?:\A|,)[ \t]*keyId[ \t]*=[ \t]*"', re.IGNORECASE)
_COMPONENT = re.compile(r"\((?:request-target|created|expires)\)|[a-z0-9!#$%&'*+.^_`|~-]+")
_SECONDS = re.compile(r"([0-9]{1,12})(?:\.[0-9]{1,9})?")
_DATE = re.compile(
    r"(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun), ([0-9]{2}) ([A-Z][a-z]{2}) ([0-9]{4}) "
    r"([0-9]{2}):([0-9]{2}):([0-9]{2}) GMT"
)
_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")

_LABELS: Final[dict[str, tuple[KeyKind | None, HashName]]] = {
    "hs2019": (None, "sha256"),  # says nothing; for RSA every server of the fediverse means SHA-256
    "rsa-sha256": ("rsa", "sha256"),
    "rsa-sha512": ("rsa", "sha512"),
    "ed25519": ("ed25519", "sha256"),
}
"""What a label claims of the key. It chooses no algorithm; a label that is not here (hmac-*) is refused."""


def looks_like(header: str) -> bool:
    """Say whether a `Signature` header has the form of this scheme; an RFC 9421 one never has."""
    return _SHAPE.search(header) is not None


def tokenise(header: str) -> dict[str, str]:
    """Take `name="value",...` apart into lower-case names and values.

    Malformed for anything outside the grammar, escapes included, and for a repeated name (Mastodon #37375):
    two readers that keep different ones are a way around a signature.
    """
    if len(header) > MAX_HEADER_LENGTH:
        raise Malformed("The Signature header is too long.")
    found: dict[str, str] = {}
    position, comma = 0, ","
    while comma:
        match = _PARAMETER.match(header, position)
        if match is None:
            raise Malformed("The Signature header is malformed.")
        name, quoted, token, comma = match.groups()
        name = name.lower()
        if name in found:
            raise Malformed("A parameter appears twice in the Signature header.")
        found[name] = token if quoted is None else quoted
        position = match.end()
    return found


def parse(request: SignedRequest, header: str) -> ParsedSignature:
    """Read a signature and build the texts it may have signed.

    Malformed (400) for a broken header, Unauthenticated (401) for one that covers what the request does not
    have, or that names an algorithm no actor key can have.
    """
    found = tokenise(header)
    label = found.get("algorithm", "hs2019").lower()
    if label not in _LABELS:
        raise Unauthenticated("The signature names an algorithm that is not accepted.")
    key_kind, hash_name = _LABELS[label]
    names = _components(found, label)
    times = {name: _time(found, name) for name in ("created", "expires")}
    created = times["created"] if "(created)" in names else None
    if created is None and "date" in names:
        created = parse_date(_field(request, "date"))
    return ParsedSignature(
        kind="cavage",
        key_uri=_required(found, "keyid"),
        signature=signature_bytes(_decode(_required(found, "signature"))),
        method=request.method.upper(),
        covered=frozenset(names),
        created=created,
        expires=times["expires"],
        bases=_bases(request, names, found),
        digest=_field(request, "digest") if "digest" in names else None,
        key_kind=key_kind,
        hash_name=hash_name,
    )


def signing_string(request: SignedRequest, names: list[str], found: dict[str, str], target: str) -> bytes:
    """Build the text of section 2.3; Unauthenticated when a covered header is missing."""
    special = {
        "(request-target)": f"{request.method.lower()} {target}",
        "(created)": found.get("created"),
        "(expires)": found.get("expires"),
    }
    lines = []
    for name in names:
        value = special[name] if name in special else request.field(name)
        if value is None:
            raise Unauthenticated(f"The signature covers {name}, which the request does not have.")
        lines.append(f"{name}: {value}")
    try:
        return "\n".join(lines).encode("utf-8", "surrogateescape")
    except UnicodeEncodeError:
        raise Malformed("A signed header is not text.") from None


def outgoing(
    method: str,
    target: str,
    authority: str,
    sha256: str | None,
    now_ms: int,
    also: Mapping[str, str] | None = None,
) -> tuple[list[str], dict[str, str], bytes]:
    """Return what a request of ours covers, the headers it needs for that, and the text to sign.

    `(request-target) host date`, and `digest` with a body: what GoToSocial sends, the least that Mastodon,
    Lemmy and Fedify ask for. Content-Type is left out: nobody asks for it, and proxies respell it.
    """
    headers = {"Host": authority, "Date": formatdate(now_ms // 1000, usegmt=True)}
    if sha256 is not None:
        headers["Digest"] = digest_header(sha256)
    headers |= also or {}
    lines = [f"(request-target): {method.lower()} {target}"]
    lines += [f"{name.lower()}: {value}" for name, value in headers.items()]
    return ["(request-target)", *map(str.lower, headers)], headers, "\n".join(lines).encode("utf-8")


def header(key_uri: str, label: str, names: list[str], signature: bytes) -> str:
    """Write the `Signature` header."""
    encoded = b64encode(signature).decode("ascii")
    return f'keyId="{key_uri}",algorithm="{label}",headers="{" ".join(names)}",signature="{encoded}"'


def parse_date(text: str) -> int:
    """Read an HTTP date in its one preferred form (RFC 9110 5.6.7) into milliseconds; Malformed otherwise."""
    match = _DATE.fullmatch(text)
    if match is None or match[2] not in _MONTHS:
        raise Malformed("The Date header is malformed.")
    day, year, hour, minute, second = (int(match[group]) for group in (1, 3, 4, 5, 6))
    try:
        moment = datetime(year, _MONTHS.index(match[2]) + 1, day, hour, minute, second, tzinfo=UTC)
    except ValueError:
        raise Malformed("The Date header is malformed.") from None
    return int(moment.timestamp()) * 1000


def _components(found: dict[str, str], label: str) -> list[str]:
    default = "(created)" if label == "hs2019" else "date"  # section 2.1.6, and Mastodon
    names = found.get("headers", default).lower().split(" ")
    if len(names) > MAX_COMPONENTS or len(set(names)) != len(names):
        raise Malformed("The signature covers too many headers, or one twice.")
    if not all(_COMPONENT.fullmatch(name) for name in names):
        raise Malformed("The signature covers something that is no header.")
    if label != "hs2019" and not {"(created)", "(expires)"}.isdisjoint(names):
        raise Unauthenticated("The signature covers (created) or (expires) without the label hs2019.")
    return names


def _bases(request: SignedRequest, names: list[str], found: dict[str, str]) -> tuple[bytes, ...]:
    whole = signing_string(request, names, found, request.target)
    if "(request-target)" not in names or request.target == request.path:
        return (whole,)
    # Mastodon long left the query out of (request-target) and accepts both; Fedify 2 reads it without.
    return whole, signing_string(request, names, found, request.path)


def _field(request: SignedRequest, name: str) -> str:
    value = request.field(name)
    if value is None:
        raise Unauthenticated(f"The signature covers {name}, which the request does not have.")
    return value


def _required(found: dict[str, str], name: str) -> str:
    value = found.get(name)
    if not value:
        raise Malformed("The Signature header lacks its key or its signature.")
    return value


def _time(found: dict[str, str], name: str) -> int | None:
    text = found.get(name)
    if text is None:
        return None
    match = _SECONDS.fullmatch(text)
    if match is None:
        raise Malformed("A time in the Signature header is malformed.")
    return milliseconds(int(match[1]))


def _decode(text: str) -> bytes:
    try:
        return b64decode(text.encode("ascii"), validate=True)
    except (UnicodeEncodeError, binascii.Error):
        raise Malformed("The signature is not base64.") from None
