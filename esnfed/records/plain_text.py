"""Plain text of a sheet made safe: one normal form, no control or direction characters, a length."""

from __future__ import annotations

import re
import unicodedata

READ_FACTOR = 4
"""How much more than the limit is looked at: blanks that fall away should not cost real text."""

_UNWANTED = re.compile(
    "[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u200b\u200e\u200f\u2028-\u202e\u2066-\u2069"
    "\ufeff\ud800-\udfff\ufffe\uffff]"
)
"""Controls, surrogates, and what turns the reading direction of the text after it (Trojan Source)."""

_BLANKS = re.compile(r"[^\S\n]+")
_LINES = re.compile(r" ?\n ?")
_MANY_LINES = re.compile(r"\n{3,}")


def clean(text: str, limit: int, *, lines: bool = False) -> str:
    """Return `text` in NFC without unwanted characters or idle blanks; possibly one character over `limit`.

    One over, so that a caller can tell "too long" from "just fits"; a line break is a blank unless `lines`.
    """
    text = text[: limit * READ_FACTOR].replace("\r\n", "\n").replace("\r", "\n")
    text = _UNWANTED.sub("", unicodedata.normalize("NFC", _UNWANTED.sub("", text)))
    text = _LINES.sub("\n", _BLANKS.sub(" ", text))
    text = _MANY_LINES.sub("\n\n", text) if lines else text.replace("\n", " ")
    return text.strip()[: limit + 1]
