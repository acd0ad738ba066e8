"""Answering with a page: language, alternates and headers, the same for every room that has pages."""

from __future__ import annotations

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
    """Return a page in the reader's language.

    `document` is the id of the object that the page shows: it is named as an alternate. `canonical` is the
    page's absolute address elsewhere; by default it is the asked path here. A page that is not `indexed`
    tells search engines so. A language chosen by `?lang=` is kept in a cookie for a year.
    """
    config = request.config_dict[CONFIG]
    locale = language.choose(request)
    alternates = [{"href": document, "type": ACTIVITY_JSON, "title": ""}] if document else []
    query = request.rel_url.without_query_params(language.PARAMETER).raw_query_string
    html = request.config_dict[RENDERER].page(
        template,
        locale,
        path=request.rel_url.raw_path,
        query=query,
        canonical=canonical or config.origin + request.rel_url.raw_path,
        robots="" if indexed else "noindex",
        navigation=_navigation(request, locale),
        **({"alternates": alternates} | values),
    )
    response = web.Response(text=html, content_type="text/html", status=status)
    response.headers["Vary"] = "Accept, Accept-Language, Cookie"
    response.headers["Content-Language"] = locale
    response.headers["Cache-Control"] = "no-cache"
    if request.query.get(language.PARAMETER) == locale:
        response.set_cookie(
            language.COOKIE,
            locale,
            max_age=YEAR,
            path="/",
            samesite="Lax",
            httponly=True,
            secure=config.scheme == "https",
        )
    return response


def _navigation(request: web.Request, locale: str) -> list[dict[str, Any]]:
    """Return the main menu: entries register as `registry.nav` (order, path, label)."""
    gettext = translator(locale).gettext
    return [
        {"href": path, "label": gettext(label), "current": request.path == path}
        for _, (path, label) in registry.nav.items()
    ]
