"""How Fedify and we find, read and doubt each other: look-ups, notes, records, signed fetches, forgeries."""

from __future__ import annotations

import json
import ssl
from collections.abc import AsyncIterator, Mapping
from pathlib import Path
from typing import Any

import pytest
from aiohttp import ClientSession, TCPConnector

from esnfed.context import Context
from esnfed.errors import RemoteRefused
from esnfed.federation.digests import content_digest_header, digest_header, sha256_base64
from esnfed.federation.keys import load_private
from esnfed.federation.signatures import Signer, sign
from esnfed.models import actor_key, favourite, follow, inbox_message, status
from esnfed.objects import parts
from esnfed.records import operations
from esnfed.services import statuses
from esnfed.services.statuses import Draft
from esnfed.vocab.terms import ACTIVITY_JSON, AS_CONTEXT, PUBLIC
from tests.conftest import MakeRuntime, Prepare
from tests.oracles.fedify.process import KNOCKS
from tests.oracles.fedify.scene import Scene, open_scene
from tests.unit.records.sheets import SECRETS, call, project

SCHEMES = ["cavage", "rfc9421"]
PICTURE = {
    "position": 0,
    "as_type": "Image",
    "media_type": "image/png",
    "url": "https://media.esn.test/affiche.png",
    "description": "Une affiche",
    "blurhash": "LEHV6nWB2yk8pyo0adR*.7kCMdnj",
    "width": 640,
    "height": 480,
    "focus_x": 0.5,
    "focus_y": -0.25,
    "duration": None,
}


@pytest.fixture(scope="module")
def key_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where the keys of Fedify's person are kept."""
    return tmp_path_factory.mktemp("keys") / "keys.json"


@pytest.fixture
async def scene(
    runtime: MakeRuntime, prepare_sqlite: Prepare, tmp_path: Path, key_file: Path
) -> AsyncIterator[Scene]:
    """Lyon and Fedify as it is out of the box: it knocks with RFC 9421 first."""
    async with open_scene(runtime, prepare_sqlite, tmp_path, "rfc9421", key_file) as found:
        yield found


def publish(context: Context, draft: Draft, media: dict[str, Any]) -> int:
    """A post with a picture."""
    status_id = statuses.publish(context, draft)
    parts.store_attachments(context, status_id, [media])
    statuses.announce_creation(context, status_id)
    return status_id


async def knock(scene: Scene, url: str, body: bytes, headers: Mapping[str, str]) -> int:
    """Send bytes as they are; return the status."""
    trusted = ssl.create_default_context(cafile=scene.lyon.node.config.tls_authority)
    async with (
        ClientSession(connector=TCPConnector(ssl=trusted)) as session,
        session.post(url, data=body, headers=headers) as answer,
    ):
        return answer.status


def with_other_digest(headers: Mapping[str, str], body: bytes) -> dict[str, str]:
    """The same headers with the digest of another body."""
    made = {"digest": digest_header, "content-digest": content_digest_header}
    return {
        name: made[name.lower()](sha256_base64(body)) if name.lower() in made else value
        for name, value in headers.items()
    }


async def test_each_finds_the_other_by_handle_and_by_address(scene: Scene) -> None:
    lyon, fedify = scene.lyon, scene.fedify
    paul = await lyon.find(f"@{fedify.handle}")
    row = await lyon.row(paul)
    assert (row["uri"], row["handle"], row["domain"]) == (fedify.actor, "paul", fedify.domain)
    assert (row["name"], row["summary"]) == ("Paul Sène", "<p>Enseignant à Dakar</p>")
    assert (row["inbox"], row["shared_inbox"]) == (f"{fedify.actor}/inbox", f"https://{fedify.domain}/inbox")
    assert await lyon.find(fedify.actor) == paul
    keys = await lyon.rows(actor_key, actor_id=paul)
    assert {(key["kind"], key["uri"]) for key in keys} >= {("rsa", f"{fedify.actor}#main-key")}
    assert "ed25519" in {key["kind"] for key in keys}
    await lyon.actor("sne", "Organization")
    uri = await scene.uri(scene.amina)
    for name, as_type in (
        (f"@amina@{lyon.domain}", "Person"),
        (f"acct:sne@{lyon.domain}", "Organization"),
        (f"@relay@{lyon.domain}", "Application"),
        (uri, "Person"),
    ):
        seen = await fedify.ask("lookup", name=name)
        assert (seen["type"], seen["kept"]["id"]) == (as_type, seen["id"])
    assert seen["id"] == uri
    assert seen["written"]["inbox"] == f"{uri}/inbox"
    assert seen["written"]["endpoints"]["sharedInbox"] == f"https://{lyon.domain}/inbox"
    assert seen["written"]["publicKey"]["id"] == f"{uri}#main-key"
    assert seen["written"]["assertionMethod"][0]["id"] == f"{uri}#ed25519-key"


async def test_fedify_reads_our_note_whole(scene: Scene) -> None:
    lyon, fedify = scene.lyon, scene.fedify
    await scene.followed_by_fedify()
    words = {"fr": "<p>Bonjour à tous</p>", "en": "<p>Hello everybody</p>"}
    draft = Draft(scene.amina, "public", words, tags=["Santé"], mentions=[await scene.paul()])
    row = await lyon.one(status, id=await lyon.write(publish, draft, PICTURE))
    author = await lyon.row(scene.amina)
    created = await scene.arrival("Create")
    note = created["embedded"]
    assert (note["type"], note["id"], note["url"]) == ("Note", row["uri"], row["url"])
    assert note["attribution"] == created["actor"] == author["uri"]
    assert note["content"] == words["fr"]
    assert {(language, text) for language, text in note["contents"] if language} == set(words.items())
    for addressed in (created, note):
        assert (addressed["to"], addressed["cc"]) == ([PUBLIC], [author["followers_uri"], fedify.actor])
    assert note["tags"] == [
        ["Mention", f"@{fedify.handle}", fedify.actor],
        ["Hashtag", "#Santé", f"https://{lyon.domain}/tags/sant%C3%A9"],
    ]
    assert note["attachments"] == [["Image", PICTURE["url"], "image/png"]]
    assert note["published"] == row["published_at"]
    written = note["written"]
    assert written["contentMap"] == words
    assert (written["type"], written["sensitive"]) == ("Note", False)
    assert written["attachment"]["name"] == "Une affiche"
    assert (written["attachment"]["width"], written["attachment"]["height"]) == (640, 480)
    fetched = await fedify.ask("lookup", name=row["uri"])
    assert {key: fetched[key] for key in note if key not in ("kept", "compacted")} == {
        key: value for key, value in note.items() if key not in ("kept", "compacted")
    }


@pytest.mark.parametrize("kind", ["project", "call"])
async def test_a_record_survives_fedify(scene: Scene, kind: str) -> None:
    lyon = scene.lyon
    organisation = await lyon.actor("sne", "Organization")
    await scene.followed_by_fedify(organisation)
    sheet = {"project": project, "call": call}[kind]()
    await operations.announce(lyon.node, owner="sne", kind=kind, sheet=sheet)
    created = await scene.arrival("Create")
    sent, note = created["document"]["object"], created["embedded"]
    record = sent["esn:record"]
    assert (record["kind"], record["title"], record["state"]) == (kind, sheet["title"], "open")
    assert not [secret for secret in SECRETS if secret in json.dumps(created["document"])]
    assert created["compacted"]["object"]["esn:record"] == record
    assert (note["type"], note["content"]) == ("Note", sent["content"])
    assert sheet["title"]["fr"] in note["content"]
    assert ["Link", note["url"], "text/html"] in note["attachments"]
    assert (note["endTime"] is not None) == (kind == "call")
    fetched = await scene.fedify.ask("lookup", name=note["id"])
    assert fetched["kept"]["esn:record"] == fetched["compacted"]["esn:record"] == record
    # What Fedify writes from its typed properties alone is a plain post, whoever sent it.
    assert "esn:record" not in fetched["written"]
    assert fetched["written"] == note["written"]


@pytest.mark.parametrize("scheme", SCHEMES)
async def test_fedify_refuses_what_was_tampered_with(scene: Scene, scheme: Any) -> None:
    lyon, fedify = scene.lyon, scene.fedify
    uri = await scene.uri(scene.amina)
    follow = {
        "@context": AS_CONTEXT,
        "id": f"{uri}/follows/1",
        "type": "Follow",
        "actor": uri,
        "object": fedify.actor,
    }
    body, other = json.dumps(follow).encode(), json.dumps(follow | {"id": f"{uri}/follows/2"}).encode()
    row = await lyon.one(actor_key, actor_id=scene.amina, kind="rsa")
    signer = Signer(row["uri"], load_private(row["private_der"]))
    inbox = f"https://{fedify.domain}/inbox"
    headers = {"Content-Type": ACTIVITY_JSON}
    headers |= sign(scheme, signer, "POST", inbox, body, lyon.node.runtime.clock())
    assert await knock(scene, inbox, other, headers) == 401
    assert await knock(scene, inbox, other, with_other_digest(headers, other)) == 401
    assert await knock(scene, f"{fedify.actor}/inbox", body, headers) == 401
    assert await knock(scene, inbox, body, headers) == 202
    assert (await scene.arrival("Follow"))["id"] == follow["id"]
    assert len(await fedify.ask("received")) == 1


@pytest.mark.parametrize("scheme", SCHEMES)
async def test_we_refuse_what_was_tampered_with(scene: Scene, scheme: str) -> None:
    lyon, fedify = scene.lyon, scene.fedify
    await scene.paul()
    post = await lyon.one(status, id=await lyon.post(scene.amina, "Bonjour"))
    like = {
        "@context": AS_CONTEXT,
        "id": f"{fedify.actor}/likes/1",
        "type": "Like",
        "actor": fedify.actor,
        "object": post["uri"],
    }
    body, other = json.dumps(like).encode(), json.dumps(like | {"id": f"{fedify.actor}/likes/2"}).encode()
    inbox = f"https://{lyon.domain}/inbox"
    headers = await fedify.ask("sign", name=inbox, body=body.decode(), spec=KNOCKS[scheme])
    assert await knock(scene, inbox, other, headers) == 401
    assert await knock(scene, inbox, other, with_other_digest(headers, other)) == 401
    assert await knock(scene, f"{await scene.uri(scene.amina)}/inbox", body, headers) == 401
    assert await lyon.rows(inbox_message) == []
    assert await knock(scene, inbox, body, headers) == 202
    assert (await scene.applied(like["id"]))["scheme"] == scheme
    assert [row["uri"] for row in await lyon.rows(favourite)] == [like["id"]]


@pytest.mark.parametrize("query", ["", "?page=1"])
async def test_fedify_signs_for_what_is_not_for_everybody(scene: Scene, query: str) -> None:
    lyon, fedify = scene.lyon, scene.fedify
    await scene.followed_by_fedify()
    post = await lyon.post(scene.amina, "Entre nous", visibility="followers")
    uri = (await lyon.one(status, id=post))["uri"]
    fetched = await fedify.ask("fetch", name=uri + query)
    assert (fetched["id"], fetched["content"]) == (uri, "<p>Entre nous</p>")
    trusted = ssl.create_default_context(cafile=lyon.node.config.tls_authority)
    async with (
        ClientSession(connector=TCPConnector(ssl=trusted)) as session,
        session.get(uri + query, headers={"Accept": ACTIVITY_JSON}) as answer,
    ):
        assert answer.status == 404


@pytest.mark.parametrize(
    ("query", "knocks"),
    [
        ("", [("cavage", 200)]),
        # Fedify leaves the query out of draft-cavage's (request-target): it is the second knock that helps.
        ("?page=1", [("cavage", 401), ("rfc9421", 200)]),
    ],
)
async def test_we_sign_for_what_fedify_shows_to_nobody_else(
    scene: Scene, query: str, knocks: list[tuple[str, int]]
) -> None:
    lyon, fedify = scene.lyon, scene.fedify
    url = f"https://{fedify.domain}/closed/1{query}"
    with pytest.raises(RemoteRefused):
        await lyon.node.transport.get_json(url, signer=None)
    fetched = await lyon.node.transport.get_json(url, signer=lyon.node.signer())
    assert fetched.document["content"] == "<p>closed</p>"
    asked = [entry for entry in await fedify.ask("requests") if entry["target"] == f"/closed/1{query}"]
    assert [(entry["scheme"], entry["status"]) for entry in asked[1:]] == knocks


async def test_our_own_node_actor_refuses_a_follower(scene: Scene) -> None:
    asked = await scene.fedify.ask("follow", name=f"@relay@{scene.lyon.domain}")
    rejected = await scene.arrival("Reject")
    assert (rejected["object"], rejected["actor"]) == (asked, f"https://{scene.lyon.domain}/relay")
    assert await scene.lyon.rows(follow) == []
