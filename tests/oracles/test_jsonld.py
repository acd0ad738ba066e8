"""Our documents mean in JSON-LD what they mean to us: every property has an IRI, and nothing is dropped."""

from __future__ import annotations

import copy
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import orjson
import pytest

from esnfed.context import Context
from esnfed.federation import proving
from esnfed.models import activity, status
from esnfed.objects import actor as actor_object
from esnfed.objects import note, parts
from esnfed.records import operations
from esnfed.services import actors, statuses
from esnfed.services.statuses import Draft
from esnfed.vocab import paths
from esnfed.vocab.contexts import ESN
from tests.conftest import MakeRuntime, Prepare
from tests.doubles.authority import Authority
from tests.federation.network import LiveNode
from tests.oracles.fedify.scene import live_node
from tests.oracles.jsonld.process import expand
from tests.oracles.test_fedify_documents import PICTURE
from tests.unit.records.sheets import call

Document = dict[str, Any]

AS = "https://www.w3.org/ns/activitystreams#"
SEC = "https://w3id.org/security#"


@pytest.fixture
async def lyon(runtime: MakeRuntime, prepare_sqlite: Prepare, tmp_path: Path) -> AsyncIterator[LiveNode]:
    """A node."""
    async with live_node(runtime, prepare_sqlite, Authority(tmp_path)) as found:
        yield found


async def published(lyon: LiveNode) -> dict[str, Document]:
    """One of everything that leaves a node, by a name."""
    amina = await lyon.actor("amina", fields=[{"name": "Ville", "value": "Lyon"}], discoverable=True)
    sne = await lyon.actor("sne", "Organization")
    words = {"fr": "<p>Bonjour</p>", "en": "<p>Hello</p>"}
    draft = Draft(amina, "public", words, tags=["Santé"], mentions=[sne], summary="Attention")
    await lyon.write(_publish, draft)
    await operations.announce(lyon.node, owner="sne", kind="call", sheet=call())
    post = await lyon.post(sne, "Bonsoir")
    await lyon.revise(sne, post, "Bonne nuit")
    await lyon.interact("boost", sne, post)
    await lyon.interact("unboost", sne, post)
    await lyon.remove(sne, post)
    await lyon.edit(sne, name="SNE")
    return dict(await lyon.read(_collect, amina, sne))


def _publish(context: Context, draft: Draft) -> None:
    status_id = statuses.publish(context, draft)
    parts.store_attachments(context, status_id, [PICTURE])
    statuses.announce_creation(context, status_id)


def _collect(context: Context, amina: int, sne: int) -> Iterator[tuple[str, Document]]:
    found: dict[str, Document] = {}
    node_actor = actors.by_uri(context, paths.node_actor(context.config.origin))
    assert node_actor is not None
    for name, row in (
        ("person", actors.by_id(context, amina)),
        ("organisation", actors.by_id(context, sne)),
        ("node", node_actor),
    ):
        found[name] = actor_object.to_document(context, row)
    for row in context.connection.execute(status.select()).mappings():
        if not row["deleted_at"] and not row["boost_of_id"]:
            document = note.to_document(context, row)
            found["record" if "esn:record" in document else "note"] = document
    ids = list(context.connection.execute(activity.select()).scalars())
    for body in proving.bodies(context, ids).values():
        document = orjson.loads(body.data)
        proven = "proven " if "proof" in document else ""
        about = document["object"]
        kind = about.get("type", "") if isinstance(about, dict) else ""
        kind = "record" if "esn:record" in about else kind
        found[f"{proven}{document['type']} {kind}".strip()] = document
    return iter(found.items())


def nameless(expanded: Any) -> list[str]:
    """The names in an expanded document that are no IRIs: ActivityStreams makes `_:x` of an unknown `x`."""
    if isinstance(expanded, list):
        return [name for item in expanded for name in nameless(item)]
    if not isinstance(expanded, dict) or expanded.get("@type") == "@json":
        return []
    names = [name for name in expanded if not name.startswith("@")]
    types = expanded.get("@type", [])
    names += [types] if isinstance(types, str) else types
    inner = [name for value in expanded.values() for name in nameless(value)]
    return [name for name in names if not name.startswith(("http://", "https://"))] + inner


def alone(expanded: Document, name: str) -> Any:
    """The one value of a property."""
    [value] = expanded[name]
    return value


async def test_every_document_of_ours_expands_and_loses_nothing(lyon: LiveNode, tmp_path: Path) -> None:
    documents = await published(lyon)
    assert set(documents) >= {
        "person",
        "organisation",
        "node",
        "note",
        "record",
        "Create Note",
        "proven Create Note",
        "proven Create record",
        "proven Update Note",
        "proven Announce",
        "proven Undo Announce",
        "proven Delete Tombstone",
        "proven Update Organization",
    }
    answers = dict(zip(documents, expand(tmp_path / "jsonld", list(documents.values())), strict=True))
    assert {name: answer["failure"] for name, answer in answers.items() if "failure" in answer} == {}
    expanded = {name: answer["expanded"][0] for name, answer in answers.items()}
    for name, document in documents.items():
        assert nameless(expanded[name]) == [], name
        # One property for one, but for the context; `content` and `contentMap` are one.
        assert len(expanded[name]) == len(document) - 1 - ("contentMap" in document), name
    check_the_note(expanded["note"])
    check_the_actor(expanded["organisation"], documents["organisation"])
    for name in ("record", "proven Create record"):
        check_the_record(expanded[name], documents[name])
    for name in documents:
        if name.startswith("proven"):
            check_the_proof(expanded[name], documents[name])


def check_the_note(expanded: Document) -> None:
    """Words, warning, tags and picture."""
    assert expanded["@type"] == [f"{AS}Note"]
    texts = expanded[f"{AS}content"]
    assert {(text.get("@language"), text["@value"]) for text in texts} == {
        (None, "<p>Bonjour</p>"),
        ("fr", "<p>Bonjour</p>"),
        ("en", "<p>Hello</p>"),
    }
    assert alone(expanded, f"{AS}sensitive") == {"@value": True}
    assert alone(expanded, f"{AS}summary") == {"@value": "Attention"}
    types = {tag["@type"][0] for tag in expanded[f"{AS}tag"]}
    assert types == {f"{AS}Hashtag", f"{AS}Mention"}
    picture = alone(expanded, f"{AS}attachment")
    assert alone(picture, "http://joinmastodon.org/ns#blurhash") == {"@value": PICTURE["blurhash"]}
    [focus] = picture["http://joinmastodon.org/ns#focalPoint"]
    assert [point["@value"] for point in focus["@list"]] == [PICTURE["focus_x"], PICTURE["focus_y"]]


def check_the_actor(expanded: Document, document: Document) -> None:
    """Keys, and where things are."""
    assert expanded["@type"] == [f"{AS}Organization"]
    key = alone(expanded, f"{SEC}assertionMethod")
    assert key["@id"] == document["assertionMethod"][0]["id"]
    assert key["@type"] == [f"{SEC}Multikey"]
    assert alone(key, f"{SEC}controller") == {"@id": document["id"]}
    multibase = document["assertionMethod"][0]["publicKeyMultibase"]
    assert alone(key, f"{SEC}publicKeyMultibase") == {"@type": f"{SEC}multibase", "@value": multibase}
    assert alone(expanded, f"{SEC}publicKey")["@id"] == document["publicKey"]["id"]
    assert alone(expanded, "http://joinmastodon.org/ns#featured") == {"@id": document["featured"]}
    assert alone(expanded, "http://www.w3.org/ns/ldp#inbox") == {"@id": document["inbox"]}


def check_the_record(expanded: Document, document: Document) -> None:
    """The record is one JSON value, whose inner names are nobody's business."""
    if f"{AS}object" in expanded:
        expanded, document = alone(expanded, f"{AS}object"), document["object"]
    assert alone(expanded, f"{ESN}record") == {"@type": "@json", "@value": document["esn:record"]}


def check_the_proof(expanded: Document, document: Document) -> None:
    """The proof is in a graph of its own, its terms those of Data Integrity."""
    [proof] = alone(expanded, f"{SEC}proof")["@graph"]
    assert proof["@type"] == [f"{SEC}DataIntegrityProof"]
    method = document["proof"]["verificationMethod"]
    assert alone(proof, f"{SEC}verificationMethod") == {"@id": method}
    assert alone(proof, f"{SEC}proofPurpose") == {"@id": f"{SEC}assertionMethod"}
    value = {"@type": f"{SEC}multibase", "@value": document["proof"]["proofValue"]}
    assert alone(proof, f"{SEC}proofValue") == value
    assert alone(proof, f"{SEC}cryptosuite")["@value"] == "eddsa-jcs-2022"
    assert alone(proof, "http://purl.org/dc/terms/created")["@value"] == document["proof"]["created"]


def _unknown_term(document: Document) -> None:
    document["curriculum"] = "x"


def _unknown_type(document: Document) -> None:
    document["type"] = "Curriculum"


def _foreign_context(document: Document) -> None:
    document["@context"] = [*document["@context"], f"{ESN}context.json"]


async def test_the_oracle_says_when_something_would_be_lost(lyon: LiveNode, tmp_path: Path) -> None:
    document = (await published(lyon))["proven Create Note"]
    changed = []
    for change in (_unknown_term, _unknown_type, _foreign_context):
        changed.append(copy.deepcopy(document))
        change(changed[-1])
    without = {key: value for key, value in document.items() if key != "@context"}
    answers = expand(tmp_path / "jsonld", [document, *changed, without])
    lost = [answer.get("failure") or nameless(answer["expanded"]) for answer in answers]
    assert lost[:3] == [[], ["_:curriculum"], ["_:Curriculum"]]
    assert all("failure" in answer for answer in answers[3:])
