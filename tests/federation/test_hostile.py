"""A hostile peer (federation.md C1): whatever it claims to be or to own, only its own things change."""

from __future__ import annotations

import base64
import hmac
import json
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any

import pytest
from sqlalchemy import Table

from esnfed.errors import RemoteError, RemoteNonsense
from esnfed.models import actor_key, favourite, follow, inbox_message, notification, status, tombstone
from esnfed.vocab.terms import PUBLIC
from tests.conftest import MakeRuntime, Prepare
from tests.doubles.authority import Authority
from tests.doubles.server import Reply, document, redirect
from tests.federation.network import LiveNode, Network, open_network
from tests.federation.peer import PEM, Document, Peer


@pytest.fixture
async def network(
    runtime: MakeRuntime, prepare_sqlite: Prepare, authority: Authority
) -> AsyncIterator[Network]:
    """Live nodes on SQLite: what is refused never reaches a statement that could differ."""
    async with open_network(runtime, prepare_sqlite, authority) as found:
        yield found


@dataclass(frozen=True)
class Scene:
    """Dakar with Paul, who follows the honest Amina of Lyon and Mallory of the evil peer."""

    network: Network
    lyon: LiveNode
    amina: int
    dakar: LiveNode
    paul: int
    evil: Peer
    mallory: Document

    async def uri(self, node: LiveNode, actor_id: int) -> str:
        return str((await node.row(actor_id))["uri"])

    async def send(self, *activities: Document, status: int = 202) -> None:
        """Post each to Dakar with Mallory's signature, and let Dakar deal with them."""
        for activity in activities:
            found = await self.evil.post(self.dakar, activity, key_uri=self.mallory["publicKey"]["id"])
            assert found == status, activity
        await self.network.settle()

    async def notes(self) -> list[str]:
        """What each message came to, those without effect only."""
        return [row["note"] for row in await self.dakar.rows(inbox_message, state="ignored")]


@pytest.fixture
async def scene(network: Network) -> Scene:
    lyon, dakar = await network.node("lyon"), await network.node("dakar")
    amina, paul = await lyon.actor("amina"), await dakar.actor("paul")
    evil = await Peer.start_in(network, "evil.esn.test")
    mallory = evil.actor("mallory")
    await dakar.follow(paul, await dakar.find("amina@lyon.esn.test"))
    await dakar.follow(paul, await dakar.find("mallory@evil.esn.test"))
    await network.settle()
    made = Scene(network, lyon, amina, dakar, paul, evil, mallory)
    [asked] = evil.received("Follow")
    await made.send(evil.activity(mallory, "Accept", asked))
    assert {row["state"] for row in await dakar.rows(follow)} == {"accepted"}
    return made


async def snapshot(node: LiveNode, *tables: Table) -> str:
    return repr([await node.rows(table) for table in tables])


async def test_the_scene_lets_an_honest_note_through(scene: Scene) -> None:
    """Else every refusal below would prove nothing."""
    await scene.send(scene.evil.activity(scene.mallory, "Create", scene.evil.note(scene.mallory, "un")))
    assert [row["content"] for row in await scene.dakar.home(scene.paul)] == ["<p>un</p>"]


@pytest.mark.parametrize(
    "changes",
    [
        {"id": "https://lyon.esn.test/notes/1"},
        {"id": "https://evil.esn.test:8443/notes/1"},
        {"id": "http://evil.esn.test/notes/1"},
        {"id": "https://evil.esn.test@lyon.esn.test/notes/1"},
        {"id": "https://evil.esn.test\\@lyon.esn.test/notes/1"},
        {"id": "https://ｅvil.esn.test/notes/1"},
        {"id": "https://dakar.esn.test/ap/objects/1"},
        {"id": ["https://lyon.esn.test/notes/1", "https://evil.esn.test/notes/1"]},
        {"id": None},
        {"id": 1},
        {"attributedTo": "$amina"},
        {"attributedTo": "$paul"},
        {"attributedTo": 1},
        {"attributedTo": None},
        {"attributedTo": []},
        {"attributedTo": {"id": "$amina"}},
        {"attributedTo": "https://evil.esn.test/users/other"},
    ],
)
async def test_a_note_that_is_not_its_senders_is_not_kept(scene: Scene, changes: dict[str, Any]) -> None:
    known = {
        "$amina": await scene.uri(scene.lyon, scene.amina),
        "$paul": await scene.uri(scene.dakar, scene.paul),
    }
    for old, new in known.items():
        changes = json.loads(json.dumps(changes).replace(old, new))
    note = scene.evil.note(scene.mallory, "faux") | changes
    await scene.send(
        scene.evil.activity(scene.mallory, "Create", note), scene.evil.activity(scene.mallory, "Update", note)
    )
    assert await scene.dakar.rows(status) == []
    assert len(await scene.notes()) == 2


async def test_an_activity_lives_where_its_actor_lives(scene: Scene) -> None:
    note = scene.evil.note(scene.mallory, "faux")
    for uri in (
        "https://lyon.esn.test/1",
        "https://dakar.esn.test/ap/activities/1",
        "http://evil.esn.test/1",
    ):
        await scene.send(scene.evil.activity(scene.mallory, "Create", note, id=uri), status=400)
    assert await scene.dakar.rows(status) == []


async def test_nobody_signs_for_an_actor_of_this_node(scene: Scene) -> None:
    paul = await scene.uri(scene.dakar, scene.paul)
    like = scene.evil.activity(scene.mallory, "Like", "https://dakar.esn.test/ap/objects/1")
    like |= {"actor": paul, "id": "https://dakar.esn.test/ap/activities/1"}
    assert await scene.evil.post(scene.dakar, like, key_uri=f"{paul}#main-key") == 401
    await scene.send(like, status=401)


async def test_the_document_of_a_victim_at_an_attackers_address_changes_nothing(scene: Scene) -> None:
    """CVE-2024-23832: the id of what is fetched is the address that was asked."""
    uri = await scene.uri(scene.lyon, scene.amina)
    forged = scene.evil.actor("copy") | {"id": uri, "name": "Owned", "preferredUsername": "amina"}
    forged["publicKey"] = {"id": f"{uri}#main-key", "owner": uri, "publicKeyPem": PEM}
    scene.evil.serve(forged, "/users/copy")
    scene.evil.serve(forged, "/copy")
    scene.evil.answers["/jump"] = redirect(uri)
    before = await snapshot(scene.dakar, actor_key)
    for address in ("https://evil.esn.test/users/copy", "https://evil.esn.test/copy", "copy@evil.esn.test"):
        with pytest.raises(RemoteError):
            await scene.dakar.find(address)
    with pytest.raises(RemoteError):
        await scene.dakar.find("https://evil.esn.test/jump")
    like = scene.evil.activity(scene.mallory, "Like", "https://dakar.esn.test/ap/objects/1")
    for key_uri in ("https://evil.esn.test/copy#main-key", "https://evil.esn.test/users/copy#main-key"):
        spoofed = like | {"actor": uri, "id": f"{uri}#like"}
        assert await scene.evil.post(scene.dakar, spoofed, key_uri=key_uri) == 401
    assert await snapshot(scene.dakar, actor_key) == before
    assert (await scene.dakar.row(await scene.dakar.find("amina@lyon.esn.test")))["name"] == "amina"


async def test_an_object_that_does_not_name_the_address_it_was_asked_at_is_refused(scene: Scene) -> None:
    evil, mallory = scene.evil, scene.mallory
    evil.serve(evil.note(mallory, "b"), "/notes/a")  # and /notes/b is not served
    evil.serve(evil.note(mallory, "c", id="https://lyon.esn.test/notes/c"), "/notes/c")
    evil.serve({key: value for key, value in evil.note(mallory, "d").items() if key != "id"}, "/notes/d")
    evil.answers["/notes/e"] = document(evil.note(mallory, "e"), "application/json")
    evil.answers["/notes/f"] = document(evil.note(mallory, "f"), "application/ld+json")
    evil.answers["/notes/g"] = document(evil.note(mallory, "g") | {"@graph": []})
    names = "abcdefg"
    await scene.send(*(evil.activity(mallory, "Announce", f"{evil.origin}/notes/{name}") for name in names))
    assert await scene.dakar.rows(status) == []
    assert await scene.notes() == ["The boosted post could not be fetched."] * len(names)


async def test_an_account_of_another_server_cannot_be_claimed(scene: Scene) -> None:
    """Akkoma 2024.04.1: both ends must name one another."""
    for name in ("amina@lyon.esn.test", "paul@dakar.esn.test"):
        claimant = scene.evil.actor("claimant", webfinger=name, preferredUsername=name.partition("@")[0])
        with pytest.raises(RemoteNonsense):
            await scene.dakar.find(claimant["id"])
        scene.evil.finger("liar", claimant["id"], domain=name.partition("@")[2])
        account = "/.well-known/webfinger?resource=acct:liar@"
        scene.evil.answers[f"{account}evil.esn.test"] = scene.evil.answers.pop(
            f"{account}{name.partition('@')[2]}"
        )
        with pytest.raises(RemoteError):
            await scene.dakar.find("liar@evil.esn.test")
    honest = await scene.dakar.row(await scene.dakar.find("amina@lyon.esn.test"))
    assert honest["uri"] == await scene.uri(scene.lyon, scene.amina)


@pytest.mark.parametrize("case", ["owner", "foreign-id", "foreign-actor", "unlisted", "stub"])
async def test_a_key_that_somebody_else_owns_signs_nothing(scene: Scene, case: str) -> None:
    """Akkoma 2025.03 and Fedify #963: a key belongs to the actor that lists it, and to no other."""
    victim = await scene.uri(scene.lyon, scene.amina)
    evil, uri = scene.evil, "https://evil.esn.test/users/thief"
    key = {"id": f"{uri}#main-key", "owner": uri, "publicKeyPem": PEM}
    actor = evil.actor("thief")
    speaks = victim if case in ("owner", "foreign-actor", "stub") else uri
    if case == "owner":
        evil.actor("thief", publicKey=key | {"owner": victim})
    elif case == "foreign-id":
        key["id"] = f"{victim}#main-key"
        evil.actor("thief", publicKey=key)
    elif case == "unlisted":
        key["id"] = f"{uri}#other-key"
    elif case == "stub":
        key["id"] = f"{uri}/key"
        evil.serve({"id": key["id"], "publicKey": key | {"owner": victim}}, "/users/thief/key")
    before = await snapshot(scene.dakar, actor_key)
    follows = evil.activity(actor, "Follow", await scene.uri(scene.dakar, scene.paul))
    follows |= {"actor": speaks, "id": f"{speaks}/follows/1"}
    assert await evil.post(scene.dakar, follows, key_uri=key["id"]) == 401
    await scene.network.settle()
    assert await scene.dakar.rows(follow, uri=follows["id"]) == []
    honest = [row for row in await scene.dakar.rows(actor_key) if row["uri"].startswith(victim)]
    assert all(repr(row["public_der"]) in before for row in honest)


async def test_a_key_listed_under_a_victims_address_does_not_replace_the_victims(scene: Scene) -> None:
    victim = await scene.uri(scene.lyon, scene.amina)
    stolen = {"id": f"{victim}#main-key", "owner": scene.mallory["id"], "publicKeyPem": PEM}
    before = await scene.dakar.rows(actor_key)
    changed = scene.mallory | {"publicKey": [scene.mallory["publicKey"], stolen]}
    await scene.send(scene.evil.activity(scene.mallory, "Update", changed))
    assert await scene.dakar.rows(actor_key) == before


async def test_nobody_updates_or_deletes_another_actor(scene: Scene) -> None:
    victim = await scene.uri(scene.lyon, scene.amina)
    alice = scene.evil.actor("alice")  # on the same server as Mallory
    alice_id = await scene.dakar.find(alice["id"])
    for document_ in (alice | {"name": "Owned"}, alice | {"id": victim, "name": "Owned"}):
        await scene.send(scene.evil.activity(scene.mallory, "Update", document_))
    await scene.send(
        scene.evil.activity(scene.mallory, "Delete", victim),
        scene.evil.activity(scene.mallory, "Delete", alice["id"]),
        scene.evil.activity(scene.mallory, "Delete", await scene.uri(scene.dakar, scene.paul)),
    )
    for actor_id in (alice_id, await scene.dakar.find("amina@lyon.esn.test"), scene.paul):
        row = await scene.dakar.row(actor_id)
        assert (row["name"] == "Owned", row["deleted_at"]) == (False, None)
    assert victim not in {row["uri"] for row in await scene.dakar.rows(tombstone)}
    assert alice["id"] not in {row["uri"] for row in await scene.dakar.rows(tombstone)}


async def test_nobody_undoes_what_another_did(scene: Scene) -> None:
    await scene.lyon.follow(scene.amina, await scene.lyon.find("paul@dakar.esn.test"))
    await scene.network.settle()
    post = await scene.dakar.post(scene.paul, "Bonjour")
    await scene.network.settle()
    there = (await scene.lyon.home(scene.amina))[0]["id"]
    await scene.lyon.interact("like", scene.amina, there)
    await scene.lyon.interact("boost", scene.amina, there)
    await scene.network.settle()
    victim, uri = await scene.uri(scene.lyon, scene.amina), (await scene.dakar.one(status, id=post))["uri"]
    paul = await scene.uri(scene.dakar, scene.paul)
    follow_row = next(row for row in await scene.dakar.rows(follow) if row["target_id"] == scene.paul)
    done = [
        ("Follow", follow_row["uri"], paul),
        ("Like", (await scene.dakar.one(favourite))["uri"], uri),
        ("Announce", (await scene.dakar.one(status, as_type="Announce"))["uri"], uri),
    ]
    for as_type, inner_uri, target in done:
        inner = {"id": inner_uri, "type": as_type, "object": target}
        for forged in (inner_uri, inner, inner | {"actor": victim}, inner | {"actor": scene.mallory["id"]}):
            await scene.send(scene.evil.activity(scene.mallory, "Undo", forged))
    row = await scene.dakar.one(status, id=post)
    assert (row["favourites_count"], row["boosts_count"]) == (1, 1)
    assert (await scene.dakar.row(scene.paul))["followers_count"] == 1


async def test_nobody_answers_a_follow_of_another(scene: Scene) -> None:
    locked = await scene.lyon.actor("ines", locked=True)
    asked_id = await scene.dakar.find("ines@lyon.esn.test")
    await scene.dakar.follow(scene.paul, asked_id)
    await scene.network.settle()
    asked = await scene.dakar.one(follow, target_id=asked_id)
    ines, paul = await scene.uri(scene.lyon, locked), await scene.uri(scene.dakar, scene.paul)
    whole = {"id": asked["uri"], "type": "Follow", "actor": paul, "object": ines}
    for as_type in ("Accept", "Reject"):
        for answered in (asked["uri"], whole, whole | {"object": scene.mallory["id"]}):
            if as_type == "Reject" and isinstance(answered, dict) and answered["object"] != ines:
                continue  # that is an honest Reject of the follow of Mallory herself
            await scene.send(scene.evil.activity(scene.mallory, as_type, answered))
    assert (await scene.dakar.one(follow, target_id=asked_id))["state"] == "pending"


async def test_what_an_announce_embeds_is_not_believed(scene: Scene) -> None:
    await scene.lyon.post(scene.amina, "Ma parole", mentions=[])
    post = await scene.lyon.post(scene.amina, "Autre parole")
    uri = (await scene.lyon.one(status, id=post))["uri"]
    await scene.lyon.node.delivery_worker.drain()
    await scene.dakar.write(_drop_messages)
    forged = scene.evil.note(scene.mallory, "faux", id=uri) | {
        "attributedTo": await scene.uri(scene.lyon, scene.amina),
        "content": "<p>Achetez !</p>",
    }
    unknown = scene.evil.note(scene.mallory, "faux", id="https://lyon.esn.test/ap/objects/1")
    await scene.send(
        scene.evil.activity(scene.mallory, "Announce", forged),
        scene.evil.activity(scene.mallory, "Announce", unknown),
        scene.evil.activity(scene.mallory, "Announce", [forged]),
    )
    original = await scene.dakar.one(status, uri=uri)
    assert (original["content"], original["boosts_count"]) == ("<p>Autre parole</p>", 1)
    assert len(await scene.dakar.rows(status)) == 2  # the post and one boost of it


def _drop_messages(context: Any) -> None:
    context.connection.execute(inbox_message.delete().where(inbox_message.c.state == "waiting"))


async def test_an_announce_of_an_activity_or_of_ones_own_node_changes_nothing(scene: Scene) -> None:
    inner = scene.evil.activity(scene.mallory, "Create", scene.evil.note(scene.mallory, "nested"))
    scene.evil.serve(inner)
    await scene.send(
        scene.evil.activity(scene.mallory, "Announce", inner),
        scene.evil.activity(scene.mallory, "Announce", inner["id"]),
        scene.evil.activity(scene.mallory, "Announce", "https://dakar.esn.test/ap/objects/1"),
        scene.evil.activity(scene.mallory, "Announce", "https://dakar.esn.test/"),
    )
    assert await scene.dakar.rows(status) == []


@pytest.mark.parametrize("keyword", ["@graph", "@included", "@reverse", "\\u0040graph"])
@pytest.mark.parametrize("depth", [0, 3])
async def test_keywords_that_restructure_a_document_are_refused(
    scene: Scene, keyword: str, depth: int
) -> None:
    smuggled: Any = [scene.evil.note(scene.mallory, "caché")]
    create = scene.evil.activity(scene.mallory, "Create", scene.evil.note(scene.mallory, "un"))
    place = create if depth == 0 else create["object"].setdefault("tag", {}).setdefault("icon", {})
    place["KEYWORD"] = smuggled
    body = json.dumps(create).replace("KEYWORD", keyword).encode()
    key_uri = scene.mallory["publicKey"]["id"]
    assert await scene.evil.post(scene.dakar, body, key_uri=key_uri) == 400
    assert await scene.dakar.rows(inbox_message, uri=create["id"]) == []


async def test_an_hmac_keyed_with_the_public_key_is_no_signature(scene: Scene) -> None:
    """The forgery that the PyPI package httpsig accepts: the algorithm comes from the key alone."""
    create = scene.evil.activity(scene.mallory, "Create", scene.evil.note(scene.mallory, "un"))

    def forge(headers: dict[str, str]) -> dict[str, str]:
        text = "\n".join(
            [
                "(request-target): post /inbox",
                *(f"{name.lower()}: {headers[name]}" for name in ("Host", "Date", "Digest")),
            ]
        )
        mac = base64.b64encode(hmac.digest(PEM.encode(), text.encode(), "sha256")).decode()
        parameters = {
            "keyId": scene.mallory["publicKey"]["id"],
            "algorithm": "hmac-sha256",
            "headers": "(request-target) host date digest",
            "signature": mac,
        }
        joined = ",".join(f'{name}="{value}"' for name, value in parameters.items())
        return headers | {"Signature": joined}

    assert await scene.evil.post(scene.dakar, create, alter=forge) == 401
    assert await scene.dakar.rows(inbox_message, uri=create["id"]) == []


async def test_a_signature_with_a_parameter_twice_is_malformed(scene: Scene) -> None:
    """Mastodon #37375."""
    create = scene.evil.activity(scene.mallory, "Create", scene.evil.note(scene.mallory, "un"))
    victim = await scene.uri(scene.lyon, scene.amina)

    def twice(headers: dict[str, str]) -> dict[str, str]:
        return headers | {"Signature": f'keyId="{victim}#main-key",{headers["Signature"]}'}

    assert await scene.evil.post(scene.dakar, create, alter=twice) == 400


async def test_a_signature_for_another_inbox_host_or_body_is_refused(scene: Scene) -> None:
    create = scene.evil.activity(scene.mallory, "Create", scene.evil.note(scene.mallory, "un"))
    for changes in ({"Host": "lyon.esn.test"}, {"Date": "Thu, 01 Jan 2026 00:00:01 GMT"}):
        changed = await scene.evil.post(scene.dakar, create, alter=lambda found, new=changes: found | new)
        assert changed == 401
    assert await scene.dakar.rows(inbox_message, uri=create["id"]) == []


async def test_huge_lists_are_cut_and_huge_bodies_refused(scene: Scene) -> None:
    paul = await scene.uri(scene.dakar, scene.paul)
    many = [{"type": "Hashtag", "name": f"#t{number}"} for number in range(8_000)]
    mentions = [{"type": "Mention", "href": paul}] * 1_000
    note = scene.evil.note(scene.mallory, "grand", tag=many + mentions, to=[PUBLIC] * 5_000)
    await scene.send(scene.evil.activity(scene.mallory, "Create", note))
    assert [row["content"] for row in await scene.dakar.home(scene.paul)] == ["<p>grand</p>"]
    assert await scene.dakar.rows(notification) == []  # the mention stands behind the cut
    note = scene.evil.note(scene.mallory, "trop", content="x" * 1_100_000)
    await scene.send(scene.evil.activity(scene.mallory, "Create", note), status=413)
    deep = json.dumps(scene.evil.activity(scene.mallory, "Create", "DEEP"))
    body = deep.replace('"DEEP"', "[" * 100_000 + "]" * 100_000).encode()
    key_uri = scene.mallory["publicKey"]["id"]
    assert await scene.evil.post(scene.dakar, body, key_uri=key_uri) == 400


async def test_a_peer_that_answers_fetches_with_nonsense_is_only_noted(scene: Scene) -> None:
    evil = scene.evil
    replies = {
        "/x/empty": Reply(200, b""),
        "/x/text": Reply(200, b"hello"),
        "/x/list": Reply(200, b"[]"),
        "/x/surrogate": Reply(200, b'{"id": "\\ud800"}'),
        "/x/html": Reply(200, b"<html>", "text/html"),
        "/x/loop": redirect("https://evil.esn.test/x/loop"),
        "/x/inward": redirect("https://dakar.esn.test/relay"),
        "/x/private": redirect("https://10.0.0.1/"),
        "/x/file": redirect("file:///etc/passwd"),
    }
    evil.answers |= replies
    await scene.send(*(evil.activity(scene.mallory, "Announce", f"{evil.origin}{path}") for path in replies))
    assert await scene.notes() == ["The boosted post could not be fetched."] * len(replies)
    assert await scene.dakar.rows(status) == []
