"""Requests and keys that the tests of signatures share."""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path
from typing import Any

from multidict import CIMultiDict, CIMultiDictProxy

from esnfed.federation.keys import (
    KeyPair,
    PrivateKey,
    PublicKey,
    generate_ed25519,
    generate_rsa,
    load_private,
    load_public,
)
from esnfed.federation.parsed_signature import SignedRequest

FIXTURES = Path(__file__).parents[2] / "fixtures"
KEY_URI = "https://lyon.esn.test/ap/actors/7#main-key"
NOW = 1_790_000_000_000


@cache
def pair(kind: str) -> KeyPair:
    """One key of each kind for the whole run: an RSA key takes 40 ms."""
    return generate_rsa() if kind == "rsa" else generate_ed25519()


def private(kind: str) -> PrivateKey:
    """The private key of a kind."""
    return load_private(pair(kind).private_der)


def public(kind: str) -> PublicKey:
    """The public key of a kind."""
    return load_public(pair(kind).public_der)


def proxy(headers: Any) -> CIMultiDictProxy[str]:
    """Headers as aiohttp hands them over; takes a dict or pairs."""
    return CIMultiDictProxy(CIMultiDict(headers))


def vectors(name: str) -> Any:
    """The published vectors of a document."""
    return json.loads((FIXTURES / name / "vectors.json").read_text())


def request(description: dict[str, Any]) -> SignedRequest:
    """A request of a vector file."""
    return SignedRequest(**{**description, "headers": proxy(description["headers"])})
