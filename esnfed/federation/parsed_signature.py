"""What both signature schemes share: the request as it arrived, and a signature taken apart."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import Literal, Protocol

from esnfed.errors import Malformed, Unauthenticated
from esnfed.vocab.authority import normalise_authority

Scheme = Literal["cavage", "rfc9421"]
"""The two ways to sign a request: draft-cavage-http-signatures-12 and RFC 9421."""

KeyKind = Literal["rsa", "ed25519"]
HashName = Literal["sha256", "sha512"]

MAX_COMPONENTS = 32
MAX_HEADER_LENGTH = 8192
MAX_SIGNATURE_BYTES = 1024  # RSA of 8,192 bits, the longest key we take

DEFAULT_LIFE_MS = 5 * 60 * 1000
SKEW_MS = 60 * 60 * 1000
MAX_TIMESTAMP = 10**12  # seconds; keeps milliseconds inside 64 bits


class Headers(Protocol):
    """A multi-valued, case-insensitive mapping such as aiohttp's CIMultiDictProxy."""

    def getall(self, name: str, default: list[str], /) -> list[str]:
        """All values of one header in order of arrival, or `default`."""


@dataclass(frozen=True, slots=True)
class SignedRequest:
    """A request as its signer saw it.

    `target` is path and query as on the request line. `authority` is the normalised host (and port) that the
    door decided this request was made to, and `scheme` how: behind a proxy neither is known from the wire.
    """

    method: str
    target: str
    authority: str
    scheme: str
    headers: Headers

    def __post_init__(self) -> None:
        if any(character in self.method + self.target for character in "\r\n\0"):
            raise Malformed("The request line holds a line break.")

    @property
    def path(self) -> str:
        """The target without its query."""
        return self.target.partition("?")[0]

    def field(self, name: str) -> str | None:
        """The value of a header as it is signed: all values joined by a comma and a blank; None when absent.

        `host` is answered by the authority we were asked for, in the spelling of the header when both are the
        same place, so that a proxy that rewrites Host breaks no signature and a foreign Host proves nothing.
        """
        values = [value.strip(" \t") for value in self.headers.getall(name, [])]
        if name == "host":
            return self._host(values)
        if not values:
            return None
        joined = ", ".join(values)
        if len(joined) > MAX_HEADER_LENGTH:
            raise Malformed("A signed header is too long.")
        if any(character in joined for character in "\r\n\0"):
            raise Malformed("A signed header holds a line break.")
        return joined

    def _host(self, values: list[str]) -> str:
        if len(values) > 1:
            raise Malformed("The request names two hosts.")
        try:
            same = bool(values) and normalise_authority(values[0], self.scheme) == self.authority
        except Malformed:
            same = False
        return values[0] if same else self.authority


@dataclass(frozen=True, slots=True)
class ParsedSignature:
    """A signature whose form is right; nothing is proven before `signatures.verify` has returned.

    `created` and `expires` are milliseconds. `bases` are the texts that may have been signed, in order of
    preference. `digest` is the header that binds the body, when the signature covers it. `key_kind` and
    `hash_name` are what the message claims; the algorithm itself follows from the key.
    """

    kind: Scheme
    key_uri: str
    signature: bytes
    method: str
    covered: frozenset[str]
    created: int | None
    expires: int | None
    bases: tuple[bytes, ...]
    digest: str | None
    key_kind: KeyKind | None = None
    hash_name: HashName = "sha256"

    @property
    def fingerprint(self) -> bytes:
        """SHA-256 of key id and signature: the key of the replay cache (32 bytes)."""
        return hashlib.sha256(self.key_uri.encode() + b"\0" + self.signature).digest()

    @property
    def deadline(self) -> int:
        """The last millisecond at which this signature is accepted, and a replay must be remembered."""
        if self.created is None:
            raise Unauthenticated("The signature does not cover when it was made.")
        latest = self.created + DEFAULT_LIFE_MS
        return min(latest, latest if self.expires is None else self.expires) + SKEW_MS


def signature_bytes(signature: bytes) -> bytes:
    """Return the signature when its length is plausible; Malformed otherwise."""
    if not 0 < len(signature) <= MAX_SIGNATURE_BYTES:
        raise Malformed("A signature is empty or too long.")
    return signature


def milliseconds(seconds: int) -> int:
    """Turn the seconds of a signature into milliseconds; Malformed outside of any sensible calendar."""
    if not 0 <= seconds <= MAX_TIMESTAMP:
        raise Malformed("The time of a signature is out of range.")
    return seconds * 1000
