"""federation.md C3: parsing and resource use: nothing that a peer sends grows, recurses or goes on for ever."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import pytest

from esnfed import registry
from esnfed.context import Context
from esnfed.errors import RemoteRefused
from esnfed.federation import inbox_worker, reasons
from esnfed.federation.errands import send
from esnfed.http.limits import INBOX_LIMITS
from esnfed.models import errand, inbox_message, insert, mention, notification, status, status_tag
from esnfed.services import actors, conversation, threads, wanted
from esnfed.vocab import parse
from tests.doubles.server import document
from tests.federation.network import Network
from tests.federation.peer import Document
from tests.fuzz.mutation import places, put
from tests.hostile.scene import EVIL, Scene, dumped, play, start_hostile
from tests.hostile.test_c1_signatures import knock, signed

REGISTERED = conversation
"""Imported for the errand that fills in threads."""

MINUTE = 60_000


def _send(context: Context, kind: str, address: str, arguments: Any, host: str) -> int | None:
    return send(context, kind, address, arguments, host=host)


async def run_errands(scene: Scene, turns: int) -> int:
    """Turn the worker of errands until it rests, the clock going on; return how many turns it took."""
    for turn in range(turns):
        scene.network.advance(30_000)
        if not await scene.dakar.node.errand_worker.step():
            return turn
    return turns


async def test_cve_2022_46405_mastodon_wildcard_dns_accounts_and_unbounded_recursion(scene: Scene) -> None:
    """Protection: `Discoveries.admit` (ten new hosts a minute) and `backfill.MAX_DEPTH`; a chain of 1,000 stops."""
    wild = await start_hostile(scene.network, "wild.esn.test", "*.wild.esn.test")
    wild.alias(scene.network, *(f"w{number}.wild.esn.test" for number in range(1_000)))
    wild.misbehave("wildcard")
    scene.network.advance(2 * MINUTE)
    transport = scene.dakar.node.transport
    for number in range(10):
        await transport.get_json(f"https://w{number}.wild.esn.test/users/w", signer=None)
    with pytest.raises(RemoteRefused) as caught:
        await transport.get_json("https://w10.wild.esn.test/users/w", signer=None)
    assert str(caught.value) == reasons.SUBDOMAINS
    scene.network.advance(2 * MINUTE)
    asked = len(wild.seen)
    await scene.dakar.write(wanted.ancestors, "https://w0.wild.esn.test/notes/1")
    await run_errands(scene, 3_000)
    new = len(set(wild.hosts[asked:]))
    assert 1 <= new <= 51
    assert await scene.dakar.rows(errand, state="waiting") == []
    assert len(await scene.dakar.rows(status)) <= 51


async def test_reply_chain_recursion_of_five_thousand_posts(scene: Scene) -> None:
    """Protection: `backfill.MAX_DEPTH` ancestors are climbed, by turns; `threads.around` is a loop with a cap."""
    scene.evil.misbehave("chain", "/chain/")
    await scene.send(scene.create("un", inReplyTo=f"{scene.evil.origin}/chain/1"))
    await scene.dakar.write(wanted.ancestors, f"{scene.evil.origin}/chain/1")
    await run_errands(scene, 3_000)
    assert len(await scene.dakar.rows(status)) <= 52
    climbed = len([target for target in scene.evil.targets() if target.startswith("/chain/")])
    assert 1 <= climbed <= 51
    assert await scene.dakar.rows(errand, state="waiting") == []
    author = await scene.dakar.find(scene.mallory["id"])
    await scene.dakar.write(_grow, author, scene.evil.origin)
    rows = await scene.dakar.rows(status)
    assert len(rows) > 5_000
    deepest = max(rows, key=lambda row: int(row["id"]))
    thread = await scene.dakar.read(threads.around, deepest)
    assert len(thread.ancestors) <= threads.ANCESTORS
    assert len(thread.descendants) <= threads.LIMIT


def _grow(context: Context, author_id: int, origin: str) -> None:
    author = actors.by_id(context, author_id)
    first = context.new_id()
    rows = [
        {
            "id": first + number, "local": False, "uri": f"{origin}/deep/{number}", "actor_id": author["id"],
            "as_type": "Note", "in_reply_to_id": first + number - 1 if number else None, "thread_id": first,
            "visibility": "public", "content": "x", "published_at": context.now(),
        }
        for number in range(5_001)
    ]  # fmt: skip
    context.connection.execute(insert(status), rows)


@pytest.mark.parametrize("manner", ["self-next", "fresh pages"])
async def test_infinite_collections_peertube_cve_2025_32943_to_32949(scene: Scene, manner: str) -> None:
    """Protection: `conversation.MAX_PAGES` and `_fresh`, `backfill` and `featured` read a page or two."""
    evil = scene.evil
    uri = f"{evil.origin}/notes/racine"
    root = evil.note(
        scene.mallory,
        "racine",
        id=uri,
        replies=f"{evil.origin}/pages/replies",
        context=f"{evil.origin}/pages/context",
    )
    evil.serve(root)
    evil.misbehave(manner, "/pages/")
    mallory = await scene.dakar.row(await scene.dakar.find(scene.mallory["id"]))
    await scene.send(
        evil.activity(
            scene.mallory,
            "Update",
            scene.mallory
            | {"outbox": f"{evil.origin}/pages/outbox", "featured": f"{evil.origin}/pages/featured"},
        )
    )
    await scene.dakar.write(_send, wanted.THREAD, uri, {"uri": uri}, EVIL)
    await scene.dakar.write(_send, wanted.OUTBOX, f"{uri}#o", {"actor_id": mallory["id"]}, EVIL)
    await scene.dakar.write(_send, "featured", f"{uri}#f", {"actor_id": mallory["id"]}, EVIL)
    assert "featured" in dict(registry.errands.items())
    turns = await run_errands(scene, 4_000)
    assert turns < 4_000
    assert 1 <= evil.pages <= (8 if manner == "self-next" else conversation.MAX_PAGES + 10)
    assert await scene.dakar.rows(errand, state="waiting") == []
    largest = max(len(json.dumps(row["cursor"])) for row in await scene.dakar.rows(errand))
    assert largest < 300_000


LISTS = (
    "to",
    "cc",
    "bto",
    "audience",
    "tag",
    "attachment",
    "attributedTo",
    "url",
    "contentMap",
    "inReplyTo",
    "icon",
    "oneOf",
)


async def test_ghsa_gg8q_rcg7_p79g_missing_limits_on_federated_properties(scene: Scene) -> None:
    """Protection: `parse.items` and the caps of `parts`: half a million elements leave what a few leave."""
    paul = await scene.uri(scene.dakar, scene.paul)
    elements: tuple[Any, ...] = (
        1,
        "x",
        {},
        [],
        {"type": "Hashtag", "name": "#a"},
        {"type": "Mention", "href": paul},
    )
    for name in LISTS:
        for element in elements:
            size = 900_000 if name == "tag" else 30_000
            count = size // (len(json.dumps(element)) + 2)
            value: Any = (
                dict.fromkeys(map(str, range(count // 3)), "x") if name == "contentMap" else [element] * count
            )
            note = scene.evil.note(scene.mallory, f"n{name}") | {
                "id": f"{scene.evil.origin}/n/{name}/{elements.index(element)}"
            }
            body = dumped(scene.evil.activity(scene.mallory, "Create", note | {name: value}))
            assert len(body) < 1 << 20
            key_uri = f"{scene.mallory['id']}#main-key"
            # More than fifty thousand objects in one message are refused as a whole.
            assert await scene.evil.post(scene.dakar, body, key_uri=key_uri) in (202, 400)
        await scene.network.settle()
    assert await scene.stuck() == []
    assert len(await scene.dakar.rows(mention)) <= len(elements) * len(LISTS)
    assert len(await scene.dakar.rows(status_tag)) <= len(elements) * len(LISTS)
    assert len(await scene.dakar.rows(notification)) <= 2 * len(LISTS)
    assert max(len(json.dumps(dict(row), default=str)) for row in await scene.dakar.rows(status)) < 20_000


async def test_json_ld_recursive_remote_contexts(scene: Scene) -> None:
    """Protection: there is no JSON-LD processor: a context is never fetched, whatever it says."""
    remote = f"{scene.evil.origin}/context"
    scene.evil.serve({"@context": remote, "id": remote}, "/context")
    for context in (
        remote,
        [remote, remote],
        {"@import": remote},
        [{"x": {"@id": "y", "@context": remote}}],
        1,
        None,
    ):
        await scene.send(
            scene.create(f"n{context!s:.9}", tag=[{"@context": context}]) | {"@context": context}
        )
    actor = scene.mallory | {"@context": remote, "name": "Autre"}
    await scene.send(scene.evil.activity(scene.mallory, "Update", actor))
    assert [target for target in scene.evil.targets() if target == "/context"] == []
    assert len(await scene.dakar.rows(status)) >= 5


HTML = (
    "<p>\ud800</p>", "\x00", "<\x00p>", "<p>" * 2_000, "</p>" * 2_000, "<a href='", "<!--", "<![CDATA[",
    "&#xD800;", "&#0;",
    "<svg><style><img/src=x onerror=alert(1)>", "<math><mtext><table><mglyph><style><!--</style><img title=\"--&gt;",
    "<noscript><p title='</noscript><img src=x onerror=alert(1)>'>", "\u202e\u2066",
    "<p lang='" + "x" * 9_999, "<ol start=1e99>",
)  # fmt: skip


async def test_ghsa_qrgq_9fx2_vf2r_uncaught_exception_in_sanitising(
    scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Protection: each message fails alone (`_fetch_or_finish`, `_prepare`, `_apply`) and is parked after eight."""
    for number, html in enumerate(HTML):
        text = json.dumps(
            scene.create(f"n{number}", content="HTML", summary="HTML", contentMap={"fr": "HTML"})
        )
        body = text.replace('"HTML"', json.dumps(html)).encode()
        assert await scene.evil.post(scene.dakar, body, key_uri=f"{scene.mallory['id']}#main-key") in (
            202,
            400,
        )
    await scene.network.settle()
    assert await scene.stuck() == []
    handler = type(registry.handlers["Like"])
    for method in ("needs", "verify", "receive"):
        with monkeypatch.context() as patched:
            patched.setattr(handler, method, _explode)
            poison = scene.evil.activity(scene.mallory, "Like", f"{scene.evil.origin}/x")
            await scene.send(poison)
            await scene.honest(method)
            for _ in range(inbox_worker.MAX_ATTEMPTS):
                scene.network.advance(13 * 60 * MINUTE)
                await scene.network.settle()
            state = (await scene.dakar.one(inbox_message, uri=poison["id"]))["state"]
            assert state == ("ignored" if method == "receive" else "parked"), method


async def test_37423_what_a_fetch_raises_stops_no_other_message(
    scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Protection: `_fetch_or_finish`; found by the fuzzer: an odd WebFinger link ended the worker for all."""
    odd = [{"rel": "self", "type": [["self"]], "href": "x"}]
    other = scene.evil.actor("autre")
    target = f"/.well-known/webfinger?resource=acct:autre@{EVIL}"
    scene.evil.answers[target] = document(
        {"subject": f"acct:autre@{EVIL}", "links": odd}, "application/jrd+json"
    )
    note = scene.evil.serve(scene.evil.note(other, "autre"))
    await scene.send(scene.evil.activity(scene.mallory, "Announce", note["id"]))
    assert await scene.stuck() == []
    assert len(await scene.dakar.rows(status, uri=note["id"])) == 1

    async def explode(*_: object) -> None:
        raise RuntimeError("boom")

    with monkeypatch.context() as patched:
        patched.setattr(scene.dakar.node.discovery, "document", explode)
        poison = scene.evil.activity(scene.mallory, "Announce", f"{scene.evil.origin}/y")
        await scene.send(poison)
        await scene.honest("deux")
        assert [text.partition(" ")[0] for text in await scene.stuck()] == ["waiting"]


def _explode(*_: object) -> None:
    raise RuntimeError("boom")


async def test_ghsa_84ch_6436_c7mg_cve_2023_49952_rate_limit_bypass_by_header(network: Network) -> None:
    """Protection: `security.client_address` believes configured proxies only; a limit is by address and /64."""
    scene = await play(network)
    body = dumped(scene.create("un"))
    spoofs = [
        {
            "X-Forwarded-For": f"198.51.100.{n}",
            "Forwarded": f"for=198.51.100.{n}",
            "X-Real-IP": f"2001:db8::{n}",
        }
        for n in range(6)
    ]
    for spoof in spoofs:
        assert await knock(scene, "/inbox", body, [*signed(scene, body).items(), *spoof.items()]) == 400
    limits = scene.dakar.runner.app[INBOX_LIMITS]
    assert len(limits.addresses) <= 1
    own = {
        "CF-Connecting-IP": "8.8.8.8",
        "True-Client-IP": "8.8.8.8",
        "X-Client-IP": "8.8.8.8",
        "Via": "1.1 x",
    }
    for name, value in own.items():
        assert await knock(scene, "/inbox", body, [*signed(scene, body).items(), (name, value)]) == 202
    assert len(limits.addresses) == 1
    refused = [await knock(scene, "/inbox", b"{}", []) for _ in range(3)]
    assert set(refused) == {401}
    answers = await asyncio.gather(
        *(knock(scene, "/inbox", b"{}", [("CF-Connecting-IP", f"8.8.8.{n}")]) for n in range(64))
    )
    assert set(answers) <= {401}


def confusions(scene: Scene) -> list[Document]:
    """An honest Create with its values turned into other kinds of values, one at a time."""
    found = []
    for path in places(scene.create("un")):
        if path and path[0] not in ("actor", "id"):
            for value in (
                [],
                {},
                [[]],
                [{}],
                {"id": {"id": []}},
                {"type": ["Create", "Note"]},
                0,
                True,
                None,
                "x",
            ):
                found.append(put(scene.create(f"n{len(found)}"), path, value))
    return found


async def test_activity_type_confusion(scene: Scene) -> None:
    """Protection: `parse.type_of` takes one plain string; the switch looks at the first level only."""
    create = scene.create("caché")
    nested = [
        scene.evil.activity(scene.mallory, "Announce", create),
        scene.evil.activity(scene.mallory, "Announce", {"type": "Announce", "object": create}),
        scene.evil.activity(scene.mallory, "Create", create),
        scene.evil.activity(scene.mallory, "Undo", create),
        scene.evil.activity(scene.mallory, "Accept", create),
        scene.evil.activity(scene.mallory, "Update", create),
    ]
    for activity in nested:
        await scene.send(activity)
    for as_type in (
        ["Create"],
        ["Create", "Announce"],
        {"id": "Create"},
        None,
        "",
        1,
        "create",
        "as:Create",
        "Create\x00",
        "\ud800",
    ):
        found = await scene.evil.post(
            scene.dakar, create | {"type": as_type, "id": f"{create['id']}{as_type!s:.3}"}
        )
        assert found in (202, 400), as_type
    await scene.network.settle()
    assert await scene.dakar.rows(status) == []
    for confused in confusions(scene):
        assert await scene.evil.post(scene.dakar, confused, key_uri=f"{scene.mallory['id']}#main-key") in (
            202,
            400,
        )
        if len(scene.evil.seen) % 50 == 0:
            scene.network.advance(MINUTE)
    for _ in range(40):
        scene.network.advance(10 * MINUTE)
        await scene.network.settle()
    assert await scene.stuck() == []
    assert parse.type_of({"type": ["Note"]}) == ""
