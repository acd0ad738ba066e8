"""The inboxes' door: what is turned away before the verifier, and what reaches it unchanged."""

from __future__ import annotations

import asyncio
from base64 import b64encode
from collections.abc import AsyncIterator
from io import BytesIO
from pathlib import Path

import pytest

from esnfed.activitypub import inbox as door
from esnfed.config import Config, Environment
from esnfed.errors import Busy, Gone, Ignored, Malformed, Refused, Unauthenticated
from esnfed.federation.keys import KeyPair, load_private
from esnfed.federation.signatures import Signer, sign
from esnfed.http.limits import Rate
from esnfed.vocab.terms import ACTIVITY_JSON, LD_JSON
from tests.http.site import NOW, Site

PEER = "other.esn.test"
BODY = b'{"type": "Like" , "note": "kept \xc3\xa9xactly"}'


@pytest.fixture
def headers(rsa_pair: KeyPair) -> dict[str, str]:
    """Headers of a signed POST; the double behind the door does not look at whether they are right."""
    signer = Signer(f"https://{PEER}/users/bob#main-key", load_private(rsa_pair.private_der))
    signed = sign("cavage", signer, "POST", "https://lyon.esn.test/inbox", BODY, NOW)
    return signed | {"Content-Type": ACTIVITY_JSON, "Host": "lyon.esn.test"}


@pytest.mark.parametrize("path", ["/inbox", "/inbox/", "/relay/inbox", "/relay/inbox/"])
async def test_every_inbox_hands_the_bytes_as_received_to_the_one_verifier(
    site: Site, headers: dict[str, str], path: str
) -> None:
    answer = await site.client.post(path, data=BODY, headers=headers)
    assert (answer.status, await answer.read()) == (202, b"")
    [request] = site.inbox.received
    assert request.body == BODY
    [base] = request.signature.bases
    assert base.startswith(f"(request-target): post {path}\nhost: lyon.esn.test\n".encode())
    assert b64encode(request.signature.signature).decode() in headers["Signature"]


@pytest.mark.parametrize("slash", ["", "/"])
async def test_a_personal_inbox_leads_to_the_same_verifier(
    site: Site, headers: dict[str, str], slash: str
) -> None:
    actor_id = await site.local_actor("ada")
    answer = await site.client.post(f"/ap/actors/{actor_id}/inbox{slash}", data=BODY, headers=headers)
    assert (answer.status, len(site.inbox.received)) == (202, 1)


async def test_the_inbox_of_nobody_takes_nothing(site: Site, headers: dict[str, str]) -> None:
    gone = await site.local_actor("gone", deleted_at=NOW)
    for number, expected in ((17, 404), (gone, 410)):
        answer = await site.client.post(f"/ap/actors/{number}/inbox", data=BODY, headers=headers)
        assert answer.status == expected
    assert site.inbox.received == []


@pytest.mark.parametrize(
    "content_type",
    [
        "application/json",
        "application/ld+json",
        'application/ld+json; profile="http://www.w3.org/ns/json-ld#compacted"',
        "text/html",
        "application/activity+jsonx",
        "application/octet-stream",
    ],
)
async def test_other_media_types_are_refused(site: Site, headers: dict[str, str], content_type: str) -> None:
    answer = await site.client.post("/inbox", data=BODY, headers=headers | {"Content-Type": content_type})
    assert (answer.status, site.inbox.received) == (415, [])


@pytest.mark.parametrize("content_type", [LD_JSON, ACTIVITY_JSON, f"{ACTIVITY_JSON}; charset=utf-8"])
async def test_the_two_media_types_are_taken(site: Site, headers: dict[str, str], content_type: str) -> None:
    answer = await site.client.post("/inbox", data=BODY, headers=headers | {"Content-Type": content_type})
    assert answer.status == 202


async def test_a_compressed_body_is_refused(site: Site, headers: dict[str, str]) -> None:
    answer = await site.client.post("/inbox", data=BODY, headers=headers | {"Content-Encoding": "gzip"})
    assert (answer.status, site.inbox.received) == (415, [])


async def test_a_request_without_a_signature_is_refused_before_its_body(
    site: Site, headers: dict[str, str]
) -> None:
    del headers["Signature"]
    answer = await site.client.post("/inbox", data=BODY, headers=headers)
    assert (answer.status, site.inbox.received) == (401, [])


async def test_a_body_over_the_limit_is_refused_whether_announced_or_not(
    site: Site, headers: dict[str, str]
) -> None:
    async def unannounced() -> AsyncIterator[bytes]:
        for _ in range(17):
            yield b" " * 65_536

    announced = await site.client.post("/inbox", data=BytesIO(b" " * (door.MAX_BODY + 1)), headers=headers)
    assert announced.status == 413
    chunked = await site.client.post("/inbox", data=unannounced(), headers=headers)
    assert chunked.status == 413
    assert site.inbox.received == []


async def test_a_body_of_exactly_the_limit_is_taken(site: Site, headers: dict[str, str]) -> None:
    answer = await site.client.post("/inbox", data=BytesIO(b" " * door.MAX_BODY), headers=headers)
    assert (answer.status, len(site.inbox.received[0].body)) == (202, door.MAX_BODY)


async def test_a_body_that_never_ends_is_given_up(
    site: Site, headers: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(door, "BODY_SECONDS", 0.0)
    answered = asyncio.Event()

    async def drip() -> AsyncIterator[bytes]:
        yield b"{"
        await answered.wait()

    answer = await site.client.post("/inbox", data=drip(), headers=headers)
    assert (answer.status, site.inbox.received) == (400, [])
    answered.set()


@pytest.mark.parametrize(
    ("error", "status"),
    [
        (Malformed(), 400),
        (Unauthenticated(), 401),
        (Refused(), 403),
        (Gone(), 410),
        (Busy(retry_after=60), 503),
        (Ignored(), 202),
    ],
)
async def test_what_the_verifier_raises_becomes_the_answer(
    site: Site, headers: dict[str, str], error: Exception, status: int
) -> None:
    site.inbox.error = error
    answer = await site.client.post("/inbox", data=BODY, headers=headers)
    assert answer.status == status
    assert answer.headers.get("Retry-After") == ("60" if status == 503 else None)


async def test_a_full_queue_answers_before_anything_is_read(
    site: Site, headers: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def full() -> None:
        raise Busy(retry_after=7)

    monkeypatch.setattr(site.database, "admit", full)
    answer = await site.client.post("/inbox", data=BODY, headers=headers | {"Content-Type": "text/html"})
    assert (answer.status, answer.headers["Retry-After"]) == (503, "7")
    assert site.inbox.received == []


async def test_an_address_that_sends_too_much_waits_until_its_bucket_fills(
    site: Site, headers: dict[str, str]
) -> None:
    site.limit(address=Rate(per_second=0.5, burst=2))
    statuses = [(await site.client.post("/inbox", data=BODY, headers=headers)).status for _ in range(3)]
    assert statuses == [202, 202, 429]
    answer = await site.client.post("/inbox", data=BODY, headers=headers)
    assert answer.headers["Retry-After"] == "2"
    site.clock.advance(2_000)
    assert (await site.client.post("/inbox", data=BODY, headers=headers)).status == 202


async def test_a_server_has_a_limit_of_its_own(site: Site, headers: dict[str, str]) -> None:
    site.limit(host=Rate(per_second=1, burst=1))
    statuses = [(await site.client.post("/inbox", data=BODY, headers=headers)).status for _ in range(2)]
    assert statuses == [202, 429]
    other = headers["Signature"].replace(PEER, "third.esn.test")
    answer = await site.client.post("/inbox", data=BODY, headers=headers | {"Signature": other})
    assert answer.status == 202


async def test_an_inbox_is_not_read(site: Site) -> None:
    answer = await site.client.get("/inbox")
    assert (answer.status, answer.headers["Allow"]) == (405, "POST")


@pytest.mark.parametrize(
    ("environment", "name"), [("production", "other.esn.test"), ("demo", "other.esn.test:8443")]
)
def test_limits_count_by_host_name_in_production_and_by_authority_elsewhere(
    tmp_path: Path, environment: Environment, name: str
) -> None:
    config = Config(domain="lyon.esn.test", data_dir=tmp_path, environment=environment)
    assert door.limited_host(config, "https://other.esn.test:8443/users/bob#main-key") == name
