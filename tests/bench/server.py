"""A bare aiohttp server, a process of its own: reads a POST, answers 202; echo, and sink of deliveries."""

from __future__ import annotations

import asyncio
import ssl
import sys
from importlib import import_module
from importlib.util import find_spec

from aiohttp import web


async def take(request: web.Request) -> web.Response:
    """Read the body and accept it."""
    await request.read()
    return web.Response(status=202)


async def serve(files: list[str]) -> None:
    """Listen on a free port of loopback, over TLS when certificate and key are given; print the port."""
    app = web.Application()
    app.router.add_post("/{tail:.*}", take)
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    tls = None
    if files:
        tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        tls.load_cert_chain(*files)
    await web.TCPSite(runner, "127.0.0.1", 0, ssl_context=tls, backlog=1024).start()
    print(runner.addresses[0][1], flush=True)
    await asyncio.Event().wait()


if __name__ == "__main__":
    loop_factory = import_module("uvloop").new_event_loop if find_spec("uvloop") else None
    with asyncio.Runner(loop_factory=loop_factory) as loop:
        loop.run(serve(sys.argv[1:]))
