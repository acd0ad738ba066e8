"""Three live nodes: who gets what, records on every board, and names that are not the web address."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import pytest

from esnfed.models import delivery, follow, inbox_message, record, status
from esnfed.records import operations, service
from tests.federation.network import LiveNode, Network
from tests.unit.records.sheets import SECRETS, call, project


@dataclass(frozen=True)
class Three:
    """Lyon with Amina; Dakar with Paul and Quito with Luz, who both follow her."""

    lyon: LiveNode
    amina: int
    dakar: LiveNode
    paul: int
    quito: LiveNode
    luz: int

    @property
    def others(self) -> tuple[tuple[LiveNode, int], ...]:
        return (self.dakar, self.paul), (self.quito, self.luz)


async def three(network: Network, as_type: str = "Person", **settings: Any) -> Three:
    lyon, dakar, quito = [await network.node(name) for name in ("lyon", "dakar", "quito")]
    amina = await lyon.actor("amina", as_type, **settings)
    paul, luz = await dakar.actor("paul"), await quito.actor("luz")
    await dakar.follow(paul, await dakar.find("amina@lyon.esn.test"))
    await quito.follow(luz, await quito.find("@amina@lyon.esn.test"))
    await network.settle()
    return Three(lyon, amina, dakar, paul, quito, luz)


def contents(rows: list[Any]) -> list[str]:
    return [row["content"] for row in rows]


async def test_a_post_arrives_once_on_every_node_of_a_follower(network: Network) -> None:
    made = await three(network)
    again = await made.dakar.actor("awa")
    await made.dakar.follow(again, await made.dakar.find("amina@lyon.esn.test"))
    await network.settle()
    post = await made.lyon.post(made.amina, "Bonjour à tous")
    assert len(await made.lyon.rows(delivery, as_type="Create")) == 2  # one shared inbox per node
    await network.settle()
    uri = (await made.lyon.one(status, id=post))["uri"]
    for node, reader in (*made.others, (made.dakar, again)):
        assert contents(await node.home(reader)) == ["<p>Bonjour à tous</p>"]
        assert len(await node.rows(status, uri=uri)) == 1
        assert len(await node.rows(inbox_message, as_type="Create")) == 1


async def test_a_reply_reaches_the_author_and_the_readers_of_both_and_nobody_else(network: Network) -> None:
    made = await three(network)
    await made.dakar.follow(made.paul, await made.dakar.find("luz@quito.esn.test"))
    post = await made.lyon.post(made.amina, "Question")
    await network.settle()
    there = (await made.quito.home(made.luz))[0]["id"]
    network.advance(1000)
    reply = await made.quito.post(made.luz, "Respuesta", in_reply_to_id=there)
    await network.settle()
    original = await made.lyon.one(status, id=post)
    uri = (await made.quito.one(status, id=reply))["uri"]
    on_lyon, on_dakar = await made.lyon.one(status, uri=uri), await made.dakar.one(status, uri=uri)
    assert (original["replies_count"], on_lyon["thread_id"]) == (1, post)
    assert on_lyon["context_uri"] == original["context_uri"]
    # Paul follows both ends of the conversation, so it is on his home; it hangs below the question.
    assert contents(await made.dakar.home(made.paul)) == ["<p>Respuesta</p>", "<p>Question</p>"]
    assert on_dakar["in_reply_to_uri"] == original["uri"]
    assert on_dakar["thread_id"] == (await made.dakar.one(status, uri=original["uri"]))["id"]


async def test_a_reply_whose_writer_nobody_follows_stays_between_the_two(network: Network) -> None:
    made = await three(network)
    await made.lyon.post(made.amina, "Question")
    await network.settle()
    there = (await made.quito.home(made.luz))[0]["id"]
    await made.quito.post(made.luz, "Respuesta", in_reply_to_id=there)
    await network.settle()
    assert set(contents(await made.lyon.rows(status))) == {"<p>Question</p>", "<p>Respuesta</p>"}
    assert contents(await made.dakar.rows(status)) == ["<p>Question</p>"]


async def test_a_reply_that_arrives_before_its_question_finds_its_place(network: Network) -> None:
    made = await three(network)
    await made.dakar.follow(made.paul, await made.dakar.find("luz@quito.esn.test"))
    await network.settle()
    post = await made.lyon.post(made.amina, "Question")
    uri = (await made.lyon.one(status, id=post))["uri"]
    await made.lyon.node.delivery_worker.step()
    await network.settle(made.quito)
    there = (await made.quito.home(made.luz))[0]["id"]
    await made.dakar.write(_forget_messages)  # Dakar has not got the question
    reply = await made.quito.post(made.luz, "Respuesta", in_reply_to_id=there)
    await made.quito.node.delivery_worker.drain()
    await made.dakar.node.inbox_worker.step()  # and no errand has yet been run to fetch the question
    on_dakar = await made.dakar.one(status, uri=(await made.quito.one(status, id=reply))["uri"])
    assert (on_dakar["in_reply_to_id"], on_dakar["in_reply_to_uri"]) == (None, uri)
    network.advance(1000)
    await made.lyon.revise(made.amina, post, "Question ?")
    await network.settle()
    question = await made.dakar.one(status, uri=uri)
    on_dakar = await made.dakar.one(status, id=on_dakar["id"])
    assert (on_dakar["in_reply_to_id"], on_dakar["thread_id"]) == (question["id"], question["thread_id"])
    assert question["replies_count"] == 1


def _forget_messages(context: Any) -> None:
    context.connection.execute(inbox_message.delete().where(inbox_message.c.as_type == "Create"))


async def test_a_boost_is_seen_by_the_readers_of_who_boosted(network: Network) -> None:
    made = await three(network)
    await made.dakar.follow(made.paul, await made.dakar.find("luz@quito.esn.test"))
    await network.settle()
    post = await made.lyon.post(made.amina, "À faire circuler")
    await network.settle()
    network.advance(1000)
    boost = await made.quito.interact("boost", made.luz, (await made.quito.home(made.luz))[0]["id"])
    await network.settle()
    home = await made.dakar.home(made.paul)
    uri = (await made.lyon.one(status, id=post))["uri"]
    original = await made.dakar.one(status, uri=uri)
    assert [row["as_type"] for row in home] == ["Announce", "Note"]
    assert home[0]["boost_of_id"] == original["id"]
    assert home[0]["uri"] == (await made.quito.one(status, id=boost))["uri"]
    for node in (made.lyon, made.dakar, made.quito):
        assert (await node.one(status, uri=uri))["boosts_count"] == 1
    there = (await made.quito.one(status, uri=uri))["id"]
    assert await made.quito.interact("unboost", made.luz, there)
    await network.settle()
    for node in (made.lyon, made.dakar, made.quito):
        assert (await node.one(status, uri=uri))["boosts_count"] == 0
        assert await node.rows(status, as_type="Announce") == []


@pytest.mark.parametrize("visibility", ["followers", "direct"])
async def test_what_is_not_public_never_reaches_a_node_without_a_reader(
    network: Network, visibility: Any
) -> None:
    made = await three(network)
    await made.quito.unfollow(made.luz, await made.quito.find("amina@lyon.esn.test"))
    await network.settle()
    named = await made.lyon.find("paul@dakar.esn.test")
    post = await made.lyon.post(made.amina, "Entre nous", visibility=visibility, mentions=[named])
    network.advance(1000)
    await network.settle()
    there = await made.dakar.one(status)
    await made.dakar.post(made.paul, "Oui", visibility=visibility, in_reply_to_id=there["id"])
    await network.settle()
    await made.lyon.remove(made.amina, post)
    await network.settle()
    assert (there["content"], there["visibility"]) == ("<p>Entre nous</p>", visibility)
    assert await made.quito.rows(status) == []
    hosts = {row["host"] for row in await made.lyon.rows(delivery) if row["as_type"] in ("Create", "Delete")}
    assert hosts == {"dakar.esn.test"}


@pytest.mark.parametrize(("kind", "sheet"), [("project", project()), ("call", call())])
async def test_a_record_stands_on_every_board_and_its_changes_travel(
    network: Network, kind: str, sheet: dict[str, Any]
) -> None:
    made = await three(network, "Organization", discoverable=True, indexable=True)
    shown = await operations.announce(made.lyon.node, owner="amina", kind=kind, sheet=sheet)
    record_id = int(shown["id"])
    await network.settle()
    for node, reader in made.others:
        entry = (await board(node, kind))[0]
        assert (entry["title"], entry["node"]) == (shown["title"], "lyon.esn.test")
        assert shown["title"]["fr"] in (await node.home(reader))[0]["content"]
        stored = repr(await node.rows(record)) + repr(await node.rows(inbox_message))
        assert not [secret for secret in SECRETS if secret in stored]
    network.advance(1000)
    changed = {"title": sheet["title"] | {"fr": "Un autre titre"}}
    await operations.update(made.lyon.node, record_id=record_id, changes=changed)
    await network.settle()
    for node, reader in made.others:
        assert [entry["title"]["fr"] for entry in await board(node, kind)] == ["Un autre titre"]
        assert "Un autre titre" in (await node.home(reader))[0]["content"]
    network.advance(1000)
    await operations.close(made.lyon.node, record_id=record_id)
    await network.settle()
    for node, _ in made.others:
        assert (await node.one(record))["closed_at"] == network.nodes[0].node.runtime.clock()
    await made.lyon.write(service.delete, made.amina, record_id)
    await network.settle()
    for node, reader in made.others:
        assert await board(node, kind) == []
        assert await node.home(reader) == []
        assert (await node.one(record))["sheet"] == {}


async def board(node: LiveNode, kind: str) -> list[dict[str, Any]]:
    shown: list[dict[str, Any]] = await node.read(operations.list_records, [("kind", kind)])
    return shown


async def test_a_record_is_boosted_onto_a_third_board(network: Network) -> None:
    made = await three(network)
    union = await made.dakar.actor("sne", "Organization", discoverable=True, indexable=True)
    await made.lyon.follow(made.amina, await made.lyon.find("sne@dakar.esn.test"))
    await network.settle()
    plan = await made.dakar.read(service.prepare_announcement, union, "project", project())
    await made.dakar.write(service.apply_announcement, plan)
    await network.settle()
    assert await board(made.quito, "project") == []
    await made.lyon.interact("boost", made.amina, (await made.lyon.home(made.amina))[0]["id"])
    await network.settle()
    assert [entry["node"] for entry in await board(made.quito, "project")] == ["dakar.esn.test"]


async def test_handles_under_a_domain_of_their_own_federate_in_both_directions(network: Network) -> None:
    mutual = await network.node("web", domain="web.mutual.esn.test", account_domain="mutual.esn.test")
    dakar = await network.node("dakar")
    ines, paul = await mutual.actor("ines"), await dakar.actor("paul")
    by_account = await dakar.find("ines@mutual.esn.test")
    assert await dakar.find("@Ines@web.mutual.esn.test") == by_account
    row = await dakar.row(by_account)
    assert (row["handle"], row["domain"], row["host"]) == ("ines", "mutual.esn.test", "web.mutual.esn.test")
    assert await dakar.follow(paul, by_account) == "pending"
    await mutual.follow(ines, await mutual.find("paul@dakar.esn.test"))
    await network.settle()
    assert {row["state"] for row in await dakar.rows(follow)} == {"accepted"}
    named = await dakar.find("ines@mutual.esn.test")
    await mutual.post(ines, "Bonjour")
    await dakar.post(paul, "Salut", mentions=[named])
    await network.settle()
    assert "<p>Bonjour</p>" in contents(await dakar.home(paul))
    assert "<p>Salut</p>" in contents(await mutual.home(ines))
    [sent] = await dakar.rows(delivery, as_type="Create")
    assert sent["host"] == "web.mutual.esn.test"


async def test_a_domain_in_another_alphabet_is_one_host_in_every_spelling(network: Network) -> None:
    ecole = await network.node("ecole", domain="xn--cole-9oa.esn.test")
    dakar = await network.node("dakar")
    await ecole.actor("amina")
    paul = await dakar.actor("paul")
    known = await dakar.find("amina@école.esn.test")
    for spelling in ("amina@ÉCOLE.esn.test", "@Amina@xn--cole-9oa.esn.test", "acct:amina@École.ESN.test."):
        assert await dakar.find(spelling) == known
    assert (await dakar.row(known))["domain"] == "xn--cole-9oa.esn.test"
    await dakar.follow(paul, known)
    await network.settle()
    assert (await dakar.one(follow))["state"] == "accepted"
    assert len(await dakar.rows(follow)) == 1
