"""The board's own JSON API: `/api/esn/v1/records` and the vocabularies; public reading, no token."""

from __future__ import annotations

from typing import Any

import orjson
from aiohttp import web
from sqlalchemy import RowMapping

from esnfed.context import Context
from esnfed.errors import Invalid, Malformed, NotFound
from esnfed.http.keys import CONFIG, DATABASE
from esnfed.http.paging import link_header, parse_identifier
from esnfed.i18n import N_
from esnfed.records import presentation, query
from esnfed.records.filters import Filters, read_filters, resolve

BOARD = "/api/esn/v1/records"

routes = web.RouteTableDef()


def _json(value: Any, headers: dict[str, str] | None = None) -> web.Response:
    return web.Response(body=orjson.dumps(value), content_type="application/json", headers=headers)


def _page(context: Context, filters: Filters) -> list[RowMapping]:
    return query.page(context, resolve(context, filters))


@routes.get(BOARD)
async def list_records(request: web.Request) -> web.Response:
    """Answer with a page of the board, newest first, and a `Link` header to the pages beside it."""
    filters = read_filters(request.query.items())
    rows = await request.config_dict[DATABASE].read(_page, filters)
    link = link_header(
        request.config_dict[CONFIG].origin,
        BOARD,
        _joined(request),
        newest=rows[0]["status_id"] if rows else None,
        oldest=rows[-1]["status_id"] if rows else None,
    )
    return _json([presentation.entry(row) for row in rows], {"Link": link} if link else None)


def _joined(request: web.Request) -> dict[str, str]:
    """Return the query string with repeated filters joined by commas, as `Link` keeps one value per name."""
    return {name: ",".join(request.query.getall(name)) for name in request.query}


@routes.get(BOARD + "/{id}")
async def show_record(request: web.Request) -> web.Response:
    """Answer with one record and its whole public sheet; 404 when absent or hidden, 410 when deleted."""
    try:
        status_id = parse_identifier(request.match_info["id"])
    except Malformed:
        raise NotFound from None
    row = await request.config_dict[DATABASE].read(query.one, status_id)
    return _json(presentation.whole(row))


@routes.get("/api/esn/v1/vocabularies/{scheme}")
async def show_vocabulary(request: web.Request) -> web.Response:
    """Answer with a concept scheme; `?broader=BE` gives what lies directly below a concept."""
    for name in request.query:
        if name != "broader":
            unknown = name[:100]
            raise Invalid(N_("There is no parameter “%(name)s”."), unknown, name=unknown)
    content = presentation.vocabulary(request.match_info["scheme"], request.query.get("broader"))
    return _json(content, {"Cache-Control": "public, max-age=3600"})
