"""Answering with a page: language, alternates and headers, the same for every room that has pages."""

from __future__ import annotations

from hashlib import blake2b
from http import HTTPStatus
from typing import Any

from aiohttp import web

from esnfed import registry
from esnfed.http import language
from esnfed.http.keys import CONFIG, RENDERER
from esnfed.i18n import translator
from esnfed.vocab.terms import ACTIVITY_JSON

YEAR = 365 * 24 * 3600


def render(
    request: web.Request,
    template: str,
    *,
    status: int = 200,
    document: str | None = None,
    canonical: str | None = None,
    indexed: bool = True,
    **values: Any,
) -> web.Response:
    """Return a page in the reader's language, or 304 when the reader has this very page.

    `document` is the id of the object that the page shows: it is named as an alternate. `canonical` is the
    page's absolute address elsewhere; by default it is the asked path here. A page that is not `indexed`
    tells search engines so. A language chosen by `?lang=` is kept in a cookie for a year.
    """
    config = request.config_dict[CONFIG]
    locale = language.choose(request)
    alternates = [{"href": document, "type": ACTIVITY_JSON, "title": ""}] if document else []
    alternates += values.pop("alternates", [])
    query = request.rel_url.without_query_params(language.PARAMETER).raw_query_string
    html = request.config_dict[RENDERER].page(
        template,
        locale,
        path=request.rel_url.raw_path,
        query=query,
        canonical=(canonical or config.origin + request.rel_url.raw_path) if status == HTTPStatus.OK else "",
        robots="" if indexed else "noindex",
        navigation=_navigation(request, locale),
        status=status,
        alternates=alternates,
        **values,
    )
    response = _revalidated(request, html) if status == HTTPStatus.OK else _page(html, status)
    response.headers["Vary"] = "Accept, Accept-Language, Cookie"
    response.headers["Content-Language"] = locale
    response.headers["Cache-Control"] = "no-cache"
    if request.query.get(language.PARAMETER) == locale:
        _remember(response, locale, secure=config.scheme == "https")
    return response


def _page(html: str, status: int) -> web.Response:
    return web.Response(text=html, content_type="text/html", status=status)


def _revalidated(request: web.Request, html: str) -> web.Response:
    """Return the page with its mark, or only the mark when it is one of those the reader has."""
    mark = blake2b(html.encode("utf-8", "replace"), digest_size=12).hexdigest()
    known = request.if_none_match or ()
    response = (
        web.Response(status=304) if any(tag.value in (mark, "*") for tag in known) else _page(html, 200)
    )
    # Weak: the same page may travel compressed or not.
    response.headers["ETag"] = f'W/"{mark}"'
    return response


def _remember(response: web.Response, locale: str, *, secure: bool) -> None:
    response.set_cookie(
        language.COOKIE, locale, max_age=YEAR, path="/", samesite="Lax", httponly=True, secure=secure
    )


def _navigation(request: web.Request, locale: str) -> list[dict[str, Any]]:
    """Return the main menu: entries register as `registry.nav` (order, path, label)."""
    gettext = translator(locale).gettext
    return [
        {"href": path, "label": gettext(label), "current": request.path == path}
        for _, (path, label) in registry.nav.items()
    ]
