"""What hangs on a post: which hashtags and files of a document count."""

from __future__ import annotations

from typing import Any

import pytest

from esnfed.objects import parts


@pytest.mark.parametrize(
    ("written", "kept"),
    [
        ("#École", ["École"]),
        ("nohash", ["nohash"]),
        (" #with-dash_under ", ["with-dash_under"]),
        ("#with(subtag)", ["with(subtag)"]),
        ("#牛", ["牛"]),
        ("#with white space", []),
        ("#a/b", []),
        ("#a#b", []),
        ("#a?b", []),
        ("#a\x07b", []),
        ("#", []),
        ("", []),
    ],
)
def test_a_hashtag_is_one_word_and_one_part_of_an_address(written: str, kept: list[str]) -> None:
    assert parts.hashtags_in({"tag": {"type": "Hashtag", "name": written}}) == kept


def file(**item: Any) -> list[dict[str, Any]]:
    """The files of a post with one attachment."""
    return parts.attachments_in({"attachment": {"type": "Video"} | item})


def test_a_link_under_url_tells_media_type_and_size() -> None:
    small = {"type": "Link", "href": "https://a.example/1.mp4", "mediaType": "video/mp4", "width": 256}
    (found,) = file(url=[small, small | {"href": "https://a.example/2.mp4"}], duration="PT3S")
    assert (found["url"], found["media_type"]) == ("https://a.example/1.mp4", "video/mp4")
    assert (found["width"], found["height"], found["duration"]) == (256, None, 3.0)


def test_what_the_attachment_says_itself_goes_before_its_link() -> None:
    link = {"type": "Link", "href": "https://a.example/1", "mediaType": "video/mp4", "name": "Link"}
    (found,) = file(url=link, mediaType="video/webm", name="Film")
    assert (found["media_type"], found["description"]) == ("video/webm", "Film")


def test_a_file_may_have_its_address_under_href() -> None:
    assert [found["url"] for found in file(href="https://a.example/1.txt")] == ["https://a.example/1.txt"]


@pytest.mark.parametrize("url", ["data:image/png;base64,AA", "javascript:1", "", None, 7, {"type": "Link"}])
def test_what_has_no_web_address_is_no_file(url: Any) -> None:
    assert file(url=url) == []
