"""Which language a page is in."""

from __future__ import annotations

from pathlib import Path

import pytest
from aiohttp import web
from aiohttp.test_utils import make_mocked_request

from esnfed.config import Config
from esnfed.http.keys import CONFIG
from esnfed.http.language import choose, offered


def _config(tmp_path: Path, languages: tuple[str, ...]) -> Config:
    return Config(domain="lyon.esn.test", data_dir=tmp_path, environment="test", languages=languages)


@pytest.mark.parametrize(
    ("query", "cookie", "accept", "expected"),
    [
        ("?lang=es", "lang=en", "fr", "es"),
        ("", "lang=en", "fr", "en"),
        ("", "", "es-MX, fr;q=0.5", "es"),
        ("", "", "de", "fr"),
        ("", "", "", "fr"),
        ("?lang=de", "lang=xx", "en", "en"),
        ("?lang=../../etc", "", "", "fr"),
    ],
)
def test_the_address_beats_the_cookie_beats_the_browser(
    tmp_path: Path, query: str, cookie: str, accept: str, expected: str
) -> None:
    app = web.Application()
    app[CONFIG] = _config(tmp_path, ("fr", "en", "es"))
    headers = {"Cookie": cookie, "Accept-Language": accept}
    assert choose(make_mocked_request("GET", f"/{query}", headers=headers, app=app)) == expected


@pytest.mark.parametrize(
    ("languages", "expected"),
    [(("es", "fr"), ("es", "fr")), (("de", "es"), ("es",)), (("de",), ("fr", "en", "es"))],
)
def test_a_node_offers_those_of_its_languages_that_have_a_catalogue(
    tmp_path: Path, languages: tuple[str, ...], expected: tuple[str, ...]
) -> None:
    assert offered(_config(tmp_path, languages)) == expected
