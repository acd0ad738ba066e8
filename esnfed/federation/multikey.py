"""Multikey texts (FEP-521a): a public key as base58btc over a multicodec prefix."""

from __future__ import annotations

from typing import Final, Literal

from esnfed.errors import Malformed
from esnfed.i18n import N_

MultikeyKind = Literal["ed25519", "rsa"]

MAX_LENGTH = 2048  # an RSA key of 8,192 bits needs about 1,420

_ALPHABET: Final = "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz"
_VALUES: Final = {character: value for value, character in enumerate(_ALPHABET)}
_PREFIXES: Final[dict[MultikeyKind, bytes]] = {"ed25519": b"\xed\x01", "rsa": b"\x85\x24"}


def encode(kind: MultikeyKind, raw: bytes) -> str:
    """Write a key: 32 raw bytes for Ed25519, DER of PKCS#1 RSAPublicKey for RSA."""
    return "z" + base58(_PREFIXES[kind] + raw)


def decode(text: object) -> tuple[MultikeyKind, bytes]:
    """Read a key back; Malformed for another base, another codec, or anything that is no such text."""
    if not isinstance(text, str) or not 1 < len(text) <= MAX_LENGTH or text[0] != "z":
        raise Malformed(N_("A multibase key is not base58btc."))
    data = unbase58(text[1:])
    for kind, prefix in _PREFIXES.items():
        if data.startswith(prefix) and len(data) > len(prefix):
            return kind, data[len(prefix) :]
    raise Malformed(N_("A multibase key is of an unknown kind."))


def base58(data: bytes) -> str:
    """Encode in base58btc; each leading zero byte is one leading `1`."""
    number = int.from_bytes(data, "big")
    digits = []
    while number:
        number, digit = divmod(number, 58)
        digits.append(_ALPHABET[digit])
    zeros = len(data) - len(data.lstrip(b"\0"))
    return "1" * zeros + "".join(reversed(digits))


def unbase58(text: str) -> bytes:
    """Decode base58btc; Malformed for any other character."""
    number = 0
    for character in text:
        value = _VALUES.get(character)
        if value is None:
            raise Malformed(N_("A multibase key is not base58btc."))
        number = number * 58 + value
    zeros = len(text) - len(text.lstrip("1"))
    return b"\0" * zeros + number.to_bytes((number.bit_length() + 7) // 8, "big")
