"""Language tags: one spelling of BCP 47, the direction of a script, and a guess where none is declared."""

from __future__ import annotations

import re
from collections import Counter
from functools import lru_cache
from typing import Literal

from babel.core import get_global

Direction = Literal["ltr", "rtl", "auto"]

_TAG = re.compile(
    r"(?P<language>[A-Za-z]{2,3})(?:-(?P<script>[A-Za-z]{4}))?(?:-(?P<region>[A-Za-z]{2}|[0-9]{3}))?"
    r"(?P<rest>(?:-[A-Za-z0-9]{1,8}){0,4})"
)
_LENGTH_LIMIT = 35
_NO_LANGUAGE = frozenset({"und", "mul", "mis", "zxx"})

_RTL_LANGUAGES = frozenset(
    {"ar", "arc", "ckb", "dv", "fa", "he", "khw", "ks", "ps", "sd", "syr", "ug", "ur", "yi"}
)
_RTL_SCRIPTS = frozenset({"Adlm", "Arab", "Hebr", "Nkoo", "Rohg", "Syrc", "Thaa"})

_SCRIPTS: tuple[tuple[int, int, str], ...] = (
    (0x0370, 0x03FF, "el"),
    (0x0530, 0x058F, "hy"),
    (0x0590, 0x05FF, "he"),
    (0x0600, 0x06FF, "ar"),
    (0x0900, 0x097F, "hi"),
    (0x0980, 0x09FF, "bn"),
    (0x0B80, 0x0BFF, "ta"),
    (0x0E00, 0x0E7F, "th"),
    (0x0E80, 0x0EFF, "lo"),
    (0x1000, 0x109F, "my"),
    (0x10A0, 0x10FF, "ka"),
    (0x1200, 0x137F, "am"),
    (0x1780, 0x17FF, "km"),
    (0x3040, 0x30FF, "ja"),
    (0x4E00, 0x9FFF, "zh"),
    (0xAC00, 0xD7AF, "ko"),
)
_SAMPLE = 2_000
_SHARE = 0.6


@lru_cache(maxsize=1024)
def normalise(tag: str) -> str | None:
    """Return a language tag in its one spelling (fr, fr-BE, zh-Hant-TW), or None for what is no language.

    RFC 5646: language in lower case, script capitalised, region in upper case; withdrawn and three-letter
    codes become the current ones (iw → he, fra → fr). `und`, `mul`, `mis` and `zxx` say that there is none.
    """
    found = _TAG.fullmatch(tag.strip().replace("_", "-")) if len(tag) <= _LENGTH_LIMIT else None
    if found is None:
        return None
    language = found["language"].lower()
    language = str(get_global("language_aliases").get(language, language)).split("_")[0]
    if language in _NO_LANGUAGE:
        return None
    parts = [language, (found["script"] or "").capitalize(), (found["region"] or "").upper()]
    return "-".join(part for part in parts if part) + found["rest"].lower()


def direction(tag: str | None) -> Direction:
    """Return the `dir` attribute of a text in this language; `auto` when the language is not known."""
    normal = normalise(tag) if tag else None
    if normal is None:
        return "auto"
    parts = normal.split("-")
    if len(parts) > 1 and len(parts[1]) == 4:
        return "rtl" if parts[1] in _RTL_SCRIPTS else "ltr"
    return "rtl" if parts[0] in _RTL_LANGUAGES else "ltr"


def guess(text: str) -> str | None:
    """Return the language that the script of a text gives away, or None; none for Latin and Cyrillic.

    Japanese is told from Chinese by its syllables. Used only where an author or a peer declares nothing.
    """
    counted: Counter[str] = Counter()
    for character in text[:_SAMPLE]:
        if character.isalpha():
            counted[_language_of(ord(character))] += 1
    if counted["ja"] and counted["zh"]:
        counted["ja"] += counted.pop("zh")
    total = counted.total()
    language, count = counted.most_common(1)[0] if total else ("", 0)
    return language if language and count >= _SHARE * total else None


def _language_of(code: int) -> str:
    return next((language for first, last, language in _SCRIPTS if first <= code <= last), "")
