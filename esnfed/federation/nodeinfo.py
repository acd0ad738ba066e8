"""What software another server says it runs: a client of NodeInfo, for operators' eyes and statistics.

Capabilities are never inferred from it (FEP-0151).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from esnfed.errors import RemoteNonsense
from esnfed.federation import reasons
from esnfed.federation.answers import JSON_TYPES
from esnfed.federation.pacing import Budget
from esnfed.federation.transport import Transport
from esnfed.vocab.authority import same_origin
from esnfed.vocab.parse import embedded, items, text

MAX_LINKS = 20
MAX_PROTOCOLS = 20
MAX_TEXT = 100

_RELS = tuple(
    f"http://nodeinfo.diaspora.software/ns/schema/{version}" for version in ("2.1", "2.0", "1.1", "1.0")
)


@dataclass(frozen=True, slots=True)
class NodeInfo:
    """What a server says of itself; every text is at most 100 characters. `open` is None when not said."""

    software: str
    version: str
    open: bool | None
    protocols: tuple[str, ...]


async def probe(transport: Transport, host: str, budget: Budget | None = None) -> NodeInfo:
    """Ask a server (`host` or `host:port`) for its NodeInfo, the newest version of the schema that it names.

    Raises the transport's RemoteErrors, and RemoteNonsense when the document is missing, lies on another
    origin (Fedify CVE-2026-62857 was led inward by such a link) or names no software.
    """
    origin = f"{transport.config.scheme}://{host}"
    links = await _get(transport, f"{origin}/.well-known/nodeinfo", origin, budget)
    url = _newest(links)
    if not same_origin(url, origin):
        raise RemoteNonsense(reasons.FOREIGN_NODEINFO)
    return _read(await _get(transport, url, origin, budget))


async def _get(transport: Transport, url: str, origin: str, budget: Budget | None) -> dict[str, Any]:
    fetched = await transport.get_json(
        url, signer=None, accept="application/json", types=JSON_TYPES, budget=budget
    )
    if not same_origin(fetched.url, origin):
        raise RemoteNonsense(reasons.FOREIGN_NODEINFO)
    return fetched.document


def _newest(document: dict[str, Any]) -> str:
    links = [link for link in map(embedded, items(document.get("links"), MAX_LINKS)) if link is not None]
    for rel in _RELS:
        for link in links:
            href = link.get("href")
            if link.get("rel") == rel and isinstance(href, str):
                return href
    raise RemoteNonsense(reasons.NO_NODEINFO)


def _read(document: dict[str, Any]) -> NodeInfo:
    software = embedded(document.get("software")) or {}
    name = text(software, "name", MAX_TEXT)
    if not name:
        raise RemoteNonsense(reasons.NO_NODEINFO)
    is_open = document.get("openRegistrations")
    protocols = items(document.get("protocols"), MAX_PROTOCOLS)
    return NodeInfo(
        software=name,
        version=text(software, "version", MAX_TEXT),
        open=is_open if isinstance(is_open, bool) else None,
        protocols=tuple(item[:MAX_TEXT] for item in protocols if isinstance(item, str)),
    )
