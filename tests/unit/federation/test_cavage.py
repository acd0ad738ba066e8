"""The signatures of draft-cavage-12: grammar, published vectors, and what it takes for a claim."""

from __future__ import annotations

from contextlib import suppress

import pytest
from cryptography.hazmat.primitives.serialization import load_pem_public_key
from hypothesis import given
from hypothesis import strategies as st

from esnfed.errors import EsnfedError, Malformed, Unauthenticated
from esnfed.federation import cavage
from esnfed.federation.digests import check_digest
from esnfed.federation.parsed_signature import SignedRequest
from esnfed.federation.signatures import verify
from tests.unit.federation.requests import proxy, request, vectors

FILE = vectors("draft-cavage-12")
REQUEST = request(FILE["request"])


def header(**parameters: str) -> str:
    given = {"keyId": "https://a.example/k", "signature": "AAAA"} | parameters
    return ",".join(f'{name}="{value}"' for name, value in given.items())


def asked(target: str = "/inbox", **headers: str) -> SignedRequest:
    pairs = [(name.replace("_", "-"), value) for name, value in headers.items()]
    return SignedRequest("POST", target, "b.example", "https", proxy(pairs))


@pytest.mark.parametrize("vector", FILE["vectors"], ids=lambda vector: vector["section"])
def test_the_published_vectors_verify(vector):
    parsed = cavage.parse(REQUEST, vector["header"])
    assert parsed.bases[0].decode() == vector["base"]
    assert parsed.key_uri == "Test"
    assert parsed.created == 1_388_957_500_000
    verify(parsed, load_pem_public_key(FILE["public"].encode()))


def test_the_published_digest_fits_its_body():
    parsed = cavage.parse(REQUEST, FILE["vectors"][2]["header"])
    check_digest(parsed.digest, FILE["body"].encode())


def test_parameters_are_taken_apart():
    text = ' keyId = "a b" , created=1402170695\t,x-y="" ,headers="(created) host"'
    assert cavage.tokenise(text) == {
        "keyid": "a b",
        "created": "1402170695",
        "x-y": "",
        "headers": "(created) host",
    }


@pytest.mark.parametrize(
    "text",
    [
        "",
        ",",
        "keyId",
        "keyId=",
        'keyId="a',
        'keyId="a",',
        ',keyId="a"',
        'keyId="a";b="c"',
        'keyId="a"b="c"',
        'keyId="a\\"b"',
        'keyId="a\nb"',
        'keyId="a"\n',
        "keyId=a/b",
        '1="a"',
        'keyId="a",keyId="a"',
        'keyId="a",KEYID="b"',
        'x="1",x="2"',
        'a="' + "x" * 9000 + '"',
    ],
)
def test_anything_else_is_malformed(text):
    with pytest.raises(Malformed):
        cavage.tokenise(text)


@given(
    st.dictionaries(
        st.from_regex(r"[a-z][a-z0-9_-]{0,8}", fullmatch=True),
        st.text(st.characters(min_codepoint=32, exclude_characters='"\\\x7f'), max_size=20),
        min_size=1,
    )
)
def test_what_is_written_is_read(parameters):
    assert cavage.tokenise(",".join(f'{name}="{value}"' for name, value in parameters.items())) == parameters


@given(st.text(max_size=200))
def test_the_tokeniser_only_ever_says_malformed(text):
    with suppress(Malformed):
        assert cavage.tokenise(text)


@given(
    st.text(st.sampled_from('keyIdsgnaturhcmx=",;() \t\\-1/+é\ud800\n'), max_size=60), st.text(max_size=20)
)
def test_no_header_makes_the_parser_fail_otherwise(text, value):
    for candidate in (text, header(headers=text), header(signature=text), header(headers="x", created=text)):
        try:
            cavage.parse(asked(x=value), candidate)
        except (Malformed, Unauthenticated):
            continue


@pytest.mark.parametrize("missing", ["keyId", "signature"])
def test_a_key_and_a_signature_are_needed(missing):
    with pytest.raises(Malformed):
        cavage.parse(asked(), header(headers="host", **{missing: ""}))


@pytest.mark.parametrize("signature", ["*", "AAAA*", "AAA", "AA=A", "é", "A" * 1400])
def test_a_signature_is_base64_of_a_plausible_length(signature):
    with pytest.raises(Malformed):
        cavage.parse(asked(), header(headers="host", signature=signature))


@pytest.mark.parametrize(
    "headers",
    [
        "",
        "host host",
        "host HOST",
        "host  date",
        "(other)",
        "a:b",
        "a\tb",
        " ".join(f"h{n}" for n in range(33)),
    ],
)
def test_a_list_of_headers_that_is_none_is_malformed(headers):
    with pytest.raises(Malformed):
        cavage.parse(asked(), header(headers=headers))


def test_a_covered_header_must_be_there():
    for name in ("date", "digest", "x-other"):
        with pytest.raises(Unauthenticated, match=name):
            cavage.parse(asked(), header(headers=name))


def test_an_empty_header_is_signed_as_such():
    assert cavage.parse(asked(x=""), header(headers="x")).bases == (b"x: ",)


def test_values_of_one_header_are_joined_in_order():
    several = SignedRequest("GET", "/", "b.example", "https", proxy([("X", " 1 "), ("x", "2\t"), ("Y", "é")]))
    assert cavage.parse(several, header(headers="x y")).bases == ("x: 1, 2\ny: é".encode(),)


def test_bytes_that_are_no_utf8_are_signed_as_they_came():
    raw = b"\xff\xfe".decode("utf-8", "surrogateescape")
    assert cavage.parse(asked(x=raw), header(headers="x")).bases == (b"x: \xff\xfe",)


@pytest.mark.parametrize("value", ["a\nb", "a\r", "\0", "x" * 9000])
def test_a_header_that_could_forge_a_line_is_malformed(value):
    with pytest.raises(Malformed):
        cavage.parse(asked(x=value), header(headers="x"))


@pytest.mark.parametrize("label", ["hmac-sha256", "HMAC-SHA512", "rsa-sha1", "ecdsa-sha256", "none", ""])
def test_an_algorithm_that_no_key_has_is_refused(label):
    with pytest.raises(Unauthenticated, match="algorithm"):
        cavage.parse(asked(), header(headers="host", algorithm=label))


@pytest.mark.parametrize(
    ("label", "claim"),
    [
        ("hs2019", (None, "sha256")),
        ("rsa-sha256", ("rsa", "sha256")),
        ("RSA-SHA512", ("rsa", "sha512")),
        ("ed25519", ("ed25519", "sha256")),
    ],
)
def test_a_label_is_a_claim(label, claim):
    parsed = cavage.parse(asked(), header(headers="host", algorithm=label))
    assert (parsed.key_kind, parsed.hash_name) == claim
    assert cavage.parse(asked(), header(headers="host")).key_kind is None


def test_created_and_expires_belong_to_hs2019():
    text = header(headers="(created) (expires)", created="1700000000", expires="1700000300")
    parsed = cavage.parse(asked(), text)
    assert parsed.bases == (b"(created): 1700000000\n(expires): 1700000300",)
    assert (parsed.created, parsed.expires) == (1_700_000_000_000, 1_700_000_300_000)
    for label in ("rsa-sha256", "rsa-sha512", "ed25519"):
        with pytest.raises(Unauthenticated, match="hs2019"):
            cavage.parse(asked(), text + f',algorithm="{label}"')


def test_a_created_that_is_not_covered_proves_nothing():
    assert cavage.parse(asked(), header(headers="host", created="1700000000")).created is None


def test_without_a_list_the_time_alone_is_covered():
    assert cavage.parse(asked(), header(created="1700000000")).covered == {"(created)"}
    with pytest.raises(Unauthenticated, match="date"):
        cavage.parse(asked(), header(algorithm="rsa-sha256"))
    with pytest.raises(Unauthenticated, match="created"):
        cavage.parse(asked(), header())


@pytest.mark.parametrize("value", ["-1", "1e9", "0x10", "99999999999999", "1700000000 ", "९"])
def test_a_time_is_a_plain_number_of_seconds(value):
    with pytest.raises(Malformed):
        cavage.parse(asked(), header(headers="(created)", created=value))


def test_expires_may_have_a_fraction():
    parsed = cavage.parse(asked(), header(headers="host", expires="1700000300.75"))
    assert parsed.expires == 1_700_000_300_000


def test_the_query_may_have_been_left_out():
    parsed = cavage.parse(asked("/inbox?page=2"), header(headers="(request-target)"))
    assert parsed.bases == (b"(request-target): post /inbox?page=2", b"(request-target): post /inbox")
    assert len(cavage.parse(asked("/inbox?page=2"), header(headers="host")).bases) == 1
    assert len(cavage.parse(asked("/inbox"), header(headers="(request-target)")).bases) == 1


@pytest.mark.parametrize(
    ("host", "signed"),
    [
        ("b.example:443", "b.example:443"),
        ("B.Example", "B.Example"),
        ("c.example", "b.example"),
        ("?", "b.example"),
    ],
)
def test_host_is_the_place_that_was_asked(host, signed):
    assert cavage.parse(asked(host=host), header(headers="host")).bases == (f"host: {signed}".encode(),)


def test_two_hosts_are_malformed():
    two = SignedRequest(
        "GET", "/", "b.example", "https", proxy([("Host", "b.example"), ("Host", "b.example")])
    )
    with pytest.raises(Malformed):
        cavage.parse(two, header(headers="host"))


def test_http_dates_are_read():
    assert cavage.parse_date("Thu, 01 Jan 1970 00:00:01 GMT") == 1000
    assert cavage.parse_date("Thu, 29 Feb 2024 23:59:59 GMT") == 1_709_251_199_000


@pytest.mark.parametrize(
    "text",
    [
        "",
        "Thu, 01 Jan 1970 00:00:01",
        "Thu, 01 Jan 1970 00:00:01 +0000",
        "Thu, 30 Feb 2024 00:00:00 GMT",
        "Thu, 01 Foo 2024 00:00:00 GMT",
        "Thu, 01 Jan 2024 24:00:00 GMT",
        "Thu, 01 Jan 0000 00:00:00 GMT",
        "Thursday, 01-Jan-70 00:00:00 GMT",
        " Thu, 01 Jan 1970 00:00:01 GMT",
        "1700000000",
    ],
)
def test_other_dates_are_malformed(text):
    with pytest.raises(Malformed):
        cavage.parse_date(text)


@given(st.text(max_size=40))
def test_a_date_reader_only_ever_says_malformed(text):
    with pytest.raises(EsnfedError) as raised:
        cavage.parse_date(text)
    assert raised.type is Malformed


def test_a_line_break_in_the_request_line_is_malformed():
    with pytest.raises(Malformed):
        asked("/inbox\nhost: c.example")
