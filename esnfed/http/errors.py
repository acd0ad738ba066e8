"""Errors rendered once per door: problem details for servers, `{"error"}` for clients, a page for people."""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Any

import orjson
from aiohttp import web

from esnfed.errors import (
    Busy,
    ConfigError,
    EsnfedError,
    Gone,
    Invalid,
    NotFound,
    RemoteUnreachable,
    TooMany,
    Unauthenticated,
)
from esnfed.http import pages
from esnfed.http.keys import RUNTIME, Handler
from esnfed.http.language import choose
from esnfed.http.negotiation import wants_activitypub
from esnfed.i18n import N_, translator
from esnfed.objects.tombstone import to_document
from esnfed.vocab.terms import ACTIVITY_JSON

log = logging.getLogger(__name__)

SERVER_PATHS = ("/ap/", "/inbox", "/relay", "/.well-known/", "/nodeinfo")
CLIENT_PATHS = ("/api/", "/oauth/")

METHOD_NOT_ALLOWED = N_("This address does not take that kind of request.")
BAD_REQUEST = N_("The request could not be understood.")


@dataclass(frozen=True, slots=True)
class Failure:
    """An error ready to be rendered. Its words are safe to show, and translated for whoever reads them."""

    status: int
    error: EsnfedError
    headers: dict[str, str] = field(default_factory=dict)
    gone: Gone | None = None
    wrong: str | None = None
    """Name of the field or parameter that is wrong, when one is."""

    @property
    def title(self) -> str:
        """The standard phrase of the status."""
        return HTTPStatus(self.status).phrase


@web.middleware
async def middleware(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Turn every exception into the answer of the door that was knocked at; never shows a cause.

    An unexpected exception is logged with a request id, which the answer carries in `X-Request-Id`.
    """
    try:
        return await handler(request)
    except web.HTTPException as error:
        if error.status < HTTPStatus.BAD_REQUEST:
            raise
        failure = _of_aiohttp(error)
    except EsnfedError as error:
        if error.status < HTTPStatus.BAD_REQUEST:
            return web.Response(status=error.status)
        failure = _of_ours(request, error)
    except Exception:
        request_id = f"{request.config_dict[RUNTIME].random.getrandbits(64):016x}"
        log.exception("request %s failed: %s %s", request_id, request.method, request.path)
        failure = _unexpected(request_id)
    return door_of(request)(request, failure)


def _of_aiohttp(error: web.HTTPException) -> Failure:
    headers = {"Allow": error.headers["Allow"]} if "Allow" in error.headers else {}
    if error.status == HTTPStatus.NOT_FOUND:
        return Failure(error.status, NotFound())
    text = METHOD_NOT_ALLOWED if error.status == HTTPStatus.METHOD_NOT_ALLOWED else BAD_REQUEST
    return Failure(error.status, EsnfedError(text), headers)


def _of_ours(request: web.Request, error: EsnfedError) -> Failure:
    headers: dict[str, str] = {}
    if isinstance(error, Busy | TooMany | RemoteUnreachable) and error.retry_after is not None:
        headers["Retry-After"] = str(error.retry_after)
    elif isinstance(error, Unauthenticated):
        headers["WWW-Authenticate"] = "Bearer" if request.path.startswith(CLIENT_PATHS) else "Signature"
    if error.status >= HTTPStatus.INTERNAL_SERVER_ERROR and not isinstance(error, Busy):
        log.warning("%s %s: %s", request.method, request.path, error, exc_info=error.__cause__)
    shown = EsnfedError() if isinstance(error, ConfigError) else error
    gone = error if isinstance(error, Gone) else None
    return Failure(error.status, shown, headers, gone, error.field if isinstance(error, Invalid) else None)


def _unexpected(request_id: str) -> Failure:
    return Failure(500, EsnfedError(), {"X-Request-Id": request_id})


Door = Callable[[web.Request, Failure], web.Response]


def door_of(request: web.Request) -> Door:
    """Return the renderer of the door that a path belongs to."""
    if request.path.startswith(CLIENT_PATHS):
        return _for_clients
    if request.path.startswith(SERVER_PATHS) or wants_activitypub(request):
        return _for_servers
    return _for_people


def _for_servers(request: web.Request, failure: Failure) -> web.Response:
    """Problem details (RFC 9457, FEP-c180), and for a deleted thing its Tombstone.

    The same headers for every refusal: a hidden thing must look like an absent one (GHSA-gwhw-gcjx-72v8).
    """
    gone = failure.gone
    if gone is not None and gone.deleted_at is not None:
        document = to_document(gone.uri, gone.former_type, gone.deleted_at)
        content_type = ACTIVITY_JSON
    else:
        document = _problem(failure)
        content_type = "application/problem+json"
    headers = failure.headers | {"Vary": "Accept, Signature"}
    return _json(failure.status, document, content_type, headers)


def _problem(failure: Failure) -> dict[str, Any]:
    return {
        "type": "about:blank",
        "title": failure.title,
        "status": failure.status,
        "detail": str(failure.error),
    }


def _for_clients(request: web.Request, failure: Failure) -> web.Response:
    text = failure.error.told(translator(choose(request)).gettext)
    named = {"field": failure.wrong} if failure.wrong else {}
    return _json(failure.status, {"error": text} | named, "application/json", failure.headers)


def _json(status: int, document: Any, content_type: str, headers: dict[str, str]) -> web.Response:
    return web.Response(
        status=status,
        body=orjson.dumps(document),
        content_type=content_type,
        headers=headers | {"Cache-Control": "no-store"},
    )


def _for_people(request: web.Request, failure: Failure) -> web.Response:
    message = failure.error.told(translator(choose(request)).gettext)
    response = pages.render(request, "error.html", status=failure.status, message=message, indexed=False)
    response.headers.update(failure.headers | {"Cache-Control": "no-store"})
    return response
