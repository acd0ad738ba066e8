"""Token buckets on a clock that only moves when told."""

from __future__ import annotations

import pytest

from esnfed.errors import TooMany
from esnfed.http.limits import Buckets, InboxLimits, Rate
from tests.doubles.clock import Clock


def test_a_bucket_gives_its_burst_and_then_what_flows_in() -> None:
    clock = Clock()
    buckets = Buckets(clock, Rate(per_second=2, burst=3))
    for _ in range(3):
        buckets.take("a")
    with pytest.raises(TooMany) as refused:
        buckets.take("a")
    assert refused.value.retry_after == 1
    clock.advance(500)
    buckets.take("a")
    with pytest.raises(TooMany):
        buckets.take("a")


def test_the_wait_is_told_in_whole_seconds_until_the_next_token() -> None:
    buckets = Buckets(Clock(), Rate(per_second=0.1, burst=1))
    buckets.take("a")
    with pytest.raises(TooMany) as refused:
        buckets.take("a")
    assert refused.value.retry_after == 10


def test_a_refused_request_costs_nothing() -> None:
    clock = Clock()
    buckets = Buckets(clock, Rate(per_second=1, burst=1))
    buckets.take("a")
    for _ in range(100):
        with pytest.raises(TooMany):
            buckets.take("a")
    clock.advance(1_000)
    buckets.take("a")


def test_keys_do_not_share_a_bucket() -> None:
    buckets = Buckets(Clock(), Rate(per_second=1, burst=1))
    buckets.take("a")
    buckets.take("b")


def test_naming_a_server_from_elsewhere_does_not_use_up_its_share() -> None:
    limits = InboxLimits(Clock(), host=Rate(per_second=1, burst=1))
    limits.take("203.0.113.9", "other.esn.test")
    with pytest.raises(TooMany):
        limits.take("203.0.113.9", "other.esn.test")
    limits.take("198.51.100.1", "other.esn.test")


def test_a_clock_that_goes_back_gives_no_tokens() -> None:
    clock = Clock()
    buckets = Buckets(clock, Rate(per_second=1, burst=1))
    buckets.take("a")
    clock.advance(-60_000)
    with pytest.raises(TooMany):
        buckets.take("a")


def test_the_number_of_buckets_is_bounded() -> None:
    buckets = Buckets(Clock(), Rate(per_second=1, burst=5), capacity=100)
    for number in range(10_000):
        buckets.take(f"host{number}")
    assert len(buckets) == 100


def test_full_buckets_are_forgotten() -> None:
    clock = Clock()
    buckets = Buckets(clock, Rate(per_second=1, burst=5))
    for number in range(50):
        buckets.take(f"host{number}")
    clock.advance(1_000)
    buckets.take("late")
    assert len(buckets) == 1
