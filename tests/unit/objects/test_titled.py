"""Articles, events, media: their facts and files, within bounds whatever arrives."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import esnfed.objects
from esnfed import registry
from esnfed.errors import Ignored, Malformed
from esnfed.objects import parts, reading
from esnfed.objects.duration import duration
from esnfed.objects.event import MAX_PLACES, Event
from esnfed.objects.form import Form, form_of
from esnfed.objects.titled import MAX_TEASER, MAX_TITLE, TITLED
from tests.unit.objects.documents import AUTHOR, URI, documents, values

NOW = 1_767_225_600_000
PROPERTIES = (
    *("name", "summary", "content", "contentMap", "mediaType", "url", "image", "attachment", "sensitive"),
    *("startTime", "endTime", "timezone", "location", "onlineAddress", "status", "duration", "tag"),
    *("published", "updated", "to", "cc", "inReplyTo", "context", "conversation", "oneOf", "anyOf", "closed"),
)


@settings(max_examples=40, deadline=None)
@given(st.sampled_from(sorted(registry.forms)), documents(*PROPERTIES))
def test_whatever_a_post_holds_it_is_read_within_bounds_or_refused(
    as_type: str, document: dict[str, Any]
) -> None:
    assert esnfed.objects.__all__
    document |= {"id": URI, "type": as_type, "attributedTo": AUTHOR["uri"]}
    try:
        found = reading.read(document, AUTHOR, NOW)  # type: ignore[arg-type]  # a mapping like a row
    except (Malformed, Ignored):
        return
    assert found["as_type"] == as_type
    assert len(found["title"]) <= MAX_TITLE
    assert len(found["summary"]) <= MAX_TEASER
    assert found["published_at"] <= NOW
    assert bool(found["title"]) <= (as_type in TITLED)
    for text in (found["title"], found["summary"], found["content"]):
        text.encode()
        assert "\x00" not in text


@settings(max_examples=40, deadline=None)
@given(st.sampled_from(sorted(registry.forms)), documents("url", "image", "name", "duration", "mediaType"))
def test_files_of_a_post_have_an_address_and_a_known_type(as_type: str, document: dict[str, Any]) -> None:
    document |= {"type": as_type}
    files = parts.merged([], form_of(as_type).attachments(document))
    assert len(files) <= parts.MAX_ATTACHMENTS
    for place, file in enumerate(files):
        assert file["position"] == place
        assert file["url"].startswith(("http://", "https://"))
        assert file["as_type"] in parts.MEDIA_TYPES
        assert file["duration"] is None or file["duration"] > 0


@settings(max_examples=40, deadline=None)
@given(values)
def test_places_are_few_and_have_something_to_say(location: Any) -> None:
    places = Event().facts({"location": location}).get("places", [])
    assert len(places) <= MAX_PLACES
    assert all(place and set(place) <= {"name", "address", "url"} for place in places)


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("PT60S", 60.0),
        ("PT1H2M3.5S", 3723.5),
        ("P1DT1S", 86_401.0),
        ("PT0S", None),
        ("P", None),
        ("PT99999999S", None),
        ("1:00", None),
        (60, None),
        (None, None),
    ],
)
def test_a_duration_is_read_in_seconds(text: Any, seconds: float | None) -> None:
    assert duration(text) == seconds


@pytest.mark.parametrize(
    ("document", "facts"),
    [
        (
            {"startTime": "2026-01-02T00:00:00Z", "endTime": "2026-01-01T00:00:00Z"},
            {"starts_at": NOW + 86_400_000},
        ),
        ({"timezone": "Europe/Nowhere"}, {}),
        ({"timezone": "Europe/Paris"}, {"timezone": "Europe/Paris"}),
        ({"location": "Lyon"}, {"places": [{"name": "Lyon"}]}),
        ({"location": {"name": "<b>Lyon</b>\n centre"}}, {"places": [{"name": "Lyon centre"}]}),
        ({"location": {"url": "javascript:alert(1)"}}, {}),
        ({"onlineAddress": "https://visio.example/1"}, {"places": [{"url": "https://visio.example/1"}]}),
        ({"ical:status": "CANCELLED"}, {"cancelled": True}),
        ({"eventStatus": "https://schema.org/EventCancelled"}, {"cancelled": True}),
        ({"status": "TENTATIVE"}, {}),
    ],
    ids=lambda value: "" if "starts_at" in str(value) else str(value)[:40],
)
def test_facts_of_an_event(document: dict[str, Any], facts: dict[str, Any]) -> None:
    assert Event().facts(document) == facts


def test_a_type_that_is_no_longer_known_is_a_plain_post() -> None:
    form = form_of("Recipe")
    assert type(form) is Form
    assert form.read({"name": "x"}) == {}


def test_each_file_counts_once_and_sixteen_at_most() -> None:
    files = [{"url": f"https://peer.example/{number % 20}", "position": 0} for number in range(40)]
    found = parts.merged(files, files)
    assert [file["position"] for file in found] == list(range(parts.MAX_ATTACHMENTS))
    assert len({file["url"] for file in found}) == parts.MAX_ATTACHMENTS
