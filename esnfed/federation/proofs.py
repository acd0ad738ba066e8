"""Object integrity proofs (FEP-8b32, `eddsa-jcs-2022`): made for our documents, judged on others'.

Pure functions: whose key it is, and whether the proof suffices, is decided by `authenticate` and `inbox`.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from esnfed.errors import Malformed, Unauthenticated
from esnfed.federation.jcs import canonical
from esnfed.federation.keys import PublicKey
from esnfed.federation.multikey import base58, unbase58
from esnfed.i18n import N_
from esnfed.vocab import parse
from esnfed.vocab.parse import Document
from esnfed.vocab.terms import AS_CONTEXT

DATA_INTEGRITY: Final = "https://w3id.org/security/data-integrity/v1"
"""Defines the terms of a proof; libraries carry it with them. Mastodon asks for no particular context, only
that the document's is a list which begins with the proof's."""

MAX_DOCUMENT: Final = 128 * 1024
"""Bytes of a body whose proof is looked at: a canonical form of a whole megabyte would hold up the rest."""

_TYPE: Final = "DataIntegrityProof"
_SUITE: Final = "eddsa-jcs-2022"
_PURPOSE: Final = "assertionMethod"
_SIGNATURE_BYTES: Final = 64
_MAX_VALUE: Final = 100  # 64 bytes are 88 letters at most
_OUTSIDE: Final = frozenset({"proof", "signature"})  # a proof is over the document without both (FEP-8b32)


@dataclass(frozen=True, slots=True)
class Proof:
    """A proof whose form is right; nothing is proven by it yet."""

    key_uri: str
    created: int | None
    """Milliseconds, None when not said."""

    options: Document
    """What is signed of it: all but its value."""

    value: bytes


def add(document: Document, key_uri: str, private: Ed25519PrivateKey, created: int) -> Document:
    """Return the document with a proof by the key `key_uri`, which its actor lists in `assertionMethod`.

    `created` is in milliseconds. It is written in whole seconds: Fedify signs and verifies times in their
    shortest form, which `.120Z` is not. The proof repeats the whole context, as FEP-8b32 shows and as
    Fedify supposes. Ed25519 is deterministic, so the same input gives the same bytes, always.
    """
    secured = {"@context": _secured(document.get("@context"))}
    secured |= {key: value for key, value in document.items() if key not in ("@context", *_OUTSIDE)}
    options = {
        "@context": secured["@context"],
        "type": _TYPE,
        "cryptosuite": _SUITE,
        "verificationMethod": key_uri,
        "proofPurpose": _PURPOSE,
        "created": parse.iso(created)[:19] + "Z",
    }
    value = "z" + base58(private.sign(_digest(options, secured)))
    return secured | {"proof": options | {"proofValue": value}}


def find(document: Document, now: int) -> Proof | None:
    """Return the proof of a document when it is one that is understood here.

    None when there is none, several, one of another kind or suite, one whose key has no web address
    (did:key), or one that has expired at `now`: FEP-8b32 says to go by other means then. Raises
    Unauthenticated for one that can never be right: another purpose, a context that the document's does not
    begin with, a value that is no signature.
    """
    proof = document.get("proof")
    if isinstance(proof, list) and len(proof) == 1:
        proof = proof[0]
    if not isinstance(proof, dict) or (proof.get("type"), proof.get("cryptosuite")) != (_TYPE, _SUITE):
        return None
    key_uri = parse.web_address(proof.get("verificationMethod"))
    if key_uri is None or ("expires" in proof and (parse.timestamp(proof["expires"]) or 0) <= now):
        return None
    if proof.get("proofPurpose") != _PURPOSE:
        raise Unauthenticated(N_("The proof is not for this purpose."))
    if not _begins(document.get("@context"), proof.get("@context")):
        raise Unauthenticated(N_("The proof has another context than the document."))
    options = {name: value for name, value in proof.items() if name != "proofValue"}
    created = parse.timestamp(proof.get("created"))
    return Proof(key_uri, created, options, _signature(proof.get("proofValue")))


def verify(proof: Proof, document: Document, key: PublicKey) -> None:
    """Raise Unauthenticated unless the proof is by `key`, an Ed25519 key, over all of the document.

    What is covered is the JSON as it was received without `proof` and `signature`, with the context of the
    proof where it has one (vc-di-eddsa 3.3.2, step 4.2).
    """
    if not isinstance(key, Ed25519PublicKey):
        raise Unauthenticated(N_("The key of the proof is not an Ed25519 key."))
    unsecured = {name: value for name, value in document.items() if name not in _OUTSIDE}
    if "@context" in proof.options:
        unsecured["@context"] = proof.options["@context"]
    try:
        key.verify(proof.value, _digest(proof.options, unsecured))
    except (InvalidSignature, Malformed):
        raise Unauthenticated(N_("The proof does not verify.")) from None


def _secured(context: Any) -> list[Any]:
    """Return a context as a list that names the terms of a proof, right after ActivityStreams."""
    listed = context if isinstance(context, list) else [context or AS_CONTEXT]
    return listed if DATA_INTEGRITY in listed else [listed[0], DATA_INTEGRITY, *listed[1:]]


def _begins(context: Any, with_: Any) -> bool:
    """Say whether the context of a document begins with that of its proof; one without any is content."""
    if with_ is None:
        return True
    listed = context if isinstance(context, list) else [context]
    beginning = with_ if isinstance(with_, list) else [with_]
    return listed[: len(beginning)] == beginning


def _signature(value: object) -> bytes:
    if isinstance(value, str) and value.startswith("z") and len(value) <= _MAX_VALUE:
        try:
            found = unbase58(value[1:])
        except Malformed:
            found = b""
        if len(found) == _SIGNATURE_BYTES:
            return found
    raise Unauthenticated(N_("The value of the proof is not a signature."))


def _digest(options: Mapping[str, Any], document: Mapping[str, Any]) -> bytes:
    """Hash of the options, then hash of the document (vc-di-eddsa 3.3.4)."""
    return hashlib.sha256(canonical(options)).digest() + hashlib.sha256(canonical(document)).digest()
