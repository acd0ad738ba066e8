"""What is fuzzed: functions of bytes that raise nothing but what our rules name, whatever the bytes."""

from __future__ import annotations

import re
from collections.abc import Callable, Coroutine
from contextlib import suppress
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from multidict import CIMultiDict, CIMultiDictProxy

from esnfed import activities, objects, records
from esnfed.config import Config
from esnfed.errors import EsnfedError, Ignored, Malformed, RemoteError
from esnfed.federation import nodeinfo, proofs, signatures, webfinger
from esnfed.federation.answers import Fetched, Page, content_type_of, retry_after_of
from esnfed.federation.jcs import canonical
from esnfed.federation.keys import load_public
from esnfed.federation.session import outgoing, url_of
from esnfed.objects import actor as actor_object
from esnfed.objects import note, parts, question
from esnfed.objects.form import form_of
from esnfed.objects.reading import read as read_post
from esnfed.records.definition import kind_named
from esnfed.text.sanitise import OUTPUT_LIMIT, plain, sanitise, teaser
from esnfed.vocab import parse
from esnfed.vocab.activity import read_activity
from esnfed.vocab.addressing import visibility
from esnfed.vocab.authority import normalise_authority, parse_address
from esnfed.vocab.authorship import author_of
from tests.fuzz import corpus

Target = Callable[[bytes], object]

REGISTERED = (activities, objects, records, note)
"""Imported for the handlers, receivers and extensions that they register."""

FORBIDDEN = re.compile(
    r"<(?!/?(?:p|blockquote|pre|ul|ol|li|br|span|a|del|s|code|b|strong|u|i|em|ruby|rt|rp)[\s>])"
    r"|<[^>]*\son[a-z]+=|href=\"(?:javascript|data|vbscript|file):",
    re.IGNORECASE,
)
"""What no sanitised text holds: another element, a handler of events, an address that runs."""


def inbox_body(data: bytes) -> None:
    """A body as the inbox reads it, and everything a handler takes out of an activity."""
    try:
        activity = read_activity(parse.load(data))
        proof = proofs.find(activity.document, corpus.NOW)
        if proof is not None:
            canonical(activity.document)
    except EsnfedError:
        return
    visibility(activity.to, activity.cc, f"{activity.actor}/followers")
    assert activity.object_uri is None or len(activity.object_uri) <= 2048
    embedded = activity.object_document
    if embedded is not None:
        author_of(embedded)
        parts.addressees_in(embedded)


def signature(data: bytes) -> None:
    """Headers of a signed request, parsed, checked and verified with a real key."""
    lines = data.decode("utf-8", "surrogateescape").split("\n")
    pairs = [
        (name.strip() or "X", value.strip()) for name, _, value in (line.partition(":") for line in lines)
    ]
    headers = CIMultiDictProxy(CIMultiDict(pairs))
    for method, body in (("POST", b"{}"), ("GET", None)):
        try:
            parsed = signatures.parse(method, "/inbox?a=b", corpus.NODE, "https", headers)
            signatures.check(parsed, body=body, now_ms=corpus.NOW)
            assert parsed.deadline >= corpus.NOW
            assert len(parsed.fingerprint) == 32
            signatures.verify(parsed, load_public(corpus.pair().public_der))
        except EsnfedError:
            continue


class OneAnswer:
    """A transport to which every server gives the same answer."""

    def __init__(self, data: bytes) -> None:
        self.config = Config(domain=corpus.NODE, data_dir=Path("/nonexistent"))
        self._data = data
        self.asked = 0

    async def get_json(self, url: str, **_: Any) -> Fetched:
        """The answer as JSON, or the error that the transport raises for what is none."""
        self.asked += 1
        where = url_of(outgoing(url))
        try:
            return Fetched(where, parse.load(self._data), "application/jrd+json")
        except Malformed:
            raise RemoteError from None

    async def get_bytes(self, url: str, **_: Any) -> Page:
        """The answer as it is."""
        self.asked += 1
        return Page(url_of(outgoing(url)), "application/xrd+xml", self._data)


def finish(work: Coroutine[Any, Any, Any]) -> Any:
    """Run what never waits to its end."""
    try:
        work.send(None)
    except StopIteration as end:
        return end.value
    raise AssertionError("it waited for something")


def finger(data: bytes) -> None:
    """A WebFinger answer: at most two questions, and an account with a web address, or a RemoteError."""
    transport: Any = OneAnswer(data)
    try:
        account, uri = finish(webfinger.lookup(transport, "a@peer.esn.test"))
    except RemoteError:
        return
    finally:
        assert transport.asked <= 2
    assert len(account) <= 512
    parse_address(uri)


def host_meta(data: bytes) -> None:
    """A host-meta document, and the address that its template gives."""
    try:
        url_of(outgoing(webfinger.lrdd_template(data).replace("{uri}", "acct%3Aa%40peer.esn.test")))
    except RemoteError:
        return


def node_info(data: bytes) -> None:
    """NodeInfo: what is kept of it is short."""
    try:
        found = finish(nodeinfo.probe(OneAnswer(data), "peer.esn.test"))  # type: ignore[arg-type]  # all it needs
    except RemoteError:
        return
    assert len(found.software) <= 100
    assert len(found.protocols) <= 20


def header(data: bytes) -> None:
    """Content-Type, Retry-After and Host, one to a line."""
    kind, after, host, *_ = [*data.decode("latin-1").split("\n"), "", "", ""]
    response: Any = SimpleNamespace(headers=CIMultiDictProxy(CIMultiDict({"Content-Type": kind})))
    with suppress(RemoteError):
        content_type_of(response, frozenset({"application/ld+json", "application/activity+json"}))
    wait = retry_after_of(after, corpus.NOW)
    assert wait is None or 0 <= wait <= 86_400
    try:
        normal = normalise_authority(host)
    except Malformed:
        return
    assert normalise_authority(normal) == normal


def address(data: bytes) -> None:
    """A web address: what is accepted has one spelling, and stays what it is."""
    text = data.decode("utf-8", "surrogateescape")
    try:
        where = url_of(outgoing(text))
    except RemoteError:
        return
    assert url_of(outgoing(where)) == where
    assert where.isascii()


def html(data: bytes) -> None:
    """Hostile HTML: what comes out holds nothing that runs, does not change again, and is not longer."""
    text = data.decode("utf-8", "replace")
    for profile in (False, True):
        safe = sanitise(text, profile)
        assert FORBIDDEN.search(safe) is None, safe
        assert sanitise(safe, profile) == safe
        assert len(safe) <= OUTPUT_LIMIT
    plain(text)
    assert len(teaser(text)) <= 200


def actor(data: bytes) -> None:
    """An actor document read into columns, each within its cap."""
    try:
        document = parse.load(data)
        values = actor_object.read(document, "")
        keys = actor_object.read_keys(document)
    except Malformed:
        return
    author_of(document)
    assert len(values["name"]) <= 2048
    assert len(values["fields"]) <= 50
    assert len(values["also_known_as"]) <= 256
    assert len(keys) <= 20
    storable(values)


def post(data: bytes) -> None:
    """A post of any type read into columns and parts, and its sheet when it has one."""
    try:
        document = parse.load(data)
    except Malformed:
        return
    author: Any = {
        "id": 1,
        "uri": author_of(document) or "https://peer.esn.test/users/a",
        "followers_uri": None,
    }
    try:
        values = read_post(document, author, corpus.NOW)
    except (Malformed, Ignored):
        values = {}
    media = parts.merged(
        parts.attachments_in(document), form_of(parse.type_of(document)).attachments(document)
    )
    assert len(media) <= parts.MAX_ATTACHMENTS
    storable(
        values | {"media": media, "tags": parts.hashtags_in(document), "who": parts.mentions_in(document)}
    )
    storable(question.read(document, corpus.NOW) or {})
    sheet: Any = document.get("esn:record")
    definition = kind_named(sheet.get("kind")) if isinstance(sheet, dict) else None
    if definition is not None:
        storable(definition.receive(sheet) or {})


def storable(values: Any) -> None:
    """Fail for a text that PostgreSQL or UTF-8 cannot hold, wherever it is inside."""
    waiting = [values]
    while waiting:
        one = waiting.pop()
        if isinstance(one, str):
            assert "\x00" not in one
            one.encode()
        elif isinstance(one, dict):
            waiting += [*one.keys(), *one.values()]
        elif isinstance(one, list | tuple):
            waiting += one


TARGETS: dict[str, tuple[Target, Callable[[], tuple[bytes, ...]]]] = {
    "inbox": (inbox_body, corpus.documents),
    "signature": (signature, corpus.requests),
    "webfinger": (finger, lambda: corpus.FINGERS),
    "host-meta": (host_meta, lambda: corpus.HOST_META),
    "nodeinfo": (node_info, lambda: corpus.NODE_INFO),
    "header": (header, lambda: corpus.HEADERS),
    "address": (
        address,
        lambda: (b"https://peer.esn.test/users/a?b=c#d", "https://é.esn.test:444/é".encode()),
    ),
    "html": (html, lambda: corpus.HTML),
    "actor": (actor, lambda: corpus.documents(*corpus.ACTOR_WORDS)),
    "post": (post, corpus.objects),
}
"""Name -> (target, its seeds)."""
