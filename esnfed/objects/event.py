"""Event: a date and a place, as Mobilizon, Gancio and WordPress send them (FEP-8a8e)."""

from __future__ import annotations

from typing import Any

from esnfed.errors import Invalid
from esnfed.i18n import zone
from esnfed.objects.note import arriving
from esnfed.objects.titled import Titled
from esnfed.text.sanitise import plain
from esnfed.vocab import parse
from esnfed.vocab.parse import Document

MAX_PLACES = 8
MAX_PLACE_TEXT = 500

_ADDRESS = ("streetAddress", "postalCode", "addressLocality", "addressRegion", "addressCountry")
_CANCELLED = frozenset({"CANCELLED", "EventCancelled", "https://schema.org/EventCancelled"})


@arriving("Event")
class Event(Titled):
    """Title, teaser, dates and places."""

    def facts(self, document: Document) -> dict[str, Any]:
        """Return what is known of "starts_at", "ends_at" (ms), "timezone", "places", "cancelled", "about".

        An end before the beginning is left out.
        """
        starts, ends = parse.timestamp(document.get("startTime")), parse.timestamp(document.get("endTime"))
        found: dict[str, Any] = {
            "starts_at": starts,
            "ends_at": None if starts and ends and ends < starts else ends,
            "timezone": _timezone(document),
            "places": _places(document),
            "cancelled": _is_cancelled(document),
        }
        return super().facts(document) | {key: value for key, value in found.items() if value}


def _timezone(document: Document) -> str:
    name = parse.text(document, "timezone", 64)
    try:
        return str(zone(name)) if name else ""
    except Invalid:
        return ""  # the instants say enough


def _is_cancelled(document: Document) -> bool:
    said = (parse.text(document, key, 100) for key in ("ical:status", "status", "eventStatus"))
    return any(word in _CANCELLED for word in said)


def _places(document: Document) -> list[dict[str, str]]:
    """Return [{"name", "address", "url"}] of `location`, a Place, a VirtualLocation, a text or several."""
    found = [_place(item) for item in parse.items(document.get("location"), MAX_PLACES)]
    online = parse.web_address(document.get("onlineAddress"))
    if online and all(place.get("url") != online for place in found):
        found.append({"url": online})
    return [place for place in found if place]


def _place(item: Any) -> dict[str, str]:
    if not isinstance(item, dict):
        item = {"name": item}
    place = {
        "name": _line(item, "name"),
        "address": _line(item, "address") or _postal(parse.embedded(item.get("address")) or {}),
        "url": parse.web_address(item.get("url")) or "",
    }
    return {key: value for key, value in place.items() if value}


def _postal(address: Document) -> str:
    """Return a schema.org PostalAddress on one line."""
    return ", ".join(filter(None, (_line(address, key) for key in _ADDRESS)))


def _line(document: Document, key: str) -> str:
    return " ".join(plain(parse.text(document, key, MAX_PLACE_TEXT)).split())
