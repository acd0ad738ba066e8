"""Digests that bind a body to its headers: `Digest` (RFC 3230) and `Content-Digest` (RFC 9530)."""

from __future__ import annotations

import binascii
import hashlib
import hmac
from base64 import b64decode, b64encode

from esnfed.errors import Malformed, Unauthenticated
from esnfed.federation.structured import parse_dictionary

MAX_DIGESTS = 8


def sha256_base64(body: bytes) -> str:
    """SHA-256 of a body in base64, the form that both headers carry."""
    return b64encode(hashlib.sha256(body).digest()).decode("ascii")


def digest_header(sha256: str) -> str:
    """The value of `Digest` for a base64 SHA-256; Mastodon reads SHA-256 alone."""
    return f"SHA-256={sha256}"


def content_digest_header(sha256: str) -> str:
    """The value of `Content-Digest` for a base64 SHA-256."""
    return f"sha-256=:{sha256}:"


def check_digest(header: str, body: bytes) -> None:
    """Compare a body with its `Digest` header.

    Other algorithms may stand beside SHA-256 and are not looked at. Malformed for a broken header or a
    repeated algorithm, Unauthenticated when SHA-256 is missing or differs.
    """
    found: dict[str, str] = {}
    for part in header.split(",", MAX_DIGESTS):
        name, equals, value = part.strip(" \t").partition("=")
        name = name.lower()
        if not equals or not name or name in found:
            raise Malformed("The Digest header is malformed.")
        found[name] = value
    if len(found) > MAX_DIGESTS:
        raise Malformed("The Digest header names too many digests.")
    if "sha-256" not in found:
        raise Unauthenticated("The Digest header has no SHA-256.")
    _compare(_decode(found["sha-256"]), body)


def check_content_digest(header: str, body: bytes) -> None:
    """Compare a body with its `Content-Digest` header; the same rules and errors as `check_digest`."""
    found = parse_dictionary(header)
    if len(found) > MAX_DIGESTS:
        raise Malformed("The Content-Digest header names too many digests.")
    if "sha-256" not in found:
        raise Unauthenticated("The Content-Digest header has no sha-256.")
    member = found["sha-256"]
    value = member[0] if isinstance(member, tuple) else member
    if not isinstance(value, bytes):
        raise Malformed("The Content-Digest header is malformed.")
    _compare(value, body)


def _decode(text: str) -> bytes:
    try:
        return b64decode(text.encode("ascii"), validate=True)
    except (UnicodeEncodeError, binascii.Error):
        raise Malformed("A digest is not base64.") from None


def _compare(claimed: bytes, body: bytes) -> None:
    if not hmac.compare_digest(claimed, hashlib.sha256(body).digest()):
        raise Unauthenticated("The digest does not match the body.")
