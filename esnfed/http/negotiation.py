"""Content negotiation: the two addresses of a thing, and which of them an `Accept` header means.

A thing has an ActivityStreams document and an HTML page; each address redirects to the other with 303 and
`Vary: Accept` (decisions.md 1).
"""

from __future__ import annotations

from typing import Literal

from aiohttp import web

from esnfed.vocab.terms import AS_CONTEXT

Form = Literal["activitypub", "html"]

_HEADER_LIMIT = 2000
_HTML = frozenset({"text/html", "application/xhtml+xml"})


def is_activitypub(content_type: str) -> bool:
    """Say whether a media type is one of the two of ActivityPub.

    `application/ld+json` counts only with the ActivityStreams profile (GHSA-jhrq-qvrm-qr36: anything looser
    lets an uploaded file pose as an actor).
    """
    name, parameters = _parse(content_type)
    if name == "application/activity+json":
        return True
    return name == "application/ld+json" and AS_CONTEXT in parameters.get("profile", "").split()


def prefers(accept: str | None, default: Form) -> Form:
    """Return which form an `Accept` header wants more.

    A specific type beats a wildcard of the same quality; a tie of specific types goes to the one named
    first; without any preference (missing header, `*/*`, other types) it is `default`.
    """
    best: dict[Form, tuple[float, int]] = {}
    for position, item in enumerate(split(accept or "")):
        name, parameters = _parse(item)
        quality = _quality(parameters)
        form: Form | None = None
        if is_activitypub(item):
            form = "activitypub"
        elif name in _HTML:
            form = "html"
        if form and quality > 0:
            best[form] = max(best.get(form, (0.0, 0)), (quality, -position))
    if not best:
        return default
    return max(best, key=lambda form: best[form])


def wants_html(request: web.Request, default: Form = "activitypub") -> bool:
    """Say whether the request asks for the page rather than for the document."""
    return prefers(request.headers.get("Accept"), default) == "html"


def wants_activitypub(request: web.Request, default: Form = "html") -> bool:
    """Say whether the request asks for the document rather than for the page."""
    return prefers(request.headers.get("Accept"), default) == "activitypub"


def see_other(location: str, *vary: str) -> web.Response:
    """Return the 303 that leads to the other address of a thing; `vary` adds to `Vary: Accept`."""
    headers = {"Location": location, "Vary": ", ".join(("Accept", *vary))}
    return web.Response(status=303, headers=headers)


def split(header: str, separator: str = ",") -> list[str]:
    """Split a header at a separator outside quoted strings, without blank parts; 2,000 characters read."""
    parts, start, quoted = [], 0, False
    header = header[:_HEADER_LIMIT]
    for index, character in enumerate(header):
        if character == '"':
            quoted = not quoted
        elif character == separator and not quoted:
            parts.append(header[start:index])
            start = index + 1
    parts.append(header[start:])
    return [part.strip() for part in parts if part.strip()]


def _parse(item: str) -> tuple[str, dict[str, str]]:
    name, *rest = split(item, ";") or [""]
    parameters: dict[str, str] = {}
    for part in rest:
        key, _, value = part.partition("=")
        parameters[key.strip().lower()] = value.strip().strip('"')
    return name.lower(), parameters


def _quality(parameters: dict[str, str]) -> float:
    try:
        quality = float(parameters.get("q", "1"))
    except ValueError:
        return 0.0
    return quality if 0 <= quality <= 1 else 0.0
