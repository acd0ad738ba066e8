"""What an inbox does with what it is sent: proof before effect, one effect, nothing lost unseen."""

from __future__ import annotations

from typing import Any

import pytest
from aiohttp import ClientSession, TCPConnector

from esnfed import registry
from esnfed.federation import inbox_worker
from esnfed.federation.keys import load_private
from esnfed.federation.signatures import Signer, sign
from esnfed.models import actor_key, counter, follow, inbox_message, replay, status, tombstone
from esnfed.vocab import parse
from esnfed.vocab.terms import ACTIVITY_JSON, PUBLIC
from tests.federation.network import LiveNode, Network


class Forger:
    """Sends what it is told to an inbox, signed with the key of an actor of a live node."""

    def __init__(self, network: Network, home: LiveNode, actor_id: int) -> None:
        self._network = network
        self._home = home
        self._actor_id = actor_id
        self._number = 0

    async def signer(self) -> Signer:
        row = await self._home.one(actor_key, actor_id=self._actor_id, kind="rsa")
        return Signer(row["uri"], load_private(row["private_der"]))

    async def activity(self, as_type: str, content: Any, **more: Any) -> dict[str, Any]:
        self._number += 1
        row = await self._home.row(self._actor_id)
        return {
            "@context": "https://www.w3.org/ns/activitystreams",
            "id": f"https://{self._home.domain}/forged/{self._number}",
            "type": as_type,
            "actor": row["uri"],
            "to": [PUBLIC],
            "cc": [row["followers_uri"]],
            "object": content,
        } | more

    async def note(self, name: str, **more: Any) -> dict[str, Any]:
        row = await self._home.row(self._actor_id)
        now = self._home.node.runtime.clock()
        return {
            "id": f"https://{self._home.domain}/notes/{name}",
            "type": "Note",
            "attributedTo": row["uri"],
            "content": f"<p>{name}</p>",
            "published": parse.iso(now),
            "to": [PUBLIC],
            "cc": [row["followers_uri"]],
        } | more

    async def send(
        self,
        target: LiveNode,
        document: dict[str, Any],
        *,
        path: str = "/inbox",
        scheme: Any = "cavage",
        headers: dict[str, str] | None = None,
    ) -> int:
        body = parse.dump(document)
        if headers is None:
            headers = await self.headers(target, body, path=path, scheme=scheme)
        url = f"https://127.0.0.1:{self._network.hosts[target.domain][1]}{path}"
        async with (
            ClientSession(connector=TCPConnector(ssl=False)) as session,
            session.post(url, data=body, headers=headers | {"Host": target.domain}) as answer,
        ):
            return answer.status

    async def headers(
        self, target: LiveNode, body: bytes, *, path: str = "/inbox", scheme: Any = "cavage"
    ) -> dict[str, str]:
        now = self._home.node.runtime.clock()
        url = f"https://{target.domain}{path}"
        signed = sign(scheme, await self.signer(), "POST", url, body, now)
        return {"Content-Type": ACTIVITY_JSON} | signed


async def scene(network: Network) -> tuple[LiveNode, LiveNode, int, Forger]:
    """Dakar, where Paul follows Mallory of Lyon; and Mallory's pen."""
    lyon, dakar = await network.node("lyon"), await network.node("dakar")
    mallory, paul = await lyon.actor("mallory"), await dakar.actor("paul")
    await dakar.follow(paul, await dakar.find("mallory@lyon.esn.test"))
    await network.settle()
    return lyon, dakar, paul, Forger(network, lyon, mallory)


@pytest.mark.parametrize("scheme", ["cavage", "rfc9421"])
async def test_a_signed_create_is_stored_then_applied(network: Network, scheme: str) -> None:
    _, dakar, paul, pen = await scene(network)
    create = await pen.activity("Create", await pen.note("un"))
    assert await pen.send(dakar, create, scheme=scheme) == 202
    message = await dakar.one(inbox_message, uri=create["id"])
    assert (message["state"], message["scheme"]) == ("waiting", scheme)
    await network.settle()
    assert [row["content"] for row in await dakar.home(paul)] == ["<p>un</p>"]


async def test_every_inbox_refuses_what_is_not_signed(network: Network) -> None:
    _, dakar, paul, pen = await scene(network)
    create = await pen.activity("Create", await pen.note("un"))
    bare = {"Content-Type": ACTIVITY_JSON}
    for path in (
        "/inbox",
        "/inbox/",
        "/relay/inbox",
        f"/ap/actors/{paul}/inbox",
        f"/ap/actors/{paul}/inbox/",
    ):
        assert await pen.send(dakar, create, path=path, headers=bare) == 401
    assert await dakar.rows(inbox_message, uri=create["id"]) == []


async def test_nobody_speaks_for_another_actor(network: Network) -> None:
    lyon, dakar, _, pen = await scene(network)
    amina = await lyon.actor("amina")
    victim = (await lyon.row(amina))["uri"]
    create = await pen.activity("Create", await pen.note("faux", attributedTo=victim), actor=victim)
    assert await pen.send(dakar, create) == 401
    assert await dakar.rows(inbox_message, uri=create["id"]) == []
    smuggled = await pen.activity("Create", await pen.note("faux", attributedTo=victim))
    assert await pen.send(dakar, smuggled) == 202
    await network.settle()
    assert await dakar.rows(status) == []
    assert (await dakar.one(inbox_message, uri=smuggled["id"]))["state"] == "ignored"


async def test_identical_bytes_sent_twice_have_one_effect(network: Network) -> None:
    _, dakar, paul, pen = await scene(network)
    create = await pen.activity("Create", await pen.note("un"))
    headers = await pen.headers(dakar, parse.dump(create))
    before = len(await dakar.rows(replay))
    assert [await pen.send(dakar, create, headers=headers) for _ in range(3)] == [202] * 3
    await network.settle()
    assert len(await dakar.rows(replay)) == before + 1
    assert len(await dakar.home(paul)) == 1
    assert await pen.send(dakar, create) == 202  # signed anew
    await network.settle()
    assert len(await dakar.rows(status)) == 1


async def test_a_changed_body_is_refused_and_leaves_no_memory(network: Network) -> None:
    _, dakar, _, pen = await scene(network)
    create = await pen.activity("Create", await pen.note("un"))
    headers = await pen.headers(dakar, parse.dump(create))
    before = len(await dakar.rows(replay))
    create["object"]["content"] = "<p>deux</p>"
    assert await pen.send(dakar, create, headers=headers) == 401
    assert len(await dakar.rows(replay)) == before
    assert await dakar.rows(status) == []


async def test_unknown_activities_and_objects_are_counted_and_leave_nothing(network: Network) -> None:
    _, dakar, _, pen = await scene(network)
    assert await pen.send(dakar, await pen.activity("Travel", "https://lyon.esn.test/x")) == 202
    place = await pen.activity("Create", await pen.note("lieu", type="Place"))
    assert await pen.send(dakar, place) == 202
    await network.settle()
    counted = {(row["name"], row["key"]): row["count"] for row in await dakar.rows(counter)}
    assert counted == {("unsupported-activity", "Travel"): 1, ("unsupported-object", "Place"): 1}
    assert await dakar.rows(status) == []


async def test_the_farewell_of_a_stranger_is_answered_without_looking(network: Network) -> None:
    _, dakar, _, pen = await scene(network)
    gone = "https://nowhere.esn.test/users/gone"
    delete = {"id": f"{gone}#delete", "type": "Delete", "actor": gone, "object": gone}
    body = parse.dump(delete)
    stranger = Signer(f"{gone}#main-key", (await pen.signer()).private)
    now = dakar.node.runtime.clock()
    headers = {"Content-Type": ACTIVITY_JSON}
    headers |= sign("cavage", stranger, "POST", f"https://{dakar.domain}/inbox", body, now)
    assert await pen.send(dakar, delete, headers=headers) == 202
    assert await dakar.rows(inbox_message, uri=delete["id"]) == []


async def test_posts_that_concern_nobody_here_are_not_kept(network: Network) -> None:
    lyon, dakar, _, _ = await scene(network)
    pen = Forger(network, lyon, await lyon.actor("stranger"))
    assert await pen.send(dakar, await pen.activity("Create", await pen.note("pub"))) == 202
    await network.settle()
    assert await dakar.rows(status) == []
    assert [(row["name"], row["count"]) for row in await dakar.rows(counter)] == [("irrelevant", 1)]


async def test_an_update_before_its_create_creates_and_the_create_changes_nothing(network: Network) -> None:
    _, dakar, paul, pen = await scene(network)
    note = await pen.note("un")
    newer = note | {"content": "<p>deux</p>", "updated": note["published"]}
    assert await pen.send(dakar, await pen.activity("Update", newer)) == 202
    await network.settle()
    assert await pen.send(dakar, await pen.activity("Create", note)) == 202
    await network.settle()
    assert [row["content"] for row in await dakar.home(paul)] == ["<p>deux</p>"]


async def test_a_delete_before_its_create_keeps_it_away_for_ever(network: Network) -> None:
    _, dakar, paul, pen = await scene(network)
    note = await pen.note("un")
    assert await pen.send(dakar, await pen.activity("Delete", note["id"])) == 202
    await network.settle()
    assert await pen.send(dakar, await pen.activity("Create", note)) == 202
    await network.settle()
    assert await dakar.home(paul) == []
    assert [row["uri"] for row in await dakar.rows(tombstone)] == [note["id"]]


async def test_nobody_deletes_or_updates_what_another_wrote(network: Network) -> None:
    lyon, dakar, paul, pen = await scene(network)
    amina = await lyon.actor("amina")
    await dakar.follow(paul, await dakar.find("amina@lyon.esn.test"))
    await network.settle()
    await lyon.post(amina, "À moi")
    await network.settle()
    there = (await dakar.home(paul))[0]
    await pen.send(dakar, await pen.activity("Delete", there["uri"]))
    await pen.send(dakar, await pen.activity("Update", await pen.note("x", id=there["uri"])))
    await network.settle()
    assert [row["content"] for row in await dakar.home(paul)] == ["<p>À moi</p>"]
    refused = [row for row in await dakar.rows(inbox_message) if row["state"] == "ignored"]
    assert [row["note"] for row in refused] == [
        "Only its author can delete a post.",
        "Only its author can update a post.",
    ]


async def test_a_poisonous_message_is_put_off_then_parked_and_does_not_stop_the_others(
    network: Network, monkeypatch: pytest.MonkeyPatch
) -> None:
    _, dakar, paul, pen = await scene(network)
    handler = registry.handlers["Like"]

    def explode(*_: object) -> None:
        raise RuntimeError("boom")

    monkeypatch.setattr(type(handler), "verify", explode)
    like = await pen.activity("Like", "https://dakar.esn.test/ap/objects/1")
    assert await pen.send(dakar, like) == 202
    assert await pen.send(dakar, await pen.activity("Create", await pen.note("un"))) == 202
    for _ in range(inbox_worker.MAX_ATTEMPTS):
        await dakar.node.inbox_worker.step()
        dakar.node.runtime.clock.advance(13 * 3600 * 1000)  # type: ignore[attr-defined]
    parked = await dakar.one(inbox_message, uri=like["id"])
    assert (parked["state"], parked["attempts"]) == ("parked", inbox_worker.MAX_ATTEMPTS)
    assert "boom" in parked["note"]
    assert len(await dakar.home(paul)) == 1
    monkeypatch.undo()
    assert await dakar.write(inbox_worker.replay, parked["id"])
    await network.settle()
    assert (await dakar.one(inbox_message, uri=like["id"]))["state"] == "ignored"


async def test_a_follow_that_nobody_answered_gives_nothing(network: Network) -> None:
    """Pixelfed CVE-2025-30741: only the followed actor can accept."""
    lyon, dakar, paul, pen = await scene(network)
    amina = await lyon.actor("amina", locked=True)
    await dakar.follow(paul, await dakar.find("amina@lyon.esn.test"))
    await network.settle()
    asked = next(row for row in await dakar.rows(follow) if row["state"] == "pending")
    document = {"id": asked["uri"], "type": "Follow", "object": (await lyon.row(amina))["uri"]}
    assert await pen.send(dakar, await pen.activity("Accept", document)) == 202
    await network.settle()
    assert [row["state"] for row in await dakar.rows(follow, id=asked["id"])] == ["pending"]
