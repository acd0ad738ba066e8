"""New keys between two live nodes: announced with the old one, then used; what was lost is fetched again."""

from __future__ import annotations

from typing import Any

import pytest
from sqlalchemy import delete

from esnfed.errors import Refused
from esnfed.federation.keys import load_private
from esnfed.federation.signatures import Signer
from esnfed.models import activity, actor_key, delivery, inbox_message, node, status
from esnfed.objects import actor as actor_object
from esnfed.services import actors, keys
from tests.federation.network import LiveNode, Network
from tests.federation.test_inbox import Forger
from tests.federation.test_two_nodes import pair


async def rotate(live: LiveNode, actor_id: int) -> list[str]:
    """Give an actor new keys; return their addresses."""
    made = live.keys()
    found: list[str] = await live.write(
        lambda context: keys.rotate(context, actors.by_id(context, actor_id), made)
    )
    return found


async def document(live: LiveNode, actor_id: int) -> dict[str, Any]:
    """The actor as it is served."""
    found: dict[str, Any] = await live.read(
        lambda context: actor_object.to_document(context, actors.by_id(context, actor_id))
    )
    return found


def posts_to(live: LiveNode, seen: list[tuple[str, str]]) -> None:
    """Note (type, key id) of every activity that a node proves from here on."""
    inbox = live.node.inbox
    accept = inbox.accept

    async def noting(request: Any) -> None:
        await accept(request)
        seen.append((request.body.split(b'"type":"')[1].split(b'"')[0].decode(), request.signature.key_uri))

    inbox.accept = noting  # type: ignore[method-assign]


async def test_the_update_is_signed_with_the_old_key_and_the_rest_with_the_new_one(network: Network) -> None:
    lyon, amina, dakar, paul = await pair(network)
    seen: list[tuple[str, str]] = []
    posts_to(dakar, seen)
    uri = (await lyon.row(amina))["uri"]
    assert await rotate(lyon, amina) == [f"{uri}#main-key-2", f"{uri}#ed25519-key-2"]
    await network.settle()
    await lyon.post(amina, "Nouvelle clé")
    await network.settle()
    assert seen == [("Update", f"{uri}#main-key"), ("Create", f"{uri}#main-key-2")]
    assert [row["content"] for row in await dakar.home(paul)] == ["<p>Nouvelle clé</p>"]
    there = await dakar.find("amina@lyon.esn.test")
    known = {row["uri"]: row["retired_at"] for row in await dakar.rows(actor_key, actor_id=there)}
    assert known[f"{uri}#main-key"] is not None
    assert known[f"{uri}#main-key-2"] is None
    assert known[f"{uri}#ed25519-key"] is None


async def test_both_nodes_rotate_and_go_on_talking(network: Network) -> None:
    lyon, amina, dakar, paul = await pair(network)
    await lyon.follow(amina, await lyon.find("paul@dakar.esn.test"))
    await network.settle()
    for live, actor_id in ((lyon, amina), (dakar, paul), (lyon, amina)):
        await rotate(live, actor_id)
        await network.settle()
    await lyon.post(amina, "Un")
    await dakar.post(paul, "Deux")
    await network.settle()
    assert "<p>Un</p>" in [row["content"] for row in await dakar.home(paul)]
    assert "<p>Deux</p>" in [row["content"] for row in await lyon.home(amina)]
    assert {row["state"] for row in await lyon.rows(delivery)} == {"delivered"}
    assert (await document(lyon, amina))["publicKey"]["id"].endswith("#main-key-3")


async def test_old_keys_are_served_beside_the_new_until_they_are_retired(network: Network) -> None:
    lyon, amina, dakar, paul = await pair(network)
    uri = (await lyon.row(amina))["uri"]
    await rotate(lyon, amina)
    await network.settle()
    shown = await document(lyon, amina)
    assert shown["publicKey"]["id"] == f"{uri}#main-key-2"
    assert [key["id"] for key in shown["assertionMethod"]] == [f"{uri}#ed25519-key-2", f"{uri}#ed25519-key"]
    network.advance(keys.GRACE - 1000)
    assert await lyon.write(keys.retire, None) is None
    network.advance(2000)
    assert await lyon.write(keys.retire, None)
    assert await lyon.write(keys.retire, None) is None
    shown = await document(lyon, amina)
    assert [key["id"] for key in shown["assertionMethod"]] == [f"{uri}#ed25519-key-2"]
    old = await lyon.one(actor_key, uri=f"{uri}#main-key")
    assert old["private_der"] is None
    assert (await lyon.one(actor_key, uri=f"{uri}#main-key-2"))["private_der"] is not None
    await lyon.post(amina, "Toujours là")
    await network.settle()
    assert len(await dakar.home(paul)) == 1


async def test_what_was_queued_before_the_rotation_still_arrives(network: Network) -> None:
    lyon, amina, dakar, paul = await pair(network)
    await lyon.post(amina, "Avant")
    await rotate(lyon, amina)
    await lyon.post(amina, "Après")
    await network.settle()
    assert {row["content"] for row in await dakar.home(paul)} == {"<p>Avant</p>", "<p>Après</p>"}
    network.advance(3 * 3600 * 1000)
    await network.settle()
    assert {row["state"] for row in await lyon.rows(delivery)} == {"delivered"}


async def test_an_update_that_comes_too_late_for_the_old_key_is_sent_with_the_new_one(
    network: Network,
) -> None:
    lyon, amina, dakar, _paul = await pair(network)
    await rotate(lyon, amina)
    update = await lyon.one(activity, as_type="Update")
    waiting = await lyon.one(delivery, activity_id=update["id"])
    # Something with the new key is there first: Dakar fetches Amina anew and forgets the old key.
    pen = NewestPen(network, lyon, amina)
    assert await pen.send(dakar, await pen.activity("Create", await pen.note("tôt"))) == 202
    await network.settle()
    network.advance(60_000)
    await network.settle()
    network.advance(3600_000)
    await network.settle()
    waiting = await lyon.one(delivery, id=waiting["id"])
    assert (waiting["state"], waiting["attempts"]) == ("delivered", 2)


class NewestPen(Forger):
    """Signs with the newest RSA key of its actor."""

    async def signer(self) -> Any:
        from_rows = [
            row
            for row in await self._home.rows(actor_key, actor_id=self._actor_id, kind="rsa")
            if row["superseded_at"] is None
        ]
        return await self._signer_of(from_rows[0])

    async def _signer_of(self, row: Any) -> Any:
        return Signer(row["uri"], load_private(row["private_der"]))


async def test_a_lost_key_is_replaced_and_found_by_fetching_the_actor_again(network: Network) -> None:
    lyon, amina, dakar, paul = await pair(network)
    await lyon.write(
        lambda context: context.connection.execute(delete(actor_key).where(actor_key.c.actor_id == amina))
    )
    uris = await rotate(lyon, amina)
    assert uris[0].endswith("#main-key")
    assert (await lyon.one(activity, as_type="Update"))["key_id"] is None
    await lyon.post(amina, "Retrouvée")
    await network.settle()
    network.advance(3600_000)
    await network.settle()
    assert [row["content"] for row in await dakar.home(paul)] == ["<p>Retrouvée</p>"]
    assert {row["state"] for row in await lyon.rows(delivery)} == {"delivered"}


async def test_a_stolen_old_key_signs_nothing_once_the_update_is_there(network: Network) -> None:
    lyon, amina, dakar, paul = await pair(network)
    old = await lyon.one(actor_key, actor_id=amina, kind="rsa")
    await rotate(lyon, amina)
    await network.settle()

    class Thief(NewestPen):
        async def signer(self) -> Any:
            return await self._signer_of(old)

    pen = Thief(network, lyon, amina)
    assert await pen.send(dakar, await pen.activity("Create", await pen.note("faux"))) == 401
    assert await dakar.rows(status) == []
    assert await dakar.rows(inbox_message, as_type="Create") == []
    assert await dakar.home(paul) == []


async def test_the_node_actor_gets_a_new_key_and_fetches_with_it(network: Network) -> None:
    lyon, dakar = await network.node("lyon"), await network.node("dakar")
    await dakar.actor("paul")
    relay = (await lyon.one(node))["actor_id"]
    assert (await rotate(lyon, relay))[0] == "https://lyon.esn.test/relay#main-key-2"
    assert lyon.node.signer.stale
    await lyon.node.refresh_signer()
    signer = lyon.node.signer()
    assert signer is not None
    assert signer.key_uri == "https://lyon.esn.test/relay#main-key-2"
    await lyon.find("paul@dakar.esn.test")


async def test_a_deleted_or_remote_actor_gets_no_new_keys(network: Network) -> None:
    lyon, amina, dakar, _ = await pair(network)
    with pytest.raises(Refused):
        await rotate(dakar, await dakar.find("amina@lyon.esn.test"))
    await lyon.delete_actor(amina)
    with pytest.raises(Refused):
        await rotate(lyon, amina)
