"""Handles to actors and back, as a client of other servers' WebFinger (RFC 7033, federation.md A2).

A handle is believed only when both ends name one another: handle, self link, actor, the actor's own handle
(Akkoma 2024.04.1 was spoofed for want of it).
"""

from __future__ import annotations

import re
from typing import Any
from urllib.parse import quote
from xml.parsers import expat

from esnfed.errors import Malformed, RemoteMissing, RemoteNonsense, RemoteRefused
from esnfed.federation import reasons
from esnfed.federation.answers import JRD_TYPES, XRD_TYPES
from esnfed.federation.pacing import Budget
from esnfed.federation.transport import Transport
from esnfed.vocab.authority import authority_of, normalise_authority
from esnfed.vocab.parse import embedded, items, text, web_address
from esnfed.vocab.terms import ACTIVITY_JSON, LD_JSON

MAX_LINKS = 100
MAX_HANDLE = 512
HOST_META_BYTES = 64_000

_ACCEPT = "application/jrd+json, application/json"
_NAME = re.compile(r"[A-Za-z0-9_](?:[A-Za-z0-9_.-]*[A-Za-z0-9_])?\Z")
_SELF_TYPES = frozenset({ACTIVITY_JSON, LD_JSON})
_LRDD_TYPES = frozenset({"", "application/jrd+json", "application/json"})

Handle = tuple[str, str]
"""(name, normalised domain)."""


async def lookup(
    transport: Transport, handle: str, budget: Budget | None = None, *, expected: str = ""
) -> tuple[str, str]:
    """Return (`name@domain` as its own server spells it, actor id) for a handle.

    The handle may begin with `@` or `acct:`.

    Of several actors behind one handle (Lemmy: a person and a community) it is the `expected` one, else the
    first. At most one hop to another subject, which must then confirm itself. Raises the transport's RemoteErrors
    (RemoteGone for 410), RemoteNonsense for an answer that does not fit, RemoteRefused for a handle of this
    node. That the actor names the same handle is what `canonical_account` checks.
    """
    asked = _handle(handle, transport)
    if budget is not None:
        budget.spend_discovery()
    answer = await _finger(transport, asked, budget)
    subject = _subject(answer, transport)
    if not _same(subject, asked):
        answer = await _finger(transport, subject, budget)
        if not _same(_subject(answer, transport), subject):
            raise RemoteNonsense(reasons.OTHER_SUBJECT)
    found = _self_links(answer)
    return "@".join(_subject(answer, transport)), expected if expected in found else found[0]


async def canonical_account(transport: Transport, actor: dict[str, Any], budget: Budget | None = None) -> str:
    """Return `name@domain` of a fetched actor, once its server's WebFinger has led back to the actor's id.

    The actor's own word comes from `webfinger` (FEP-2c59), else from `preferredUsername` at its host. Raises
    as `lookup`, and RemoteNonsense when the handle leads to another actor.
    """
    own_uri = actor.get("id")
    account, uri = await lookup(transport, _claimed(actor), budget, expected=own_uri or "")
    if uri != own_uri:
        raise RemoteNonsense(reasons.OTHER_ACTOR)
    return account


def _claimed(actor: dict[str, Any]) -> str:
    claimed = text(actor, "webfinger", MAX_HANDLE)
    if claimed:
        return claimed
    name = text(actor, "preferredUsername", MAX_HANDLE)
    try:
        return f"{name}@{authority_of(actor.get('id'))}"
    except Malformed:
        raise RemoteNonsense(reasons.ANONYMOUS) from None


def _handle(handle: str, transport: Transport) -> Handle:
    """Take a handle apart; raises RemoteNonsense, and RemoteRefused for one of this node."""
    config = transport.config
    name, at, domain = handle.removeprefix("acct:").removeprefix("@").rpartition("@")
    if not at or len(handle) > MAX_HANDLE or not _NAME.match(name):
        raise RemoteNonsense(reasons.HANDLE)
    try:
        domain = normalise_authority(domain, config.scheme)
    except Malformed:
        raise RemoteNonsense(reasons.HANDLE) from None
    if domain in (config.domain, config.account_domain):
        raise RemoteRefused(reasons.OWN_ADDRESS)
    return name, domain


def _same(one: Handle, other: Handle) -> bool:
    return one[0].lower() == other[0].lower() and one[1] == other[1]


def _subject(answer: dict[str, Any], transport: Transport) -> Handle:
    subject = text(answer, "subject", MAX_HANDLE)
    if not subject.startswith("acct:"):
        raise RemoteNonsense(reasons.OTHER_SUBJECT)
    return _handle(subject, transport)


def _self_links(answer: dict[str, Any]) -> list[str]:
    """Return the actors' addresses, one at least: the two media types that Mastodon knows are an actor's."""
    found = [
        uri
        for link in _links(answer)
        if link.get("rel") == "self" and text(link, "type", 200) in _SELF_TYPES
        if (uri := web_address(link.get("href"))) is not None
    ]
    if not found:
        raise RemoteNonsense(reasons.NO_SELF_LINK)
    return found


def _links(answer: dict[str, Any]) -> list[dict[str, Any]]:
    return [link for link in map(embedded, items(answer.get("links"), MAX_LINKS)) if link is not None]


async def _finger(transport: Transport, handle: Handle, budget: Budget | None) -> dict[str, Any]:
    """Ask WebFinger at the domain, and where host-meta points when it is not there (Mastodon's order)."""
    name, domain = handle
    resource = f"acct:{name}@{domain}"
    root = f"{transport.config.scheme}://{domain}/.well-known"
    try:
        fetched = await transport.get_json(
            f"{root}/webfinger?resource={quote(resource, safe=':@')}",
            signer=None,
            accept=_ACCEPT,
            types=JRD_TYPES,
            budget=budget,
        )
    except RemoteMissing:
        page = await transport.get_bytes(
            f"{root}/host-meta",
            accept="application/xrd+xml",
            types=XRD_TYPES,
            limit=HOST_META_BYTES,
            budget=budget,
        )
        url = lrdd_template(page.data).replace("{uri}", quote(resource, safe=""))
        fetched = await transport.get_json(url, signer=None, accept=_ACCEPT, types=JRD_TYPES, budget=budget)
    return fetched.document


def lrdd_template(data: bytes) -> str:
    """Return the WebFinger template of a host-meta document (RFC 6415); raises RemoteNonsense.

    One linear pass without a tree; a document type declaration, and so every entity, is refused.
    """
    found: list[str] = []

    def refuse(*_: object) -> None:
        raise RemoteNonsense(reasons.NOT_XML)

    def start(name: str, attributes: dict[str, str]) -> None:
        if name.rpartition(" ")[2] == "Link" and attributes.get("rel") == "lrdd":
            template = attributes.get("template", "")
            if "{uri}" in template and attributes.get("type", "") in _LRDD_TYPES:
                found.append(template)

    parser = expat.ParserCreate(namespace_separator=" ")
    parser.StartDoctypeDeclHandler = refuse
    parser.StartElementHandler = start
    try:
        parser.Parse(data, True)
    except (expat.ExpatError, ValueError, LookupError):  # LookupError: an unknown encoding
        raise RemoteNonsense(reasons.NOT_XML) from None
    if not found:
        raise RemoteMissing(reasons.MISSING)
    return found[0]
