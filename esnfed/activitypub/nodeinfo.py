"""NodeInfo 2.0 and 2.1: what this software is, and counts large enough to be told (FEP-0151, FEP-2677)."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

import orjson
from aiohttp import web

from esnfed import __version__
from esnfed.config import Config
from esnfed.http.keys import CONFIG, DATABASE, RUNTIME
from esnfed.services.nodeinfo import Usage, usage
from esnfed.vocab import paths
from esnfed.vocab.terms import AS_CONTEXT

VERSIONS = ("2.0", "2.1")
SCHEMA = "http://nodeinfo.diaspora.software/ns/schema"
FRESH_MS = 30 * 60 * 1000


class UsageCache:
    """The counts of the last half hour: anybody may ask, so they are not counted each time."""

    def __init__(self, clock: Callable[[], int]) -> None:
        self._clock = clock
        self._kept: Usage | None = None
        self._until = 0

    async def get(self, count: Callable[[], Awaitable[Usage]]) -> Usage:
        """Return the kept counts, or count again when they are older than half an hour."""
        if self._kept is None or self._clock() >= self._until:
            self._kept = await count()
            self._until = self._clock() + FRESH_MS
        return self._kept


USAGE: web.AppKey[UsageCache] = web.AppKey("nodeinfo_usage", UsageCache)


def install(app: web.Application) -> None:
    """Give the application its cache of counts."""
    app[USAGE] = UsageCache(app[RUNTIME].clock)


async def index(request: web.Request) -> web.Response:
    """GET /.well-known/nodeinfo: where the documents are, and the node's own actor."""
    origin = request.config_dict[CONFIG].origin
    links = [{"rel": f"{SCHEMA}/{version}", "href": f"{origin}/nodeinfo/{version}"} for version in VERSIONS]
    links.append({"rel": f"{AS_CONTEXT}#Application", "href": paths.node_actor(origin)})
    return _json({"links": links}, "application/json")


async def show(request: web.Request) -> web.Response:
    """GET /nodeinfo/2.0 and /nodeinfo/2.1."""
    database = request.config_dict[DATABASE]
    counts = await request.config_dict[USAGE].get(lambda: database.read(usage))
    version = request.match_info["version"]
    document = to_document(request.config_dict[CONFIG], counts, version)
    return _json(document, f'application/json; profile="{SCHEMA}/{version}#"')


def to_document(config: Config, counts: Usage, version: str) -> dict[str, Any]:
    """Return the document of one version; a count that is not told is left out, never 0.

    The name is honest; `metadata.upstream` is what lets megalodon clients treat the node as Mastodon-like.
    """
    users = {
        "total": counts.users,
        "activeMonth": counts.active_month,
        "activeHalfyear": counts.active_half_year,
    }
    told: dict[str, Any] = {"users": {name: count for name, count in users.items() if count is not None}}
    if counts.posts is not None:
        told["localPosts"] = counts.posts
    return {
        "version": version,
        "software": {"name": "esnfed", "version": __version__},
        "protocols": ["activitypub"],
        "services": {"inbound": [], "outbound": []},
        "openRegistrations": False,
        "usage": told,
        "metadata": _metadata(config),
    }


def _metadata(config: Config) -> dict[str, Any]:
    found: dict[str, Any] = {
        "nodeName": config.name,
        "nodeDescription": config.description,
        "languages": list(config.languages),
        "organisationType": config.organisation_type,
        "upstream": {"name": "mastodon"},
    }
    if config.contact:
        found["maintainer"] = {"email": config.contact}
    return found


def _json(document: dict[str, Any], content_type: str) -> web.Response:
    headers = {"Content-Type": content_type, "Cache-Control": "public, max-age=1800"}
    return web.Response(body=orjson.dumps(document), headers=headers)


routes = [
    web.get("/.well-known/nodeinfo", index),
    web.get("/nodeinfo/{version:2\\.[01]}", show),
]
