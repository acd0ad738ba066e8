"""State per host is bounded and expires (CVE-2026-69132): ten thousand fake hosts leave what a few leave."""

from __future__ import annotations

import gc
import tracemalloc
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from types import SimpleNamespace

import pytest

from esnfed.bus import Bus
from esnfed.errors import RemoteUnreachable
from esnfed.federation import authenticate, peer_book, reasons
from esnfed.federation.authenticate import Authenticator, Identity
from esnfed.federation.flights import Flights
from esnfed.federation.keys import KeyRing, generate_ed25519
from esnfed.federation.pacing import Limits
from esnfed.federation.peer_book import PeerBook
from esnfed.http.limits import INBOX_LIMITS, Buckets, InboxLimits, Rate
from esnfed.models import inbox_message
from tests.doubles.clock import Clock
from tests.hostile.scene import Scene
from tests.hostile.wire import Wire

HOSTS = 10_000
MEGABYTES = 1_000_000


@contextmanager
def grows_by_at_most(limit: int) -> Iterator[None]:
    """Fail when what was allocated inside and is still there is more than `limit` bytes."""
    gc.collect()
    tracemalloc.start()
    try:
        yield
        gc.collect()
        grown = tracemalloc.get_traced_memory()[0]
    finally:
        tracemalloc.stop()
    assert grown < limit, grown


def host(number: int) -> str:
    """A host name of its own registrable domain."""
    return f"{'h' * 40}{number}.example{number}.org"


async def test_the_inbox_keeps_nothing_of_ten_thousand_hosts_that_prove_nothing(scene: Scene) -> None:
    node = scene.dakar.node
    limits = scene.dakar.runner.app[INBOX_LIMITS]
    async with Wire(scene.network.hosts[scene.dakar.domain][1]) as wire:
        with grows_by_at_most(6 * MEGABYTES):
            for number in range(2_000):  # the other eight thousand knock at the parts themselves, below
                key = f'keyId="https://{host(number)}/u#k",headers="date",signature="AAAA"'
                headers = [("Host", b"dakar.esn.test"), ("Content-Type", b"application/activity+json")]
                found, _ = await wire.ask(b"POST", b"/inbox", [*headers, ("Signature", key.encode())], b"{}")
                assert found in (400, 401), found
                scene.network.advance(100)
    assert len(limits.addresses) == 1
    assert len(limits.hosts) <= 50  # full again after a moment, and forgotten
    assert len(node.book._entries) <= peer_book.LIMIT
    assert [row for row in await scene.dakar.rows(inbox_message) if "example" in row["host"]] == []


async def test_the_peer_book_forgets_whom_it_needed_longest_ago(scene: Scene) -> None:
    node = scene.dakar.node
    book = PeerBook(node.database, node.runtime, Bus())
    for number in range(HOSTS + 500):
        entry = peer_book._Entry("open", None, 0, known=False)
        book._entries.keep(host(number), entry, book._entries.mark)
        if number >= HOSTS - 5:
            await book.is_blocked(f"new{number}.example")
        book.learned(host(number), "rfc9421")
        book.heard(host(number))
    assert len(book._entries) <= peer_book.LIMIT
    assert len(book._learned) <= peer_book.LIMIT
    assert len(book._heard) <= peer_book.LIMIT


def test_limits_of_the_inbox_forget_what_is_full_again() -> None:
    clock = Clock()
    limits = InboxLimits(clock)
    with grows_by_at_most(8 * MEGABYTES):
        for number in range(2 * HOSTS):
            limits.take(f"2001:db8:{number:x}::/64", host(number))
            limits.addresses.take(f"2001:db8:{number:x}::/64")
    assert len(limits.hosts) <= HOSTS
    assert len(limits.addresses) <= HOSTS
    clock.advance(3_600_000)
    limits.take("last", "last.example")
    assert len(limits.hosts) == 1
    slow = Buckets(clock, Rate(per_second=0.001, burst=2))
    for number in range(2 * HOSTS):
        slow.take(host(number))
    assert len(slow) <= HOSTS  # also those that fill slowly


async def test_authenticator_caches_are_bounded(scene: Scene) -> None:
    node = scene.dakar.node
    authenticator = Authenticator(node.database, node.discovery, KeyRing(), node.book, node.runtime, Bus())
    der = generate_ed25519().public_der
    for number in range(HOSTS + 300):
        uri = f"https://{host(number)}/u"
        authenticator._keep(
            Identity(number, uri, host(number), f"{uri}#k"), der, authenticator._identities.mark
        )
        authenticator._may_refresh(f"{uri}#k")
    assert len(authenticator._identities) == authenticate.IDENTITIES
    assert len(authenticator._refreshed) == authenticate.IDENTITIES
    assert len(authenticator._keyring._public._keys) == authenticate.IDENTITIES


async def test_failures_of_fetches_are_bounded_and_expire() -> None:
    clock, limits = Clock(), Limits()
    flights: Flights[bytes] = Flights(clock, limits)

    def failing(number: int) -> Callable[[], Awaitable[bytes]]:
        async def fail() -> bytes:
            raise RemoteUnreachable(f"{reasons.NO_CONNECTION} {number}")

        return fail

    with grows_by_at_most(4 * MEGABYTES):
        for number in range(HOSTS):
            with pytest.raises(RemoteUnreachable):
                await flights.join(f"https://{host(number)}/x", host(number), failing(number))
    assert len(flights) <= limits.negatives
    assert flights._aloft == {}


async def test_first_contacts_are_bounded(scene: Scene) -> None:
    contacts = scene.dakar.node.inbox.first_contacts
    stranger = SimpleNamespace(as_type="Like", object_document=None, to=(), cc=())
    for number in range(300):
        await contacts.admit(host(number), stranger)  # type: ignore[arg-type]  # all that is looked at
    assert len(contacts) <= 302
    await contacts.step()
    assert contacts._changed == {}
