"""Retry-After, and what statuses mean."""

from __future__ import annotations

from datetime import UTC, datetime
from email.utils import format_datetime

import pytest

from esnfed.errors import (
    RemoteError,
    RemoteGone,
    RemoteMissing,
    RemoteNonsense,
    RemoteRefused,
    RemoteUnreachable,
)
from esnfed.federation.answers import retry_after_of, trouble_of
from tests.unit.transport.conftest import START


def date(seconds: int) -> str:
    return format_datetime(datetime.fromtimestamp(START / 1000 + seconds, UTC), usegmt=True)


@pytest.mark.parametrize(
    ("value", "seconds"),
    [
        ("0", 0),
        ("120", 120),
        (" 7 ", 7),
        ("86401", 86_400),
        ("9" * 90, 86_400),
        (date(90), 90),
        (date(-90), 0),
        (date(10**6), 86_400),
        (date(60).replace("GMT", "-0000"), 60),
        (None, None),
        ("", None),
        ("-5", None),
        ("1.5", None),
        ("soon", None),
        ("²", None),
        ("9" * 101, None),
    ],
)
def test_retry_after_is_seconds_or_a_date_within_a_day(value: str | None, seconds: int | None) -> None:
    assert retry_after_of(value, START) == seconds


@pytest.mark.parametrize(
    ("status", "kind"),
    [
        (404, RemoteMissing),
        (410, RemoteGone),
        (400, RemoteRefused),
        (401, RemoteRefused),
        (403, RemoteRefused),
        (406, RemoteRefused),
        (408, RemoteUnreachable),
        (425, RemoteUnreachable),
        (429, RemoteUnreachable),
        (500, RemoteUnreachable),
        (503, RemoteUnreachable),
        (204, RemoteNonsense),
        (304, RemoteNonsense),
    ],
)
def test_status_means_one_kind_of_trouble(status: int, kind: type[RemoteError]) -> None:
    assert type(trouble_of(status, None)) is kind


def test_temporary_trouble_keeps_the_wish() -> None:
    error = trouble_of(429, 33)
    assert isinstance(error, RemoteUnreachable)
    assert error.retry_after == 33
