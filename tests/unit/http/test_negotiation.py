"""What an Accept header means, and what counts as an ActivityPub media type."""

from __future__ import annotations

import pytest

from esnfed.http.negotiation import is_activitypub, prefers, see_other, split
from esnfed.vocab.terms import ACCEPT, ACTIVITY_JSON, LD_JSON

BROWSER = "text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,*/*;q=0.8"


@pytest.mark.parametrize("default", ["html", "activitypub"])
@pytest.mark.parametrize(
    ("accept", "expected"),
    [
        (BROWSER, "html"),
        ("text/html", "html"),
        ("application/xhtml+xml", "html"),
        (ACTIVITY_JSON, "activitypub"),
        (LD_JSON, "activitypub"),
        (ACCEPT, "activitypub"),
        (LD_JSON.replace('"', ""), "activitypub"),
        ("APPLICATION/Activity+JSON", "activitypub"),
        (f"{ACTIVITY_JSON}, text/html;q=0.1", "activitypub"),  # Mastodon: "…, text/html;q=0.1"
        (f"text/html;q=0.9, {ACTIVITY_JSON}", "activitypub"),
        (f"text/html, {ACTIVITY_JSON};q=0.9", "html"),
        (f"text/html, {ACTIVITY_JSON}", "html"),
        (f"{ACTIVITY_JSON}, text/html", "activitypub"),
        (f"{ACTIVITY_JSON};q=0, text/html;q=0.1", "html"),
        (f"text/html;q=0, {ACTIVITY_JSON};q=0.1", "activitypub"),
        (f"text/html;q=nonsense, {ACTIVITY_JSON};q=0.2", "activitypub"),
        (f"*/*, {ACTIVITY_JSON};q=0.1", "activitypub"),
        ('text/html; x="a,b;q=0", application/activity+json;q=0.5', "html"),
    ],
)
def test_a_preference_decides_whatever_the_default(accept: str, expected: str, default: str) -> None:
    assert prefers(accept, default) == expected  # type: ignore[arg-type]


@pytest.mark.parametrize("default", ["html", "activitypub"])
@pytest.mark.parametrize(
    "accept",
    [
        None,
        "",
        "*/*",
        "application/json",
        "image/png",
        "application/ld+json",
        ",,;",
        "text/html;q=0",
        "a" * 5000,
    ],
)
def test_without_a_preference_the_default_holds(accept: str | None, default: str) -> None:
    assert prefers(accept, default) == default  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("content_type", "expected"),
    [
        (ACTIVITY_JSON, True),
        (f"{ACTIVITY_JSON}; charset=utf-8", True),
        (LD_JSON, True),
        ('application/ld+json; charset=utf-8; profile="https://www.w3.org/ns/activitystreams"', True),
        (
            'application/ld+json; profile="http://www.w3.org/ns/json-ld https://www.w3.org/ns/activitystreams"',
            True,
        ),
        ("application/ld+json", False),
        ('application/ld+json; profile="https://www.w3.org/ns/activitystreams.evil"', False),
        ("application/json", False),
        ("text/html; x=application/activity+json", False),
        ("application/activity+json2", False),
        ("", False),
    ],
)
def test_only_the_two_media_types_are_activitypub(content_type: str, expected: bool) -> None:
    assert is_activitypub(content_type) is expected


def test_a_redirect_to_the_other_address_depends_on_accept() -> None:
    answer = see_other("https://lyon.esn.test/@ada", "Signature")
    assert (answer.status, answer.headers["Location"]) == (303, "https://lyon.esn.test/@ada")
    assert answer.headers["Vary"] == "Accept, Signature"


def test_splitting_respects_quotes() -> None:
    assert split('a;b="c,d", e ,, f') == ['a;b="c,d"', "e", "f"]
