"""Actor documents over HTTP."""

from __future__ import annotations

import pytest

from esnfed.federation.keys import KeyPair
from esnfed.models import actor
from esnfed.vocab import parse
from tests.http.site import AP, HTML, NOW, ORIGIN, Site


async def test_an_actor_is_served_to_anybody_with_its_keys(site: Site, rsa_pair: KeyPair) -> None:
    actor_id = await site.local_actor("ada", name="Ada")
    uri = f"{ORIGIN}/ap/actors/{actor_id}"
    await site.key(actor_id, f"{uri}#main-key", "rsa", rsa_pair.public_der)
    answer = await site.client.get(f"/ap/actors/{actor_id}", headers=AP)
    assert answer.status == 200
    assert answer.headers["Content-Type"] == "application/activity+json"
    assert answer.headers["Vary"] == "Accept, Signature"
    assert answer.headers["Cache-Control"] == "public, max-age=180"
    document = parse.load(await answer.read())
    assert document["id"] == uri
    assert document["publicKey"]["owner"] == uri
    assert "BEGIN PUBLIC KEY" in document["publicKey"]["publicKeyPem"]
    assert document["inbox"] == f"{uri}/inbox"
    assert site.authenticator.asked == []


async def test_the_node_actor_is_served_unsigned_at_relay(site: Site) -> None:
    answer = await site.client.get("/relay")
    document = parse.load(await answer.read())
    assert (answer.status, document["id"], document["type"]) == (200, f"{ORIGIN}/relay", "Application")
    assert site.authenticator.asked == []


async def test_the_node_actor_under_its_number_leads_to_relay(site: Site) -> None:
    number = await site.database.read(lambda context: context.connection.execute(_NODE).scalar_one())
    answer = await site.client.get(f"/ap/actors/{number}", headers=AP, allow_redirects=False)
    assert (answer.status, answer.headers["Location"]) == (303, f"{ORIGIN}/relay")


_NODE = actor.select().where(actor.c.as_type == "Application").with_only_columns(actor.c.id)


@pytest.mark.parametrize(("as_type", "page"), [("Person", "/@ada"), ("Organization", "/o/ada")])
async def test_asking_for_html_leads_to_the_page(site: Site, as_type: str, page: str) -> None:
    actor_id = await site.local_actor("ada", as_type)
    answer = await site.client.get(f"/ap/actors/{actor_id}", headers=HTML, allow_redirects=False)
    assert (answer.status, answer.headers["Location"]) == (303, f"{ORIGIN}{page}")
    assert answer.headers["Vary"] == "Accept"


async def test_a_deleted_actor_leaves_a_tombstone(site: Site) -> None:
    actor_id = await site.local_actor("ada", deleted_at=NOW)
    answer = await site.client.get(f"/ap/actors/{actor_id}", headers=AP)
    document = parse.load(await answer.read())
    assert answer.status == 410
    assert answer.headers["Content-Type"] == "application/activity+json"
    assert (document["type"], document["formerType"]) == ("Tombstone", "Person")
    assert document["deleted"] == parse.iso(NOW)
    assert document["id"] == f"{ORIGIN}/ap/actors/{actor_id}"


async def test_a_suspended_actor_is_refused_and_not_gone(site: Site) -> None:
    actor_id = await site.local_actor("ada", suspended_at=NOW)
    assert (await site.client.get(f"/ap/actors/{actor_id}", headers=AP)).status == 403


@pytest.mark.parametrize("number", ["12", "9223372036854775808", "9999999999999999999", "ada", "-1", "1e3"])
async def test_an_unknown_or_impossible_number_is_not_found(site: Site, number: str) -> None:
    assert (await site.client.get(f"/ap/actors/{number}", headers=AP)).status == 404


async def test_a_remote_actor_is_not_served_here(site: Site) -> None:
    actor_id = await site.remote_actor("bob", "other.esn.test")
    assert (await site.client.get(f"/ap/actors/{actor_id}", headers=AP)).status == 404
