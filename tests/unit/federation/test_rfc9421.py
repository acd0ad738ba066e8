"""The signatures of RFC 9421: published vectors, components, and what it takes for a claim."""

from __future__ import annotations

from base64 import b64decode, b64encode

import pytest
from cryptography.hazmat.primitives.serialization import load_pem_private_key
from hypothesis import given
from hypothesis import strategies as st

from esnfed.errors import Malformed, Unauthenticated
from esnfed.federation import rfc9421
from esnfed.federation.keys import load_public, public_der
from esnfed.federation.parsed_signature import SignedRequest
from esnfed.federation.signatures import verify
from tests.unit.federation.requests import proxy, request, vectors

FILE = vectors("rfc9421")
SIGNED = [vector for vector in FILE["vectors"] if "signature" in vector]
PARAMS = ';created=1700000000;keyid="https://a.example/k"'


def asked(target: str = "/inbox?a=1&b", **headers: str) -> SignedRequest:
    pairs = [(name.replace("_", "-"), value) for name, value in headers.items()]
    return SignedRequest("post", target, "b.example:8443", "https", proxy(pairs))


def parse(components: str, params: str = PARAMS, **headers: str):
    return rfc9421.parse(asked(**headers), f"sig1=({components}){params}", "sig1=:AAAA:")


@pytest.mark.parametrize("vector", FILE["vectors"], ids=lambda vector: vector["section"])
def test_the_published_bases_are_built(vector):
    parsed = rfc9421.parse(request(vector["request"]), f"sig={vector['params']}", "sig=:AAAA:")
    assert parsed.bases == (vector["base"].encode(),)


@pytest.mark.parametrize("vector", SIGNED, ids=lambda vector: vector["section"])
def test_the_published_signatures_verify(vector):
    signature = f"sig=:{vector['signature']}:"
    parsed = rfc9421.parse(request(vector["request"]), f"sig={vector['params']}", signature)
    assert parsed.key_uri == vector["key"]
    key = load_public(public_der(FILE["keys"][vector["key"]]["public"]))
    verify(parsed, key)
    other = next(name for name in FILE["keys"] if name != vector["key"])
    with pytest.raises(Unauthenticated):
        verify(parsed, load_public(public_der(FILE["keys"][other]["public"])))


def test_the_published_ed25519_signature_is_made():
    vector = SIGNED[-1]
    key = load_pem_private_key(FILE["keys"][vector["key"]]["private"].encode(), None)
    assert key.sign(vector["base"].encode()) == b64decode(vector["signature"])


def test_the_published_hmac_signature_is_no_ones():
    vector = next(vector for vector in FILE["vectors"] if vector["section"] == "2.5")
    params = '("date" "@authority" "content-type");created=1618884473;keyid="test-shared-secret"'
    signature = "sig=:pxcQw6G3AjtMBQjwo8XzkZf/bws5LelbaMk5rGIGtE8=:"
    parsed = rfc9421.parse(request(vector["request"]), f"sig={params}", signature)
    for key in FILE["keys"].values():
        with pytest.raises(Unauthenticated):
            verify(parsed, load_public(public_der(key["public"])))


@pytest.mark.parametrize(
    ("component", "value"),
    [
        ("@method", "POST"),
        ("@target-uri", "https://b.example:8443/inbox?a=1&b"),
        ("@authority", "b.example:8443"),
        ("@scheme", "https"),
        ("@request-target", "/inbox?a=1&b"),
        ("@path", "/inbox"),
        ("@query", "?a=1&b"),
        ("host", "b.example:8443"),
        ("x", "1, 2"),
    ],
)
def test_components_of_a_request(component, value):
    several = SignedRequest(
        "post", "/inbox?a=1&b", "b.example:8443", "https", proxy([("X", " 1"), ("x", "2 ")])
    )
    parsed = rfc9421.parse(several, f'sig1=("{component}"){PARAMS}', "sig1=:AAAA:")
    assert parsed.bases[0].decode().split("\n")[0] == f'"{component}": {value}'
    assert parsed.covered == {component}


def test_a_missing_query_is_a_question_mark():
    parsed = rfc9421.parse(asked("/inbox"), f'sig1=("@query"){PARAMS}', "sig1=:AAAA:")
    assert parsed.bases[0].startswith(b'"@query": ?\n')


def test_parameters_keep_their_order_and_are_written_canonically():
    parsed = parse('"@method"   "@path"', ';keyid="k"; tag="t";created=5;nonce="a\\"b";other;x=:AAA=:')
    line = parsed.bases[0].decode().split("\n")[-1]
    expected = '("@method" "@path");keyid="k";tag="t";created=5;nonce="a\\"b";other;x=:AAA=:'
    assert line == f'"@signature-params": {expected}'


@pytest.mark.parametrize(
    "components",
    [
        '"@query-param";name="a"',
        '"@method";req',
        '"x";sf',
        '"x";bs',
        '"x";key="a"',
        '"x";tr',
        '"@status"',
        '"@unknown"',
        '"absent"',
    ],
)
def test_components_that_are_not_understood_here_are_refused(components):
    with pytest.raises(Unauthenticated):
        parse(components, x="1")


@pytest.mark.parametrize(
    "components",
    [
        '"@method" "@method"',
        '"@signature-params"',
        '"X"',
        '"@Method"',
        '"a b"',
        '""',
        '"x\\"y"',
        "token",
        "1",
        ":AAAA:",
        " ".join(f'"h{number}"' for number in range(33)),
    ],
)
def test_components_that_are_none_are_malformed(components):
    headers = {f"h{number}": "1" for number in range(33)}
    with pytest.raises(Malformed):
        parse(components, x="1", **headers)


@pytest.mark.parametrize("value", ["é", "a\nb", "a\rb", "\0", "\x7f", "x" * 9000])
def test_a_header_that_cannot_be_signed_is_malformed(value):
    with pytest.raises(Malformed):
        parse('"x"', x=value)


@pytest.mark.parametrize(
    "params",
    [
        ";created=1",
        ';created=1;keyid=""',
        ";created=1;keyid=token",
        ";created=1;keyid=:AAAA:",
        ';created=1.5;keyid="k"',
        ';created="1";keyid="k"',
        ';created;keyid="k"',
        ';created=@1;keyid="k"',
        ';created=-1;keyid="k"',
        ';created=999999999999999;keyid="k"',
        ';created=1;expires="2";keyid="k"',
        ';created=1;keyid="k";alg=ed25519',
        ';created=1;created=2;keyid="k"',
        ';created=1;keyid="k";keyid="l"',
        ';Created=1;keyid="k"',
    ],
)
def test_broken_parameters_are_malformed(params):
    with pytest.raises(Malformed):
        parse('"@method"', params)


def test_the_time_must_be_said():
    with pytest.raises(Unauthenticated):
        parse('"@method"', ';keyid="k"')


@pytest.mark.parametrize(
    "alg", ["hmac-sha256", "rsa-pss-sha512", "ecdsa-p256-sha256", "none", "RSA-V1_5-SHA256", ""]
)
def test_an_algorithm_that_no_key_has_is_refused(alg):
    with pytest.raises(Unauthenticated, match="algorithm"):
        parse('"@method"', f'{PARAMS};alg="{alg}"')


def test_an_algorithm_is_a_claim():
    assert parse('"@method"').key_kind is None
    assert parse('"@method"', f'{PARAMS};alg="rsa-v1_5-sha256"').key_kind == "rsa"
    assert parse('"@method"', f'{PARAMS};alg="ed25519"').key_kind == "ed25519"


@pytest.mark.parametrize(
    ("described", "signature"),
    [
        ("", ""),
        (f'sig1=("@method"){PARAMS}', ""),
        ("", "sig1=:AAAA:"),
        (f'sig1=("@method"){PARAMS}', "sig2=:AAAA:"),
        (f'sig1=("@method"){PARAMS}', "sig1=:AAAA:, sig2=:AAAA:"),
        (f'sig1=("@method"){PARAMS}, sig2=("@path"){PARAMS}', "sig1=:AAAA:, sig2=:AAAA:"),
        (f'sig1=("@method"){PARAMS}, sig1=("@path"){PARAMS}', "sig1=:AAAA:"),
        (f'sig1=("@method"){PARAMS}', "sig1=:AAAA:, sig1=:BBBB:"),
        (f'sig1=("@method"){PARAMS}', 'sig1="AAAA"'),
        (f'sig1=("@method"){PARAMS}', "sig1=(:AAAA:)"),
        (f'sig1=("@method"){PARAMS}', "sig1=::"),
        (f'sig1=("@method"){PARAMS}', "sig1"),
        (f'sig1="@method"{PARAMS}', "sig1=:AAAA:"),
        ("sig1", "sig1=:AAAA:"),
        (f'sig1=("@method"{PARAMS}', "sig1=:AAAA:"),
        (f'SIG=("@method"){PARAMS}', "SIG=:AAAA:"),
        (f'sig1=("@method"){PARAMS};x="é"', "sig1=:AAAA:"),
        (f'sig1=("@method"){PARAMS};x="{"a" * 9000}"', "sig1=:AAAA:"),
        (f'sig1=("@method"){PARAMS}', f"sig1=:{'A' * 9000}:"),
        (f'sig1=("@method"){PARAMS}', f"sig1=:{b64encode(bytes(1025)).decode()}:"),
    ],
)
def test_exactly_one_well_formed_signature(described, signature):
    with pytest.raises(Malformed):
        rfc9421.parse(asked(), described, signature)


PIECES = st.text(st.sampled_from('()";:=,@. ?*-_%\\abmethodsig1/+0\xe9\t\n'), max_size=60)


@given(PIECES, PIECES, PIECES)
def test_no_header_makes_the_parser_fail_otherwise(first, second, third):
    for described, signature in (
        (first, second),
        (f"sig1=({first}){PARAMS}", "sig1=:AAAA:"),
        (f'sig1=("@method"){PARAMS};{third}', "sig1=:AAAA:"),
        (f'sig1=("x"){PARAMS}', f"sig1={second}"),
        (f'sig1=("@method");created={first};keyid="k"', "sig1=:AAAA:"),
    ):
        try:
            rfc9421.parse(asked(x=third), described, signature)
        except (Malformed, Unauthenticated):
            continue


@given(
    st.one_of(st.integers(-(10**16), 10**16).map(lambda n: f"@{n}"), st.decimals(allow_nan=False).map(str))
)
def test_no_number_makes_the_parser_fail_otherwise(number):
    for params in (f"{PARAMS};x={number}", f';created={number};keyid="k"'):
        try:
            parse('"@method"', params)
        except (Malformed, Unauthenticated):
            continue
