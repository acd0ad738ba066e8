"""What recurs under one id, who may update what, names that are another's, and farewells under a new key."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import pytest

from esnfed.errors import RemoteNonsense
from esnfed.federation.keys import generate_rsa, public_pem
from esnfed.models import actor, actor_key, follow, inbox_message, replay
from esnfed.vocab import parse
from esnfed.vocab.terms import ACTIVITY_JSON
from tests.conftest import MakeRuntime, Prepare
from tests.doubles.authority import Authority
from tests.doubles.server import Reply, document
from tests.federation.network import LiveNode, Network, open_network
from tests.federation.peer import JRD, PEM, Peer
from tests.federation.test_inbox import scene

Document = dict[str, Any]
SECOND = 1000


@pytest.fixture
async def network(
    runtime: MakeRuntime, prepare_sqlite: Prepare, authority: Authority
) -> AsyncIterator[Network]:
    """Live nodes on SQLite: nothing here depends on the back end."""
    async with open_network(runtime, prepare_sqlite, authority) as found:
        yield found


async def meet(network: Network) -> tuple[LiveNode, int, Peer, Document]:
    """Dakar with Paul; and a server on which Alice lives, whom he follows."""
    dakar = await network.node("dakar")
    paul = await dakar.actor("paul")
    peer = await Peer.start_in(network, "peer.esn.test")
    alice = peer.actor("alice")
    await dakar.follow(paul, await dakar.find("alice@peer.esn.test"))
    await network.settle()
    (asked,) = peer.received("Follow")
    await bring(network, dakar, peer, peer.activity(alice, "Accept", asked))
    return dakar, paul, peer, alice


async def bring(network: Network, dakar: LiveNode, peer: Peer, activity: Document, **how: Any) -> None:
    """Deliver an activity a second after the last, and let it have its effect."""
    network.advance(SECOND)
    assert await peer.post(dakar, activity, **how) == 202
    await network.settle()


async def note_of(dakar: LiveNode, uri: str) -> str:
    """What became of the newest message about an object."""
    rows = await dakar.rows(inbox_message)
    return str(next(row["note"] for row in reversed(rows) if uri.encode() in row["body"]))


async def row_of(dakar: LiveNode, document: Document) -> Any:
    return await dakar.one(actor, uri=document["id"])


# A repeat, and what is meant again


async def misskey(dakar: LiveNode, paul: int, peer: Peer, alice: Document) -> tuple[Document, Document]:
    """Alice's Follow of Paul and its Undo, both under the ids that they always have."""
    target = (await dakar.row(paul))["uri"]
    asked = peer.activity(alice, "Follow", target, id=f"{peer.origin}/follows/alice/paul")
    return asked, peer.activity(alice, "Undo", asked, id=f"{asked['id']}/undo")


async def test_follow_undo_and_follow_under_the_same_ids_ends_as_followed(network: Network) -> None:
    dakar, paul, peer, alice = await meet(network)
    asked, undone = await misskey(dakar, paul, peer, alice)
    followers = []
    for activity in (asked, undone, asked, undone, asked):
        await bring(network, dakar, peer, activity)
        followers.append(len(await dakar.rows(follow, target_id=paul)))
    assert followers == [1, 0, 1, 0, 1]


async def test_the_same_undo_also_ends_a_follow_with_a_new_id(network: Network) -> None:
    dakar, paul, peer, alice = await meet(network)
    asked, undone = await misskey(dakar, paul, peer, alice)
    for activity in (asked, undone, asked | {"id": f"{asked['id']}/2"}, undone):
        await bring(network, dakar, peer, activity)
    assert await dakar.rows(follow, target_id=paul) == []


async def test_the_same_request_again_is_answered_202_and_undoes_nothing(network: Network) -> None:
    _, dakar, paul, pen = await scene(network)
    target = (await dakar.row(paul))["uri"]
    asked = await pen.activity("Follow", target)
    undone = await pen.activity("Undo", asked)
    replayed = await pen.headers(dakar, parse.dump(undone))
    assert await pen.send(dakar, asked) == 202
    assert await pen.send(dakar, undone, headers=replayed) == 202
    await network.settle()
    network.advance(SECOND)
    assert await pen.send(dakar, asked) == 202
    await network.settle()
    seen, stored = len(await dakar.rows(replay)), len(await dakar.rows(inbox_message))
    assert await pen.send(dakar, undone, headers=replayed) == 202
    await network.settle()
    assert len(await dakar.rows(follow, target_id=paul)) == 1
    assert (len(await dakar.rows(replay)), len(await dakar.rows(inbox_message))) == (seen, stored)


async def test_what_carries_a_proof_counts_once_whoever_signs_the_request(network: Network) -> None:
    """Anybody can bring it again under a signature of their own."""
    dakar, paul, peer, alice = await meet(network)
    asked, undone = await misskey(dakar, paul, peer, alice)
    proof = {"type": "DataIntegrityProof", "cryptosuite": "unknown-here"}
    for activity in (asked | {"proof": proof}, undone, asked | {"proof": proof}):
        await bring(network, dakar, peer, activity)
    assert await dakar.rows(follow, target_id=paul) == []


# Who updates a post


async def test_a_neighbour_who_names_itself_as_an_author_changes_nothing(network: Network) -> None:
    dakar, paul, peer, alice = await meet(network)
    bob = peer.actor("bob")
    note = peer.serve(peer.note(alice, "un"))
    await bring(network, dakar, peer, peer.activity(alice, "Create", note))
    network.advance(SECOND)
    both = [alice["id"], bob["id"]]
    forged = note | {"content": "<p>faux</p>", "attributedTo": both, "updated": parse.iso(network.now())}
    await bring(network, dakar, peer, peer.activity(bob, "Update", forged))
    assert [row["content"] for row in await dakar.home(paul)] == ["<p>un</p>"]
    assert await note_of(dakar, "faux") == "Only its author can update a post."


async def test_of_an_author_beside_the_first_only_what_the_origin_serves_counts(network: Network) -> None:
    dakar, paul, peer, alice = await meet(network)
    bob = peer.actor("bob")
    note = peer.note(alice, "un", attributedTo=[alice["id"], bob["id"]])
    await bring(network, dakar, peer, peer.activity(alice, "Create", note))
    network.advance(SECOND)
    newer = note | {"updated": parse.iso(network.now())}
    peer.serve(newer | {"content": "<p>deux</p>"})
    await bring(network, dakar, peer, peer.activity(bob, "Update", newer | {"content": "<p>faux</p>"}))
    assert [row["content"] for row in await dakar.home(paul)] == ["<p>deux</p>"]


async def test_what_the_origin_serves_under_another_id_does_not_change_the_post(network: Network) -> None:
    dakar, paul, peer, alice = await meet(network)
    bob = peer.actor("bob")
    note = peer.note(alice, "un")
    await bring(network, dakar, peer, peer.activity(alice, "Create", note))
    network.advance(SECOND)
    both = [alice["id"], bob["id"]]
    other = peer.note(alice, "deux", attributedTo=both, updated=parse.iso(network.now()))
    peer.serve(other)
    peer.serve(other, note["id"].removeprefix(peer.origin))
    await bring(network, dakar, peer, peer.activity(bob, "Update", note | {"attributedTo": both}))
    assert [row["content"] for row in await dakar.home(paul)] == ["<p>un</p>"]


async def test_for_a_stranger_nothing_is_fetched(network: Network) -> None:
    dakar, _, peer, alice = await meet(network)
    note = peer.serve(peer.note(alice, "un"))
    await bring(network, dakar, peer, peer.activity(alice, "Create", note))
    evil = await Peer.start_in(network, "evil.esn.test")
    await bring(network, dakar, evil, evil.activity(evil.actor("eve"), "Update", note))
    assert "/notes/un" not in [seen.target for seen in peer.seen]
    assert await note_of(dakar, "eve") == "Only its author can update a post."


# Profiles: older versions, and new names


async def test_an_older_profile_brings_back_neither_its_words_nor_its_keys(network: Network) -> None:
    dakar, _, peer, alice = await meet(network)
    network.advance(60 * SECOND)
    old, new = parse.iso(network.now() - 20 * SECOND), parse.iso(network.now() - 10 * SECOND)
    kept = f"{alice['id']}#main-key"
    lost = {"id": f"{alice['id']}#lost", "owner": alice["id"], "publicKeyPem": public_pem(generate_rsa()[0])}
    newer = alice | {"name": "Neuve", "updated": new}
    older = alice | {"name": "Ancienne", "updated": old, "publicKey": [alice["publicKey"], lost]}
    await bring(network, dakar, peer, peer.activity(alice, "Update", newer))
    await bring(network, dakar, peer, peer.activity(alice, "Update", older))
    row = await row_of(dakar, alice)
    assert row["name"] == "Neuve"
    assert [key["uri"] for key in await dakar.rows(actor_key, actor_id=row["id"])] == [kept]
    assert await note_of(dakar, "Ancienne") == "A newer version of this actor is here."
    await bring(network, dakar, peer, peer.activity(alice, "Update", newer | {"name": "Même heure"}))
    assert (await row_of(dakar, alice))["name"] == "Même heure"


async def test_what_the_origin_serves_counts_whatever_its_date(network: Network) -> None:
    dakar, _, peer, alice = await meet(network)
    network.advance(60 * SECOND)
    old = parse.iso(network.now() - 3600 * SECOND)
    peer.serve(alice | {"name": "Servie", "updated": old})
    await bring(network, dakar, peer, peer.activity(alice, "Update", alice["id"]))
    assert (await row_of(dakar, alice))["name"] == "Servie"


async def test_the_profile_that_follows_a_move_is_not_taken_for_an_older_one(network: Network) -> None:
    dakar, _, peer, alice = await meet(network)
    new = peer.actor("nouvelle", alsoKnownAs=[alice["id"]])
    network.advance(60 * SECOND)
    left = alice | {"movedTo": new["id"], "name": "Partie", "updated": parse.iso(network.now())}
    peer.serve(left | {"name": "Alice"})
    await bring(network, dakar, peer, peer.activity(alice, "Move", alice["id"], target=new["id"]))
    assert (await row_of(dakar, alice))["moved_at"] is not None
    await bring(network, dakar, peer, peer.activity(alice, "Update", left))
    assert (await row_of(dakar, alice))["name"] == "Partie"


async def test_a_new_name_that_cannot_be_confirmed_is_not_taken(network: Network) -> None:
    dakar, _, peer, alice = await meet(network)
    peer.answers[f"/users/{alice['preferredUsername']}"] = Reply(404)
    renamed = alice | {"preferredUsername": "president", "name": "La présidente"}
    await bring(network, dakar, peer, peer.activity(alice, "Update", renamed))
    row = await row_of(dakar, alice)
    assert (row["handle"], row["name"]) == ("alice", "")
    assert await note_of(dakar, "president") == "The new name of the actor could not be confirmed."


# Names


async def test_an_actor_whose_name_is_anothers_is_refused(network: Network) -> None:
    dakar, _, peer, alice = await meet(network)
    claimant = peer.actor("claimant") | {"preferredUsername": "alice"}
    peer.serve(claimant)
    with pytest.raises(RemoteNonsense):
        await dakar.find(claimant["id"])
    assert await dakar.rows(actor, uri=claimant["id"]) == []
    assert (await dakar.row(await dakar.find("alice@peer.esn.test")))["uri"] == alice["id"]


@pytest.mark.parametrize("status", [404, 503])
async def test_an_actor_whose_webfinger_does_not_answer_is_known_by_its_host(
    network: Network, status: int
) -> None:
    dakar, _, peer, _ = await meet(network)
    quiet = peer.actor("quiet")
    peer.answers["/.well-known/webfinger?resource=acct:quiet@peer.esn.test"] = Reply(status)
    found = await dakar.row(await dakar.find(quiet["id"]))
    assert (found["handle"], found["domain"]) == ("quiet", "peer.esn.test")


async def test_a_person_and_a_community_of_one_name_are_both_found(network: Network) -> None:
    """Lemmy answers WebFinger with both."""
    dakar, _, peer, alice = await meet(network)
    group = peer.actor("ecole", type="Group") | {"preferredUsername": "alice"}
    peer.serve(group)
    links = [{"rel": "self", "type": ACTIVITY_JSON, "href": one["id"]} for one in (alice, group)]
    account = "acct:alice@peer.esn.test"
    answer = document({"subject": account, "links": links}, JRD)
    peer.answers[f"/.well-known/webfinger?resource={account}"] = answer
    found = await dakar.row(await dakar.find(group["id"]))
    assert (found["handle"], found["domain"], found["uri"]) == ("alice", "peer.esn.test", group["id"])


async def test_of_two_actors_of_one_name_the_one_fetched_last_is_meant(network: Network) -> None:
    dakar, _, peer, _ = await meet(network)
    network.advance(SECOND)
    heir = peer.serve(peer.actor("heir") | {"preferredUsername": "alice"})
    peer.finger("alice", heir["id"])
    assert (await dakar.row(await dakar.find(heir["id"])))["handle"] == "alice"
    assert (await dakar.row(await dakar.find("alice@peer.esn.test")))["uri"] == heir["id"]


# A farewell under a new key


async def test_a_known_actor_with_a_new_key_can_delete_itself(network: Network) -> None:
    dakar, _, peer, alice = await meet(network)
    fresh = f"{alice['id']}#new-key"
    key = {"id": fresh, "owner": alice["id"], "publicKeyPem": PEM}
    peer.serve(alice | {"publicKey": key})
    await bring(network, dakar, peer, peer.activity(alice, "Delete", alice["id"]), key_uri=fresh)
    assert (await row_of(dakar, alice))["deleted_at"] is not None
