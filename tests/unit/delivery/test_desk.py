"""What an operator sees and does: explanations, lists, trying again, dropping, expiry."""

from __future__ import annotations

import pytest

from esnfed import registry
from esnfed.errors import Invalid, NotFound, RemoteUnreachable
from esnfed.federation import delivery_expiry, peers, reasons, retry, upkeep
from esnfed.federation.delivery_desk import drop, lag, list_deliveries, retry_now
from esnfed.federation.delivery_words import explain
from esnfed.federation.retry import DAY, MINUTE
from tests.unit.delivery.doubles import OBJECT, Node, answer, inbox

A, B = "a.esn.test", "b.esn.test"
SINCE = "2026-01-01T00:00:00Z"


async def words(node: Node, index: int = 0) -> str:
    row = (await node.rows(host=A))[index]
    return await node.database.read(explain, row.id, str)


@pytest.mark.parametrize(
    ("said", "expected"),
    [
        (answer(202), f"{A} took it at {SINCE} (response 202, attempt 1)."),
        (answer(410), f"{A} says that this inbox does not exist (410); given up at {SINCE}."),
        (
            answer(422, text="no\n\x1bnonsense"),
            f"{A} refused it with 422 after attempt 1, at {SINCE}. The response was: no nonsense",
        ),
        (
            RemoteUnreachable(reasons.TOO_SLOW),
            f"{A} has not answered well since {SINCE} (The other server took too long to answer); "
            "the next try is at 2026-01-01T00:00:",
        ),
        (answer(429, retry_after=3600), f"{A} asked us to wait; the next try is at 2026-01-01T01:"),
        (answer(401), f"{A} refused it with 401 on attempt 1; the next try is at 2026-01-01T00:00:"),
    ],
)
async def test_why_is_said_in_words(node: Node, said: object, expected: str) -> None:
    node.servers.always[A] = said
    await node.publish("Create", inbox(A))
    await node.worker.drain()
    assert (await words(node)).startswith(expected)


async def test_what_waits_says_why(node: Node) -> None:
    await node.publish("Create", inbox(A))
    await node.publish("Like", inbox(A))
    assert await words(node) == f"It waits for its turn and leaves for {A} at once."
    assert await words(node, 1) == f"An earlier delivery about the same object to {A} comes first."
    await node.database.write(peers.set_standing, A, "blocked", "spam")
    assert await words(node) == f"{A} is blocked here, so nothing is sent to it. spam"
    await node.database.write(peers.set_standing, A, "open", "")
    await node.set_peer(A, health="dormant", failures=30, failing_since=node.clock.now, next_at=retry.NEVER)
    assert "is no longer asked" in await words(node)
    await node.set_peer(A, next_at=node.clock.now + DAY)
    assert "is asked once a day, next at 2026-01-02T00:00:00Z" in await words(node)


async def test_the_words_are_translated_before_they_are_filled_in(node: Node) -> None:
    asked: list[str] = []

    def translate(text: str) -> str:
        asked.append(text)
        return f"<{text}>"

    await node.publish("Create", inbox(A))
    await node.publish("Delete", inbox(A))
    (row, _) = await node.rows()
    said = await node.database.read(explain, row.id, translate)
    assert said == f"<It was not sent to {A}. <It was deleted before it was ever sent there.>>"
    assert "" not in asked


async def test_an_unknown_delivery_is_not_found(node: Node) -> None:
    with pytest.raises(NotFound):
        await node.database.read(explain, 1, str)


async def test_lists_filter_and_page(both: Node) -> None:
    both.servers.always[B] = answer(404)
    for number in range(3):
        await both.publish("Create", inbox(A), inbox(B), about=f"{OBJECT}{number}")
    await both.worker.drain()

    async def listed(**filters: object) -> list[str]:
        rows = await both.database.read(lambda context: list_deliveries(context, **filters))
        return [f"{row.host[0]}{row.object_uri[-1]}" for row in rows]

    assert await listed() == ["b2", "a2", "b1", "a1", "b0", "a0"]
    assert await listed(state="failed") == ["b2", "b1", "b0"]
    assert await listed(host=A, limit=2) == ["a2", "a1"]
    assert await listed(host=A, state="failed") == []
    oldest = (await both.rows(host=A))[1].id
    assert await listed(host=A, before_id=oldest) == ["a0"]
    with pytest.raises(Invalid):
        await listed(state="lost")


async def test_the_lag_of_each_server(both: Node) -> None:
    both.servers.always[A] = RemoteUnreachable(reasons.NO_CONNECTION)
    await both.publish("Create", inbox(A), inbox(B))
    await both.publish("Like", inbox(A))
    await both.worker.drain()
    (only,) = await both.database.read(lag, slow=True)
    assert (only.host, only.waiting, only.health, only.oldest_at) == (A, 2, "failing", both.clock.now)


async def test_trying_again_ends_the_pause_and_revives_what_failed(both: Node) -> None:
    both.servers.always[A] = answer(404)
    await both.publish("Create", inbox(A))
    await both.worker.drain()
    both.servers.always[A] = RemoteUnreachable(reasons.NO_CONNECTION)
    await both.publish("Create", inbox(A), about=OBJECT + "2")
    await both.worker.drain()
    both.servers.always.clear()
    assert await both.database.write(lambda context: retry_now(context, host=A)) == 1
    both.clock.advance(MINUTE)
    await both.worker.drain()
    both.clock.advance(MINUTE)
    await both.worker.drain()
    assert {row.state for row in await both.rows()} == {"delivered"}


async def test_a_deleted_post_is_not_revived(node: Node) -> None:
    node.servers.always[A] = answer(404)
    await node.publish("Create", inbox(A))
    await node.worker.drain()
    await node.publish("Delete", inbox(A))
    (create, _) = await node.rows()
    assert await node.database.write(lambda context: retry_now(context, ids=[create.id])) == 0
    assert await node.states(A) == ["Create failed", "Delete queued"]


async def test_dropping_by_id_and_by_server(both: Node) -> None:
    await both.publish("Create", inbox(A), inbox(B))
    await both.publish("Like", inbox(A))
    (first, *_) = await both.rows(host=A)
    assert await both.database.write(lambda context: drop(context, ids=[first.id])) == 1
    assert await both.database.write(lambda context: drop(context, host=A)) == 1
    assert await both.database.write(lambda context: drop(context, host=A)) == 0
    await both.worker.drain()
    assert [posted.host for posted in both.servers.posted] == [B]
    with pytest.raises(Invalid):
        await both.database.write(drop)


async def test_what_waited_a_week_is_given_up_and_a_delete_after_thirty_days(both: Node) -> None:
    await both.publish("Create", inbox(A), about=OBJECT + "1")
    await both.publish("Delete", inbox(A), about=OBJECT + "2")
    both.clock.advance(7 * DAY - 1)
    assert await both.database.write(delivery_expiry.expire) is False
    both.clock.advance(2)
    assert await both.database.write(delivery_expiry.expire) is True
    assert await both.database.write(delivery_expiry.expire) is False
    assert await both.states(A) == ["Create failed", "Delete queued"]
    assert await words(both) == (
        f"Given up for {A} at 2026-01-08T00:00:00Z, after attempt 0. "
        "It could not be delivered in time and was given up."
    )
    both.clock.advance(23 * DAY)
    assert await both.database.write(delivery_expiry.expire) is True
    assert await both.states(A) == ["Create failed", "Delete failed"]


async def test_old_rows_are_removed(both: Node) -> None:
    await both.publish("Create", *(inbox(f"s{number}.esn.test") for number in range(3)))
    await both.worker.drain()
    both.clock.advance(7 * DAY + 1)
    await both.publish("Create", inbox(A), about=OBJECT + "2")
    assert await both.database.write(delivery_expiry.prune) is True
    assert await both.database.write(delivery_expiry.prune) is False
    assert [row.host for row in await both.rows()] == [A]


async def test_idle_servers_are_forgotten_unless_somebody_set_their_standing_or_something_waits(
    both: Node,
) -> None:
    for host in ("idle.esn.test", A, B):
        await both.database.write(peers.seen, host)
    await both.database.write(peers.set_standing, A, "limited", "")
    await both.set_peer("sick.esn.test", health="dormant", last_failure_at=both.clock.now)
    await both.publish("Create", inbox(B))
    both.clock.advance(31 * DAY)
    await both.database.write(peers.seen, "fresh.esn.test")
    assert await both.database.write(peers.forget_idle) is False
    known = [
        host
        for host in ("idle.esn.test", A, B, "sick.esn.test", "fresh.esn.test")
        if await both.peer(host) is not None
    ]
    assert known == [A, B, "sick.esn.test", "fresh.esn.test"]
    both.clock.advance(180 * DAY)
    await both.database.write(peers.forget_idle)
    assert await both.peer("sick.esn.test") is None


async def test_the_standing_of_servers(both: Node) -> None:
    assert await both.database.read(peers.standing, A) == "open"
    await both.database.write(peers.set_standing, A, "allowed", "member")
    assert await both.database.read(peers.standing, A) == "allowed"
    with pytest.raises(Invalid):
        await both.database.write(peers.set_standing, A, "friend", "")


async def test_inbound_traffic_is_written_once_a_minute(both: Node) -> None:
    await both.database.write(peers.seen, A)
    first = both.clock.now
    both.clock.advance(MINUTE - 1)
    await both.database.write(peers.seen, A)
    assert (await both.peer(A)).last_inbound_at == first
    both.clock.advance(1)
    await both.database.write(peers.seen, A)
    assert (await both.peer(A)).last_inbound_at == first + MINUTE


async def test_the_upkeep_is_registered_and_ends(node: Node) -> None:
    await node.publish("Create", inbox(A))
    node.clock.advance(8 * DAY)
    turns = {name: registry.periodic[name].turn for name in registry.periodic if "-" in name}
    assert {"deliveries-expire", "deliveries-prune", "peers-forget"} <= turns.keys()
    assert await node.database.write(upkeep.expire_deliveries, None) is True
    assert await node.database.write(upkeep.expire_deliveries, True) is None
    assert await node.database.write(upkeep.prune_deliveries, None) is None
    assert await node.database.write(upkeep.forget_idle_peers, None) is None
