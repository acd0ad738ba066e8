"""Who is addressed and who asks: Host check, forwarding headers, client address, response headers."""

from __future__ import annotations

from ipaddress import IPv4Address, IPv6Address, IPv6Network, ip_address

from aiohttp import web

from esnfed.config import Config
from esnfed.errors import Malformed
from esnfed.federation.parsed_signature import SignedRequest
from esnfed.http.keys import CONFIG, Handler
from esnfed.i18n import N_
from esnfed.vocab.authority import normalise_authority

FORWARDING = frozenset(
    {"Forwarded", "X-Forwarded-For", "X-Forwarded-Host", "X-Forwarded-Proto", "X-Forwarded-Port", "X-Real-IP"}
)
MAX_HOPS = 20

_LOOPBACK_NAMES = frozenset({"localhost", "127.0.0.1", "[::1]"})
_CLOSED_POLICY = "default-src 'none'; frame-ancestors 'none'"
_HEADERS = {
    "Server": "esnfed",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "same-origin",
    "X-Frame-Options": "DENY",
    "Permissions-Policy": (
        "accelerometer=(), browsing-topics=(), camera=(), display-capture=(), geolocation=(), gyroscope=(), "
        "magnetometer=(), microphone=(), payment=(), usb=()"
    ),
}
_HSTS = "max-age=31536000"


PAGE_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; font-src 'self'; connect-src 'self'; "
    "manifest-src 'self'; img-src 'self'; media-src 'self'; form-action 'self'; "
    "base-uri 'none'; frame-ancestors 'none'"
)
"""The Content-Security-Policy of a page: nothing inline, and nothing is asked of any other server."""


async def add_headers(request: web.Request, response: web.StreamResponse) -> None:
    """Add the security headers to every answer (a listener of `app.on_response_prepare`).

    A handler may set its own value first. HSTS only in production: the demo has no TLS.
    """
    config = request.config_dict[CONFIG]
    response.headers["Server"] = _HEADERS["Server"]
    for name, value in _HEADERS.items():
        response.headers.setdefault(name, value)
    policy = PAGE_POLICY if response.content_type == "text/html" else _CLOSED_POLICY
    response.headers.setdefault("Content-Security-Policy", policy)
    if config.environment == "production":
        response.headers.setdefault("Strict-Transport-Security", _HSTS)


@web.middleware
async def check_host(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Answer only requests for a name of this node; raises Malformed for any other (DNS rebinding)."""
    config = request.config_dict[CONFIG]
    _refuse_forwarding(request, config)
    authority = public_authority(request)
    if not _is_ours(request, config, authority):
        raise Malformed(N_("This server does not answer for that host name."))
    return await handler(request)


def _refuse_forwarding(request: web.Request, config: Config) -> None:
    """Demo and test nodes never stand behind a proxy: nothing would keep strangers out (decisions.md 5)."""
    opted_in = config.environment == "test" and bool(config.trusted_proxies)
    if config.loopback_only and not opted_in and any(name in request.headers for name in FORWARDING):
        raise Malformed(N_("This is a demonstration or test server; it does not answer through a proxy."))


def _is_ours(request: web.Request, config: Config, authority: str) -> bool:
    host = _without_port(authority)
    if config.loopback_only:
        return host in _LOOPBACK_NAMES or host.endswith((".localhost", ".esn.test"))
    if authority in (config.domain, config.account_domain):
        return True
    # A health check on the machine itself; through a proxy the name must be ours.
    direct = _is_loopback(request.remote) and "X-Forwarded-For" not in request.headers
    return direct and host in _LOOPBACK_NAMES


def _without_port(authority: str) -> str:
    host, colon, port = authority.rpartition(":")
    return host if colon and not port.endswith("]") else authority


def _is_loopback(remote: str | None) -> bool:
    address = _address(remote)
    return address is not None and address.is_loopback


def _address(text: str | None) -> IPv4Address | IPv6Address | None:
    try:
        address = ip_address((text or "").strip())
    except ValueError:
        return None
    if isinstance(address, IPv6Address) and address.ipv4_mapped is not None:
        return address.ipv4_mapped
    return address


def _trusted(config: Config, address: IPv4Address | IPv6Address | None) -> bool:
    return address is not None and any(address in network for network in config.trusted_proxies)


def public_authority(request: web.Request) -> str:
    """Return the normalised authority that the sender addressed; raises Malformed without exactly one.

    `X-Forwarded-Host` counts only from a trusted proxy.
    """
    config = request.config_dict[CONFIG]
    values = request.headers.getall("Host", [])
    if _trusted(config, _address(request.remote)):
        values = request.headers.getall("X-Forwarded-Host", values)
    if len(values) != 1:
        raise Malformed(N_("The request must name exactly one host."))
    return normalise_authority(values[0], config.scheme)


def client_address(request: web.Request) -> str:
    """Return who is asking, as a key for limits: an IPv4 address, or the /64 network of an IPv6 address.

    `X-Forwarded-For` is read from its end, through trusted proxies only (GHSA-84ch-6436-c7mg: a client must
    not choose its own address). "unknown" when the transport has no address.
    """
    config = request.config_dict[CONFIG]
    address = _address(request.remote)
    forwarded = ",".join(request.headers.getall("X-Forwarded-For", [])).split(",")[-MAX_HOPS:]
    while forwarded and _trusted(config, address):
        before = _address(forwarded.pop())
        if before is None:
            break
        address = before
    if address is None:
        return "unknown"
    if isinstance(address, IPv6Address):
        return str(IPv6Network((int(address) >> 64 << 64, 64)))
    return str(address)


def signed_request(request: web.Request) -> SignedRequest:
    """Return what a signature of this request covers, as its sender saw it.

    The scheme is that of the node's own addresses: TLS may end at a proxy, so the connection cannot tell.
    """
    config = request.config_dict[CONFIG]
    return SignedRequest(
        request.method, request.raw_path, public_authority(request), config.scheme, request.headers
    )
