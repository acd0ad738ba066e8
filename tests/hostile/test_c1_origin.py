"""federation.md C1, second half: a thing is what its own server says that it is, and nobody else."""

from __future__ import annotations

import json
from typing import Any

import pytest
from aiohttp import ClientSession, TCPConnector

from esnfed.errors import EsnfedError, Malformed, RemoteError, RemoteNonsense
from esnfed.models import actor, actor_key, follow, inbox_message, status
from esnfed.vocab.authority import normalise_authority, same_origin
from tests.doubles.server import document, redirect
from tests.federation.peer import JRD, PEM, Document, Peer
from tests.hostile.scene import Scene, start_hostile

NOT_FETCHED = "The boosted post could not be fetched."


async def announced(scene: Scene, *uris: str) -> None:
    """Let Dakar fetch these as objects, through boosts of Mallory's."""
    scene.network.advance(60_000)
    for uri in uris:
        await scene.send(scene.evil.activity(scene.mallory, "Announce", uri))


async def test_cve_2024_23832_mastodon_origin_validation_account_takeover(scene: Scene) -> None:
    """Protection: `Resolver.document` and `_fetch` take a document only from the origin of its own id."""
    victim, evil = await scene.victim(), scene.evil
    forged = evil.actor("copy") | {
        "id": victim,
        "name": "Owned",
        "preferredUsername": "amina",
        "updated": "2026-02-01T00:00:00Z",
    }
    forged["publicKey"] = {"id": f"{victim}#main-key", "owner": victim, "publicKeyPem": PEM}
    for path in ("/users/copy", "/copy", "/users/copy/main-key"):
        evil.serve(forged, path)
    evil.answers["/jump"] = redirect(victim)
    before = await scene.snapshot(actor_key, follow, status)
    for name in (
        f"{evil.origin}/users/copy",
        f"{evil.origin}/copy",
        "copy@evil.esn.test",
        f"{evil.origin}/jump",
    ):
        with pytest.raises(EsnfedError):
            await scene.dakar.find(name)
    like = evil.activity(scene.mallory, "Like", victim) | {"actor": victim, "id": f"{victim}#like"}
    for key_uri in (f"{evil.origin}/copy#main-key", f"{evil.origin}/users/copy/main-key", f"{victim}#other"):
        assert await evil.post(scene.dakar, like, key_uri=key_uri) == 401
    await scene.send(
        evil.activity(scene.mallory, "Update", forged),
        evil.activity(scene.mallory, "Update", f"{evil.origin}/copy"),
    )
    await announced(scene, f"{evil.origin}/copy", f"{evil.origin}/jump")
    assert await scene.snapshot(actor_key, follow, status) == before


async def test_ghsa_jhrq_qvrm_qr36_cve_2024_25623_uploads_pose_as_actors(scene: Scene) -> None:
    """Protection: `answers.content_type_of`; and what we serve as a file bears `nosniff` and no such type."""
    evil = scene.evil
    uploaded = evil.actor("upload") | {"id": f"{evil.origin}/media/upload", "inbox": f"{evil.origin}/i"}
    note = evil.note(scene.mallory, "upload", id=f"{evil.origin}/media/note")
    types = (
        "application/json", "application/ld+json", "text/plain", "text/html", "image/png", "application/octet-stream",
        'application/ld+json; profile="https://evil.esn.test/ns"', "application/activity+json-x", "multipart/mixed",
        "application/jrd+json", "application/activity+json, text/html", "",
    )  # fmt: skip
    before = await scene.snapshot(actor_key, follow, status)
    for number, content_type in enumerate(types):
        for content in (uploaded, note):
            uri = f"{content['id']}/{number}"
            evil.answers[uri.removeprefix(evil.origin)] = document(content | {"id": uri}, content_type)
            scene.network.advance(10_000)
            if content is uploaded:
                with pytest.raises(RemoteError):
                    await scene.dakar.find(uri)
            else:
                await announced(scene, uri)
    evil.misbehave("two types", "/media/")
    await announced(scene, f"{evil.origin}/media/two")
    assert await scene.snapshot(actor_key, follow, status) != ""
    assert [row for row in await scene.dakar.rows(actor) if "/media/" in row["uri"]] == []
    assert await scene.dakar.rows(status) == []
    assert await scene.snapshot(actor_key, follow, status) == before
    port = scene.network.hosts[scene.dakar.domain][1]
    async with (
        ClientSession(connector=TCPConnector(ssl=False)) as session,
        session.get(f"https://127.0.0.1:{port}/nodeinfo/2.1", headers={"Host": scene.dakar.domain}) as answer,
    ):
        assert answer.headers["X-Content-Type-Options"] == "nosniff"
        assert "activity+json" not in answer.headers["Content-Type"]


async def test_akkoma_2024_03_redirecting_domain_poses_as_the_initial_one_and_self_fetch(
    scene: Scene,
) -> None:
    """Protection: `Resolver._fetch` compares the id's origin with the final address; no fetch of our own."""
    evil, good = scene.evil, await Peer.start_in(scene.network, "good.esn.test")
    rita = good.actor("rita")
    good.answers["/out"] = redirect(f"{evil.origin}/posing")
    evil.serve(
        evil.note(scene.mallory, "posing", id=f"{good.origin}/out") | {"attributedTo": rita["id"]}, "/posing"
    )
    honest = good.serve(good.note(rita, "vrai"))
    evil.answers["/borrowed"] = redirect(honest["id"])  # evil lends itself an honest answer
    own = await scene.dakar.post(scene.paul, "À nous")
    ours = (await scene.dakar.one(status, id=own))["uri"]
    evil.answers["/yours"] = redirect(ours)
    before = await scene.snapshot(follow, status)
    await announced(scene, f"{good.origin}/out", f"{evil.origin}/borrowed", f"{evil.origin}/yours")
    for name in (
        f"{evil.origin}/yours",
        "https://dakar.esn.test/relay2",
        "https://DAKAR.esn.test./relay",
        "https://dakar.esn.test:443/x",
    ):
        with pytest.raises(EsnfedError):
            await scene.dakar.find(name)
    assert (await scene.notes())[-3:] == [NOT_FETCHED] * 3
    assert await scene.snapshot(follow, status) == before
    await announced(scene, honest["id"])
    assert len(await scene.dakar.rows(status, uri=honest["id"])) == 1


async def test_akkoma_2024_04_1_webfinger_spoofing(scene: Scene) -> None:
    """Protection: `Discovery.account` and `canonical_account`: handle, self link, actor, the actor's own word."""
    evil = scene.evil
    claimant = evil.actor("claimant", webfinger="amina@lyon.esn.test", preferredUsername="amina")
    victim = await scene.victim()
    subjects = {
        "other subject": ("acct:amina@lyon.esn.test", claimant["id"]),
        "victim's actor": ("acct:liar@evil.esn.test", victim),
        "ours": ("acct:paul@dakar.esn.test", claimant["id"]),
        "our actor": ("acct:liar@evil.esn.test", await scene.uri(scene.dakar, scene.paul)),
        "another actor's account": ("acct:liar@evil.esn.test", scene.mallory["id"]),
        "no account": ("https://evil.esn.test/users/mallory", scene.mallory["id"]),
    }
    for case, (subject, uri) in subjects.items():
        links = [{"rel": "self", "type": "application/activity+json", "href": uri}]
        target = "/.well-known/webfinger?resource=acct:liar@evil.esn.test"
        evil.answers[target] = document({"subject": subject, "aliases": [uri], "links": links}, JRD)
        scene.network.advance(10_000)
        # The first subject leads to the other server, which confirms its own account and its own actor, or to nobody.
        reached = victim if case == "other subject" else ""
        try:
            assert (await scene.dakar.row(await scene.dakar.find("liar@evil.esn.test")))["uri"] == reached, (
                case
            )
        except RemoteError:
            assert claimant["id"] not in {row["uri"] for row in await scene.dakar.rows(actor)}
        assert [row for row in await scene.dakar.rows(actor) if row["handle"] == "liar"] == [], case
    with pytest.raises(RemoteNonsense):
        await scene.dakar.find(claimant["id"])
    assert claimant["id"] not in {row["uri"] for row in await scene.dakar.rows(actor)}
    found = await scene.dakar.row(await scene.dakar.find("amina@lyon.esn.test"))
    assert found["uri"] == victim


async def test_akkoma_2025_03_key_user_mapping_poisoning(scene: Scene) -> None:
    """Protection: `actor_object.read_keys` wants the key's origin, `_STORE_KEY` keeps the first who listed it."""
    victim = await scene.victim()
    keys = await scene.dakar.rows(actor_key)
    stolen = f"{victim}#main-key"
    alice = scene.evil.actor("alice")
    await scene.dakar.find(alice["id"])
    known = await scene.dakar.rows(actor_key)
    for key in (
        {"id": stolen, "owner": victim, "publicKeyPem": PEM},
        {"id": stolen, "owner": scene.mallory["id"], "publicKeyPem": PEM},
        {"id": stolen, "publicKeyPem": PEM},
        {"id": f"{alice['id']}#main-key", "owner": scene.mallory["id"], "publicKeyPem": PEM},
    ):
        changed = scene.mallory | {"publicKey": [scene.mallory["publicKey"], key]}
        await scene.send(scene.evil.activity(scene.mallory, "Update", changed))
        listed = scene.mallory | {
            "assertionMethod": [key | {"controller": scene.mallory["id"], "type": "Multikey"}]
        }
        await scene.send(scene.evil.activity(scene.mallory, "Update", listed))
        assert await scene.dakar.rows(actor_key) == known
    assert [row for row in known if row["uri"] == stolen] == [row for row in keys if row["uri"] == stolen]


async def test_fedify_963_key_id_mismatch(scene: Scene) -> None:
    """Protection: `Resolver.key_document` wants a lone key's id to be the address asked, its owner to list it."""
    evil, victim = scene.evil, await scene.victim()
    thief = evil.actor("thief")
    key = {"id": f"{thief['id']}/key", "owner": thief["id"], "publicKeyPem": PEM}
    cases = [
        (key | {"id": f"{victim}#main-key"}, thief["id"]),
        (key | {"id": f"{thief['id']}/another"}, thief["id"]),
        (key | {"owner": victim}, victim),
        (key | {"owner": scene.mallory["id"]}, scene.mallory["id"]),
        (key | {"owner": [thief["id"], victim]}, victim),
        ({"id": key["id"], "publicKey": key | {"owner": victim}}, victim),
        (key, thief["id"]),  # says itself whose it is, and its owner lists another one
    ]
    for content, speaker in cases:
        scene.network.advance(600_000)
        evil.serve(content, "/users/thief/key")
        follows = evil.activity(thief, "Follow", await scene.uri(scene.dakar, scene.paul))
        follows |= {"actor": speaker, "id": f"{speaker}/follows/1"}
        assert await evil.post(scene.dakar, follows, key_uri=key["id"]) == 401, content
    await scene.network.settle()
    assert [row for row in await scene.dakar.rows(follow) if row["target_id"] == scene.paul] == []
    assert key["id"] not in {row["uri"] for row in await scene.dakar.rows(actor_key)}


SPELLINGS = (
    "https://lyon.esn.test./notes/1", "https://LYON.esn.test/notes/1", "https://ｌyon.esn.test/notes/1",
    "https://lyon。esn.test/notes/1", "https://evil.esn.test@lyon.esn.test/notes/1", "https://lyon.esn.test:443/notes/1",
    "https://lyon.esn.test\\@evil.esn.test/notes/1", "https://evil.esn.test%40lyon.esn.test/notes/1",
    "https://evil.esn.test%2f@lyon.esn.test/notes/1", "https://lyon.esn.test#@evil.esn.test/notes/1",
    "https://lyon.esn.test?@evil.esn.test/notes/1", "https://evil.esn.test\t@lyon.esn.test/1", "https:evil.esn.test/1",
    "https:///evil.esn.test/1", "https://evil.esn.test:/notes/1x\n", "//evil.esn.test/notes/1", "https://evil.esn.test:0/1",
    "https://[evil.esn.test]/1", "https://evil.esn.test:4a/1", "https://e\u0131vil.esn.test/1", "https://e\u00advil.esn.test/1",
    "https://evil..esn.test/1", "https://-evil.esn.test/1", "https://xn--a.esn.test/1", "urn:evil.esn.test", "HTTP://evil.esn.test/1",
)  # fmt: skip


async def test_cve_2023_42451_mastodon_domain_normalisation_spoof(scene: Scene) -> None:
    """Protection: `vocab.authority.normalise_authority`, the one place where two spellings are compared."""
    for spelling in SPELLINGS:
        note = scene.evil.note(scene.mallory, "faux", id=spelling)
        await scene.send(scene.evil.activity(scene.mallory, "Create", note))
        lies = {"actor": spelling.replace("/notes/1", "/users/mallory"), "id": spelling}
        found = await scene.evil.post(
            scene.dakar,
            scene.evil.activity(scene.mallory, "Create", note) | lies,
            key_uri=scene.mallory["publicKey"]["id"],
        )
        assert found in (400, 401), spelling
        await scene.network.settle()
    assert await scene.dakar.rows(status) == []
    assert normalise_authority("Bank.Example.") == "bank.example"
    assert same_origin("https://EVIL.esn.test.:443/a", "https://evil.esn.test/b")
    await scene.send(scene.create("vrai", id="https://EVIL.esn.test:443/notes/vrai"))
    assert len(await scene.dakar.rows(status)) == 1


@pytest.mark.parametrize("as_type", ["Create", "Update"])
async def test_nodebb_attributed_to_mapped_to_a_local_user(scene: Scene, as_type: str) -> None:
    """Protection: `reading.read` wants the author to be the sender, at the origin of the post."""
    paul = await scene.uri(scene.dakar, scene.paul)
    values = (
        scene.paul,
        str(scene.paul),
        1,
        True,
        "paul",
        "@paul",
        "acct:paul@dakar.esn.test",
        paul,
        [paul],
        {"id": paul},
    )
    lists: tuple[Any, ...] = (
        [paul, 1],
        [],
        None,
        {},
        [[scene.mallory["id"]]],
        f"{paul}#x",
        {"id": scene.paul},
    )
    for number, value in enumerate((*values, *lists)):
        note = scene.evil.note(scene.mallory, f"faux{number}", attributedTo=value)
        await scene.send(scene.evil.activity(scene.mallory, as_type, note))
    assert [row["actor_id"] for row in await scene.dakar.rows(status) if row["actor_id"] == scene.paul] == []
    texts = {row["content"] for row in await scene.dakar.rows(status)}
    assert texts <= {"<p>faux14</p>"}  # a list in a list is read as what it holds: Mallory herself
    await scene.honest()


async def test_misskey_cve_2024_52590_to_52593_object_confusion_in_fetch_helpers(scene: Scene) -> None:
    """Protection: one `Resolver`, which is strict about id and host; each mutation alone is refused."""
    evil, victim = scene.evil, await scene.victim()
    good: Document = evil.note(scene.mallory, "objet")
    mutations: list[dict[str, Any]] = [
        {"id": None}, {"id": ""}, {"id": 1}, {"id": [f"{evil.origin}/notes/objet"]},
        {"id": {"id": f"{evil.origin}/notes/objet"}},
        {"id": "https://lyon.esn.test/notes/objet"}, {"id": "http://evil.esn.test/notes/objet"},
        {"id": f"{evil.origin}:8443/notes/objet"},
        {"id": f"{evil.origin}/notes/other"}, {"id": victim}, {"attributedTo": victim}, {"attributedTo": None},
        {"attributedTo": []},
        {"attributedTo": "https://evil.esn.test.lyon.esn.test/users/mallory"}, {"type": ["Note", "Person"]},
        {"type": "Person"},
        {"type": "Create"}, {"type": "Tombstone"}, {"type": "OrderedCollection"}, {"type": None}, {"type": {}},
        {"@graph": [good]},
    ]  # fmt: skip
    for number, changes in enumerate(mutations):
        uri = f"{evil.origin}/notes/objet{number}"
        changed = json.loads(json.dumps(good | {"id": uri} | changes))
        evil.serve(changed, uri.removeprefix(evil.origin))
        await announced(scene, uri)
        assert await scene.dakar.rows(status) == [], changes
    evil.serve(good)
    await announced(scene, good["id"])
    assert len(await scene.dakar.rows(status)) == 2  # the note, and the boost of it


async def test_a_wildcard_certificate_makes_no_sibling_ones_own(scene: Scene) -> None:
    """Protection: an origin is a whole authority; a sibling under one certificate is somebody else."""
    names = ("a.evil.esn.test", "b.evil.esn.test")
    twin = await start_hostile(scene.network, names[0], "*.evil.esn.test")
    twin.alias(scene.network, names[1])
    anna = twin.actor("anna")
    sibling = f"https://{names[1]}/notes/1"
    note = twin.note(anna, "faux", id=sibling)
    twin.serve(note, "/notes/1")
    assert await twin.post(scene.dakar, twin.activity(anna, "Create", note, id=f"{sibling}#create")) == 400
    await twin.post(scene.dakar, twin.activity(anna, "Create", note))
    await announced(scene, sibling)
    assert await scene.dakar.rows(status) == []
    with pytest.raises(Malformed):
        normalise_authority("b.evil.esn.test/@a.evil.esn.test")
    assert await scene.dakar.rows(inbox_message, host=names[1]) == []
