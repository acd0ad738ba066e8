"""The one front of signatures: what is signed is believed, and nothing else is."""

from __future__ import annotations

import hashlib
import hmac
from base64 import b64encode
from dataclasses import replace
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.hashes import SHA256, SHA512
from hypothesis import given
from hypothesis import strategies as st

from esnfed.errors import Malformed, Unauthenticated
from esnfed.federation import cavage
from esnfed.federation.digests import sha256_base64
from esnfed.federation.keys import public_pem
from esnfed.federation.signatures import ParsedSignature, Signer, check, parse, sign, verify
from tests.unit.federation.requests import KEY_URI, NOW, pair, private, proxy, public

SCHEMES = ["cavage", "rfc9421"]
KINDS = ["rsa", "ed25519"]
URL = "https://hub.esn.test/inbox?a=1"
BODY = b'{"type":"Follow"}'
MINUTE = 60_000


def signed(
    scheme: Any, kind: str = "ed25519", method: str = "POST", body: bytes | None = BODY, url: str = URL
):
    """The headers of one signed request."""
    return sign(scheme, Signer(KEY_URI, private(kind)), method, url, body, NOW)


def received(headers: Any, method: str = "POST", target: str = "/inbox?a=1", authority: str = "hub.esn.test"):
    """The signature of a request as the hub sees it."""
    return parse(method, target, authority, "https", proxy(headers))


def accept(parsed: ParsedSignature, kind: str, body: bytes | None = BODY, now: int = NOW) -> None:
    """Every step of an inbox."""
    check(parsed, body=body, now_ms=now)
    verify(parsed, public(kind))


SIGNED = {kind: signed("cavage", kind) for kind in KINDS}


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("scheme", SCHEMES)
@pytest.mark.parametrize(("method", "body"), [("POST", BODY), ("POST", b""), ("POST", None), ("GET", None)])
def test_what_we_sign_we_accept(scheme, kind, method, body):
    parsed = received(signed(scheme, kind, method, body), method)
    assert (parsed.kind, parsed.key_uri, parsed.created) == (scheme, KEY_URI, NOW)
    accept(parsed, kind, body)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("scheme", SCHEMES)
@given(
    st.from_regex(r"/[a-z0-9%._~!$&'()*+,;=:@/-]{0,20}(\?[a-z0-9%=&/?]{1,20})?", fullmatch=True),
    st.binary(max_size=50),
    st.integers(0, 4_000_000_000_000),
)
def test_any_request_round_trips(scheme, kind, target, body, now):
    headers = sign(
        scheme, Signer(KEY_URI, private(kind)), "POST", f"http://localhost:8001{target}", body, now
    )
    parsed = parse("POST", target, "localhost:8001", "http", proxy(headers))
    accept(parsed, kind, body, now)


def test_the_cavage_headers_of_a_post():
    headers = signed("cavage", "rsa")
    assert list(headers) == ["Host", "Date", "Digest", "Signature"]
    assert headers["Host"] == "hub.esn.test"
    assert headers["Date"] == "Mon, 21 Sep 2026 14:13:20 GMT"
    assert headers["Digest"] == f"SHA-256={sha256_base64(BODY)}"
    found = cavage.tokenise(headers["Signature"])
    assert found["headers"] == "(request-target) host date digest"
    assert found["algorithm"] == "rsa-sha256"
    assert cavage.tokenise(signed("cavage", "ed25519")["Signature"])["algorithm"] == "hs2019"


def test_the_rfc9421_headers_of_a_post():
    headers = signed("rfc9421", "rsa")
    assert list(headers) == ["Content-Digest", "Signature-Input", "Signature"]
    assert headers["Content-Digest"] == f"sha-256=:{sha256_base64(BODY)}:"
    expected = f'("@method" "@target-uri" "content-digest");created=1790000000;keyid="{KEY_URI}"'
    assert headers["Signature-Input"] == f'sig1={expected};alg="rsa-v1_5-sha256"'
    assert signed("rfc9421", "ed25519")["Signature-Input"].endswith(';alg="ed25519"')


def test_a_get_carries_no_digest():
    assert list(signed("cavage", method="GET", body=None)) == ["Host", "Date", "Signature"]
    assert list(signed("rfc9421", method="GET", body=None)) == ["Signature-Input", "Signature"]


@pytest.mark.parametrize("scheme", SCHEMES)
def test_a_digest_made_before_is_used(scheme):
    signer = Signer(KEY_URI, private("ed25519"))
    assert sign(scheme, signer, "POST", URL, BODY, NOW, sha256_base64(BODY)) == signed(scheme)
    other = sign(scheme, signer, "POST", URL, BODY, NOW, sha256_base64(b"other"))
    with pytest.raises(Unauthenticated, match="digest"):
        check(received(other), body=BODY, now_ms=NOW)


@pytest.mark.parametrize("scheme", SCHEMES)
def test_header_names_have_no_case(scheme):
    headers = {name.upper(): value for name, value in signed(scheme).items()}
    accept(received(headers), "ed25519")


@pytest.mark.parametrize("scheme", SCHEMES)
@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(
    "change",
    [
        {"method": "PUT"},
        {"target": "/inbox"},
        {"target": "/inbox?a=2"},
        {"target": "/inbox/?a=1"},
        {"target": "/ap/actors/7/inbox?a=1"},
        {"authority": "mallory.esn.test"},
        {"authority": "hub.esn.test:8443"},
    ],
)
def test_another_request_is_not_the_one_that_was_signed(scheme, kind, change):
    with pytest.raises(Unauthenticated):
        accept(received(signed(scheme, kind), **change), kind)


@pytest.mark.parametrize("scheme", SCHEMES)
@given(st.data())
def test_any_changed_byte_of_what_is_covered_is_noticed(scheme, data):
    headers = signed(scheme)
    parsed = received(headers)
    base = bytearray(parsed.bases[0])
    place = data.draw(st.integers(0, len(base) - 1))
    base[place] ^= data.draw(st.integers(1, 255))
    forged = replace(parsed, bases=(bytes(base),))
    with pytest.raises(Unauthenticated):
        verify(forged, public("ed25519"))


@pytest.mark.parametrize("kind", KINDS)
@given(st.data())
def test_any_changed_byte_of_the_signature_is_noticed(kind, data):
    parsed = received(SIGNED[kind])
    signature = bytearray(parsed.signature)
    place = data.draw(st.integers(0, len(signature) - 1))
    signature[place] ^= data.draw(st.integers(1, 255))
    with pytest.raises(Unauthenticated):
        verify(replace(parsed, signature=bytes(signature)), public(kind))


@pytest.mark.parametrize("scheme", SCHEMES)
@given(st.data())
def test_any_changed_character_of_a_header_is_noticed(scheme, data):
    headers = signed(scheme)
    name = data.draw(st.sampled_from([name for name in headers if name not in ("Signature", "Host")]))
    value = headers[name]
    start = value.index("(") if name == "Signature-Input" else 0  # no scheme covers the label
    place = data.draw(st.integers(start, len(value) - 1))
    other = data.draw(st.characters(min_codepoint=33, max_codepoint=126, exclude_characters=value[place]))
    changed = headers | {name: value[:place] + other + value[place + 1 :]}
    with pytest.raises((Malformed, Unauthenticated)):
        accept(received(changed), "ed25519")


@given(st.binary(max_size=60))
def test_another_body_is_noticed(body):
    for scheme in SCHEMES:
        if body != BODY:
            with pytest.raises(Unauthenticated):
                check(received(signed(scheme)), body=body, now_ms=NOW)


@pytest.mark.parametrize("scheme", SCHEMES)
@pytest.mark.parametrize("kind", KINDS)
def test_the_wrong_key_does_not_verify(scheme, kind):
    parsed = received(signed(scheme, kind))
    other = "rsa" if kind == "ed25519" else "ed25519"
    with pytest.raises(Unauthenticated):
        verify(parsed, public(other))


@pytest.mark.parametrize("length", [1, 63, 64, 65, 255, 256, 257, 1024])
@pytest.mark.parametrize("kind", KINDS)
def test_a_signature_of_any_length_is_only_wrong(kind, length):
    parsed = replace(received(SIGNED[kind]), signature=bytes(length))
    with pytest.raises(Unauthenticated):
        verify(parsed, public(kind))


# --- the algorithm ---------------------------------------------------------------------------


def relabelled(headers: dict[str, str], label: str | None) -> dict[str, str]:
    found = cavage.tokenise(headers["Signature"])
    text = f'keyId="{found["keyid"]}",headers="{found["headers"]}",signature="{found["signature"]}"'
    return headers | {"Signature": text if label is None else f'{text},algorithm="{label}"'}


@pytest.mark.parametrize(
    ("kind", "label"),
    [("rsa", None), ("rsa", "hs2019"), ("rsa", "rsa-sha256"), ("ed25519", None), ("ed25519", "ed25519")],
)
def test_labels_that_agree_with_the_key(kind, label):
    accept(received(relabelled(signed("cavage", kind), label)), kind)


@pytest.mark.parametrize(
    ("kind", "label"),
    [("rsa", "ed25519"), ("rsa", "rsa-sha512"), ("ed25519", "rsa-sha256"), ("ed25519", "rsa-sha512")],
)
def test_labels_that_contradict_the_key(kind, label):
    with pytest.raises(Unauthenticated):
        accept(received(relabelled(signed("cavage", kind), label)), kind)


def test_rsa_with_sha512_is_accepted_when_it_says_so():
    headers = signed("cavage", "rsa")
    base = received(headers).bases[0]
    signature = b64encode(private("rsa").sign(base, PKCS1v15(), SHA512())).decode()
    found = cavage.tokenise(headers["Signature"])
    text = f'keyId="{KEY_URI}",headers="{found["headers"]}",signature="{signature}"'
    accept(received(headers | {"Signature": f'{text},algorithm="rsa-sha512"'}), "rsa")
    with pytest.raises(Unauthenticated):
        accept(received(headers | {"Signature": f'{text},algorithm="rsa-sha256"'}), "rsa")


@pytest.mark.parametrize("label", ["hmac-sha256", "rsa-sha256", "hs2019", None])
def test_an_hmac_keyed_with_the_public_key_is_refused(label):
    headers = signed("cavage", "rsa")
    pem = public_pem(pair("rsa").public_der).encode()
    mac = b64encode(hmac.digest(pem, received(headers).bases[0], hashlib.sha256)).decode()
    forged = f'keyId="{KEY_URI}",headers="(request-target) host date digest",signature="{mac}"'
    if label is not None:
        forged += f',algorithm="{label}"'
    with pytest.raises(Unauthenticated):
        accept(received(headers | {"Signature": forged}), "rsa")


def test_an_alg_that_contradicts_the_key_is_refused():
    headers = signed("rfc9421", "ed25519")
    described = headers["Signature-Input"].replace('alg="ed25519"', 'alg="rsa-v1_5-sha256"')
    parsed = received(headers | {"Signature-Input": described})
    with pytest.raises(Unauthenticated, match="algorithm"):
        verify(parsed, public("ed25519"))


# --- what must be covered --------------------------------------------------------------------


def cavage_over(names: str, headers: dict[str, str]) -> dict[str, str]:
    text = f'keyId="{KEY_URI}",algorithm="hs2019",headers="{names}",created=1790000000,signature="AAAA"'
    return headers | {"Signature": text}


@pytest.mark.parametrize("missing", ["(request-target)", "host", "date", "digest"])
def test_a_cavage_post_must_cover(missing):
    names = [name for name in ("(request-target)", "host", "date", "digest") if name != missing]
    parsed = received(cavage_over(" ".join(names), signed("cavage")))
    with pytest.raises(Unauthenticated):
        check(parsed, body=BODY, now_ms=NOW)


@pytest.mark.parametrize("missing", ["(request-target)", "host", "(created)"])
def test_a_cavage_get_must_cover(missing):
    names = [name for name in ("(request-target)", "host", "(created)") if name != missing]
    everything = cavage_over("(request-target) host (created)", {})
    check(received(everything, "GET"), body=None, now_ms=NOW)
    parsed = received(cavage_over(" ".join(names), {}), "GET")
    with pytest.raises(Unauthenticated):
        check(parsed, body=None, now_ms=NOW)


@pytest.mark.parametrize("missing", ["@method", "@target-uri", "content-digest"])
def test_an_rfc9421_post_must_cover(missing):
    headers = signed("rfc9421")
    names = [name for name in ("@method", "@target-uri", "content-digest") if name != missing]
    components = " ".join(f'"{name}"' for name in names)
    described = f'sig1=({components});created=1790000000;keyid="{KEY_URI}"'
    parsed = received(headers | {"Signature-Input": described})
    with pytest.raises(Unauthenticated, match=missing):
        check(parsed, body=BODY, now_ms=NOW)


@pytest.mark.parametrize("scheme", SCHEMES)
def test_even_an_empty_post_must_cover_a_digest(scheme):
    parsed = received(signed(scheme))
    uncovered = replace(parsed, covered=parsed.covered - {"digest", "content-digest"}, digest=None)
    for body in (None, b""):
        with pytest.raises(Unauthenticated, match="digest"):
            check(uncovered, body=body, now_ms=NOW)


@pytest.mark.parametrize("scheme", SCHEMES)
def test_a_body_must_be_covered_whatever_the_method(scheme):
    parsed = received(signed(scheme, method="GET", body=None), "GET")
    check(parsed, body=b"", now_ms=NOW)
    with pytest.raises(Unauthenticated, match="digest"):
        check(parsed, body=BODY, now_ms=NOW)


def test_what_fedify_covers_is_accepted():
    headers = {"Host": "hub.esn.test", "Date": "Mon, 21 Sep 2026 14:13:20 GMT"}
    headers["Content-Digest"] = f"sha-256=:{sha256_base64(BODY)}:"
    names = ["@method", "@target-uri", "@authority", "host", "date", "content-digest"]
    components = " ".join(f'"{name}"' for name in names)
    params = f'alg="rsa-v1_5-sha256";keyid="{KEY_URI}";created=1790000000'
    headers["Signature-Input"] = f"sig1=({components});{params}"
    headers["Signature"] = "sig1=:AAAA:"
    base = received(headers).bases[0]
    assert b'"host": hub.esn.test\n"date": Mon, 21 Sep 2026 14:13:20 GMT\n' in base
    signature = private("rsa").sign(base, PKCS1v15(), SHA256())
    accept(received(headers | {"Signature": f"sig1=:{b64encode(signature).decode()}:"}), "rsa")


def test_a_signature_over_the_path_alone_is_accepted_for_a_query():
    headers = signed("cavage", method="GET", body=None, url="https://hub.esn.test/outbox")
    accept(received(headers, "GET", "/outbox?page=2"), "ed25519", None)
    rfc = signed("rfc9421", method="GET", body=None, url="https://hub.esn.test/outbox")
    with pytest.raises(Unauthenticated):
        accept(received(rfc, "GET", "/outbox?page=2"), "ed25519", None)


# --- time ------------------------------------------------------------------------------------


@pytest.mark.parametrize("scheme", SCHEMES)
def test_the_window_is_an_hour_and_five_minutes_either_way(scheme):
    parsed = received(signed(scheme))
    assert parsed.deadline == NOW + 65 * MINUTE
    for now in (NOW - 65 * MINUTE, NOW + 65 * MINUTE):
        check(parsed, body=BODY, now_ms=now)
    for now in (NOW - 65 * MINUTE - 1, NOW + 65 * MINUTE + 1):
        with pytest.raises(Unauthenticated):
            check(parsed, body=BODY, now_ms=now)


@pytest.mark.parametrize(
    ("expires", "deadline"), [(60, 61), (300, 65), (3600, 65), (12 * 3600, 65), (10**9, 65), (-7200, -60)]
)
def test_expires_shortens_the_window_and_never_stretches_it(expires, deadline):
    moment = 1_790_000_000 + expires
    described = f'sig1=("@method" "@target-uri");created=1790000000;expires={moment};keyid="{KEY_URI}"'
    rfc = {"Signature-Input": described, "Signature": "sig1=:AAAA:"}
    old = cavage_over("(request-target) host (created) (expires)", {})
    old["Signature"] += f",expires={moment}"
    for headers in (rfc, old):
        parsed = received(headers, "GET")
        assert parsed.deadline == NOW + deadline * MINUTE
        check(parsed, body=None, now_ms=parsed.deadline)
        with pytest.raises(Unauthenticated, match="old"):
            check(parsed, body=None, now_ms=parsed.deadline + 1)


def test_what_we_send_keeps_within_a_second():
    headers = sign("cavage", Signer(KEY_URI, private("ed25519")), "GET", URL, None, NOW + 999)
    assert received(headers, "GET").created == NOW


# --- which scheme, and how many --------------------------------------------------------------


def test_no_signature_is_unauthenticated():
    for headers in ({}, {"Authorization": "Bearer abc"}, {"Digest": "SHA-256=abc"}):
        with pytest.raises(Unauthenticated, match="not signed"):
            received(headers)


def test_an_authorization_header_may_carry_it():
    headers = signed("cavage")
    text = headers.pop("Signature")
    accept(received(headers | {"Authorization": f"Signature {text}"}), "ed25519")
    accept(received(headers | {"Authorization": f"signature {text}"}), "ed25519")


def test_a_second_signature_is_malformed():
    old, new = signed("cavage"), signed("rfc9421")
    cases = [
        [*old.items(), ("signature", old["Signature"])],
        [*old.items(), ("Signature", "")],
        [*old.items(), ("Authorization", f"Signature {old['Signature']}")],
        [*new.items(), ("Authorization", f"Signature {old['Signature']}")],
        [*new.items(), ("Signature", new["Signature"])],
        [*new.items(), ("Signature", old["Signature"])],
        [*new.items(), ("Signature-Input", new["Signature-Input"])],
    ]
    for headers in cases:
        with pytest.raises(Malformed, match="exactly one"):
            received(headers)


def test_a_repeated_parameter_is_malformed():
    headers = signed("cavage")
    headers["Signature"] += ',keyId="https://mallory.esn.test/k"'
    with pytest.raises(Malformed, match="twice"):
        received(headers)


def test_a_description_without_a_signature_is_malformed():
    headers = signed("rfc9421")
    del headers["Signature"]
    with pytest.raises(Malformed):
        received(headers)


def test_rfc9421_bytes_are_never_read_as_cavage():
    headers = signed("rfc9421")
    headers["Signature-Input"] = "broken("
    with pytest.raises(Malformed, match="structured"):
        received(headers)
    del headers["Signature-Input"]
    with pytest.raises(Malformed):
        received(headers)


def test_a_cavage_signature_is_read_as_such_beside_a_stray_description():
    headers = signed("cavage") | {"Signature-Input": signed("rfc9421")["Signature-Input"]}
    parsed = received(headers)
    assert parsed.kind == "cavage"
    accept(parsed, "ed25519")
    headers["Signature"] = headers["Signature"].replace("keyId", "KeyID")
    accept(received(headers), "ed25519")


@pytest.mark.parametrize(
    "uri", ["main-key", "acct:a@b.example", "ftp://b.example/k", "https://b.example/é", "https://"]
)
def test_a_key_has_a_web_address(uri):
    text = f'keyId="{uri}",headers="host",signature="AAAA"'
    with pytest.raises(Malformed):
        received({"Signature": text})


@given(
    st.text(max_size=80), st.text(max_size=80), st.sampled_from(["", "sig1=", 'keyId="https://a.example/k",'])
)
def test_no_headers_make_the_parser_fail_otherwise(one, two, start):
    for headers in ({"Signature": start + one, "Signature-Input": start + two}, {"Signature": start + one}):
        try:
            received(headers)
        except (Malformed, Unauthenticated):
            continue


# --- the replay cache ------------------------------------------------------------------------


def test_a_fingerprint_names_key_and_signature():
    first = received(SIGNED["ed25519"])
    assert first.fingerprint == received(SIGNED["ed25519"]).fingerprint
    assert len(first.fingerprint) == 32
    assert first.fingerprint != replace(first, key_uri=KEY_URI + "2").fingerprint
    assert first.fingerprint != replace(first, signature=b"other").fingerprint
    shifted = replace(first, key_uri=KEY_URI + "2", signature=b"x")
    assert shifted.fingerprint != replace(first, signature=b"2x").fingerprint


def test_a_fingerprint_does_not_depend_on_the_spelling_of_a_header():
    headers = signed("cavage")
    respelled = headers | {"Signature": headers["Signature"].replace(",", " ,  ")}
    assert received(headers).fingerprint == received(respelled).fingerprint
