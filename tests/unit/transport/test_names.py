"""Resolving: judged answers, pinned, cached; local names only in demo and test."""

from __future__ import annotations

import socket
from collections.abc import Sequence
from pathlib import Path

import pytest

from esnfed.config import Config, Environment
from esnfed.errors import RemoteRefused
from esnfed.federation import reasons
from esnfed.federation.names import CACHE_NAMES, ForbiddenAddressError, Names
from tests.unit.transport.conftest import Clock
from tests.unit.transport.test_addresses import INWARD, OUTWARD


class LookupDouble:
    """Gives the prepared answers one after the other, the last for ever."""

    def __init__(self, *answers: Sequence[str]) -> None:
        self.answers = list(answers)
        self.asked: list[str] = []

    async def __call__(self, host: str) -> Sequence[str]:
        self.asked.append(host)
        return self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]


def names(
    environment: Environment,
    lookup: LookupDouble | None = None,
    clock: Clock | None = None,
    hosts: dict[str, tuple[str, int]] | None = None,
) -> Names:
    config = Config(domain="node.example", data_dir=Path("."), environment=environment, hosts=hosts or {})
    return Names(config, clock or Clock(), lookup or LookupDouble(["8.8.8.8"]))


@pytest.mark.parametrize("address", [address for address in INWARD if "%" not in address])
async def test_name_with_an_inward_answer_is_refused_even_beside_a_good_one(address: str) -> None:
    with pytest.raises(RemoteRefused) as caught:
        await names("production", LookupDouble(["8.8.8.8", address])).resolve("peer.example", 443)
    assert str(caught.value) == reasons.NOT_ROUTABLE


@pytest.mark.parametrize("address", OUTWARD)
async def test_name_with_public_answers_goes_to_just_these(address: str) -> None:
    results = await names("production", LookupDouble([address, "1.1.1.1"])).resolve("peer.example", 443)
    assert [(result["host"], result["port"]) for result in results] == [(address, 443), ("1.1.1.1", 443)]


async def test_alternating_answers_are_judged_each_time_and_asked_once_within_the_cache() -> None:
    clock, lookup = Clock(), LookupDouble(["93.184.216.34"], ["127.0.0.1"])
    resolver = names("production", lookup, clock)
    for _ in range(3):
        assert (await resolver.resolve("rebind.example", 443))[0]["host"] == "93.184.216.34"
    assert lookup.asked == ["rebind.example"]
    clock.advance(31)
    with pytest.raises(RemoteRefused):
        await resolver.resolve("rebind.example", 443)


async def test_cache_of_names_is_bounded() -> None:
    lookup = LookupDouble(["8.8.8.8"])
    resolver = names("production", lookup)
    for number in range(CACHE_NAMES + 1):
        await resolver.resolve(f"n{number}.example", 443)
    await resolver.resolve(f"n{CACHE_NAMES}.example", 443)
    assert len(lookup.asked) == CACHE_NAMES + 1
    await resolver.resolve("n0.example", 443)
    assert len(lookup.asked) == CACHE_NAMES + 2


async def test_family_that_has_no_answer_is_an_unknown_name() -> None:
    with pytest.raises(OSError, match="no usable address"):
        await names("production", LookupDouble(["8.8.8.8"])).resolve("peer.example", 443, socket.AF_INET6)


@pytest.mark.parametrize("environment", ["demo", "test"])
async def test_local_names_are_answered_in_process(environment: Environment) -> None:
    lookup = LookupDouble(["8.8.8.8"])
    resolver = names(environment, lookup, hosts={"lyon.esn.test": ("127.0.0.1", 4711)})
    for host, port in (("lyon.esn.test", 4711), ("hub.localhost", 8001), ("localhost", 8001)):
        (result,) = await resolver.resolve(host, 8001)
        assert (result["host"], result["port"]) == ("127.0.0.1", port)
    assert lookup.asked == []


@pytest.mark.parametrize("environment", ["demo", "test"])
@pytest.mark.parametrize("host", ["mastodon.social", "esn.test", "notlocalhost", "localhost.example"])
async def test_other_names_are_refused_in_demo_and_test(environment: Environment, host: str) -> None:
    resolver = names(environment)
    with pytest.raises(RemoteRefused):
        await resolver.resolve(host, 443)
    with pytest.raises(RemoteRefused):
        resolver.check_host(host)


async def test_hosts_may_only_lead_to_loopback() -> None:
    with pytest.raises(RemoteRefused):
        await names("test", hosts={"lyon.esn.test": ("10.0.0.1", 1)}).resolve("lyon.esn.test", 443)


async def test_loopback_names_are_no_exception_in_production() -> None:
    resolver = names("production", LookupDouble(["127.0.0.1"]), hosts={"lyon.esn.test": ("127.0.0.1", 1)})
    for host in ("localhost", "hub.localhost", "lyon.esn.test"):
        with pytest.raises(RemoteRefused):
            await resolver.resolve(host, 443)


@pytest.mark.parametrize(
    "host",
    ["127.0.0.1", "[::1]", "10.0.0.1", "[::ffff:10.0.0.1]", "127.1", "2130706433", "0x7f000001", "a.0x7f"],
)
def test_literal_inward_host_is_refused_in_production(host: str) -> None:
    with pytest.raises(RemoteRefused):
        names("production").check_host(host)


def test_literal_host_obeys_the_environment() -> None:
    names("production").check_host("8.8.8.8")
    names("production").check_host("peer.example")
    names("test").check_host("127.0.0.1")
    names("test").check_host("[::1]")
    for host in ("8.8.8.8", "10.0.0.1", "[2606:4700::1111]"):
        with pytest.raises(RemoteRefused):
            names("test").check_host(host)


def test_socket_is_made_only_for_a_permitted_address() -> None:
    where = (socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP, "", ("127.0.0.1", 443))
    with pytest.raises(ForbiddenAddressError):
        names("production").make_socket(where)
    names("test").make_socket(where).close()
