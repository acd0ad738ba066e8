"""WebFinger and host-meta over HTTP."""

from __future__ import annotations

from typing import Any
from xml.etree import ElementTree

import pytest

from tests.http.site import DOMAIN, NOW, ORIGIN, Site, SiteMaker

ACTIVITY = "application/activity+json"


async def _finger(site: Site, resource: str, **more: str) -> Any:
    return await site.client.get("/.well-known/webfinger", params={"resource": resource} | more)


@pytest.mark.parametrize(
    "form",
    [
        "acct:ada@{domain}",
        "acct:@ada@{domain}",
        "ada@{domain}",
        "acct:ADA@LYON.esn.test",
        "acct:ada@{domain}.",
        "{origin}/@ada",
        "{origin}/@Ada",
        "{origin}/ap/actors/{id}",
    ],
)
async def test_every_form_of_a_name_leads_to_the_canonical_account(site: Site, form: str) -> None:
    actor_id = await site.local_actor("ada")
    answer = await _finger(site, form.format(domain=DOMAIN, origin=ORIGIN, id=actor_id))
    assert answer.status == 200
    assert answer.content_type == "application/jrd+json"
    assert answer.headers["Access-Control-Allow-Origin"] == "*"
    uri = f"{ORIGIN}/ap/actors/{actor_id}"
    assert await answer.json() == {
        "subject": f"acct:ada@{DOMAIN}",
        "aliases": [f"{ORIGIN}/@ada", uri],
        "links": [
            {"rel": "self", "type": ACTIVITY, "href": uri},
            {"rel": "http://webfinger.net/rel/profile-page", "type": "text/html", "href": f"{ORIGIN}/@ada"},
        ],
    }


async def test_an_organisation_is_found_by_its_page_alone(site: Site) -> None:
    await site.local_actor("union", "Organization")
    assert (await _finger(site, f"{ORIGIN}/o/union")).status == 200
    assert (await _finger(site, f"{ORIGIN}/@union")).status == 404


@pytest.mark.parametrize("name", ["relay", "RELAY", DOMAIN])
async def test_relay_and_the_domain_name_the_node_actor(site: Site, name: str) -> None:
    found = await (await _finger(site, f"acct:{name}@{DOMAIN}")).json()
    assert found["subject"] == f"acct:relay@{DOMAIN}"
    assert found["links"][0]["href"] == f"{ORIGIN}/relay"


@pytest.mark.parametrize("resource", [f"{ORIGIN}/", ORIGIN])
async def test_the_server_itself_has_a_service_actor(site: Site, resource: str) -> None:
    found = await (await _finger(site, resource)).json()
    assert found == {
        "subject": f"{ORIGIN}/",
        "links": [
            {
                "rel": "https://www.w3.org/ns/activitystreams#Service",
                "type": ACTIVITY,
                "href": f"{ORIGIN}/relay",
            }
        ],
    }


async def test_a_rel_keeps_only_those_links(site: Site) -> None:
    await site.local_actor("ada")
    found = await (await _finger(site, f"acct:ada@{DOMAIN}", rel="self")).json()
    assert [link["rel"] for link in found["links"]] == ["self"]


@pytest.mark.parametrize(
    ("resource", "status"),
    [
        (f"acct:nobody@{DOMAIN}", 404),
        ("acct:ada@other.esn.test", 404),
        ("https://other.esn.test/@ada", 404),
        (f"http://{DOMAIN}/@ada", 404),
        (f"{ORIGIN}/ap/actors/12", 404),
        (f"{ORIGIN}/@ada/extra", 404),
        (f"{ORIGIN}/ap/objects/1", 404),
        (f"acct:gone@{DOMAIN}", 410),
        (f"acct:quiet@{DOMAIN}", 404),
        (f"acct:bob@{DOMAIN}", 404),
        ("", 400),
        ("ada", 400),
        ("acct:ada", 400),
        (f"acct:@{DOMAIN}", 400),
        ("acct:ada@bad host", 400),
        (f"https://ada@{DOMAIN}/", 400),
        (f"acct:{'a' * 3000}@{DOMAIN}", 400),
    ],
)
async def test_what_is_not_found_gone_or_bad(site: Site, resource: str, status: int) -> None:
    await site.local_actor("ada")
    await site.local_actor("gone", deleted_at=NOW)
    await site.local_actor("quiet", suspended_at=NOW)
    await site.remote_actor("bob", "other.esn.test")
    answer = await _finger(site, resource)
    assert answer.status == status
    assert answer.content_type == "application/problem+json"


@pytest.mark.parametrize("query", ["", "?resource=acct:a@lyon.esn.test&resource=acct:b@lyon.esn.test"])
async def test_exactly_one_resource_is_needed(site: Site, query: str) -> None:
    assert (await site.client.get(f"/.well-known/webfinger{query}")).status == 400


@pytest.mark.parametrize("domain", ["esn.test", DOMAIN])
async def test_the_account_domain_may_differ_from_the_web_domain(make_site: SiteMaker, domain: str) -> None:
    site = await make_site(account_domain="esn.test")
    await site.node_actor()
    await site.local_actor("ada")
    found = await (await _finger(site, f"acct:ada@{domain}")).json()
    assert found["subject"] == "acct:ada@esn.test"
    assert found["links"][0]["href"].startswith(f"{ORIGIN}/ap/actors/")
    assert (await (await _finger(site, f"acct:esn.test@{domain}")).json())["subject"] == "acct:relay@esn.test"


async def test_host_meta_names_webfinger_in_xml(site: Site) -> None:
    answer = await site.client.get("/.well-known/host-meta")
    root = ElementTree.fromstring(await answer.text())
    link = root.find("{http://docs.oasis-open.org/ns/xri/xrd-1.0}Link")
    assert answer.headers["Content-Type"] == "application/xrd+xml; charset=utf-8"
    assert answer.headers["Vary"] == "Accept"
    assert link is not None
    assert link.get("rel") == "lrdd"
    assert link.get("template") == f"{ORIGIN}/.well-known/webfinger?resource={{uri}}"


@pytest.mark.parametrize(
    ("path", "headers"),
    [("/.well-known/host-meta.json", {}), ("/.well-known/host-meta", {"Accept": "application/json"})],
)
async def test_host_meta_names_webfinger_in_json(site: Site, path: str, headers: dict[str, str]) -> None:
    answer = await site.client.get(path, headers=headers)
    assert answer.content_type == "application/jrd+json"
    assert (await answer.json(content_type=None))["links"] == [
        {
            "rel": "lrdd",
            "type": "application/jrd+json",
            "template": f"{ORIGIN}/.well-known/webfinger?resource={{uri}}",
        }
    ]
