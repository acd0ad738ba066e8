"""Groups of ours that pass posts on, groups elsewhere that do, and services: what travels in which form."""

from __future__ import annotations

import json
from typing import Any

from sqlalchemy import update

from esnfed.context import Context
from esnfed.models import activity, actor, counter, inbox_message, media_attachment, peer, status
from esnfed.vocab import parse
from esnfed.vocab.terms import PUBLIC
from tests.federation.network import LiveNode, Network
from tests.federation.peer import Document, Peer


async def circle(network: Network) -> tuple[LiveNode, int, LiveNode, int]:
    """Lyon with the group `sante`, Dakar with Paul who follows it."""
    lyon, dakar = await network.node("lyon"), await network.node("dakar")
    group, paul = await lyon.actor("sante", as_type="Group"), await dakar.actor("paul")
    await dakar.follow(paul, await dakar.find("sante@lyon.esn.test"))
    await network.settle()
    return lyon, group, dakar, paul


async def announced(live: LiveNode, group: int) -> list[Any]:
    """Return the objects of the Announces that a group sent."""
    rows = await live.rows(activity, as_type="Announce", actor_id=group)
    return [json.loads(row["body"])["object"] for row in rows]


async def test_a_group_accepts_followers_and_passes_on_what_one_of_them_addresses_to_it(
    network: Network,
) -> None:
    lyon, group, dakar, paul = await circle(network)
    oslo = await network.node("oslo")
    nora = await oslo.actor("nora")
    await oslo.follow(nora, await oslo.find("sante@lyon.esn.test"))
    await network.settle()
    assert (await lyon.row(group))["followers_count"] == 2
    there = await dakar.find("sante@lyon.esn.test")
    assert (await dakar.row(there))["as_type"] == "Group"
    post = await dakar.post(paul, "Qui mesure le bruit ?", mentions=[there])
    await network.settle()
    uri = (await dakar.one(status, id=post))["uri"]
    (boost,) = await oslo.home(nora)
    assert boost["as_type"] == "Announce"
    assert (await oslo.row(boost["actor_id"]))["handle"] == "sante"
    original = await oslo.status(uri)
    assert original is not None
    assert boost["boost_of_id"] == original["id"]
    assert original["content"] == "<p>Qui mesure le bruit ?</p>"
    assert await announced(lyon, group) == [uri]
    document = json.loads((await lyon.one(activity, as_type="Announce"))["body"])
    assert document["to"] == [PUBLIC]
    assert set(document["cc"]) == {(await lyon.row(group))["followers_uri"], (await dakar.row(paul))["uri"]}


async def test_a_post_of_the_groups_own_node_is_passed_on_too(network: Network) -> None:
    lyon, group, dakar, paul = await circle(network)
    amina = await lyon.actor("amina")
    await lyon.follow(amina, group)
    await lyon.post(amina, "Bonjour à tous", mentions=[group])
    await network.settle()
    (boost,) = await dakar.home(paul)
    assert (await dakar.one(status, id=boost["boost_of_id"]))["content"] == "<p>Bonjour à tous</p>"


async def test_what_is_not_public_or_not_by_a_follower_or_not_for_the_group_stays(network: Network) -> None:
    lyon, group, dakar, paul = await circle(network)
    awa = await dakar.actor("awa")
    there = await dakar.find("sante@lyon.esn.test")
    await dakar.post(awa, "Je ne suis pas membre", mentions=[there])
    await dakar.post(paul, "En privé", mentions=[there], visibility="direct")
    await dakar.post(paul, "Sans bruit", mentions=[there], visibility="unlisted")
    await dakar.post(paul, "Pas pour le groupe")
    await network.settle()
    assert await announced(lyon, group) == []


async def test_a_locked_group_asks_first(network: Network) -> None:
    lyon, dakar = await network.node("lyon"), await network.node("dakar")
    group, paul = await lyon.actor("bureau", as_type="Group", locked=True), await dakar.actor("paul")
    there = await dakar.find("bureau@lyon.esn.test")
    assert await dakar.follow(paul, there) == "pending"
    await dakar.post(paul, "Puis-je ?", mentions=[there])
    await network.settle()
    assert await announced(lyon, group) == []
    assert (await lyon.row(group))["followers_count"] == 0


async def lemmy(network: Network) -> tuple[Peer, Document]:
    """A server of communities, and somebody on it."""
    server = await Peer.start_in(network, "lemmy.esn.test")
    return server, server.actor("alice")


def _call_it(context: Context, host: str, software: str) -> None:
    context.connection.execute(update(peer).where(peer.c.host == host).values(software=software))


async def test_lemmy_gets_the_activity_and_mastodon_the_object_and_nobody_both(network: Network) -> None:
    lyon = await network.node("lyon")
    group = await lyon.actor("sante", as_type="Group")
    group_uri = (await lyon.row(group))["uri"]
    server, alice = await lemmy(network)
    microblog = await Peer.start_in(network, "mastodon.esn.test")
    tom = microblog.actor("tom")
    for side, follower in ((server, alice), (microblog, tom)):
        follow = side.activity(follower, "Follow", group_uri, to=[group_uri], cc=[])
        assert await side.post(lyon, follow) == 202
    await network.settle()
    await lyon.write(_call_it, "lemmy.esn.test", "lemmy")
    note = microblog.note(tom, "question", cc=[tom["followers"], group_uri], audience=group_uri)
    create = microblog.activity(tom, "Create", note)
    assert await microblog.post(lyon, create) == 202
    await network.settle()
    (to_lemmy,) = server.received("Announce")
    (to_mastodon,) = microblog.received("Announce")
    assert to_mastodon["object"] == note["id"]
    inner = {key: value for key, value in create.items() if key != "@context"}
    assert to_lemmy["object"] == inner
    assert (to_lemmy["actor"], to_lemmy["to"]) == (group_uri, [PUBLIC])


async def test_a_post_of_ours_goes_to_lemmy_inside_its_create(network: Network) -> None:
    lyon = await network.node("lyon")
    group, amina = await lyon.actor("sante", as_type="Group"), await lyon.actor("amina")
    group_uri = (await lyon.row(group))["uri"]
    server, alice = await lemmy(network)
    await server.post(lyon, server.activity(alice, "Follow", group_uri, to=[group_uri], cc=[]))
    await lyon.follow(amina, group)
    await network.settle()
    await lyon.write(_call_it, "lemmy.esn.test", "lemmy")
    post = await lyon.post(amina, "Bonjour", mentions=[group])
    await network.settle()
    (announce,) = server.received("Announce")
    assert announce["object"]["type"] == "Create"
    assert announce["object"]["object"]["id"] == (await lyon.one(status, id=post))["uri"]


async def community(network: Network) -> tuple[LiveNode, int, Peer, Document, Document]:
    """Dakar, where Paul follows a community of a Lemmy server on which Alice writes."""
    dakar = await network.node("dakar")
    paul = await dakar.actor("paul")
    server, alice = await lemmy(network)
    group = server.actor("ecole", type="Group")
    await dakar.follow(paul, await dakar.find("ecole@lemmy.esn.test"))
    await network.settle()
    (follow,) = server.received("Follow")
    await server.post(dakar, server.activity(group, "Accept", follow))
    await network.settle()
    return dakar, paul, server, group, alice


def community_page(server: Peer, author: Document, **changes: Any) -> Document:
    """Return a post as Lemmy has them."""
    return server.note(author, "page", type="Page", **changes) | {"name": "Titre"}


async def test_an_activity_inside_an_announce_is_believed_only_as_far_as_its_origin_says(
    network: Network,
) -> None:
    dakar, paul, server, group, alice = await community(network)
    page = server.serve(community_page(server, alice, content="<p>Vrai</p>"))
    forged = page | {"content": "<p>Faux</p>", "name": "Faux"}
    wrapped = server.activity(alice, "Create", forged)
    assert await server.post(dakar, server.activity(group, "Announce", wrapped)) == 202
    await network.settle()
    row = await dakar.status(page["id"])
    assert row is not None
    assert (row["title"], row["content"]) == ("Titre", "<p>Vrai</p>")
    assert (await dakar.row(row["actor_id"]))["handle"] == "alice"
    assert [boost["boost_of_id"] for boost in await dakar.home(paul)] == [row["id"]]
    assert (await dakar.one(peer, host="lemmy.esn.test"))["wraps_activities"]
    again = server.activity(group, "Announce", page["id"])
    assert await server.post(dakar, again) == 202  # Lemmy sends the object as well
    await network.settle()
    assert len(await dakar.home(paul)) == 1


async def test_an_activity_announced_by_its_id_alone_is_fetched_and_then_its_object(network: Network) -> None:
    dakar, paul, server, group, alice = await community(network)
    page = server.serve(community_page(server, alice))
    create = server.serve(server.activity(alice, "Create", page["id"]))
    assert await server.post(dakar, server.activity(group, "Announce", create["id"])) == 202
    await network.settle()
    assert [row["title"] for row in await dakar.rows(status, as_type="Page")] == ["Titre"]
    assert len(await dakar.home(paul)) == 1


async def test_a_comment_passed_on_joins_its_thread_and_nobodys_home(network: Network) -> None:
    dakar, paul, server, group, alice = await community(network)
    page = server.serve(community_page(server, alice))
    comment = server.serve(server.note(alice, "comment", inReplyTo=page["id"]))
    for document in (page, comment):
        wrapped = server.activity(alice, "Create", document)
        assert await server.post(dakar, server.activity(group, "Announce", wrapped)) == 202
        await network.settle()
    root, answer = await dakar.status(page["id"]), await dakar.status(comment["id"])
    assert root is not None
    assert answer is not None
    assert (answer["in_reply_to_id"], answer["thread_id"]) == (root["id"], root["id"])
    assert [boost["boost_of_id"] for boost in await dakar.home(paul)] == [root["id"]]


async def test_an_update_passed_on_fetches_the_post_anew(network: Network) -> None:
    dakar, _, server, group, alice = await community(network)
    page = server.serve(community_page(server, alice))
    await server.post(dakar, server.activity(group, "Announce", server.activity(alice, "Create", page)))
    await network.settle()
    network.advance(60_000)
    server.serve(page | {"name": "Corrigé", "updated": parse.iso(network.now())})
    forged = page | {"name": "Faux", "updated": parse.iso(network.now())}
    update_ = server.activity(alice, "Update", forged)
    assert await server.post(dakar, server.activity(group, "Announce", update_)) == 202
    await network.settle()
    (row,) = await dakar.rows(status, as_type="Page")
    assert row["title"] == "Corrigé"


async def test_other_activities_inside_an_announce_are_counted_and_change_nothing(network: Network) -> None:
    dakar, _, server, group, alice = await community(network)
    page = server.serve(community_page(server, alice))
    await server.post(dakar, server.activity(group, "Announce", server.activity(alice, "Create", page)))
    await network.settle()
    for as_type in ("Like", "Delete", "Undo"):
        wrapped = server.activity(alice, as_type, page["id"])
        assert await server.post(dakar, server.activity(group, "Announce", wrapped)) == 202
    await network.settle()
    counted = {(row["name"], row["key"]) for row in await dakar.rows(counter)}
    assert counted == {("unsupported-announce", as_type) for as_type in ("Like", "Delete", "Undo")}
    (row,) = await dakar.rows(status, as_type="Page")
    assert (row["deleted_at"], row["favourites_count"]) == (None, 0)
    assert [each["state"] for each in await dakar.rows(inbox_message)][-3:] == ["ignored"] * 3


async def test_a_group_cannot_speak_for_a_post_of_another_server(network: Network) -> None:
    dakar, paul, server, group, _ = await community(network)
    elsewhere = await Peer.start_in(network, "mastodon.esn.test")
    tom = elsewhere.actor("tom")
    invented = elsewhere.note(tom, "never")
    wrapped = elsewhere.activity(tom, "Create", invented)
    assert await server.post(dakar, server.activity(group, "Announce", wrapped)) == 202
    await network.settle()
    assert await dakar.status(invented["id"]) is None
    assert await dakar.home(paul) == []


async def test_a_service_is_made_and_travels_as_one(network: Network) -> None:
    lyon, dakar = await network.node("lyon"), await network.node("dakar")
    robot = await lyon.actor("agenda", as_type="Service")
    found = await dakar.row(await dakar.find("agenda@lyon.esn.test"))
    assert (found["as_type"], found["uri"]) == ("Service", (await lyon.row(robot))["uri"])
    paul = await dakar.actor("paul")
    await dakar.follow(paul, found["id"])
    await network.settle()
    await lyon.post(robot, "Demain : réunion")
    await network.settle()
    assert [row["content"] for row in await dakar.home(paul)] == ["<p>Demain : réunion</p>"]
    assert len(await dakar.rows(actor, as_type="Service")) == 1
    assert await dakar.rows(media_attachment) == []
