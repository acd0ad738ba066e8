"""RFC 9421 and Content-Digest by other hands: http-message-signatures believes us, and we believe it."""

from __future__ import annotations

import time

import pytest
from cryptography.hazmat.primitives import serialization
from multidict import CIMultiDict, CIMultiDictProxy

from esnfed.errors import Unauthenticated
from esnfed.federation.keys import generate_ed25519, generate_rsa, load_private, load_public, public_pem
from esnfed.federation.signatures import Signer, check, parse, sign, verify
from tests.oracles.environments import oracle

KEY_URI = "https://lyon.esn.test/ap/actors/7#main-key"
PAIRS = {"rsa": generate_rsa(), "ed25519": generate_ed25519()}
KINDS = list(PAIRS)
TARGET = "/inbox?a=1"
URL = f"https://hub.esn.test{TARGET}"
BODIES = {"POST": '{"type":"Follow"}', "GET": None}


@pytest.fixture(scope="module")
def library():
    """http-message-signatures in its own process and environment."""
    with oracle("http_message_signatures") as running:
        yield running


def private_pem(kind: str) -> str:
    key = load_private(PAIRS[kind].private_der)
    form = serialization.PrivateFormat.PKCS8
    return key.private_bytes(serialization.Encoding.PEM, form, serialization.NoEncryption()).decode()


def now_ms() -> int:
    return int(time.time() * 1000)


def encoded(text: str | None) -> bytes | None:
    return None if text is None else text.encode()


def ours(kind: str, method: str) -> dict[str, str]:
    """A request that we signed."""
    signer = Signer(KEY_URI, load_private(PAIRS[kind].private_der))
    return sign("rfc9421", signer, method, URL, encoded(BODIES[method]), now_ms())


def asked(library, kind: str, method: str, **changes):
    """What the library believes that a request covers, or None."""
    question = {"method": method, "url": URL, "headers": ours(kind, method), "body": BODIES[method]} | changes
    return library.ask(
        "verify", kind=kind, key_uri=KEY_URI, public_pem=public_pem(PAIRS[kind].public_der), **question
    )


def theirs(library, kind: str, method: str, names: list[str], include_alg: bool) -> dict[str, str]:
    """A request that the library signed."""
    return library.ask(
        "sign",
        kind=kind,
        key_uri=KEY_URI,
        private_pem=private_pem(kind),
        method=method,
        url=URL,
        headers={"Host": "hub.esn.test", "Date": "Tue, 20 Apr 2021 02:07:55 GMT"},
        body=BODIES[method],
        names=names,
        created=now_ms() // 1000,
        include_alg=include_alg,
    )


def accept(kind: str, method: str, headers: dict[str, str], body: bytes | None) -> None:
    """Every step of our own inbox."""
    parsed = parse(method, TARGET, "hub.esn.test", "https", CIMultiDictProxy(CIMultiDict(headers)))
    check(parsed, body=body, now_ms=now_ms())
    verify(parsed, load_public(PAIRS[kind].public_der))


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("method", ["POST", "GET"])
def test_the_library_verifies_what_we_sign(library, kind, method):
    covered = asked(library, kind, method)
    expected = ['"@method"', '"@target-uri"', '"content-digest"', '"@signature-params"']
    if method == "GET":
        expected.remove('"content-digest"')
    assert list(covered) == expected
    assert covered['"@target-uri"'] == URL


@pytest.mark.parametrize("kind", KINDS)
def test_the_library_notices_a_change(library, kind):
    assert asked(library, kind, "POST", url=URL + "2") is None
    assert asked(library, kind, "POST", body="other") is None
    described = ours(kind, "POST")["Signature-Input"]
    forged = ours(kind, "POST") | {"Signature-Input": described.replace('"@method" ', "")}
    assert asked(library, kind, "POST", headers=forged) is None


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("method", ["POST", "GET"])
@pytest.mark.parametrize(
    "names",
    [
        ["@method", "@target-uri"],
        ["@method", "@target-uri", "@authority", "host", "date"],
        ["date", "@scheme", "@path", "@query", "@request-target", "@target-uri", "@method"],
    ],
)
@pytest.mark.parametrize("include_alg", [True, False])
def test_we_verify_what_the_library_signs(library, kind, method, names, include_alg):
    headers = theirs(library, kind, method, names, include_alg)
    body = encoded(BODIES[method])
    accept(kind, method, headers, body)
    with pytest.raises(Unauthenticated):
        accept(kind, method, headers | {"Host": "hub.esn.test", "Content-Digest": "sha-256=:AAAA:"}, b"other")
    other = "rsa" if kind == "ed25519" else "ed25519"
    with pytest.raises(Unauthenticated):
        accept(other, method, headers, body)


def test_we_ask_for_more_than_the_library(library):
    headers = theirs(library, "ed25519", "POST", ["@method", "@authority"], True)
    with pytest.raises(Unauthenticated, match="@target-uri"):
        accept("ed25519", "POST", headers, encoded(BODIES["POST"]))
