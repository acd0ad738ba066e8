"""The ActivityPub door: actors, objects, activities, collections, inboxes, WebFinger and NodeInfo."""

from __future__ import annotations

from aiohttp import web

from esnfed.activitypub import (
    activities,
    actors,
    collections,
    followers_sync,
    inbox,
    nodeinfo,
    objects,
    webfinger,
)
from esnfed.http.keys import RUNTIME
from esnfed.http.limits import INBOX_LIMITS, InboxLimits


def install(app: web.Application) -> None:
    """Add the door's routes to an application that has its RUNTIME, and what they keep in memory."""
    doors = (actors, objects, activities, collections, followers_sync, inbox, webfinger, nodeinfo)
    for module in doors:
        app.add_routes(module.routes)
    app[INBOX_LIMITS] = InboxLimits(app[RUNTIME].clock)
    nodeinfo.install(app)
