"""The one guarded client for every outgoing request: judged, signed, bounded, and paced at every hop."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from urllib.parse import urljoin

from aiohttp import ClientResponse

from esnfed.config import Config
from esnfed.context import Runtime
from esnfed.errors import Malformed, RemoteNonsense, RemoteRefused, RemoteUnreachable
from esnfed.federation import reasons
from esnfed.federation.answers import (
    AP_TYPES,
    KNOCK_AGAIN,
    REDIRECTS,
    Answer,
    Fetched,
    Page,
    answer_of,
    content_type_of,
    read_body,
    retry_after_of,
    trouble_of,
)
from esnfed.federation.flights import Flights
from esnfed.federation.names import Names
from esnfed.federation.pacing import Budget, Discoveries, Limits, Pacer, Sleep
from esnfed.federation.parsed_signature import Scheme
from esnfed.federation.session import Session, Timeouts, outgoing, url_of
from esnfed.federation.signatures import Signer, sign
from esnfed.federation.signing import SigningThread
from esnfed.vocab.authority import Address, normalise_authority
from esnfed.vocab.parse import load
from esnfed.vocab.terms import ACCEPT, ACTIVITY_JSON

_PAUSING = frozenset({429, 503})


@dataclass(frozen=True, slots=True)
class _Wish:
    """What a fetch wants, the same at every hop."""

    signer: Signer | None
    accept: str
    types: frozenset[str]
    limit: int
    check: Callable[[bytes], object]


@dataclass(frozen=True, slots=True)
class _Cargo:
    """What a delivery brings, the same at every knock."""

    body: bytes
    digest: str | None
    headers: Mapping[str, str] | None


class Transport:
    """The outgoing side of one node; make it inside the running loop, and close it.

    `scheme_for(authority)` says which signature scheme to knock with first, `on_learned(authority, scheme)`
    is told which one a peer has shown to understand, `knows(authority)` says whether a peer is no discovery.
    All three are called in the loop and must not block. `is_blocked(authority)` is awaited before each hop of
    a fetch, redirects included: a blocked server is not asked, whoever points at it.
    """

    def __init__(
        self,
        runtime: Runtime,
        *,
        scheme_for: Callable[[str], Scheme],
        on_learned: Callable[[str, Scheme], None],
        knows: Callable[[str], bool],
        is_blocked: Callable[[str], Awaitable[bool]],
        sleep: Sleep = asyncio.sleep,
        names: Names | None = None,
        timeouts: Timeouts | None = None,
        limits: Limits | None = None,
    ) -> None:
        self._config = runtime.config
        self._clock = runtime.clock
        self._scheme_for = scheme_for
        self._on_learned = on_learned
        self._knows = knows
        self._is_blocked = is_blocked
        self._limits = limits or Limits()
        self._own = normalise_authority(runtime.config.domain, runtime.config.scheme)
        self._names = names or Names(runtime.config, runtime.clock)
        self._pacer = Pacer(runtime.clock, sleep, self._limits)
        self._discoveries = Discoveries(runtime.clock, self._limits)
        self._flights: Flights[Page] = Flights(runtime.clock, self._limits)
        self._signing = SigningThread()
        self._session = Session(runtime.config, self._names, timeouts or Timeouts(), self._limits)

    @property
    def config(self) -> Config:
        """The configuration of the node that asks."""
        return self._config

    async def close(self) -> None:
        """Close every connection, and end the thread that signs."""
        self._signing.close()
        await self._session.close()

    def forget(self, authority: str) -> None:
        """Forget failed addresses of a peer that has just shown that it is alive."""
        self._flights.forget(authority)

    async def get_json(
        self,
        url: str,
        *,
        signer: Signer | None,
        accept: str = ACCEPT,
        types: frozenset[str] = AP_TYPES,
        budget: Budget | None = None,
    ) -> Fetched:
        """Fetch a JSON document, signed at each hop when there is a signer.

        Raises RemoteGone, RemoteMissing, RemoteRefused, RemoteUnreachable or RemoteNonsense. Whether the
        document may be believed (its id, its origin) is the resolver's question.
        """
        page = await self._page(url, _Wish(signer, accept, types, self._limits.body, _understood), budget)
        return Fetched(page.url, _understood(page.data), page.content_type)

    async def get_bytes(
        self, url: str, *, accept: str, types: frozenset[str], limit: int, budget: Budget | None = None
    ) -> Page:
        """Fetch at most `limit` bytes of one of `types`, unsigned; raises as `get_json` does."""
        return await self._page(url, _Wish(None, accept, types, limit, bytes), budget)

    async def post(
        self,
        url: str,
        body: bytes,
        *,
        signer: Signer,
        scheme: Scheme | None = None,
        digest: str | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> Answer:
        """Deliver an activity; returns the answer whatever its status, and never follows a redirect.

        `scheme` overrides what is known of the peer; `digest` is the body's, when already computed; `headers`
        go with it, and the signature covers them. After
        400, 401 or 403 the other scheme is tried once. If that is refused too, or fails, the first answer is
        returned. Raises RemoteUnreachable for connection trouble, RemoteRefused when our rules forbid it.
        """
        address = self._admitted(outgoing(url))
        first = scheme or self._scheme_for(address.authority)
        cargo = _Cargo(body, digest, headers)
        answer = await self._deliver(address, cargo, signer, first)
        if answer.status not in KNOCK_AGAIN:
            return answer
        try:
            second = await self._deliver(address, cargo, signer, _other(first))
        except (RemoteUnreachable, RemoteNonsense):
            return answer
        if 200 <= second.status < 300:
            self._on_learned(address.authority, second.knocked)
        return answer if second.status in KNOCK_AGAIN else second

    async def _deliver(self, address: Address, cargo: _Cargo, signer: Signer, scheme: Scheme) -> Answer:
        """Knock once. A kept connection that the peer closed meanwhile is replaced by a fresh one, once:
        receivers know an activity by its id, so that a repeat has no second effect."""
        for attempt in (1, 2):
            try:
                return await self._knock(address, cargo, signer, scheme)
            except RemoteUnreachable as error:
                if attempt == 2 or str(error) != reasons.BROKEN_OFF:
                    raise
        raise AssertionError("unreachable")

    async def _knock(self, address: Address, cargo: _Cargo, signer: Signer, scheme: Scheme) -> Answer:
        now = self._clock()
        headers = {"Accept": ACCEPT, "Content-Type": ACTIVITY_JSON}
        headers |= await self._signing.post(
            scheme, signer, url_of(address), cargo.body, now, cargo.digest, cargo.headers
        )
        async with (
            self._session.deadline(),
            self._session.exchange("POST", address, headers, cargo.body) as response,
        ):
            self._listen(address, response)
            return await answer_of(response, scheme, now)

    async def _page(self, url: str, wish: _Wish, budget: Budget | None) -> Page:
        address = self._admitted(outgoing(url))
        if budget is not None:
            budget.spend_fetch()
        key_uri = wish.signer.key_uri if wish.signer else None
        key = (url_of(address), wish.accept, wish.types, wish.limit, key_uri)
        return await self._flights.join(key, address.authority, lambda: self._travel(address, wish))

    async def _travel(self, address: Address, wish: _Wish) -> Page:
        """Follow redirects by hand: each hop is judged, paced and signed anew, none is visited twice."""
        visited: set[str] = set()
        async with self._session.deadline():
            for _ in range(self._limits.hops + 1):
                visited.add(url_of(address))
                if await self._is_blocked(address.authority):
                    raise RemoteRefused(reasons.BLOCKED)
                if not self._knows(address.authority):
                    self._discoveries.admit(self._counted(address))
                await self._pacer.take_turn(self._counted(address))
                landing = await self._visit(address, wish)
                if isinstance(landing, Page):
                    return landing
                address = landing
                if url_of(address) in visited:
                    raise RemoteRefused(reasons.LOOP)
        raise RemoteRefused(reasons.TOO_MANY_HOPS)

    async def _visit(self, address: Address, wish: _Wish) -> Page | Address:
        """Ask once, and once more with the other scheme when a signed request is not understood."""
        if wish.signer is None:
            async with self._session.exchange("GET", address, {"Accept": wish.accept}) as response:
                self._listen(address, response)
                return await self._landing(address, response, wish)
        first = self._scheme_for(address.authority)
        for scheme in (first, _other(first)):
            signed = sign(scheme, wish.signer, "GET", url_of(address), None, self._clock())
            async with self._session.exchange("GET", address, {"Accept": wish.accept} | signed) as response:
                self._listen(address, response)
                if scheme == first and response.status in KNOCK_AGAIN:
                    continue
                if scheme != first and response.status < 400:
                    self._on_learned(address.authority, scheme)
                return await self._landing(address, response, wish)
        raise AssertionError("unreachable")

    async def _landing(self, address: Address, response: ClientResponse, wish: _Wish) -> Page | Address:
        if response.status in REDIRECTS:
            return self._next(address, response.headers.get("Location", ""))
        if response.status != 200:
            retry_after = retry_after_of(response.headers.get("Retry-After"), self._clock())
            if retry_after and response.status in _PAUSING:
                self._pacer.pause(self._counted(address), retry_after)
            raise trouble_of(response.status, retry_after)
        content_type = content_type_of(response, wish.types)
        data = await read_body(response, wish.limit)
        wish.check(data)
        return Page(url_of(address), content_type, data)

    def _next(self, address: Address, location: str) -> Address:
        if not location:
            raise RemoteNonsense(reasons.UNEXPECTED)
        try:
            following = outgoing(urljoin(url_of(address), location))
        except ValueError:
            raise RemoteRefused(reasons.ADDRESS) from None
        if address.scheme == "https" and following.scheme == "http":
            raise RemoteRefused(reasons.DOWNGRADE)
        return self._admitted(following)

    def _admitted(self, address: Address) -> Address:
        """Return the address when our rules allow to ask it; raises RemoteRefused."""
        if address.scheme != "https" and self._config.environment != "demo":
            raise RemoteRefused(reasons.SCHEME)
        if address.authority == self._own:
            raise RemoteRefused(reasons.OWN_ADDRESS)
        self._names.check_host(address.host)
        return address

    def _counted(self, address: Address) -> str:
        """Return what counts as one host: the name in production, name and port in demo and test."""
        return address.authority if self._config.loopback_only else address.host

    def _listen(self, address: Address, response: ClientResponse) -> None:
        """Learn from `Accept-Signature` that the peer understands RFC 9421."""
        authority = address.authority
        if "Accept-Signature" in response.headers and self._scheme_for(authority) != "rfc9421":
            self._on_learned(authority, "rfc9421")


def _other(scheme: Scheme) -> Scheme:
    return "cavage" if scheme == "rfc9421" else "rfc9421"


def _understood(data: bytes) -> dict[str, object]:
    try:
        return load(data)
    except Malformed:
        raise RemoteNonsense(reasons.NOT_JSON) from None
