"""Languages of the interface: catalogues, choice of a language, and numbers, dates and names in it."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from functools import cache, lru_cache
from io import BytesIO
from pathlib import Path
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from babel import Locale, UnknownLocaleError
from babel.dates import format_date, format_skeleton, format_timedelta
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po
from babel.numbers import format_compact_decimal, format_decimal, format_percent
from babel.support import Translations

from esnfed.errors import Invalid
from esnfed.resources import folder

SUPPORTED = ("fr", "en", "es")
"""Languages whose catalogues are complete, checked at each build."""

SOURCE = "en"
"""The language in which texts are written in the code; its catalogue changes nothing."""

DOMAIN = "esnfed"

_HEADER_LIMIT = 1_000
_QUALITY = r"(?:[ \t]*;[ \t]*[qQ]=(0(?:\.[0-9]{0,3})?|1(?:\.0{0,3})?))?"
_RANGE = re.compile(r"([A-Za-z]{1,8}(?:-[A-Za-z0-9]{1,8}){0,8}|\*)" + _QUALITY)


class Translator(Translations):
    """One catalogue: `gettext`, `ngettext`, `pgettext`, `npgettext`, and the `locale` it speaks."""

    locale: str = SOURCE

    def gettext(self, message: str) -> str:
        """Return the translation; nothing for nothing, which gettext would answer with its header."""
        return super().gettext(message) if message else ""


def N_(text: str) -> str:  # noqa: N802 - the name that gettext tools look for
    """Mark a constant for extraction; whoever shows it translates it then."""
    return text


def NP_(meaning: str, text: str) -> tuple[str, str]:  # noqa: N802 - as N_
    """Mark a constant that is translated by its meaning: `pgettext(*NP_("call", "Open"))`."""
    return meaning, text


def translator(locale: str) -> Translator:
    """Return the catalogue of `locale`, of its language, or else the untranslated texts (`SOURCE`)."""
    language = locale.replace("_", "-").split("-")[0].lower()
    return _catalogue(language if language in available() else SOURCE)


@cache
def available() -> tuple[str, ...]:
    """Return the languages that have a catalogue here: the supported ones first, community ones after."""
    found = {path.parent.name for path in folder("locale").glob("*/LC_MESSAGES") if _files(path)}
    return tuple(name for name in SUPPORTED if name in found) + tuple(sorted(found - set(SUPPORTED)))


@cache
def _catalogue(language: str) -> Translator:
    return load(folder("locale"), language)


def _files(messages: Path) -> list[Path]:
    # The .po wins: a checkout has no other, a wheel has none, and a .mo beside a .po may be stale.
    return [path for path in (messages / f"{DOMAIN}.po", messages / f"{DOMAIN}.mo") if path.is_file()]


def load(root: Path, language: str) -> Translator:
    """Return the catalogue of `language` under `root`, a .po compiled in memory; empty without a file."""
    files = _files(root / language / "LC_MESSAGES")
    content: BytesIO | None = None
    if files and files[0].suffix == ".po":
        content = BytesIO()
        with files[0].open("rb") as source:
            write_mo(content, read_po(source, locale=language, domain=DOMAIN))
        content.seek(0)
    elif files:
        content = BytesIO(files[0].read_bytes())
    made = Translator(content, domain=DOMAIN)
    made.locale = language
    return made


def negotiate(accept_language: str | None, offered: Sequence[str]) -> str:
    """Return the one of `offered` that the header asks for most, as RFC 4647 looks up; else the first.

    `offered` is never empty. Of a header 1,000 characters are read; what is no language range is passed over.
    """
    names = {name.lower(): name for name in reversed(offered)}
    for wanted in _ranges(accept_language or ""):
        parts = wanted.split("-")
        for length in range(len(parts), 0, -1):
            if (found := names.get("-".join(parts[:length]))) is not None:
                return found
        for name in offered:
            if name.lower().startswith(f"{parts[0]}-"):
                return name
    return offered[0]


def _ranges(header: str) -> list[str]:
    """Return the wanted tags in lower case, best first, without the refused (q=0) and the wildcard."""
    found: list[tuple[float, str]] = []
    for item in header[:_HEADER_LIMIT].split(","):
        match = _RANGE.fullmatch(item.strip())
        if match is None or match[1] == "*":
            continue
        quality = float(match[2]) if match[2] else 1.0
        if quality > 0:
            found.append((quality, match[1].lower()))
    return [tag for _, tag in sorted(found, key=lambda pair: -pair[0])]


@lru_cache(maxsize=256)
def babel_locale(tag: str) -> Locale:
    """Return Babel's locale of a language tag, of its shorter forms, or of the source language."""
    parts = tag.replace("_", "-").split("-")
    for length in range(len(parts), 0, -1):
        try:
            return Locale.parse("-".join(parts[:length]), sep="-")
        except (UnknownLocaleError, ValueError):
            continue
    return Locale.parse(SOURCE)


def number(value: float, locale: str) -> str:
    """Return a number with the separators of `locale`: 1 234,5."""
    return format_decimal(value, locale=babel_locale(locale))


def compact(value: int, locale: str) -> str:
    """Return a large count in short: 12 k, 3.4M."""
    return format_compact_decimal(value, locale=babel_locale(locale), fraction_digits=1)


def percent(value: float, locale: str) -> str:
    """Return a share (0.25) as a percentage: 25 %."""
    return format_percent(value, locale=babel_locale(locale))


def _instant(at: int) -> datetime:
    return datetime(1970, 1, 1, tzinfo=UTC) + timedelta(milliseconds=at)


@lru_cache(maxsize=256)
def zone(name: str) -> ZoneInfo:
    """Return an IANA time zone; Invalid when there is none of that name."""
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError) as error:
        raise Invalid(N_("This time zone is not known.")) from error


def iso(at: int) -> str:
    """Return milliseconds since 1970 as `2026-03-01T09:30:00Z`, for `<time datetime>`."""
    return _instant(at).strftime("%Y-%m-%dT%H:%M:%SZ")


def day(value: int | str | date, locale: str, width: str = "long", zone_name: str = "UTC") -> str:
    """Return a date in words: `value` is a date, an ISO date, or milliseconds seen in the zone `zone_name`.

    `width` is one of Babel's: short, medium, long, full. Invalid when the text is no ISO date.
    """
    if isinstance(value, str):
        try:
            value = date.fromisoformat(value[:10])
        except ValueError as error:
            raise Invalid(N_("This is not a date.")) from error
    elif isinstance(value, int):
        value = _instant(value).astimezone(zone(zone_name)).date()
    return format_date(value, format=width, locale=babel_locale(locale))


def moment(at: int, locale: str, zone_name: str = "UTC") -> str:
    """Return an instant with its time zone written: 1 mars 2026, 10:30 (UTC+1)."""
    local = _instant(at).astimezone(zone(zone_name))
    chosen = babel_locale(locale)
    clock = format_skeleton("Hm", local, locale=chosen)
    return f"{format_date(local.date(), format='long', locale=chosen)}, {clock} ({zone_label(at, zone_name)})"


def zone_label(at: int, zone_name: str = "UTC") -> str:
    """Return a zone as it is at an instant, the same in every language: UTC, UTC+2, UTC-3:30."""
    seconds = int((_instant(at).astimezone(zone(zone_name)).utcoffset() or timedelta()).total_seconds())
    if not seconds:
        return "UTC"
    hours, minutes = divmod(abs(seconds) // 60, 60)
    return f"UTC{'+' if seconds > 0 else '-'}{hours}" + (f":{minutes:02}" if minutes else "")


def ago(at: int, now: int, locale: str) -> str:
    """Return the distance between two instants in words: il y a 3 heures, in 2 days."""
    return format_timedelta(
        timedelta(milliseconds=at - now), add_direction=True, locale=babel_locale(locale), threshold=0.95
    )


def language_name(tag: str, locale: str) -> str:
    """Return the name of a language in `locale`: français, anglais; the tag itself when unknown."""
    own = tag.replace("_", "-").split("-")
    names = babel_locale(locale).languages
    return names.get("_".join(own)) or names.get(own[0].lower()) or tag


def own_name(tag: str) -> str:
    """Return the name of a language in itself, for a language switch: Français, English, Español."""
    name = language_name(tag, tag)
    return name[:1].upper() + name[1:]


def territory_name(code: str, locale: str) -> str:
    """Return the name of an ISO 3166-1 territory (two letters) in `locale`; the code itself when unknown."""
    return babel_locale(locale).territories.get(code.upper()) or code
