"""One node's HTTP side over a real database file, with doubles only for what lies behind the doors."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any

from aiohttp import web
from aiohttp.test_utils import TestClient
from sqlalchemy import Table, insert, update

from esnfed.bus import Bus
from esnfed.context import Context, Runtime
from esnfed.database import Database
from esnfed.errors import EsnfedError, Unauthenticated
from esnfed.federation.inbox import InboxRequest
from esnfed.federation.parsed_signature import SignedRequest
from esnfed.http import cors, errors, security
from esnfed.http.keys import BUS, CONFIG, RENDERER, RUNTIME
from esnfed.http.limits import Buckets, InboxLimits, Rate
from esnfed.models import activity, actor, actor_key, follow, mention, node, peer, status, tombstone, user
from esnfed.vocab import parse, paths
from esnfed.vocab.terms import ACTIVITY_JSON
from tests.doubles.clock import START, Clock

DOMAIN = "lyon.esn.test"
ORIGIN = f"https://{DOMAIN}"
NOW = START
AP = {"Accept": ACTIVITY_JSON}
HTML = {"Accept": "text/html,application/xhtml+xml,*/*;q=0.8"}
SIGNER = "X-Test-Signer"
GENEROUS = Rate(per_second=1000, burst=1000)

Client = TestClient[web.Request, web.Application]


@dataclass(frozen=True)
class Signer:
    """Who the double says has signed."""

    actor_uri: str
    host: str


class HeaderAuthenticator:
    """Believes one header: the host that signed; `wrong` stands for a bad signature."""

    def __init__(self) -> None:
        self.asked: list[SignedRequest] = []

    async def requester(self, request: SignedRequest) -> Signer | None:
        """The signer named in the header."""
        self.asked.append(request)
        values = request.headers.getall(SIGNER, [])
        if not values:
            return None
        if values[0] == "wrong":
            raise Unauthenticated
        return Signer(f"https://{values[0]}/relay", values[0])


@dataclass
class RecordingInbox:
    """Keeps what reaches it; raises `error` when there is one."""

    error: EsnfedError | None = None
    received: list[InboxRequest] = field(default_factory=list)

    async def accept(self, request: InboxRequest) -> None:
        """Take one request."""
        self.received.append(request)
        if self.error is not None:
            raise self.error


class PlainRenderer:
    """Renders a page as the words it was given."""

    def page(self, template: str, locale: str, **values: Any) -> str:
        """One line that shows everything."""
        return f"<!doctype html>{template} {locale} {sorted(values.items())}"


@dataclass
class Site:
    """A running door with its database; the methods write rows as the services would."""

    client: Client
    database: Database
    runtime: Runtime
    clock: Clock
    inbox: RecordingInbox
    authenticator: HeaderAuthenticator
    limits: InboxLimits

    def limit(self, address: Rate = GENEROUS, host: Rate = GENEROUS) -> None:
        """Give the inboxes other limits, from now on."""
        self.limits.addresses = Buckets(self.clock, address)
        self.limits.hosts = Buckets(self.clock, host)

    async def insert(self, table: Table, **values: Any) -> None:
        """Write one row."""
        await self.database.write(_insert, table, values)

    async def change(self, table: Table, row_id: int, **values: Any) -> None:
        """Change one row by its id."""
        await self.database.write(_change, table, row_id, values)

    async def local_actor(self, handle: str, as_type: str = "Person", **values: Any) -> int:
        """Add a local actor with all its addresses; return its id."""
        actor_id = self.runtime.ids.next()
        application = as_type == "Application"
        uri = paths.node_actor(ORIGIN) if application else paths.actor(ORIGIN, actor_id)
        page = paths.profile_page(ORIGIN, handle, organisation=as_type == "Organization")
        row = {
            "id": actor_id,
            "as_type": as_type,
            "local": True,
            "handle": handle,
            "domain": self.runtime.config.account_domain,
            "host": DOMAIN,
            "uri": uri,
            "url": f"{ORIGIN}/about" if application else page,
            "inbox": f"{uri}/inbox",
            "shared_inbox": paths.shared_inbox(ORIGIN),
            "outbox": f"{uri}/outbox",
            "followers_uri": f"{uri}/followers",
            "following_uri": f"{uri}/following",
            "featured_uri": f"{uri}/featured",
            "created_at": NOW,
            "updated_at": NOW,
        }
        await self.insert(actor, **row | values)
        return actor_id

    async def remote_actor(self, handle: str, host: str, **values: Any) -> int:
        """Add an actor of another server; return its id."""
        actor_id = self.runtime.ids.next()
        uri = f"https://{host}/users/{handle}"
        row = {
            "id": actor_id,
            "as_type": "Person",
            "local": False,
            "handle": handle,
            "domain": host,
            "host": host,
            "uri": uri,
            "inbox": f"{uri}/inbox",
            "created_at": NOW,
            "updated_at": NOW,
        }
        await self.insert(actor, **row | values)
        return actor_id

    async def key(self, actor_id: int, uri: str, kind: str, public_der: bytes) -> None:
        """Give an actor a public key."""
        row = {"id": self.runtime.ids.next(), "actor_id": actor_id, "uri": uri, "kind": kind}
        await self.insert(actor_key, **row, public_der=public_der, created_at=NOW)

    async def post(self, actor_id: int, visibility: str = "public", **values: Any) -> int:
        """Add a status of a local actor (or, with `local=False` and `uri`, of a remote one)."""
        status_id = self.runtime.ids.next()
        row = {
            "id": status_id,
            "local": True,
            "uri": paths.object_(ORIGIN, status_id),
            "url": paths.status_page(ORIGIN, "ada", status_id),
            "actor_id": actor_id,
            "as_type": "Note",
            "visibility": visibility,
            "content": "<p>Bonjour</p>",
            "language": "fr",
            "thread_id": status_id,
            "context_uri": paths.context(ORIGIN, status_id),
            "published_at": NOW,
        }
        await self.insert(status, **row | values)
        return status_id

    async def sent(self, actor_id: int, as_type: str, object_uri: str, *, public: bool = True) -> int:
        """Add an activity; return its id."""
        activity_id = self.runtime.ids.next()
        uri = paths.activity(ORIGIN, activity_id)
        body = parse.dump({"id": uri, "type": as_type, "object": object_uri}).decode()
        row = {"id": activity_id, "uri": uri, "actor_id": actor_id, "as_type": as_type, "body": body}
        await self.insert(activity, **row, object_uri=object_uri, public=public, created_at=NOW)
        return activity_id

    async def follow(self, follower_id: int, target_id: int, state: str = "accepted") -> None:
        """Add a follow."""
        follow_id = self.runtime.ids.next()
        row = {"id": follow_id, "actor_id": follower_id, "target_id": target_id, "state": state}
        await self.insert(follow, **row, uri=f"https://x.esn.test/{follow_id}", created_at=NOW)

    async def mention(self, status_id: int, actor_id: int) -> None:
        """Address an actor in a post."""
        await self.insert(mention, status_id=status_id, actor_id=actor_id)

    async def peer(self, host: str, standing: str) -> None:
        """Give a server a standing."""
        await self.insert(peer, host=host, standing=standing, first_seen_at=NOW)

    async def bury(self, uri: str, former_type: str = "Note") -> None:
        """Add a tombstone."""
        await self.insert(tombstone, uri=uri, local=True, former_type=former_type, deleted_at=NOW)

    async def person(self, handle: str, **values: Any) -> int:
        """Add a user with an actor; return the actor's id."""
        actor_id = await self.local_actor(handle, **values)
        row = {"id": self.runtime.ids.next(), "actor_id": actor_id, "email": f"{handle}@mail.test"}
        await self.insert(user, **row, password_hash="-", role="member", locale="fr", created_at=NOW)
        return actor_id

    async def node_actor(self) -> int:
        """Add the node row and its actor; return the actor's id."""
        actor_id = await self.local_actor("relay", "Application")
        row = {"domain": DOMAIN, "account_domain": self.runtime.config.account_domain}
        await self.insert(node, id=1, **row, environment="test", actor_id=actor_id, created_at=NOW)
        return actor_id


def _insert(context: Context, table: Table, values: dict[str, Any]) -> None:
    context.connection.execute(insert(table), values)


def _change(context: Context, table: Table, row_id: int, values: dict[str, Any]) -> None:
    context.connection.execute(update(table).where(table.c.id == row_id).values(**values))


def make_app(runtime: Runtime, renderer: Any = None) -> web.Application:
    """The application as every door expects it, without a door and without what lies behind the doors."""
    app = web.Application(middlewares=[errors.middleware, security.check_host, cors.preflight])
    app[RUNTIME], app[CONFIG], app[BUS], app[RENDERER] = (
        runtime,
        runtime.config,
        Bus(),
        renderer or PlainRenderer(),
    )
    app.on_response_prepare.extend((security.add_headers, cors.add_headers))
    return app


SiteMaker = Callable[..., Awaitable[Site]]
