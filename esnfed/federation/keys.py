"""Keys of actors: making, storing, reading and remembering them."""

from __future__ import annotations

import asyncio
from collections import OrderedDict, deque
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from threading import Lock
from typing import Generic, NamedTuple, TypeVar

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey, RSAPublicKey

from esnfed.errors import Malformed
from esnfed.federation import multikey
from esnfed.i18n import N_

PublicKey = RSAPublicKey | Ed25519PublicKey
PrivateKey = RSAPrivateKey | Ed25519PrivateKey

RSA_BITS = 2048
"""What Mastodon makes; larger keys cost seven times more for each delivery and gain nothing here."""

MIN_RSA_BITS = 2048
"""The servers we federate with all make 2,048 bits or more; a shorter key is old and can be broken."""

MAX_RSA_BITS = 8192
MAX_EXPONENT_BITS = 64  # the cost of a verification grows with the exponent, which is the peer's choice
MAX_KEY_LENGTH = 8192

_PEM_HEADS = (b"-----BEGIN PUBLIC KEY-----", b"-----BEGIN RSA PUBLIC KEY-----")

Key = TypeVar("Key")


class KeyPair(NamedTuple):
    """A key as it is stored: SubjectPublicKeyInfo and PKCS#8, both DER."""

    public_der: bytes
    private_der: bytes


def generate_rsa() -> KeyPair:
    """Make an RSA key; takes some 40 ms of a core, so call it off the event loop or use a KeyPool."""
    return _pair(rsa.generate_private_key(public_exponent=65537, key_size=RSA_BITS))


def generate_ed25519() -> KeyPair:
    """Make an Ed25519 key, in microseconds."""
    return _pair(Ed25519PrivateKey.generate())


def load_private(der: bytes) -> PrivateKey:
    """Load a private key that we stored ourselves.

    Its mathematics are not checked again: that takes 36 ms and holds the interpreter. `import_private` did so
    once for a key from elsewhere.
    """
    return _private(serialization.load_der_private_key(der, None, unsafe_skip_rsa_key_validation=True))


def import_private(data: bytes) -> KeyPair:
    """Read a private key from elsewhere, PEM or DER without password, and check it; Malformed if unusable."""
    load = serialization.load_pem_private_key if b"-----BEGIN" in data else serialization.load_der_private_key
    try:
        return _pair(_private(load(data, None)))
    except (ValueError, TypeError, UnsupportedAlgorithm):
        raise Malformed(N_("The private key cannot be read.")) from None


def load_public(der: bytes) -> PublicKey:
    """Load a public key (SubjectPublicKeyInfo, DER); Malformed unless RSA of 2,048-8,192 bits or Ed25519."""
    try:
        key = serialization.load_der_public_key(der)
    except (ValueError, UnsupportedAlgorithm):
        raise Malformed(N_("The public key cannot be read.")) from None
    return _accept(key)


def public_der(pem: object) -> bytes:
    """Read the `publicKeyPem` of an actor document, in either form that peers write, into DER.

    SubjectPublicKeyInfo (`PUBLIC KEY`) is the rule; PKCS#1 (`RSA PUBLIC KEY`) comes from older software.
    Malformed for anything else, a private key included, and for keys that `load_public` would refuse.
    """
    if not isinstance(pem, str) or not pem.isascii() or len(pem) > MAX_KEY_LENGTH:
        raise Malformed(N_("The public key cannot be read."))
    data = pem.strip().encode("ascii")
    if not data.startswith(_PEM_HEADS):
        raise Malformed(N_("The public key cannot be read."))
    try:
        key = serialization.load_pem_public_key(data)
    except (ValueError, UnsupportedAlgorithm):
        raise Malformed(N_("The public key cannot be read.")) from None
    return _public_bytes(_accept(key))


def public_pem(der: bytes) -> str:
    """Write a stored public key as `publicKeyPem` (SubjectPublicKeyInfo)."""
    key = load_public(der)
    form = serialization.PublicFormat.SubjectPublicKeyInfo
    return key.public_bytes(serialization.Encoding.PEM, form).decode("ascii")


def multibase(der: bytes) -> str:
    """Write a stored public key as `publicKeyMultibase`."""
    key = load_public(der)
    if isinstance(key, Ed25519PublicKey):
        return multikey.encode("ed25519", key.public_bytes_raw())
    raw = key.public_bytes(serialization.Encoding.DER, serialization.PublicFormat.PKCS1)
    return multikey.encode("rsa", raw)


def from_multibase(text: object) -> bytes:
    """Read a `publicKeyMultibase` into DER; Malformed for anything that is no acceptable public key."""
    kind, raw = multikey.decode(text)
    try:
        if kind == "ed25519":
            return _public_bytes(Ed25519PublicKey.from_public_bytes(raw))
        key = serialization.load_der_public_key(raw)  # takes PKCS#1 as well
    except (ValueError, UnsupportedAlgorithm):
        raise Malformed(N_("The public key cannot be read.")) from None
    accepted = _accept(key)
    if accepted.public_bytes(serialization.Encoding.DER, serialization.PublicFormat.PKCS1) != raw:
        raise Malformed(N_("The public key cannot be read."))
    return _public_bytes(accepted)


def kind_of(der: bytes) -> multikey.MultikeyKind:
    """Say which kind a stored public key is: `rsa` or `ed25519`."""
    return "ed25519" if isinstance(load_public(der), Ed25519PublicKey) else "rsa"


class _Shelf(Generic[Key]):
    """Key objects by address, the least recently used leaving first; safe to share between threads."""

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._keys: OrderedDict[str, Key] = OrderedDict()
        self._lock = Lock()

    def get(self, uri: str) -> Key | None:
        with self._lock:
            if uri not in self._keys:
                return None
            self._keys.move_to_end(uri)
            return self._keys[uri]

    def put(self, uri: str, key: Key) -> Key:
        with self._lock:
            self._keys[uri] = key
            self._keys.move_to_end(uri)
            while len(self._keys) > self._limit:
                self._keys.popitem(last=False)
        return key

    def drop(self, uri: str) -> None:
        with self._lock:
            self._keys.pop(uri, None)


class KeyRing:
    """The key objects of one node by key address: a fresh object doubles the price of its first use.

    A key that changes under its address must be forgotten here before it is used again.
    """

    def __init__(self, public_limit: int = 10_000, private_limit: int = 1_000) -> None:
        self._public: _Shelf[PublicKey] = _Shelf(public_limit)
        self._private: _Shelf[PrivateKey] = _Shelf(private_limit)

    def public(self, uri: str) -> PublicKey | None:
        """The public key remembered under an address."""
        return self._public.get(uri)

    def private(self, uri: str) -> PrivateKey | None:
        """The private key remembered under an address."""
        return self._private.get(uri)

    def keep_public(self, uri: str, der: bytes) -> PublicKey:
        """Load, remember and return a public key; Malformed as `load_public`."""
        return self._public.put(uri, load_public(der))

    def keep_private(self, uri: str, der: bytes) -> PrivateKey:
        """Load, remember and return one of our private keys."""
        return self._private.put(uri, load_private(der))

    def forget(self, uri: str) -> None:
        """Forget both keys of an address: it was rotated, deleted, or did not verify."""
        self._public.drop(uri)
        self._private.drop(uri)


class KeyPool:
    """RSA keys made ahead in one thread, so that a new actor does not wait for prime numbers.

    Nothing runs before `fill` or the first `take`; `close` must end it. Safe to use from several threads.
    """

    def __init__(self, size: int = 4, generate: Callable[[], KeyPair] = generate_rsa) -> None:
        self._size = size
        self._generate = generate
        self._ready: deque[Future[KeyPair]] = deque()
        self._lock = Lock()
        self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="esnfed-keys")

    def fill(self) -> None:
        """Start making keys until `size` of them are ready."""
        with self._lock:
            self._refill()

    def take(self) -> KeyPair:
        """Take a key, waiting for it if none is ready: for commands and threads, never on the event loop."""
        return self._next().result()

    async def take_async(self) -> KeyPair:
        """Take a key without holding the event loop."""
        return await asyncio.wrap_future(self._next())

    def close(self) -> None:
        """Finish the key in work and stop; keys not yet begun are not made."""
        self._thread.shutdown(cancel_futures=True)

    def _next(self) -> Future[KeyPair]:
        with self._lock:
            future = self._ready.popleft() if self._ready else self._thread.submit(self._generate)
            self._refill()
        return future

    def _refill(self) -> None:
        while len(self._ready) < self._size:
            self._ready.append(self._thread.submit(self._generate))


def _accept(key: object) -> PublicKey:
    if isinstance(key, Ed25519PublicKey):
        return key
    if not isinstance(key, RSAPublicKey):
        raise Malformed(N_("The public key is neither RSA nor Ed25519."))
    if not MIN_RSA_BITS <= key.key_size <= MAX_RSA_BITS:
        raise Malformed(
            N_("The RSA key has %(bits)s bits; %(least)s to %(most)s are accepted."),
            bits=key.key_size,
            least=MIN_RSA_BITS,
            most=MAX_RSA_BITS,
        )
    if key.public_numbers().e.bit_length() > MAX_EXPONENT_BITS:
        raise Malformed(N_("The exponent of the RSA key is too large."))
    return key


def _private(key: object) -> PrivateKey:
    if not isinstance(key, RSAPrivateKey | Ed25519PrivateKey):
        raise Malformed(N_("The private key is neither RSA nor Ed25519."))
    _accept(key.public_key())
    return key


def _public_bytes(key: PublicKey) -> bytes:
    return key.public_bytes(serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)


def _pair(private: PrivateKey) -> KeyPair:
    stored = private.private_bytes(
        serialization.Encoding.DER, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    return KeyPair(_public_bytes(private.public_key()), stored)
