"""Turns per host, budgets per message, new subdomains per minute; all bounded."""

from __future__ import annotations

import pytest

from esnfed.errors import RemoteRefused, RemoteUnreachable
from esnfed.federation import reasons
from esnfed.federation.pacing import Budget, Discoveries, Limits, Pacer, registrable_domain
from tests.unit.transport.conftest import START, Clock


async def test_quiet_host_takes_a_burst_then_two_a_second() -> None:
    clock = Clock()
    pacer = Pacer(clock, clock.sleep, Limits(burst=4))
    for _ in range(4):
        await pacer.take_turn("peer.example")
    assert clock.slept == []
    for _ in range(6):
        await pacer.take_turn("peer.example")
    assert clock.now - START == 3000
    await pacer.take_turn("other.example")
    assert clock.now - START == 3000


async def test_turn_too_far_away_is_given_up() -> None:
    clock = Clock()

    async def nobody_sleeps(seconds: float) -> None:
        clock.slept.append(seconds)

    pacer = Pacer(clock, nobody_sleeps, Limits(burst=1, patience=2))
    for _ in range(5):
        await pacer.take_turn("peer.example")
    with pytest.raises(RemoteUnreachable) as caught:
        await pacer.take_turn("peer.example")
    assert (str(caught.value), caught.value.retry_after) == (reasons.CROWDED, 3)
    assert clock.slept == [0.5, 1.0, 1.5, 2.0]


async def test_pause_holds_until_its_end() -> None:
    clock = Clock()
    pacer = Pacer(clock, clock.sleep, Limits())
    pacer.pause("peer.example", 60)
    clock.advance(20)
    with pytest.raises(RemoteUnreachable) as caught:
        await pacer.take_turn("peer.example")
    assert (str(caught.value), caught.value.retry_after) == (reasons.PAUSED, 40)
    clock.advance(40)
    await pacer.take_turn("peer.example")


async def test_ten_thousand_hosts_leave_bounded_state_and_none_after_a_while() -> None:
    clock = Clock()
    limits = Limits()
    pacer, discoveries = Pacer(clock, clock.sleep, limits), Discoveries(clock, limits)
    for number in range(10_000):
        await pacer.take_turn(f"n{number}.example")
        pacer.pause(f"n{number}.example", 3600)
        discoveries.admit(f"a.n{number}.example")
    assert len(pacer) <= limits.hosts
    assert len(discoveries) <= limits.hosts
    clock.advance(3601)
    await pacer.take_turn("last.example")
    assert len(pacer) == 1


def test_eleventh_new_subdomain_within_a_minute_is_refused() -> None:
    clock = Clock()
    discoveries = Discoveries(clock, Limits())
    for number in range(10):
        discoveries.admit(f"w{number}.evil.example")
    discoveries.admit("w3.evil.example")
    discoveries.admit("w10.good.example")
    with pytest.raises(RemoteRefused, match="subdomains"):
        discoveries.admit("w10.evil.example")
    clock.advance(61)
    discoveries.admit("w10.evil.example")


def test_chain_of_a_thousand_hosts_stops() -> None:
    discoveries, budget = Discoveries(Clock(), Limits()), Budget(fetches=2000)
    reached: list[int] = []

    def follow_the_chain() -> None:
        for number in range(1000):
            discoveries.admit(f"n{number}-evil.example")
            budget.spend_discovery()
            reached.append(number)

    with pytest.raises(RemoteRefused, match="unknown servers"):
        follow_the_chain()
    assert len(reached) == 400


def test_budget_is_twenty_five_fetches() -> None:
    budget = Budget()
    for _ in range(25):
        budget.spend_fetch()
    with pytest.raises(RemoteRefused, match="too many fetches"):
        budget.spend_fetch()


@pytest.mark.parametrize(
    ("host", "domain"),
    [
        ("example.org", "example.org"),
        ("a.b.example.org", "example.org"),
        ("a.b.example.co.uk", "example.co.uk"),
        ("co.uk", "co.uk"),
        ("x.asso.fr", "x.asso.fr"),
        ("hub.localhost:8001", "hub.localhost"),
        ("localhost", "localhost"),
        ("192.0.2.1", "192.0.2.1"),
        ("[2001:db8::1]:8443", "[2001:db8::1]"),
        ("[2001:db8::1]", "[2001:db8::1]"),
    ],
)
def test_registrable_domain_is_guessed(host: str, domain: str) -> None:
    assert registrable_domain(host) == domain
