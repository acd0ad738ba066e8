"""Events as NOTIFY payloads."""

from __future__ import annotations

import orjson
import pytest

from esnfed.bus import ActorChanged, DeliveriesQueued, InboxWaiting, JobWaiting, PeerChanged, StatusChanged
from esnfed.database.events import decode, encode
from esnfed.errors import EsnfedError

EVERYTHING = [
    DeliveriesQueued(("a.example", "b.example")), InboxWaiting(), JobWaiting("kind"), ActorChanged(1 << 62),
    StatusChanged(7), PeerChanged("bücher.example"),
]  # fmt: skip


def test_every_event_survives_the_way_to_another_process() -> None:
    payloads = encode(EVERYTHING, "us")
    assert [event for payload in payloads for event in decode(payload, "them")] == EVERYTHING


def test_our_own_payloads_are_passed_over() -> None:
    (payload,) = encode(EVERYTHING, "us")
    assert decode(payload, "us") == []


def test_no_events_give_no_payload() -> None:
    assert encode([], "us") == []


@pytest.mark.parametrize("count", [1, 900, 5_000])
def test_payloads_stay_below_what_notify_takes(count: int) -> None:
    events = [
        *[StatusChanged(number) for number in range(count)],
        DeliveriesQueued(("host.example",) * count),
    ]
    payloads = encode(events, "0123456789abcdef")
    assert max(len(payload.encode()) for payload in payloads) < 8_000
    decoded = [event for payload in payloads for event in decode(payload, "them")]
    assert [event for event in decoded if isinstance(event, StatusChanged)] == events[:count]
    hosts = [host for event in decoded if isinstance(event, DeliveriesQueued) for host in event.hosts]
    assert len(hosts) == count


def test_an_event_of_another_version_is_passed_over() -> None:
    payload = orjson.dumps(["them", [["Unheard", {}], ["StatusChanged", {"status_id": 1}]]]).decode()
    assert decode(payload, "us") == [StatusChanged(1)]


def test_what_cannot_be_split_is_refused() -> None:
    with pytest.raises(EsnfedError, match="too long"):
        encode([JobWaiting("x" * 9_000)], "us")
