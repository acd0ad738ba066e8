"""federation.md C1: what is said inside a document proves nothing, unless it proves all of the document."""

from __future__ import annotations

import json
from copy import deepcopy
from typing import Any

import pytest

from esnfed.models import actor, follow, inbox_message, status
from tests.doubles.server import document
from tests.federation.network import Network
from tests.federation.peer import Document
from tests.federation.test_proofs import Relay
from tests.fuzz.mutation import inside, places, put
from tests.hostile.scene import Scene

LD_SIGNATURE = {
    "type": "RsaSignature2017",
    "created": "2026-01-01T00:00:00Z",
    "signatureValue": "A" * 344,
}


async def amina_follows_paul(scene: Scene) -> tuple[str, Document]:
    """Let Amina follow Paul; return her id and an Undo of that follow, as she would write it."""
    await scene.lyon.follow(scene.amina, await scene.lyon.find("paul@dakar.esn.test"))
    await scene.network.settle()
    victim = await scene.victim()
    row = next(row for row in await scene.dakar.rows(follow) if row["target_id"] == scene.paul)
    whole = {
        "id": row["uri"],
        "type": "Follow",
        "actor": victim,
        "object": await scene.uri(scene.dakar, scene.paul),
    }
    undo = {"id": f"{victim}#undo", "type": "Undo", "actor": victim, "object": whole}
    return victim, undo | {"signature": LD_SIGNATURE | {"creator": f"{victim}#main-key"}}


@pytest.mark.parametrize("keyword", ["@graph", "@included", "@reverse", "\\u0040graph", "@\\u0067raph"])
async def test_ld_signature_restructuring_cve_2026_46349_cve_2026_48028_cve_2026_42462(
    scene: Scene, keyword: str
) -> None:
    """Protection: `parse.load` refuses these keywords anywhere, however they are spelled."""
    victim, undo = await amina_follows_paul(scene)
    marker = "KEYWORD"
    envelope = scene.evil.activity(scene.mallory, "Announce", victim)
    forms: list[Document] = [
        {"@context": undo.get("@context", []), marker: [undo]},
        envelope | {marker: [undo]},
        envelope | {"tag": [{"a": [{"b": {marker: undo}}]}]},
        undo | {"actor": scene.mallory["id"], "id": envelope["id"], marker: undo},
        {marker: undo, **scene.create("caché")},
    ]
    for form in forms:
        body = json.dumps(form).replace(marker, keyword).encode()
        await scene.send(body, status=400)
    scene.evil.answers["/o"] = document({"id": f"{scene.evil.origin}/o"})
    served = json.dumps(scene.evil.note(scene.mallory, "o", id=f"{scene.evil.origin}/o") | {marker: [undo]})
    scene.evil.answers["/o"] = document(json.loads(served.replace(marker, "@graph")))
    await scene.send(scene.evil.activity(scene.mallory, "Announce", f"{scene.evil.origin}/o"))
    assert [row["state"] for row in await scene.dakar.rows(follow) if row["target_id"] == scene.paul] == [
        "accepted"
    ]
    assert await scene.dakar.rows(status) == []


async def test_an_ld_signature_never_authenticates(scene: Scene) -> None:
    """Protection: no code reads `signature`: only the HTTP signature or a FEP-8b32 proof says who speaks."""
    victim, undo = await amina_follows_paul(scene)
    note = scene.evil.note(scene.mallory, "faux", id=f"{victim}/notes/1", attributedTo=victim)
    create = {"id": f"{victim}#create", "type": "Create", "actor": victim, "object": note, "to": note["to"]}
    for forged in (
        undo,
        create | {"signature": undo["signature"]},
        undo | {"signature": [undo["signature"]] * 2},
    ):
        await scene.send(forged, status=401)
    mine = scene.create("mien") | {"signature": undo["signature"]}
    await scene.send(mine)  # it is hers by her own HTTP signature, and the foreign one changes nothing
    rows = await scene.dakar.rows(status)
    authors = [(await scene.dakar.row(row["actor_id"]))["uri"] for row in rows]
    assert authors == [scene.mallory["id"]]
    assert [row["state"] for row in await scene.dakar.rows(follow) if row["target_id"] == scene.paul] == [
        "accepted"
    ]


async def test_cve_2026_50128_ghsa_rwcw_vq68_g34p_a_term_that_escapes_signing(network: Network) -> None:
    """Protection: `proofs.verify` hashes the whole document as it was received (JCS), known terms or not."""
    scene = await Relay.gather(network)
    good = scene.prove(scene.create())
    signed = [path for path in places(good) if path and path[0] != "proof" and path != ("proof",)]
    for path in signed:
        changed = deepcopy(good)
        old = inside(changed, path)
        put(changed, path, [old] if isinstance(old, str | dict) else {"x": old})
        assert await scene.deliver(changed) in (400, 401), path
    for added in (
        {"unknownTerm": 1},
        {"esn:x": "y"},
        {"@language": "fr"},
        {"_:b": []},
        {"bto": []},
        {"audience": "x"},
    ):
        assert await scene.deliver(good | added) == 401, added
        inner = deepcopy(good)
        inner["object"] |= added
        assert await scene.deliver(inner) == 401, added
    for name in [name for name in good if name != "proof"]:
        assert await scene.deliver({key: value for key, value in good.items() if key != name}) in (
            400,
            401,
        ), name
    assert await scene.contents() == []
    assert await scene.deliver(good) == 202
    assert len(await scene.contents()) == 1


def bent(good: Document, **options: Any) -> Document:
    """The document with a proof whose options were changed."""
    return good | {"proof": good["proof"] | options}


async def test_fep_8b32_proofs_with_another_context_expired_or_of_another_purpose(network: Network) -> None:
    """Protection: `proofs.find`: purpose, context, expiry, form of the value, as Mastodon checks them."""
    scene = await Relay.gather(network)
    good = scene.prove(scene.create())
    context = good["@context"]
    signed_late = scene.create()
    cases: dict[str, Document] = {
        "other purpose": bent(good, proofPurpose="authentication"),
        "no purpose": bent(good, proofPurpose=None),
        "other context": bent(good, **{"@context": "https://evil.esn.test/ns"}),
        "context in another order": bent(good, **{"@context": context[::-1]}),
        "longer context": bent(good, **{"@context": [*context, "https://evil.esn.test/ns"]}),
        "document with another context": good | {"@context": [*context[::-1]]},
        "expired": bent(good, expires="2025-01-01T00:00:00Z"),
        "expires at no time": bent(good, expires="never"),
        "expires never signed": bent(good, expires="2099-01-01T00:00:00Z"),
        "other suite": bent(good, cryptosuite="eddsa-rdfc-2022"),
        "other type": bent(good, type="Ed25519Signature2020"),
        "value of another kind": bent(good, proofValue="u" + good["proof"]["proofValue"][1:]),
        "value too short": bent(good, proofValue=good["proof"]["proofValue"][:40]),
        "value of zeros": bent(good, proofValue="z" + "1" * 64),
        "value of another document": signed_late | {"proof": good["proof"]},
        "two proofs": good | {"proof": [good["proof"], good["proof"]]},
        "proof in the object": scene.create() | {"object": good["object"] | {"proof": good["proof"]}},
        "key of a neighbour": bent(good, verificationMethod=f"{scene.bob['id']}#main-key"),
        "key of nobody": bent(good, verificationMethod="did:key:z6Mk"),
        "proof is a text": good | {"proof": "x"},
    }
    for case, changed in cases.items():
        assert await scene.deliver(changed) == 401, case
    assert await scene.lyon.rows(inbox_message) == []
    assert [row for row in await scene.lyon.rows(actor) if row["uri"] == scene.bob["id"]] != []
    assert await scene.deliver(good) == 202
