"""Reading wire JSON: every function returns a typed value or raises Malformed, and every length is capped.

The caps are Mastodon's (its FEDERATION.md; federation.md A1): beyond them nobody's honest document goes.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from typing import Any

import orjson

from esnfed.errors import Malformed
from esnfed.vocab.authority import MAX_URI_LENGTH, parse_address
from esnfed.vocab.terms import FORBIDDEN_KEYWORDS

MAX_ITEMS = 256
MAX_DEPTH = 64
MAX_CONTAINERS = 50_000
"""Objects and lists in one document: a megabyte has room for 300,000, which take a second to look through."""

_SUSPECT = (b"@graph", b"@included", b"@reverse", b"\\u")
_SURROGATES = re.compile("[\ud800-\udfff\x00]")

Document = dict[str, Any]


def load(data: bytes) -> Document:
    """Parse bytes into a JSON object; raises Malformed.

    Refused: anything but an object, nesting over 64 levels, over 50,000 objects and lists, and the JSON-LD
    keywords that restructure a document (CVE-2026-46349, CVE-2026-48028, CVE-2026-42462), wherever they stand.
    """
    try:
        document = orjson.loads(data)
    except orjson.JSONDecodeError:
        raise Malformed("The body is not JSON.") from None
    if not isinstance(document, dict):
        raise Malformed("The body is not a JSON object.")
    if data.count(b"{") + data.count(b"[") > MAX_DEPTH or any(mark in data for mark in _SUSPECT):
        for depth, mapping in _mappings(document):
            if depth > MAX_DEPTH:
                raise Malformed("The document is nested too deeply.")
            if not FORBIDDEN_KEYWORDS.isdisjoint(mapping):
                raise Malformed("The document uses JSON-LD keywords that are not accepted here.")
    return document


def _mappings(document: Document) -> Iterator[tuple[int, Document]]:
    waiting: list[tuple[int, Any]] = [(1, document)]
    seen = 0
    while waiting:
        depth, value = waiting.pop()
        seen += 1
        if seen > MAX_CONTAINERS:
            raise Malformed("The document holds too many objects and lists.")
        if isinstance(value, dict):
            yield depth, value
            waiting.extend((depth + 1, inner) for inner in value.values() if isinstance(inner, dict | list))
        else:
            if depth > MAX_DEPTH:
                raise Malformed("The document is nested too deeply.")
            waiting.extend((depth + 1, inner) for inner in value if isinstance(inner, dict | list))


def dump(document: Mapping[str, Any]) -> bytes:
    """Encode a document for the wire."""
    return orjson.dumps(document)


def type_of(document: Mapping[str, Any]) -> str:
    """Return the one `type` of a document, or "" when it is missing, a list or not a string.

    A list of types is nobody's honest activity (federation.md B1): it is treated as unknown.
    """
    value = document.get("type")
    return value if isinstance(value, str) and len(value) <= 100 and _is_storable(value) else ""


def _is_storable(value: str) -> bool:
    """PostgreSQL keeps no NUL in a text, and UTF-8 has no lone surrogates: such a name or id is nobody's."""
    return value.isprintable() or not _SURROGATES.search(value)


def text(document: Mapping[str, Any], key: str, limit: int) -> str:
    """Return a string property cut at `limit` characters, or "" when it is missing or not a string."""
    value = document.get(key)
    if not isinstance(value, str):
        return ""
    return _SURROGATES.sub("", value[:limit])


def items(value: Any, limit: int = MAX_ITEMS) -> list[Any]:
    """Return a property as a list of at most `limit` values: absent gives none, a single value gives one."""
    if value is None:
        return []
    return value[:limit] if isinstance(value, list) else [value]


def reference(value: Any) -> str | None:
    """Return the id that a property refers to (a string, or an object with `id` or `href`), or None."""
    if isinstance(value, list):
        value = value[0] if value else None
    if isinstance(value, dict):
        value = value.get("id") or value.get("href")
    if not isinstance(value, str) or not 0 < len(value) <= MAX_URI_LENGTH:
        return None
    return value if _is_storable(value) else None


def references(value: Any, limit: int = MAX_ITEMS) -> list[str]:
    """Return the ids that a property refers to, without repeats, in order; unusable ones are left out."""
    found = (reference(item) for item in items(value, limit))
    return list(dict.fromkeys(uri for uri in found if uri))


def identifier(document: Mapping[str, Any], key: str = "id") -> str:
    """Return a web address that the document must have under `key`; raises Malformed."""
    uri = reference(document.get(key))
    if uri is None:
        raise Malformed("The document has no usable “%(name)s”.", name=key)
    parse_address(uri)
    return uri


def web_address(value: Any) -> str | None:
    """Return the address when it is a plain http(s) one (or a list or Link that leads to one), else None."""
    for item in items(value, 8):
        uri = reference(item)
        if uri is None:
            continue
        try:
            parse_address(uri)
        except Malformed:
            continue
        return uri
    return None


def html_address(value: Any) -> str | None:
    """Return the web address of the HTML page among `url` values: a Link of type text/html wins."""
    links = [
        item for item in items(value, 8) if isinstance(item, dict) and item.get("mediaType") == "text/html"
    ]
    return web_address(links) or web_address(value)


def embedded(value: Any) -> Document | None:
    """Return the embedded object of a property, or None when it is only a reference or absent."""
    if isinstance(value, list):
        value = value[0] if value else None
    return value if isinstance(value, dict) else None


def boolean(document: Mapping[str, Any], key: str) -> bool:
    """Return True only for a JSON true."""
    return document.get(key) is True


def count(value: Any) -> int | None:
    """Return a whole number from 0 to 2^31 - 1, or None."""
    if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value < 1 << 31:
        return None
    return value


def timestamp(value: Any) -> int | None:
    """Return an RFC 3339 date-time as milliseconds since 1970, or None when it is none of our era."""
    if not isinstance(value, str) or not 10 <= len(value) <= 40:
        return None
    try:
        moment = datetime.fromisoformat(value)
    except ValueError:
        return None
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=UTC)
    try:
        milliseconds = int(moment.timestamp() * 1000)
    except (OverflowError, ValueError):
        return None
    return milliseconds if 0 <= milliseconds < 1 << 47 else None


def iso(milliseconds: int) -> str:
    """Return milliseconds since 1970 as RFC 3339 in UTC, with three decimals and a Z."""
    moment = datetime.fromtimestamp(milliseconds / 1000, UTC)
    return moment.strftime("%Y-%m-%dT%H:%M:%S.") + f"{milliseconds % 1000:03d}Z"


def language_map(value: Any, limit: int, languages: int = 16) -> dict[str, str]:
    """Return {language tag: text}, each text cut at `limit`, at most `languages` of them, in their order."""
    if not isinstance(value, dict):
        return {}
    found: dict[str, str] = {}
    for key, content in value.items():
        if isinstance(content, str) and 2 <= len(key) <= 35 and len(found) < languages:
            found[key] = _SURROGATES.sub("", content[:limit])
    return found
