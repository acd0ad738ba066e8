"""Single flight and the memory of failures."""

from __future__ import annotations

import asyncio

import pytest

from esnfed.errors import RemoteMissing, RemoteRefused, RemoteUnreachable
from esnfed.federation import reasons
from esnfed.federation.flights import Flights
from esnfed.federation.pacing import Limits
from tests.unit.transport.conftest import Clock


class Source:
    """Counts starts; waits at a gate; then gives a value or raises."""

    def __init__(self, error: Exception | None = None) -> None:
        self.error = error
        self.started = 0
        self.gate = asyncio.Event()

    async def __call__(self) -> str:
        self.started += 1
        await self.gate.wait()
        if self.error is not None:
            raise self.error
        return "landed"


async def test_fifty_at_once_are_one_request() -> None:
    flights: Flights[str] = Flights(Clock(), Limits())
    source = Source()
    tasks = [asyncio.create_task(flights.join("key", "host", source)) for _ in range(50)]
    await asyncio.sleep(0)
    source.gate.set()
    assert await asyncio.gather(*tasks) == ["landed"] * 50
    assert source.started == 1
    await flights.join("key", "host", source)
    assert source.started == 2


async def test_everybody_waiting_gets_an_error_of_their_own() -> None:
    flights: Flights[str] = Flights(Clock(), Limits())
    source = Source(RemoteUnreachable(reasons.LATER, 7))
    tasks = [asyncio.create_task(flights.join("key", "host", source)) for _ in range(5)]
    await asyncio.sleep(0)
    source.gate.set()
    errors = await asyncio.gather(*tasks, return_exceptions=True)
    assert len({id(error) for error in errors}) == 5
    for error in errors:
        assert isinstance(error, RemoteUnreachable)
        assert (str(error), error.retry_after) == (reasons.LATER, 7)


async def test_cancelled_leader_strands_nobody() -> None:
    flights: Flights[str] = Flights(Clock(), Limits())
    source = Source()
    leader, follower = (asyncio.create_task(flights.join("key", "host", source)) for _ in range(2))
    await asyncio.sleep(0)
    leader.cancel()
    source.gate.set()
    assert await follower == "landed"
    assert source.started == 2
    assert leader.cancelled()


async def test_cancelled_follower_disturbs_nobody() -> None:
    flights: Flights[str] = Flights(Clock(), Limits())
    source = Source()
    leader, follower = (asyncio.create_task(flights.join("key", "host", source)) for _ in range(2))
    await asyncio.sleep(0)
    follower.cancel()
    await asyncio.sleep(0)
    source.gate.set()
    assert await leader == "landed"
    assert follower.cancelled()


async def test_failure_is_remembered_five_minutes() -> None:
    clock = Clock()
    flights: Flights[str] = Flights(clock, Limits())
    source = Source(RemoteMissing(reasons.MISSING))
    source.gate.set()
    for _ in range(3):
        with pytest.raises(RemoteMissing):
            await flights.join("key", "host", source)
    assert source.started == 1
    clock.advance(300)
    with pytest.raises(RemoteMissing):
        await flights.join("key", "host", source)
    assert source.started == 2


async def test_failure_with_a_shorter_wish_is_remembered_as_long_as_that() -> None:
    clock = Clock()
    flights: Flights[str] = Flights(clock, Limits())
    source = Source(RemoteUnreachable(reasons.LATER, 10))
    source.gate.set()
    for pause in (9, 1, 1):
        with pytest.raises(RemoteUnreachable):
            await flights.join("key", "host", source)
        clock.advance(pause)
    assert source.started == 2


async def test_failure_of_the_moment_is_not_remembered() -> None:
    flights: Flights[str] = Flights(Clock(), Limits())
    source = Source(RemoteRefused(reasons.SUBDOMAINS))
    source.gate.set()
    for _ in range(2):
        with pytest.raises(RemoteRefused):
            await flights.join("key", "host", source)
    assert (source.started, len(flights)) == (2, 0)


async def test_memory_of_failures_is_bounded_and_forgotten_by_host() -> None:
    flights: Flights[str] = Flights(Clock(), Limits(negatives=100))
    source = Source(RemoteMissing(reasons.MISSING))
    source.gate.set()
    for number in range(1000):
        with pytest.raises(RemoteMissing):
            await flights.join(number, f"host{number % 2}", source)
    assert len(flights) == 100
    flights.forget("host1")
    assert len(flights) == 50
