"""The language of a page: what the reader asked for, out of what the node offers."""

from __future__ import annotations

from aiohttp import web

from esnfed.config import Config
from esnfed.http.keys import CONFIG
from esnfed.i18n import SUPPORTED, negotiate

COOKIE = "lang"
PARAMETER = "lang"


def offered(config: Config) -> tuple[str, ...]:
    """Return the node's languages that have a catalogue, the default first; all of them when none has."""
    return tuple(language for language in config.languages if language in SUPPORTED) or SUPPORTED


def choose(request: web.Request) -> str:
    """Return the language of the answer: `?lang=`, else the cookie, else `Accept-Language`, else the default.

    A value that the node does not offer is passed over, never an error.
    """
    languages = offered(request.config_dict[CONFIG])
    for wanted in (request.query.get(PARAMETER), request.cookies.get(COOKIE)):
        if wanted in languages:
            return wanted
    return negotiate(request.headers.get("Accept-Language"), languages)
