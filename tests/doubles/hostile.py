"""A server with switchable bad manners: over HTTP and TLS it does what no honest server does.

`misbehave("drip", "/users/")` switches a manner on for everything below a path, `behave()` all of them off; what
no manner covers is answered as prepared, like any ServerDouble.
"""

from __future__ import annotations

import asyncio
import gzip
import json
from collections.abc import Awaitable, Callable
from typing import Any

from aiohttp import web

from tests.doubles.server import ACTIVITY_JSON, ServerDouble, raw, streaming

Manner = Callable[["HostileServer", web.BaseRequest], Awaitable[web.StreamResponse]]

MANNERS: dict[str, Manner] = {}
"""Name -> what is answered instead."""

PAUSE = 0.02
"""Seconds between two drops."""

BOMB = gzip.compress(b"x" * 30_000_000, 9)
DEEP = b"[" * 50_000 + b"]" * 50_000


def manner(name: str) -> Callable[[Manner], Manner]:
    """Register a manner."""

    def decorate(function: Manner) -> Manner:
        MANNERS[name] = function
        return function

    return decorate


class HostileServer(ServerDouble):
    """A ServerDouble that can be told to behave badly, and answers under as many names as lead to it."""

    def __init__(self, name: str) -> None:
        super().__init__(name)
        self.lure = "https://127.0.0.1/"
        """Where the manner `lure` redirects to."""

        self.pages = 0
        """How many pages of endless collections were handed out."""

        self.hosts: list[str] = []
        """The Host of each request, in order."""

        self._manners: dict[str, str] = {}

    def misbehave(self, name: str, path: str = "/") -> None:
        """Switch a manner on for every target that begins with `path`."""
        assert name in MANNERS, name
        self._manners[path] = name

    def behave(self) -> None:
        """Switch every manner off."""
        self._manners.clear()

    async def _handle(self, request: web.BaseRequest) -> web.StreamResponse:
        self.hosts.append(request.headers.get("Host", ""))
        covering = [path for path in self._manners if request.raw_path.startswith(path)]
        if not covering:
            return await super()._handle(request)
        self.remember(request, await request.read())
        return await MANNERS[self._manners[max(covering, key=len)]](self, request)


def _json(document: Any, **headers: str) -> web.Response:
    return web.Response(body=json.dumps(document).encode(), headers={"Content-Type": ACTIVITY_JSON} | headers)


@manner("silent")
async def _silent(server: HostileServer, request: web.BaseRequest) -> web.StreamResponse:
    """Takes the request and says nothing."""
    return await server.silent(request)


@manner("drip")
async def _drip(_: HostileServer, request: web.BaseRequest) -> web.StreamResponse:
    """Sends a byte at a time, each before any time-out of a single read."""
    return await streaming(b" ", PAUSE, {}, [])(request)


@manner("endless")
async def _endless(_: HostileServer, request: web.BaseRequest) -> web.StreamResponse:
    """Sends 64 kB a thousand times."""
    return await streaming(b'"' + b"x" * 65_536, 0, {}, [])(request)


@manner("bomb")
async def _bomb(_: HostileServer, __: web.BaseRequest) -> web.StreamResponse:
    """A few kilobytes that unpack to thirty million."""
    return web.Response(body=BOMB, headers={"Content-Type": ACTIVITY_JSON, "Content-Encoding": "gzip"})


@manner("half")
async def _half(_: HostileServer, request: web.BaseRequest) -> web.StreamResponse:
    """Promises more than it sends, and hangs up."""
    head = f"HTTP/1.1 200 OK\r\nContent-Type: {ACTIVITY_JSON}\r\nContent-Length: 5000\r\n\r\n"
    return await raw(head.encode() + b"{")(request)


@manner("garbage")
async def _garbage(_: HostileServer, request: web.BaseRequest) -> web.StreamResponse:
    """Answers with no HTTP at all."""
    return await raw(b"\x00\xff\x16\x03\x01 220 smtp ready\r\n\r\n")(request)


@manner("headers")
async def _headers(_: HostileServer, request: web.BaseRequest) -> web.StreamResponse:
    """Sends a megabyte of headers."""
    return await raw(b"HTTP/1.1 200 OK\r\n" + b"X-Y: " + b"z" * 1_000_000 + b"\r\n\r\n{}")(request)


@manner("two types")
async def _two_types(_: HostileServer, request: web.BaseRequest) -> web.StreamResponse:
    """Names an acceptable type beside another."""
    types = f"Content-Type: text/html\r\nContent-Type: {ACTIVITY_JSON}\r\n"
    return await raw(f"HTTP/1.1 200 OK\r\n{types}Content-Length: 2\r\n\r\n{{}}".encode())(request)


@manner("deep")
async def _deep(_: HostileServer, __: web.BaseRequest) -> web.StreamResponse:
    """JSON nested fifty thousand times."""
    body = b'{"id": ' + DEEP + b"}"
    return web.Response(body=body, headers={"Content-Type": ACTIVITY_JSON})


@manner("loop")
async def _loop(_: HostileServer, request: web.BaseRequest) -> web.StreamResponse:
    """Redirects to itself."""
    return web.Response(status=302, headers={"Location": request.raw_path})


@manner("maze")
async def _maze(server: HostileServer, request: web.BaseRequest) -> web.StreamResponse:
    """Redirects to an address never seen before, for ever."""
    way = request.raw_path.partition("?")[0]
    return web.Response(status=307, headers={"Location": f"{way}?turn={len(server.seen)}"})


@manner("lure")
async def _lure(server: HostileServer, _: web.BaseRequest) -> web.StreamResponse:
    """Redirects to where `lure` says."""
    return web.Response(status=302, headers={"Location": server.lure})


@manner("later")
async def _later(_: HostileServer, __: web.BaseRequest) -> web.StreamResponse:
    """Asks to come back in thirty thousand years."""
    return web.Response(status=429, headers={"Retry-After": "999999999999"})


@manner("date")
async def _date(_: HostileServer, __: web.BaseRequest) -> web.StreamResponse:
    """Asks to come back in a year of twenty digits."""
    year = "9" * 20
    return web.Response(status=503, headers={"Retry-After": f"Thu, 01 Jan {year} 00:00:00 GMT"})


@manner("failing")
async def _failing(_: HostileServer, __: web.BaseRequest) -> web.StreamResponse:
    """Fails, with a megabyte of explanations."""
    return web.Response(status=500, body=b"\x00\xff" * 500_000)


@manner("self-next")
async def _self_next(server: HostileServer, request: web.BaseRequest) -> web.StreamResponse:
    """A page whose next page is itself."""
    server.pages += 1
    uri = server.origin + request.raw_path
    return _json({"id": uri, "type": "OrderedCollectionPage", "orderedItems": [], "next": uri, "first": uri})


@manner("fresh pages")
async def _fresh_pages(server: HostileServer, request: web.BaseRequest) -> web.StreamResponse:
    """A collection with a further page for ever, each with one item more that leads nowhere."""
    server.pages += 1
    way = server.origin + request.raw_path.partition("?")[0]
    page = {
        "id": f"{way}?page={server.pages}",
        "type": "OrderedCollectionPage",
        "orderedItems": [f"{server.origin}/nowhere/{server.pages}"],
        "next": f"{way}?page={server.pages + 1}",
    }
    return _json(page)


@manner("slow")
async def _slow(server: HostileServer, request: web.BaseRequest) -> web.StreamResponse:
    """Answers properly, but only after everybody has gone on to somebody else."""
    await asyncio.sleep(PAUSE)
    return web.Response(status=202)


@manner("rude")
async def _rude(_: HostileServer, __: web.BaseRequest) -> web.StreamResponse:
    """Refuses everything."""
    return web.Response(status=403, text="go away")


def _number(request: web.BaseRequest) -> int:
    digits = request.raw_path.rpartition("/")[2]
    return int(digits) if digits.isdigit() else 0


def _reply(uri: str, author: str, parent: str) -> web.Response:
    note = {"id": uri, "type": "Note", "attributedTo": author, "content": "<p>x</p>", "inReplyTo": parent}
    return _json(note | {"to": ["https://www.w3.org/ns/activitystreams#Public"]})


@manner("chain")
async def _chain(server: HostileServer, request: web.BaseRequest) -> web.StreamResponse:
    """A thread without an end: every post answers the next one, all by `mallory`."""
    way = server.origin + request.raw_path.rpartition("/")[0]
    number = _number(request)
    return _reply(f"{way}/{number}", f"{server.origin}/users/mallory", f"{way}/{number + 1}")


@manner("wildcard")
async def _wildcard(server: HostileServer, request: web.BaseRequest) -> web.StreamResponse:
    """The same with a server of its own for every post: `w1`, `w2`, ... below this one, each with an actor."""
    host = request.headers["Host"]
    number = int(host.partition(".")[0].removeprefix("w"))
    uri = f"https://{host}/users/w"
    if request.raw_path == "/users/w":
        named = {"type": "Person", "preferredUsername": "w", "inbox": f"{uri}/inbox", "followers": f"{uri}/f"}
        return _json({"id": uri} | named)
    if request.raw_path != "/notes/1":
        return web.Response(status=404)
    return _reply(f"https://{host}/notes/1", uri, f"https://w{number + 1}.{server.name}/notes/1")
