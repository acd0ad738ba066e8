"""Digests of bodies, in both headers."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from esnfed.errors import Malformed, Unauthenticated
from esnfed.federation.digests import (
    check_content_digest,
    check_digest,
    content_digest_header,
    digest_header,
    sha256_base64,
)
from tests.unit.federation.requests import vectors

BODY = b'{"hello": "world"}'
GOOD = sha256_base64(BODY)


@pytest.mark.parametrize("vector", vectors("rfc9530"), ids=lambda vector: vector["example"])
def test_the_published_digests_are_made_and_accepted(vector):
    body = vector["body"].encode()
    assert sha256_base64(body) == vector["sha-256"]
    check_digest(f"sha-512={vector['sha-512']},SHA-256={vector['sha-256']}", body)
    check_content_digest(f"sha-512=:{vector['sha-512']}:, sha-256=:{vector['sha-256']}:", body)


@pytest.mark.parametrize(
    "header", [digest_header(GOOD), f"sha-256={GOOD}", f"UNIXsum=30637 , Sha-256={GOOD}"]
)
def test_a_digest_is_read_without_regard_to_case_and_neighbours(header):
    check_digest(header, BODY)


@given(st.binary(max_size=200), st.binary(max_size=200))
def test_a_digest_fits_its_own_body_alone(body, other):
    value = sha256_base64(body)
    check_digest(digest_header(value), body)
    check_content_digest(content_digest_header(value), body)
    if other != body:
        with pytest.raises(Unauthenticated):
            check_digest(digest_header(value), other)
        with pytest.raises(Unauthenticated):
            check_content_digest(content_digest_header(value), other)


@pytest.mark.parametrize(
    "header",
    [
        "",
        "SHA-256",
        f"={GOOD}",
        f"SHA-256={GOOD},",
        f"SHA-256={GOOD},sha-256={GOOD}",
        "SHA-256=*",
        "SHA-256=é",
        f"SHA-256=:{GOOD}:",
        "SHA-256=" + GOOD[:-1],
        ",".join([f"x{number}=a" for number in range(9)]),
    ],
)
def test_a_broken_digest_header_is_malformed(header):
    with pytest.raises(Malformed):
        check_digest(header, BODY)


@pytest.mark.parametrize(
    "header", ["SHA-512=abcd", "SHA-256=", "SHA-256=" + GOOD[:-4], digest_header(sha256_base64(b""))]
)
def test_another_digest_is_not_good_enough(header):
    with pytest.raises(Unauthenticated):
        check_digest(header, BODY)


@pytest.mark.parametrize(
    "header",
    [
        "sha-256",
        f"sha-256={GOOD}",
        f"SHA-256=:{GOOD}:",
        f"sha-256=:{GOOD}:, sha-256=:{GOOD}:",
        f"sha-256=:{GOOD}",
        "sha-256=(:aaaa:)",
        'sha-256="text"',
        "é=1",
        ", ".join([f"x{number}=:aaaa:" for number in range(9)]),
    ],
)
def test_a_broken_content_digest_is_malformed(header):
    with pytest.raises(Malformed):
        check_content_digest(header, BODY)


@pytest.mark.parametrize(
    "header", ["", "sha-512=:abcd:", "sha-256=:abcd:", content_digest_header(sha256_base64(b""))]
)
def test_another_content_digest_is_not_good_enough(header):
    with pytest.raises(Unauthenticated):
        check_content_digest(header, BODY)


@given(st.text(max_size=100))
def test_readers_of_digests_only_ever_say_malformed_or_unauthenticated(text):
    for check in (check_digest, check_content_digest):
        with pytest.raises((Malformed, Unauthenticated)):
            check(text, BODY)
