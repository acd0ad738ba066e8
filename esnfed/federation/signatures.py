"""The one front of HTTP signatures: sign what leaves; parse, check and verify what arrives.

An inbox asks in this order: `parse` (form), `check` (coverage, time, digest), then it finds the key, then
`verify`. Both schemes obey one set of rules:

- the algorithm follows from the key; what the message says of it may only agree;
- a POST covers method, target, host, digest and time; any other request the same without the digest;
- time: a signature is good from 1 h 5 min before its creation (clocks differ) until 1 h after its life, which
  is 5 min or, if shorter, what `expires` says. Mastodon lets `expires` stretch that life to 12 h; here it can
  only shorten it, because each POST must be remembered for as long as it could be replayed.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from cryptography.hazmat.primitives.hashes import SHA256, SHA512

from esnfed.errors import Malformed, Unauthenticated
from esnfed.federation import cavage, rfc9421
from esnfed.federation.digests import check_content_digest, check_digest, sha256_base64
from esnfed.federation.keys import PrivateKey, PublicKey
from esnfed.federation.parsed_signature import (
    DEFAULT_LIFE_MS,
    SKEW_MS,
    Headers,
    ParsedSignature,
    Scheme,
    SignedRequest,
)
from esnfed.vocab.authority import parse_address

__all__ = ["Headers", "ParsedSignature", "Scheme", "Signer", "check", "parse", "sign", "verify"]

WINDOW_MS = SKEW_MS + DEFAULT_LIFE_MS

_REQUIRED: Final[dict[Scheme, frozenset[str]]] = {
    "cavage": frozenset({"(request-target)", "host"}),
    "rfc9421": frozenset({"@method", "@target-uri"}),
}
_DIGEST_NAME: Final[dict[Scheme, str]] = {"cavage": "digest", "rfc9421": "content-digest"}
_HASHES: Final = {"sha256": SHA256(), "sha512": SHA512()}
_PADDING: Final = PKCS1v15()


@dataclass(frozen=True, slots=True)
class Signer:
    """Who signs: the address of a key as peers know it, and the key."""

    key_uri: str
    private: PrivateKey


def sign(
    scheme: Scheme,
    signer: Signer,
    method: str,
    url: str,
    body: bytes | None,
    now_ms: int,
    digest: str | None = None,
    also: Mapping[str, str] | None = None,
) -> dict[str, str]:
    """Return the headers that make this request a signed one; they must be sent exactly as given.

    `also` are further headers that the signature is to cover; they are among those returned.

    `url` is the address as it goes on the wire. `digest` is the base64 SHA-256 of `body` when the caller has
    it already (one activity goes to many inboxes). A POST without a body signs the digest of an empty one.
    """
    address = parse_address(url)
    if digest is None and (body is not None or method.upper() == "POST"):
        digest = sha256_base64(body or b"")
    if scheme == "cavage":
        label = "hs2019" if isinstance(signer.private, Ed25519PrivateKey) else "rsa-sha256"
        names, headers, base = cavage.outgoing(
            method, address.target, address.authority, digest, now_ms, also
        )
        headers["Signature"] = cavage.header(signer.key_uri, label, names, _sign(signer.private, base))
        return headers
    algorithm = "ed25519" if isinstance(signer.private, Ed25519PrivateKey) else "rsa-v1_5-sha256"
    target_uri = address.origin + address.target
    headers, params, base = rfc9421.outgoing(
        method, target_uri, digest, signer.key_uri, algorithm, now_ms, also
    )
    return headers | rfc9421.headers(params, _sign(signer.private, base))


def parse(method: str, target: str, authority: str, scheme: str, headers: Headers) -> ParsedSignature:
    """Read the signature of a request, whichever scheme it has.

    `target` is path and query as on the request line, `authority` the normalised host the request was made to
    and `scheme` http or https, as the outside sees them. A request with `Signature-Input` is RFC 9421 unless
    its `Signature` header really has the other form. Malformed (400) for a broken or a second signature,
    Unauthenticated (401) for none or one that cannot be good.
    """
    request = SignedRequest(method, target, authority, scheme, headers)
    signature, signature_input = _find(headers)
    if signature_input is not None:
        parsed = rfc9421.parse(request, signature_input, signature)
    else:
        parsed = cavage.parse(request, signature)
    parse_address(parsed.key_uri)
    if not parsed.key_uri.isascii():
        raise Malformed("The address of the key is not ASCII.")
    return parsed


def check(parsed: ParsedSignature, *, body: bytes | None, now_ms: int) -> None:
    """Apply the rules of this module that need no key: coverage, time, digest, cheapest first.

    Unauthenticated (401) when one is broken, Malformed (400) for a digest header that is none.
    """
    _check_coverage(parsed, body)
    _check_time(parsed, now_ms)
    if parsed.digest is not None:
        compare = check_digest if parsed.kind == "cavage" else check_content_digest
        compare(parsed.digest, body or b"")


def verify(parsed: ParsedSignature, public_key: PublicKey) -> None:
    """Verify with the signer's key, whose kind decides the algorithm; Unauthenticated when it fails."""
    actual = "rsa" if isinstance(public_key, RSAPublicKey) else "ed25519"
    if parsed.key_kind is not None and parsed.key_kind != actual:
        raise Unauthenticated("The signature names an algorithm that its key does not have.")
    if not any(_verifies(parsed, base, public_key) for base in parsed.bases):
        raise Unauthenticated("The signature is not genuine.")


def _find(headers: Headers) -> tuple[str, str | None]:
    """The one signature, and its `Signature-Input` when that is what describes it."""
    signatures = list(headers.getall("Signature", []))
    inputs = headers.getall("Signature-Input", [])
    for value in headers.getall("Authorization", []):
        name, _, rest = value.partition(" ")
        if name.lower() == "signature":
            signatures.append(rest)
    if not signatures and not inputs:
        raise Unauthenticated("The request is not signed.")
    if len(signatures) != 1 or len(inputs) > 1:
        raise Malformed("The request must carry exactly one signature.")
    signature = signatures[0]
    return signature, inputs[0] if inputs and not cavage.looks_like(signature) else None


def _check_coverage(parsed: ParsedSignature, body: bytes | None) -> None:
    needed = _REQUIRED[parsed.kind]
    if parsed.method == "POST" or body:
        needed |= {_DIGEST_NAME[parsed.kind]}
    missing = sorted(needed - parsed.covered)
    if missing:
        raise Unauthenticated(f"The signature must cover {', '.join(missing)}.")


def _check_time(parsed: ParsedSignature, now_ms: int) -> None:
    if now_ms > parsed.deadline:
        raise Unauthenticated("The signature is too old.")
    if parsed.created is not None and parsed.created > now_ms + WINDOW_MS:
        raise Unauthenticated("The signature is from the future.")


def _sign(private: PrivateKey, base: bytes) -> bytes:
    if isinstance(private, Ed25519PrivateKey):
        return private.sign(base)
    return private.sign(base, _PADDING, _HASHES["sha256"])


def _verifies(parsed: ParsedSignature, base: bytes, public_key: PublicKey) -> bool:
    try:
        if isinstance(public_key, RSAPublicKey):
            public_key.verify(parsed.signature, base, _PADDING, _HASHES[parsed.hash_name])
        else:
            public_key.verify(parsed.signature, base)
    except InvalidSignature:
        return False
    return True
