"""Keys: making, storing, reading what peers publish, remembering, and having some ready."""

from __future__ import annotations

import threading

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import given
from hypothesis import strategies as st

from esnfed.errors import Malformed
from esnfed.federation import keys, multikey
from tests.unit.federation.requests import pair, vectors

SPKI = serialization.PublicFormat.SubjectPublicKeyInfo
PKCS1 = serialization.PublicFormat.PKCS1
PEM, DER = serialization.Encoding.PEM, serialization.Encoding.DER
KINDS = ["rsa", "ed25519"]


def rsa_spki(bits: int, exponent: int = 65537) -> bytes:
    """A well-formed RSA public key of any size: nobody needs its private half."""
    numbers = rsa.RSAPublicNumbers(exponent, (1 << (bits - 1)) | 1)
    return numbers.public_key().public_bytes(DER, SPKI)


def pem(der: bytes, encoding: serialization.PublicFormat = SPKI) -> str:
    return serialization.load_der_public_key(der).public_bytes(PEM, encoding).decode()


@pytest.mark.parametrize("kind", KINDS)
def test_a_stored_pair_loads_and_signs(kind):
    stored = pair(kind)
    private = keys.load_private(stored.private_der)
    assert private.public_key() == keys.load_public(stored.public_der)
    assert keys.kind_of(stored.public_der) == kind


def test_new_rsa_keys_have_2048_bits():
    assert keys.load_public(pair("rsa").public_der).key_size == 2048


def test_two_generated_keys_differ():
    assert keys.generate_ed25519() != keys.generate_ed25519()


@pytest.mark.parametrize("kind", KINDS)
def test_a_public_pem_is_read_back(kind):
    der = pair(kind).public_der
    text = keys.public_pem(der)
    assert text.startswith("-----BEGIN PUBLIC KEY-----\n")
    assert keys.public_der(text) == der
    assert keys.public_der("\n  " + text.replace("\n", "\r\n") + " ") == der


def test_a_pkcs1_public_pem_is_read():
    der = pair("rsa").public_der
    assert "BEGIN RSA PUBLIC KEY" in pem(der, PKCS1)
    assert keys.public_der(pem(der, PKCS1)) == der


def test_the_pkcs1_key_of_rfc_9421_is_read():
    text = vectors("rfc9421")["keys"]["test-key-rsa"]["public"]
    assert keys.load_public(keys.public_der(text)).key_size == 2048


@pytest.mark.parametrize("bits", [1024, 2047, 8193, 16384])
def test_rsa_keys_too_short_or_too_long_are_refused(bits):
    der = rsa_spki(bits)
    with pytest.raises(Malformed, match="bits"):
        keys.load_public(der)
    with pytest.raises(Malformed, match="bits"):
        keys.public_der(pem(der))


@pytest.mark.parametrize("bits", [2048, 3072, 4096, 8192])
def test_rsa_keys_of_usual_sizes_are_accepted(bits):
    assert keys.load_public(rsa_spki(bits)).key_size == bits


def test_a_huge_exponent_is_refused():
    with pytest.raises(Malformed, match="exponent"):
        keys.load_public(rsa_spki(2048, (1 << 1024) + 1))


def test_another_kind_of_key_is_refused():
    der = ec.generate_private_key(ec.SECP256R1()).public_key().public_bytes(DER, SPKI)
    with pytest.raises(Malformed):
        keys.load_public(der)
    with pytest.raises(Malformed):
        keys.public_der(pem(der))


@pytest.mark.parametrize(
    "text",
    [
        None,
        17,
        "",
        "not a key",
        "-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----\n",
        "-----BEGIN PUBLIC KEY-----\n" + "A" * 9000,
        "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n",
        "é" + "-----BEGIN PUBLIC KEY-----",
    ],
)
def test_what_is_no_public_pem_is_malformed(text):
    with pytest.raises(Malformed):
        keys.public_der(text)


def test_a_public_pem_stands_alone():
    text = keys.public_pem(pair("ed25519").public_der)
    for changed in ("preface\n" + text, text + "\n" + "x" * 9000):
        with pytest.raises(Malformed):
            keys.public_der(changed)


def test_a_published_private_key_is_not_taken_for_a_public_one():
    text = vectors("rfc9421")["keys"]["test-key-ed25519"]["private"]
    with pytest.raises(Malformed):
        keys.public_der(text)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("encoding", [PEM, DER])
def test_a_private_key_from_elsewhere_is_imported(kind, encoding):
    stored = pair(kind)
    key = keys.load_private(stored.private_der)
    data = key.private_bytes(encoding, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    assert keys.import_private(data) == stored


def test_an_imported_rsa_key_is_checked_though_a_stored_one_is_not():
    key = keys.load_private(pair("rsa").private_der)
    numbers = key.private_numbers()
    wrong = rsa.RSAPrivateNumbers(
        numbers.p, numbers.q, numbers.d + 2, numbers.dmp1, numbers.dmq1, numbers.iqmp, numbers.public_numbers
    ).private_key(unsafe_skip_rsa_key_validation=True)
    data = wrong.private_bytes(DER, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    assert keys.load_private(data)
    with pytest.raises(Malformed):
        keys.import_private(data)


def test_an_imported_key_must_be_readable_and_of_a_known_kind():
    encrypted = Ed25519PrivateKey.generate().private_bytes(
        PEM, serialization.PrivateFormat.PKCS8, serialization.BestAvailableEncryption(b"secret")
    )
    curve = ec.generate_private_key(ec.SECP256R1()).private_bytes(
        PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    for data in (encrypted, curve, b"", b"nonsense", b"-----BEGIN PRIVATE KEY-----\n"):
        with pytest.raises(Malformed):
            keys.import_private(data)


@pytest.mark.parametrize("kind", KINDS)
def test_a_multikey_is_read_back(kind):
    der = pair(kind).public_der
    text = keys.multibase(der)
    assert text.startswith("z6Mk" if kind == "ed25519" else "z4MX")
    assert keys.from_multibase(text) == der


def test_the_multikey_of_the_did_key_specification_is_read():
    # did:key method, Ed25519 example; the raw key is the one of its verification method
    raw = multikey.unbase58("B12NYF8RrR3h41TDCTJojY59usg3mbtbjnFs7Eud1Y6u")
    assert multikey.encode("ed25519", raw) == "z6MkpTHR8VNsBxYAAWHut2Geadd9jSwuBV8xRoAnwWsdvktH"


ED = keys.multibase(pair("ed25519").public_der)


@pytest.mark.parametrize(
    "text",
    [
        None,
        "",
        "z",
        ED[1:],
        "u" + ED[1:],
        ED + "0",
        ED[:-1] + "l",
        ED[:-3],
        ED + "11",
        multikey.encode("ed25519", b"short"),
        multikey.encode("rsa", b"no DER"),
        multikey.encode("rsa", rsa_spki(2048)),
        "z" + multikey.base58(b"\xe7\x01" + bytes(33)),
        "z" + "1" * 3000,
    ],
    ids=[f"text{number}" for number in range(14)],
)
def test_what_is_no_multikey_is_malformed(text):
    with pytest.raises(Malformed):
        keys.from_multibase(text)


def test_a_short_rsa_multikey_is_refused():
    raw = serialization.load_der_public_key(rsa_spki(1024)).public_bytes(DER, PKCS1)
    with pytest.raises(Malformed, match="bits"):
        keys.from_multibase(multikey.encode("rsa", raw))


@given(st.binary(max_size=64))
def test_base58_round_trips(data):
    assert multikey.unbase58(multikey.base58(data)) == data


@given(st.text(max_size=80))
def test_a_multikey_reader_only_ever_says_malformed(text):
    with pytest.raises(Malformed):
        keys.from_multibase("z" + text)


def test_a_ring_gives_the_same_object_again():
    ring = keys.KeyRing()
    assert ring.public("k") is None
    assert ring.private("k") is None
    public = ring.keep_public("k", pair("ed25519").public_der)
    private = ring.keep_private("k", pair("ed25519").private_der)
    assert ring.public("k") is public
    assert ring.private("k") is private


def test_a_ring_forgets_both_keys_of_an_address():
    ring = keys.KeyRing()
    ring.keep_public("k", pair("ed25519").public_der)
    ring.keep_private("k", pair("ed25519").private_der)
    ring.forget("k")
    ring.forget("never seen")
    assert ring.public("k") is None
    assert ring.private("k") is None


def test_a_full_ring_drops_what_was_used_longest_ago():
    ring = keys.KeyRing(public_limit=2, private_limit=1)
    der = pair("ed25519").public_der
    ring.keep_public("a", der)
    ring.keep_public("b", der)
    assert ring.public("a") is not None
    ring.keep_public("c", der)
    assert ring.public("b") is None
    assert ring.public("a") is not None
    assert ring.public("c") is not None
    ring.keep_private("a", pair("ed25519").private_der)
    ring.keep_private("b", pair("ed25519").private_der)
    assert ring.private("a") is None


def test_a_ring_keeps_no_key_that_cannot_be_loaded():
    ring = keys.KeyRing()
    with pytest.raises(Malformed):
        ring.keep_public("k", rsa_spki(1024))
    assert ring.public("k") is None


class Factory:
    """Makes keys, and tells how many and in which thread."""

    def __init__(self) -> None:
        self.threads: list[str] = []
        self.made = threading.Semaphore(0)

    def __call__(self) -> keys.KeyPair:
        self.threads.append(threading.current_thread().name)
        self.made.release()
        return keys.KeyPair(str(len(self.threads)).encode(), b"")


def test_a_pool_makes_its_keys_ahead_and_no_more_than_its_size():
    factory = Factory()
    pool = keys.KeyPool(3, factory)
    pool.fill()
    pool.fill()
    for _ in range(3):
        assert factory.made.acquire(timeout=10)
    pool.close()
    assert len(factory.threads) == 3
    assert all(name.startswith("esnfed-keys") for name in factory.threads)


def test_a_pool_gives_each_key_once():
    pool = keys.KeyPool(2, Factory())
    taken = [pool.take().public_der for _ in range(5)]
    pool.close()
    assert len(set(taken)) == 5


def test_a_pool_of_nothing_makes_keys_when_asked():
    factory = Factory()
    pool = keys.KeyPool(0, factory)
    pool.take()
    pool.close()
    assert len(factory.threads) == 1


async def test_a_pool_is_awaited_on_the_loop():
    pool = keys.KeyPool(0, keys.generate_ed25519)
    taken = await pool.take_async()
    pool.close()
    assert keys.load_private(taken.private_der).public_key() == keys.load_public(taken.public_der)


def test_a_failure_in_the_pool_reaches_who_asked():
    def broken() -> keys.KeyPair:
        raise OSError("no entropy")

    pool = keys.KeyPool(1, broken)
    with pytest.raises(OSError, match="no entropy"):
        pool.take()
    pool.close()
