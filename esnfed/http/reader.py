"""Who reads a page: the language of the interface, and those in which texts are welcome."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from aiohttp import web

from esnfed.http import language
from esnfed.i18n import negotiate


@dataclass(frozen=True, slots=True)
class Reader:
    """`locale` is the interface's; `wanted` is asked for in the address, `kept` was chosen before."""

    locale: str
    wanted: str | None = None
    kept: str | None = None
    accepts: str = ""

    def choose(self, available: Sequence[str]) -> str:
        """Return the language of `available` (never empty, the original first) to show a text in.

        The one asked for, else the one chosen before, else what the browser prefers, else the interface's;
        a text in none of these is shown as it was written.
        """
        for tag in (self.wanted, self.kept):
            if tag and (found := _lookup(tag, available)):
                return found
        return _lookup(self.accepts, available) or _lookup(self.locale, available) or available[0]


def _lookup(header: str, available: Sequence[str]) -> str:
    # The empty tag comes first because negotiate falls back on the first: "" says that nothing fits.
    return negotiate(header, ("", *available)) if header else ""


def reader_of(request: web.Request) -> Reader:
    """Return the reader of a request."""
    return Reader(
        locale=language.choose(request),
        wanted=(request.query.get(language.PARAMETER) or "")[:35] or None,
        kept=(request.cookies.get(language.COOKIE) or "")[:35] or None,
        accepts=request.headers.get("Accept-Language", ""),
    )
