"""The schedule of tries and the meaning of answers."""

from __future__ import annotations

from random import Random

import pytest

from esnfed.federation import retry
from esnfed.federation.retry import DAY, HOUR, MINUTE, SECOND, Outcome

NOW = 1_767_225_600_000


class Middle(Random):
    """No jitter: always the middle."""

    def random(self) -> float:
        return 0.5

    def uniform(self, a: float, b: float) -> float:
        return (a + b) / 2


@pytest.mark.parametrize(
    ("failures", "pause"),
    [
        (1, 30 * SECOND), (2, 2 * MINUTE), (3, 10 * MINUTE), (4, 30 * MINUTE), (5, 2 * HOUR), (6, 6 * HOUR),
        (7, 12 * HOUR), (8, 12 * HOUR), (40, 12 * HOUR),
    ],
)  # fmt: skip
def test_the_pause_grows_to_twelve_hours(failures: int, pause: int) -> None:
    assert retry.after(failures, NOW, Middle()) - NOW == pause


@pytest.mark.parametrize("failures", range(1, 9))
def test_jitter_is_a_quarter_either_way_and_is_used(failures: int) -> None:
    pauses = [retry.after(failures, NOW, Random(seed)) - NOW for seed in range(200)]
    middle = retry.after(failures, NOW, Middle()) - NOW
    assert 0.75 * middle <= min(pauses) < 0.8 * middle
    assert 1.2 * middle < max(pauses) <= 1.25 * middle


@pytest.mark.parametrize(
    ("asked", "least", "most"),
    [
        (0, 30 * SECOND, 38 * SECOND),
        (5, 30 * SECOND, 38 * SECOND),
        (3_600, HOUR, HOUR + HOUR // 4),
        (86_400, DAY, DAY),
        (10_000_000, DAY, DAY),
    ],
)
def test_a_server_is_never_asked_before_the_time_it_named_nor_after_a_day(
    asked: int, least: int, most: int
) -> None:
    pauses = [retry.pause(asked, NOW, Random(seed)) - NOW for seed in range(50)]
    assert least <= min(pauses) <= max(pauses) <= most


@pytest.mark.parametrize(
    ("failing_for", "retry_after", "health", "pause"),
    [
        (0, None, "failing", 30 * SECOND),
        (7 * DAY - 1, None, "failing", 30 * SECOND),
        (7 * DAY, None, "dormant", DAY),
        (90 * DAY - 1, None, "dormant", DAY),
        (0, 60, "well", 67_500),
        (8 * DAY, 60, "dormant", DAY),
    ],
)
def test_health_follows_from_how_long_a_server_has_failed(
    failing_for: int, retry_after: int | None, health: str, pause: int
) -> None:
    rest = retry.rest(1, NOW - failing_for, NOW, Middle(), retry_after)
    assert (rest.health, rest.next_at - NOW) == (health, pause)


def test_after_ninety_days_a_server_is_asked_no_more() -> None:
    assert retry.rest(99, NOW - 90 * DAY, NOW, Middle()) == retry.Rest("dormant", retry.NEVER)


def test_the_whole_way_of_a_dead_server_takes_seven_days_of_tries_and_then_one_a_day() -> None:
    now, failures = NOW, 0
    healths = []
    while True:
        failures += 1
        rest = retry.rest(failures, NOW, now, Middle())
        if rest.next_at == retry.NEVER:
            break
        healths.append(rest.health)
        now = rest.next_at
    assert healths.count("failing") == 20
    assert healths.count("dormant") == 83
    assert 89 * DAY < now - NOW < 91 * DAY


@pytest.mark.parametrize(
    ("outcome", "statuses"),
    [
        (Outcome.DELIVERED, [200, 201, 202, 204, 299]),
        (Outcome.KNOCK, [401, 403]),
        (Outcome.RETRY, [408, 421, 425, 429, 500, 502, 503, 504, 520, 599, 301, 302, 308, 101]),
        (Outcome.FINAL, [400, 402, 404, 405, 406, 409, 410, 411, 413, 415, 418, 422, 451, 499, 501]),
    ],
)
def test_what_an_answer_means(outcome: Outcome, statuses: list[int]) -> None:
    assert {status: retry.judge(status) for status in statuses} == dict.fromkeys(statuses, outcome)


def test_a_returning_server_is_led_back_at_one_two_and_four_a_second() -> None:
    gaps = [retry.pace(fine) for fine in range(1 - retry.RAMP, 2)]
    assert gaps == [1000] * 2 + [500] * 4 + [250] * 7 + [0, 0]
