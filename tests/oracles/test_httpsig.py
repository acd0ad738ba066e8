"""Draft-cavage by other hands: httpsig 1.3.0 believes us, we believe it, but not all that it believes."""

from __future__ import annotations

import time

import pytest
from cryptography.hazmat.primitives import serialization
from multidict import CIMultiDict, CIMultiDictProxy

from esnfed.errors import Unauthenticated
from esnfed.federation.digests import digest_header, sha256_base64
from esnfed.federation.keys import generate_rsa, load_private, load_public, public_pem
from esnfed.federation.signatures import Signer, check, parse, sign, verify
from tests.oracles.environments import oracle

KEY_URI = "https://lyon.esn.test/ap/actors/7#main-key"
PAIR = generate_rsa()
PUBLIC_PEM = public_pem(PAIR.public_der)
BODY = b'{"type":"Follow"}'
NAMES = {"POST": ["(request-target)", "host", "date", "digest"], "GET": ["(request-target)", "host", "date"]}
TARGET = "/inbox?a=1"


@pytest.fixture(scope="module")
def httpsig():
    """httpsig in its own process and environment."""
    with oracle("httpsig") as running:
        yield running


def private_pem() -> str:
    key = load_private(PAIR.private_der)
    form = serialization.PrivateFormat.TraditionalOpenSSL
    return key.private_bytes(serialization.Encoding.PEM, form, serialization.NoEncryption()).decode()


def ours(method: str) -> dict[str, str]:
    """A request that we signed."""
    signer = Signer(KEY_URI, load_private(PAIR.private_der))
    body = BODY if method == "POST" else None
    return sign("cavage", signer, method, f"https://hub.esn.test{TARGET}", body, now_ms())


def now_ms() -> int:
    return int(time.time() * 1000)


def accept(method: str, headers: dict[str, str]) -> None:
    """Every step of our own inbox."""
    multi = CIMultiDictProxy(CIMultiDict(headers))
    parsed = parse(method, TARGET, "hub.esn.test", "https", multi)
    check(parsed, body=BODY if method == "POST" else None, now_ms=now_ms())
    verify(parsed, load_public(PAIR.public_der))


def asked(httpsig, method: str, headers: dict[str, str], target: str = TARGET) -> bool:
    """Whether httpsig believes a request."""
    return httpsig.ask(
        "verify", headers=headers, secret=PUBLIC_PEM, names=NAMES[method], method=method, target=target
    )


@pytest.mark.parametrize("method", ["POST", "GET"])
def test_httpsig_verifies_what_we_sign(httpsig, method):
    assert asked(httpsig, method, ours(method)) is True


@pytest.mark.parametrize("method", ["POST", "GET"])
def test_httpsig_notices_another_target(httpsig, method):
    assert asked(httpsig, method, ours(method), "/inbox?a=2") is False


@pytest.mark.parametrize("method", ["POST", "GET"])
@pytest.mark.parametrize("algorithm", ["rsa-sha256", "rsa-sha512"])
def test_we_verify_what_httpsig_signs(httpsig, method, algorithm):
    headers = {name: value for name, value in ours(method).items() if name != "Signature"}
    headers["Signature"] = httpsig.ask(
        "sign",
        headers=headers,
        secret=private_pem(),
        key_uri=KEY_URI,
        algorithm=algorithm,
        names=NAMES[method],
        method=method,
        target=TARGET,
    )
    accept(method, headers)
    if method == "POST":
        with pytest.raises(Unauthenticated):
            accept(method, headers | {"Digest": digest_header(sha256_base64(b"other"))})


def test_the_forgery_that_httpsig_believes_is_refused_here(httpsig):
    """httpsig takes the algorithm from the message: an HMAC keyed with the public key passes for genuine."""
    headers = {name: value for name, value in ours("POST").items() if name != "Signature"}
    headers["Signature"] = httpsig.ask(
        "sign",
        headers=headers,
        secret=PUBLIC_PEM,
        key_uri=KEY_URI,
        algorithm="hmac-sha256",
        names=NAMES["POST"],
        method="POST",
        target=TARGET,
    )
    assert asked(httpsig, "POST", headers) is True
    with pytest.raises(Unauthenticated):
        accept("POST", headers)
    for label in ("rsa-sha256", "hs2019"):
        relabelled = headers["Signature"].replace("hmac-sha256", label)
        assert relabelled != headers["Signature"]
        with pytest.raises(Unauthenticated):
            accept("POST", headers | {"Signature": relabelled})
