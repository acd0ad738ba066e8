"""Typed application keys: where a door finds what `app.py` built for its node."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING

from aiohttp import web

from esnfed.bus import Bus
from esnfed.config import Config
from esnfed.context import Runtime

if TYPE_CHECKING:
    # For the type checker alone: a door that needs none of these does not load them.
    from esnfed.database import Database
    from esnfed.federation.authenticate import Authenticator
    from esnfed.federation.inbox import Inbox
    from esnfed.federation.resolver import Resolver
    from esnfed.federation.transport import Transport
    from esnfed.rendering import Renderer

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]
"""What aiohttp calls for a route."""


CONFIG: web.AppKey[Config] = web.AppKey("config", Config)
RUNTIME: web.AppKey[Runtime] = web.AppKey("runtime", Runtime)
BUS: web.AppKey[Bus] = web.AppKey("bus", Bus)
DATABASE: web.AppKey[Database] = web.AppKey("database")
RENDERER: web.AppKey[Renderer] = web.AppKey("renderer")
TRANSPORT: web.AppKey[Transport] = web.AppKey("transport")
RESOLVER: web.AppKey[Resolver] = web.AppKey("resolver")
INBOX: web.AppKey[Inbox] = web.AppKey("inbox")
AUTHENTICATOR: web.AppKey[Authenticator] = web.AppKey("authenticator")
