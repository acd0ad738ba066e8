"""Signed GETs end to end: a real signature, the real verifier, the key of a known actor."""

from __future__ import annotations

from typing import Any, Literal

import pytest

from esnfed.bus import Bus
from esnfed.errors import RemoteMissing
from esnfed.federation.authenticate import Authenticator
from esnfed.federation.keys import KeyPair, KeyRing, load_private
from esnfed.federation.peer_book import PeerBook
from esnfed.federation.signatures import Signer, sign
from esnfed.vocab import parse
from tests.http.site import AP, NOW, ORIGIN, Site, SiteMaker

PEER = "other.esn.test"
KEY_URI = f"https://{PEER}/users/bob#main-key"

Scheme = Literal["cavage", "rfc9421"]


class NoDiscovery:
    """Every key of these tests is known already; another look at its origin finds nothing."""

    async def key_owner(self, key_uri: str) -> Any:
        """Find nothing."""
        raise RemoteMissing(key_uri)

    def heard(self, host: str) -> None:
        """A peer proved that it is alive."""


class SwitchedAuthenticator:
    """Stands in the application until the site, whose database the real one needs, is there."""

    real: Authenticator

    async def requester(self, request: Any) -> Any:
        """Ask the real one."""
        return await self.real.requester(request)


@pytest.fixture
async def verified(make_site: SiteMaker, rsa_pair: KeyPair) -> Site:
    """A site with the real verifier that knows bob's key; bob follows ada."""
    switched = SwitchedAuthenticator()
    made = await make_site(authenticator=switched)
    book, bus = PeerBook(made.database, made.runtime, Bus()), Bus()
    switched.real = Authenticator(made.database, NoDiscovery(), KeyRing(), book, made.runtime, bus)  # type: ignore[arg-type]
    bob = await made.remote_actor("bob", PEER)
    await made.key(bob, KEY_URI, "rsa", rsa_pair.public_der)
    return made


def _signed(rsa_pair: KeyPair, path: str, scheme: Scheme = "cavage") -> dict[str, str]:
    signer = Signer(KEY_URI, load_private(rsa_pair.private_der))
    return AP | {"Host": "lyon.esn.test"} | sign(scheme, signer, "GET", f"{ORIGIN}{path}", None, NOW)


@pytest.mark.parametrize("scheme", ["cavage", "rfc9421"])
async def test_a_signature_opens_the_pages_of_followers(
    verified: Site, rsa_pair: KeyPair, scheme: Scheme
) -> None:
    author = await verified.local_actor("ada", followers_count=1)
    path = f"/ap/actors/{author}/followers"
    answer = await verified.client.get(path, headers=_signed(rsa_pair, path, scheme))
    assert answer.status == 200
    assert parse.load(await answer.read())["first"] == f"{ORIGIN}{path}/0"


async def test_a_signature_for_another_address_opens_nothing(verified: Site, rsa_pair: KeyPair) -> None:
    author = await verified.local_actor("ada", followers_count=1)
    headers = _signed(rsa_pair, f"/ap/actors/{author}/following")
    answer = await verified.client.get(f"/ap/actors/{author}/followers", headers=headers)
    assert answer.status == 401


async def test_a_signed_fetch_may_be_repeated(verified: Site, rsa_pair: KeyPair) -> None:
    author = await verified.local_actor("ada")
    post = await verified.post(author, "followers")
    await verified.follow(await verified.remote_actor("eva", PEER), author)
    headers = _signed(rsa_pair, f"/ap/objects/{post}")
    for _ in range(2):
        assert (await verified.client.get(f"/ap/objects/{post}", headers=headers)).status == 200


async def test_a_blocked_server_is_refused_with_a_good_signature(verified: Site, rsa_pair: KeyPair) -> None:
    await verified.peer(PEER, "blocked")
    author = await verified.local_actor("ada")
    path = f"/ap/actors/{author}/followers"
    assert (await verified.client.get(path, headers=_signed(rsa_pair, path))).status == 403
