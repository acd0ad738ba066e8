"""Documents and keys: what is fetched is believed only under its own id, at its own origin."""

from __future__ import annotations

import copy
from typing import Any

import pytest

from esnfed.errors import RemoteError, RemoteGone, RemoteNonsense, RemoteRefused
from esnfed.federation import reasons
from esnfed.federation.pacing import Budget
from esnfed.federation.resolver import Resolver
from tests.doubles.server import Reply, ServerDouble, document, redirect
from tests.unit.transport.conftest import NODE, World

ALICE = "https://good.esn.test/users/alice"
KEY = f"{ALICE}#main-key"
ACTOR: dict[str, Any] = {
    "@context": "https://www.w3.org/ns/activitystreams",
    "id": ALICE,
    "type": "Person",
    "preferredUsername": "alice",
    "inbox": f"{ALICE}/inbox",
    "publicKey": {"id": KEY, "owner": ALICE, "publicKeyPem": "-----BEGIN PUBLIC KEY-----"},
}


@pytest.fixture
async def good(world: World) -> ServerDouble:
    double = await world.server("good.esn.test")
    double.answers["/users/alice"] = document(ACTOR)
    return double


@pytest.fixture
async def evil(world: World) -> ServerDouble:
    return await world.server("evil.esn.test")


@pytest.fixture
async def resolver(world: World, good: ServerDouble, evil: ServerDouble) -> Resolver:
    return world.resolver(world.transport())


def actor(**changes: Any) -> dict[str, Any]:
    changed = copy.deepcopy(ACTOR) | changes
    return {name: value for name, value in changed.items() if value is not None}


async def refused(resolver: Resolver, uri: str, reason: str, *, key: bool = False) -> None:
    with pytest.raises((RemoteNonsense, RemoteRefused)) as caught:
        await (resolver.key_document(uri) if key else resolver.document(uri))
    assert str(caught.value) == reason


async def test_document_is_fetched_signed_by_the_node(resolver: Resolver, good: ServerDouble) -> None:
    assert await resolver.document(ALICE) == ACTOR
    assert f'keyId="https://{NODE}/relay#ed25519-key"' in good.seen[0].headers["Signature"]


async def test_fragment_names_the_same_document(resolver: Resolver) -> None:
    assert await resolver.document(f"{ALICE}#anything") == ACTOR


async def test_page_address_leads_to_the_id_on_the_same_origin(
    resolver: Resolver, good: ServerDouble
) -> None:
    good.answers["/@alice"] = document(ACTOR)
    assert await resolver.document("https://good.esn.test/@alice") == ACTOR
    assert good.targets() == ["/@alice", "/users/alice"]


async def test_id_that_does_not_confirm_itself_is_refused(resolver: Resolver, good: ServerDouble) -> None:
    good.answers["/a"] = document(actor(id="https://good.esn.test/b"))
    good.answers["/b"] = document(actor(id="https://good.esn.test/c"))
    good.answers["/c"] = document(actor(id="https://good.esn.test/c"))
    await refused(resolver, "https://good.esn.test/a", reasons.OTHER_ID)
    assert good.targets() == ["/a", "/b"]


async def test_victims_document_at_another_address_changes_nothing(
    resolver: Resolver, good: ServerDouble, evil: ServerDouble
) -> None:
    evil.answers["/users/alice"] = document(ACTOR)
    await refused(resolver, "https://evil.esn.test/users/alice", reasons.OTHER_ORIGIN)
    assert good.seen == []


async def test_redirecting_server_does_not_pose_as_the_one_it_leads_to(
    resolver: Resolver, evil: ServerDouble
) -> None:
    evil.answers["/users/alice"] = redirect(ALICE)
    await refused(resolver, "https://evil.esn.test/users/alice", reasons.OTHER_ID)


async def test_open_redirect_of_the_victim_does_not_lend_its_name(
    resolver: Resolver, good: ServerDouble, evil: ServerDouble
) -> None:
    good.answers["/go"] = redirect("https://evil.esn.test/fake")
    evil.answers["/fake"] = document(actor(id="https://good.esn.test/go"))
    await refused(resolver, "https://good.esn.test/go", reasons.OTHER_ORIGIN)


async def test_other_port_is_another_origin(world: World, resolver: Resolver, good: ServerDouble) -> None:
    good.answers["/x"] = document(actor(id="https://good.esn.test:8443/x"))
    await refused(resolver, "https://good.esn.test/x", reasons.OTHER_ORIGIN)


@pytest.mark.parametrize("given", [None, "", 1, ["https://good.esn.test/users/alice"], {"id": ALICE}])
async def test_document_without_an_id_is_refused(
    resolver: Resolver, good: ServerDouble, given: object
) -> None:
    good.answers["/users/alice"] = document(actor(id=given))
    await refused(resolver, ALICE, reasons.ANONYMOUS)
    await refused(resolver, KEY, reasons.ANONYMOUS, key=True)


@pytest.mark.parametrize("uri", [f"https://{NODE}/ap/actors/1", f"https://{NODE.upper()}/relay#main-key"])
async def test_own_things_are_never_fetched(resolver: Resolver, uri: str) -> None:
    await refused(resolver, uri, reasons.OWN_ADDRESS)
    await refused(resolver, uri, reasons.OWN_ADDRESS, key=True)


async def test_id_that_leads_to_ourselves_is_not_followed(resolver: Resolver, evil: ServerDouble) -> None:
    evil.answers["/a"] = document(actor(id=f"https://{NODE}/ap/actors/1"))
    await refused(resolver, "https://evil.esn.test/a", reasons.OTHER_ORIGIN)


@pytest.mark.parametrize("keyword", ["@graph", "@included", "@reverse"])
async def test_restructuring_keywords_are_refused(
    resolver: Resolver, good: ServerDouble, keyword: str
) -> None:
    good.answers["/users/alice"] = document(actor(tag=[{keyword: {}}]))
    await refused(resolver, ALICE, reasons.NOT_JSON)


async def test_uploaded_file_is_no_actor(resolver: Resolver, good: ServerDouble) -> None:
    good.answers["/users/alice"] = document(ACTOR, "application/json")
    await refused(resolver, ALICE, reasons.CONTENT_TYPE)


async def test_deleted_document_is_gone(resolver: Resolver, good: ServerDouble) -> None:
    good.answers["/users/alice"] = Reply(410)
    with pytest.raises(RemoteGone):
        await resolver.document(ALICE)
    with pytest.raises(RemoteGone):
        await resolver.key_document(KEY)


async def test_budget_is_spent_by_every_fetch(resolver: Resolver, good: ServerDouble) -> None:
    good.answers["/@alice"] = document(ACTOR)
    budget = Budget(2)
    await resolver.document("https://good.esn.test/@alice", budget)
    with pytest.raises(RemoteError, match="too many fetches"):
        await resolver.document(ALICE, budget)


async def test_key_by_fragment_gives_its_actor(resolver: Resolver) -> None:
    assert await resolver.key_document(KEY) == (ALICE, ACTOR)


async def test_one_of_several_keys_and_multikeys_is_found(resolver: Resolver, good: ServerDouble) -> None:
    second = {"id": f"{ALICE}#second", "owner": ALICE, "publicKeyPem": "x"}
    multikey = {"id": f"{ALICE}#ed", "type": "Multikey", "controller": ALICE, "publicKeyMultibase": "z6"}
    listed = actor(publicKey=[ACTOR["publicKey"], second], assertionMethod=[multikey])
    good.answers["/users/alice"] = document(listed)
    for key_uri in (KEY, f"{ALICE}#second", f"{ALICE}#ed"):
        assert await resolver.key_document(key_uri) == (ALICE, listed)
    await refused(resolver, f"{ALICE}#third", reasons.KEY_OWNER, key=True)


async def test_stub_under_the_keys_own_path_leads_to_its_owner(
    resolver: Resolver, good: ServerDouble
) -> None:
    key_uri = f"{ALICE}/main-key"
    key = {"id": key_uri, "owner": ALICE, "publicKeyPem": "x"}
    whole = actor(publicKey=key)
    good.answers["/users/alice"] = document(whole)
    good.answers["/users/alice/main-key"] = document({"id": ALICE, "type": "Person", "publicKey": key})
    assert await resolver.key_document(key_uri) == (ALICE, whole)


async def test_key_alone_leads_to_the_owner_that_lists_it(resolver: Resolver, good: ServerDouble) -> None:
    key_uri = "https://good.esn.test/keys/1"
    good.answers["/users/alice"] = document(actor(publicKey=key_uri, assertionMethod=None))
    good.answers["/keys/1"] = document({"id": key_uri, "type": "Key", "owner": ALICE, "publicKeyPem": "x"})
    await refused(resolver, key_uri, reasons.KEY_OWNER, key=True)


async def test_key_alone_that_the_owner_embeds_is_accepted(resolver: Resolver, good: ServerDouble) -> None:
    key_uri = "https://good.esn.test/keys/1"
    key = {"id": key_uri, "owner": ALICE, "publicKeyPem": "x"}
    whole = actor(publicKey=key)
    good.answers["/users/alice"] = document(whole)
    good.answers["/keys/1"] = document(key)
    assert await resolver.key_document(key_uri) == (ALICE, whole)


async def test_key_alone_under_another_id_is_refused(resolver: Resolver, good: ServerDouble) -> None:
    good.answers["/keys/2"] = document(
        {"id": "https://good.esn.test/keys/1", "owner": ALICE, "publicKeyPem": "x"}
    )
    good.answers["/keys/1"] = good.answers["/keys/2"]
    await refused(resolver, "https://good.esn.test/keys/2", reasons.OTHER_ID, key=True)


async def test_key_that_names_a_foreign_owner_is_refused(
    resolver: Resolver, good: ServerDouble, evil: ServerDouble
) -> None:
    key_uri = "https://evil.esn.test/key"
    evil.answers["/key"] = document({"id": key_uri, "owner": ALICE, "publicKeyPem": "x"})
    await refused(resolver, key_uri, reasons.KEY_OWNER, key=True)
    assert good.seen == []


async def test_key_that_its_owner_does_not_list_is_refused(resolver: Resolver, good: ServerDouble) -> None:
    key_uri = "https://good.esn.test/uploads/key"
    good.answers["/uploads/key"] = document({"id": key_uri, "owner": ALICE, "publicKeyPem": "x"})
    await refused(resolver, key_uri, reasons.KEY_OWNER, key=True)


async def test_actor_that_lists_a_key_of_somebody_else_is_refused(
    resolver: Resolver, evil: ServerDouble
) -> None:
    mallory = "https://evil.esn.test/mallory"
    key = {"id": f"{mallory}#key", "owner": ALICE, "publicKeyPem": "x"}
    evil.answers["/mallory"] = document(actor(id=mallory, publicKey=key))
    await refused(resolver, f"{mallory}#key", reasons.KEY_OWNER, key=True)


async def test_stub_of_a_foreign_actor_is_refused(resolver: Resolver, evil: ServerDouble) -> None:
    key_uri = "https://evil.esn.test/key"
    key = {"id": key_uri, "owner": ALICE, "publicKeyPem": "x"}
    evil.answers["/key"] = document({"id": ALICE, "type": "Person", "publicKey": key})
    await refused(resolver, key_uri, reasons.OTHER_ORIGIN, key=True)


@pytest.mark.parametrize("as_type", ["Note", "Key", ["Person"], None])
async def test_owner_that_is_no_actor_is_refused(
    resolver: Resolver, good: ServerDouble, as_type: object
) -> None:
    key_uri = "https://good.esn.test/keys/1"
    key = {"id": key_uri, "owner": ALICE, "publicKeyPem": "x"}
    good.answers["/users/alice"] = document(actor(type=as_type, publicKey=key))
    good.answers["/keys/1"] = document(key)
    await refused(resolver, key_uri, reasons.NO_KEY, key=True)
