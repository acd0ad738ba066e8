"""A server on loopback that answers what a test tells it to, over TLS or plainly, and remembers who asked."""

from __future__ import annotations

import asyncio
import json
import socket
import ssl
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from aiohttp import web
from multidict import CIMultiDictProxy

ACTIVITY_JSON = "application/activity+json"


@dataclass(frozen=True)
class Reply:
    """One prepared answer."""

    status: int = 200
    body: bytes = b""
    content_type: str = ACTIVITY_JSON
    headers: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Seen:
    """One request as it came in; `target` is path and query, as sent."""

    method: str
    target: str
    headers: CIMultiDictProxy[str]
    body: bytes


Handler = Callable[[web.BaseRequest], Awaitable[web.StreamResponse]]


def document(body: Mapping[str, Any], content_type: str = ACTIVITY_JSON, **headers: str) -> Reply:
    """Return a 200 answer with a JSON document."""
    return Reply(200, json.dumps(body).encode(), content_type, headers)


def raw(data: bytes) -> Handler:
    """Return a handler that writes these bytes and closes the connection, whatever HTTP says about them."""

    async def handle(request: web.BaseRequest) -> web.StreamResponse:
        assert request.transport is not None
        request.transport.write(data)
        request.transport.close()
        return web.Response()

    return handle


def streaming(piece: bytes, pause: float, headers: dict[str, str], sent: list[int]) -> Handler:
    """Return a handler that writes a piece a thousand times, `pause` seconds apart, counted in `sent`."""

    async def handle(request: web.BaseRequest) -> web.StreamResponse:
        response = web.StreamResponse(headers={"Content-Type": ACTIVITY_JSON} | headers)
        await response.prepare(request)
        for _ in range(1000):
            await response.write(piece)
            sent.append(len(piece))
            await asyncio.sleep(pause)
        return response

    return handle


def redirect(location: str, status: int = 302) -> Reply:
    """Return a redirect."""
    return Reply(status, headers={"Location": location})


class ServerDouble:
    """Answers by path (with query first, then without); 404 for what nobody prepared.

    `answers[target]` is a Reply, a list of Replies used up one by one (the last one stays), or a handler.
    """

    def __init__(self, name: str) -> None:
        self.name = name
        self.port = 0
        self.answers: dict[str, Reply | list[Reply] | Handler] = {}
        self.seen: list[Seen] = []
        self._stopping = asyncio.Event()
        self._runner = web.ServerRunner(web.Server(self._handle, access_log=None), shutdown_timeout=0)

    async def start(self, tls: ssl.SSLContext | None = None) -> None:
        """Listen on a free port of 127.0.0.1."""
        listener = socket.socket()
        listener.bind(("127.0.0.1", 0))
        self.port = listener.getsockname()[1]
        await self._runner.setup()
        await web.SockSite(self._runner, listener, ssl_context=tls).start()

    async def stop(self) -> None:
        """Stop listening and close what is open; silent answers end."""
        self._stopping.set()
        await self._runner.cleanup()

    async def silent(self, request: web.BaseRequest) -> web.StreamResponse:
        """A handler that says nothing until the server is stopped."""
        await self._stopping.wait()
        return web.Response()

    @property
    def door(self) -> tuple[str, int]:
        """Where it listens: a value for `Config.hosts`."""
        return ("127.0.0.1", self.port)

    @property
    def origin(self) -> str:
        """Its public origin: the name on the default port."""
        return f"https://{self.name}"

    def targets(self) -> list[str]:
        """Return what was asked, in order."""
        return [seen.target for seen in self.seen]

    def remember(self, request: web.BaseRequest, body: bytes) -> None:
        """Remember a request."""
        self.seen.append(Seen(request.method, request.raw_path, request.headers, body))

    async def _handle(self, request: web.BaseRequest) -> web.StreamResponse:
        target = request.raw_path
        self.remember(request, await request.read())
        answer = self.answers.get(target) or self.answers.get(target.partition("?")[0]) or Reply(404)
        if isinstance(answer, list):
            answer = answer.pop(0) if len(answer) > 1 else answer[0]
        if not isinstance(answer, Reply):
            return await answer(request)
        response = web.Response(status=answer.status, body=answer.body, headers=answer.headers)
        response.headers["Content-Type"] = answer.content_type
        return response
