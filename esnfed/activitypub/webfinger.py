"""WebFinger (RFC 7033): from an account, an actor id or a page to the actor; FEP-d556 for the server itself.

No subscribe template and no intents (FEP-3b86) yet: they would lead to a log-in that does not exist.
"""

from __future__ import annotations

import re
from typing import Any

import orjson
from aiohttp import web
from sqlalchemy import RowMapping

from esnfed.config import Config
from esnfed.context import Context
from esnfed.errors import Gone, Malformed, NotFound
from esnfed.http.keys import CONFIG, DATABASE
from esnfed.services import actors, collections
from esnfed.vocab.authority import MAX_URI_LENGTH, normalise_authority, parse_address
from esnfed.vocab.terms import ACTIVITY_JSON, AS_CONTEXT

JRD = "application/jrd+json"
PATH = "/.well-known/webfinger"
SERVICE_REL = f"{AS_CONTEXT}#Service"
PROFILE_REL = "http://webfinger.net/rel/profile-page"
NODE_ACCOUNT = "relay"

_PAGE = re.compile(r"/(?:@|o/)([A-Za-z0-9_]{1,30})")
_CACHE = {"Cache-Control": "public, max-age=600"}

Jrd = dict[str, Any]


async def show(request: web.Request) -> web.Response:
    """GET /.well-known/webfinger?resource=...; `rel` (also repeated) keeps only those links.

    Errors: 400 without one usable resource, 404 for an unknown one, 410 for a deleted actor.
    """
    resources = request.query.getall("resource", [])
    if len(resources) != 1 or not 0 < len(resources[0]) <= MAX_URI_LENGTH:
        raise Malformed("WebFinger needs exactly one resource.")
    answer = await request.config_dict[DATABASE].read(find, resources[0])
    wanted = request.query.getall("rel", [])
    if wanted:
        answer = answer | {"links": [link for link in answer["links"] if link["rel"] in wanted]}
    return web.Response(body=orjson.dumps(answer), content_type=JRD, headers=_CACHE)


def find(context: Context, resource: str) -> Jrd:
    """Return the JSON resource descriptor; raises Malformed, NotFound, Gone."""
    if resource.startswith(("https:", "http:")):
        return _by_address(context, resource)
    row = _by_account(context, resource.removeprefix("acct:"))
    return _describe(context, row)


def _by_account(context: Context, account: str) -> RowMapping:
    handle, at, domain = account.removeprefix("@").rpartition("@")
    if not at or not handle:
        raise Malformed("The resource is neither an account nor a web address.")
    config = context.config
    if normalise_authority(domain, config.scheme) not in (config.account_domain, config.domain):
        raise NotFound
    if handle.lower() in _node_names(config):
        return collections.owned_actor(context, None)
    return _living(actors.local_by_handle(context, handle))


def _node_names(config: Config) -> set[str]:
    """`relay@domain` for LitePub (FEP-ae0c), `domain@domain` as Mastodon names its own actor."""
    return {NODE_ACCOUNT, config.domain, config.account_domain}


def _by_address(context: Context, resource: str) -> Jrd:
    address, config = parse_address(resource), context.config
    if address.authority not in (config.domain, config.account_domain) or address.scheme != config.scheme:
        raise NotFound
    if address.target == "/":
        node_actor = collections.owned_actor(context, None)
        link = {"rel": SERVICE_REL, "type": ACTIVITY_JSON, "href": node_actor["uri"]}
        return {"subject": f"{address.origin}/", "links": [link]}
    page = _PAGE.fullmatch(address.target)
    if page is not None:
        row = _living(actors.local_by_handle(context, page[1]))
        if f"{config.origin}{address.target}".lower() != str(row["url"]).lower():
            raise NotFound
    else:
        row = _living(actors.by_uri(context, f"{config.origin}{address.target}"))
    return _describe(context, row)


def _living(row: RowMapping | None) -> RowMapping:
    if row is None or not row["local"] or row["suspended_at"] is not None:
        raise NotFound
    if row["deleted_at"] is not None:
        raise Gone
    return row


def _describe(context: Context, row: RowMapping) -> Jrd:
    """The canonical account first: Mastodon follows it back and must reach the same actor."""
    return {
        "subject": f"acct:{row['handle']}@{context.config.account_domain}",
        "aliases": [row["url"], row["uri"]],
        "links": [
            {"rel": "self", "type": ACTIVITY_JSON, "href": row["uri"]},
            {"rel": PROFILE_REL, "type": "text/html", "href": row["url"]},
        ],
    }


_XRD = """<?xml version="1.0" encoding="UTF-8"?>
<XRD xmlns="http://docs.oasis-open.org/ns/xri/xrd-1.0">
  <Link rel="lrdd" type="application/jrd+json" template="{template}"/>
</XRD>
"""


def _template(config: Config) -> str:
    return f"{config.origin}{PATH}?resource={{uri}}"


async def host_meta(request: web.Request) -> web.Response:
    """GET /.well-known/host-meta (RFC 6415): where WebFinger is; JSON when `Accept` names it."""
    accept = request.headers.get("Accept", "")
    headers = _CACHE | {"Vary": "Accept"}
    if "application/json" in accept or JRD in accept:
        return _host_meta_json(request, headers)
    text = _XRD.format(template=_template(request.config_dict[CONFIG]))
    return web.Response(text=text, content_type="application/xrd+xml", charset="utf-8", headers=headers)


async def host_meta_json(request: web.Request) -> web.Response:
    """GET /.well-known/host-meta.json: the same as JSON."""
    return _host_meta_json(request, _CACHE)


def _host_meta_json(request: web.Request, headers: dict[str, str]) -> web.Response:
    link = {"rel": "lrdd", "type": JRD, "template": _template(request.config_dict[CONFIG])}
    return web.Response(body=orjson.dumps({"links": [link]}), content_type=JRD, headers=headers)


routes = [
    web.get(PATH, show),
    web.get("/.well-known/host-meta", host_meta),
    web.get("/.well-known/host-meta.json", host_meta_json),
]
