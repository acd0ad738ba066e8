"""Activities by their id: the bytes that were sent, for those that were public."""

from __future__ import annotations

from aiohttp import web

from esnfed.activitypub.documents import ID, path_id, respond_raw
from esnfed.activitypub.signed import admitted, caching
from esnfed.http.keys import DATABASE
from esnfed.services import collections


async def show(request: web.Request) -> web.Response:
    """GET a public activity as it was sent; 404 for any other, 410 once its object was deleted."""
    await admitted(request)
    body = await request.config_dict[DATABASE].read(collections.public_activity, path_id(request))
    return respond_raw(body, caching(request))


routes = [web.get(f"/ap/activities/{ID}", show, name="activity")]
