"""Fedify verifies our proofs and we verify Fedify's: each takes from a third what the other wrote."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import orjson
import pytest
from sqlalchemy import delete

from esnfed.context import Context
from esnfed.federation import proofs
from esnfed.federation.keys import load_private, load_public
from esnfed.federation.signatures import Signer, sign
from esnfed.models import activity, actor_key, inbox_message
from esnfed.records import operations
from esnfed.services import collections
from esnfed.vocab import parse
from esnfed.vocab.terms import ACTIVITY_JSON
from tests.conftest import MakeRuntime, Prepare
from tests.doubles.authority import Authority
from tests.federation.network import LiveNode
from tests.oracles.fedify.process import fedify
from tests.oracles.fedify.scene import Scene, live_node
from tests.oracles.test_fedify_documents import knock
from tests.unit.records.sheets import project

Document = dict[str, Any]


@pytest.fixture(scope="module")
def key_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where the keys of Fedify's person are kept."""
    return tmp_path_factory.mktemp("keys") / "keys.json"


@pytest.fixture
def authority(tmp_path: Path) -> Authority:
    """The certificate authority of all three."""
    return Authority(tmp_path)


@pytest.fixture
async def scene(
    runtime: MakeRuntime, prepare_sqlite: Prepare, tmp_path: Path, authority: Authority, key_file: Path
) -> AsyncIterator[Scene]:
    """Lyon and Fedify."""
    async with (
        live_node(runtime, prepare_sqlite, authority) as lyon,
        fedify(tmp_path / "fedify", authority, "rfc9421", key_file) as other,
    ):
        yield Scene(lyon, await lyon.actor("amina"), other, "rfc9421")


@pytest.fixture
async def dakar(
    runtime: MakeRuntime, prepare_sqlite: Prepare, authority: Authority
) -> AsyncIterator[LiveNode]:
    """A third server."""
    async with live_node(runtime, prepare_sqlite, authority) as found:
        yield found


async def deliver(scene: Scene, url: str, body: bytes, by: LiveNode, actor_id: int) -> int:
    """Bring bytes to an inbox with the signature of an actor of ours, whoever wrote them."""
    row = await by.one(actor_key, actor_id=actor_id, kind="rsa")
    signer = Signer(row["uri"], load_private(row["private_der"]))
    headers = {"Content-Type": ACTIVITY_JSON}
    headers |= sign("cavage", signer, "POST", url, body, by.node.runtime.clock())
    return await knock(scene, url, body, headers)


async def announced(scene: Scene) -> bytes:
    """A project of an organisation as it leaves Lyon."""
    await scene.lyon.actor("sne", "Organization")
    await operations.announce(scene.lyon.node, owner="sne", kind="project", sheet=project())
    row = await scene.lyon.one(activity, as_type="Create")
    found: bytes = await scene.lyon.read(collections.public_activity, row["id"])
    return found


async def test_fedify_believes_our_proof_whoever_delivers(scene: Scene) -> None:
    body = await announced(scene)
    document = orjson.loads(body)
    assert await deliver(scene, f"https://{scene.fedify.domain}/inbox", body, scene.lyon, scene.amina) == 202
    created = await scene.arrival("Create")
    assert (created["id"], created["actor"]) == (document["id"], document["actor"])
    assert created["actor"] != await scene.uri(scene.amina)
    assert created["compacted"]["object"]["esn:record"] == document["object"]["esn:record"]


def _edit(document: Document) -> None:
    document["object"]["content"] += "."


def _edit_the_record(document: Document) -> None:
    document["object"]["esn:record"]["state"] = "closed"


def _strip(document: Document) -> None:
    del document["proof"]


def _redate(document: Document) -> None:
    document["proof"]["created"] = "2020-01-01T00:00:00Z"


@pytest.mark.parametrize("change", [_edit, _edit_the_record, _strip, _redate])
async def test_fedify_doubts_it_when_something_was_changed(
    scene: Scene, change: Callable[[Document], None]
) -> None:
    document = orjson.loads(await announced(scene))
    change(document)
    body = orjson.dumps(document)
    assert await deliver(scene, f"https://{scene.fedify.domain}/inbox", body, scene.lyon, scene.amina) == 401
    assert await scene.fedify.ask("received") == []


async def test_we_verify_what_fedify_proves(scene: Scene) -> None:
    await scene.following_fedify()
    made = await scene.fedify.ask("post", content="<p>Bonjour de Dakar</p>")
    body = bytes((await scene.applied(made["activity"]))["body"])
    document = parse.load(body)
    proof = proofs.find(document, scene.lyon.node.runtime.clock())
    assert proof is not None
    key = await scene.lyon.one(actor_key, uri=proof.key_uri)
    assert (key["kind"], key["actor_id"]) == ("ed25519", await scene.paul())
    proofs.verify(proof, document, load_public(key["public_der"]))


async def test_what_fedify_wrote_is_believed_whoever_delivers(scene: Scene, dakar: LiveNode) -> None:
    lyon = scene.lyon
    await scene.following_fedify()
    made = await scene.fedify.ask("post", content="<p>Bonjour de Dakar</p>")
    body = bytes((await scene.applied(made["activity"]))["body"])
    await lyon.write(_forget)
    carrier, inbox = await dakar.actor("awa"), f"https://{lyon.domain}/inbox"
    assert await deliver(scene, inbox, body.replace(b"Bonjour", b"Bonsoir"), dakar, carrier) == 401
    assert await lyon.rows(inbox_message) == []
    assert await deliver(scene, inbox, body, dakar, carrier) == 202
    message = await lyon.one(inbox_message, uri=made["activity"])
    assert (message["actor_uri"], message["scheme"]) == (scene.fedify.actor, "proof")


def _forget(context: Context) -> None:
    context.connection.execute(delete(inbox_message))
