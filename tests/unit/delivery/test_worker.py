"""The worker: fair between servers, in order within one, patient with those that do not answer."""

from __future__ import annotations

import asyncio
import itertools
from collections import deque
from collections.abc import Callable
from typing import Any

import pytest
from sqlalchemy import event

from esnfed.bus import ActorChanged
from esnfed.context import Context
from esnfed.database import Database
from esnfed.errors import RemoteRefused, RemoteUnreachable
from esnfed.federation import claims, envelopes, peers, reasons, retry
from esnfed.federation import delivery_notes as notes
from esnfed.federation.delivery import MAX_IN_FLIGHT
from esnfed.federation.results import Result, record
from esnfed.federation.retry import DAY, HOUR, MINUTE, SECOND, Outcome
from esnfed.models import activity
from tests.conftest import Counted
from tests.unit.delivery.doubles import OBJECT, Node, Posted, answer, inbox, running

A, B, C = "a.esn.test", "b.esn.test", "c.esn.test"


def silence() -> RemoteUnreachable:
    return RemoteUnreachable(reasons.TOO_SLOW)


async def test_what_is_queued_arrives_and_is_written_down(both: Node) -> None:
    activity_id = await both.publish("Create", inbox(A))
    assert await both.worker.step() is True
    assert await both.worker.step() is False
    (row,) = await both.rows()
    assert (row.state, row.attempts, row.last_status, row.last_error) == ("delivered", 1, 202, None)
    assert (row.begun_at, row.done_at) == (both.clock.now, both.clock.now)
    assert both.servers.posted[0].body["id"].endswith(str(activity_id))
    peer = await both.peer(A)
    assert (peer.health, peer.last_success_at, peer.fine_in_a_row) == ("well", both.clock.now, 1)


async def test_a_dead_server_delays_nobody(both: Node) -> None:
    both.servers.always[A] = silence()
    for number in range(20):
        await both.publish("Create", inbox(A), inbox(B), about=f"{OBJECT}{number}")
    await both.worker.drain()
    assert len(both.servers.sent_to(B)) == 20
    assert len(both.servers.sent_to(A)) == 1


async def test_servers_take_turns(node: Node) -> None:
    for number in range(3):
        await node.publish("Create", inbox(A), inbox(B), about=f"{OBJECT}{number}")
    await node.worker.drain()
    assert [posted.host for posted in node.servers.posted] == [A, B] * 3
    assert node.servers.sent_to(A) == [f"Create {OBJECT}{number}" for number in range(3)]


async def test_deliveries_about_one_object_stay_in_order_while_one_of_them_waits(node: Node) -> None:
    node.servers.plans[A] = deque([answer(500), answer(202)])
    await node.publish("Create", inbox(A))
    await node.publish("Like", inbox(A))
    await node.publish("Create", inbox(A), about=OBJECT + "2")
    await node.worker.drain()
    assert node.servers.sent_to(A) == [f"Create {OBJECT}"]
    node.clock.advance(MINUTE)
    for _ in range(5):
        await node.worker.drain()
        node.clock.advance(SECOND)
    assert node.servers.sent_to(A) == [
        f"Create {OBJECT}", f"Create {OBJECT}2", f"Create {OBJECT}", f"Like {OBJECT}",
    ]  # fmt: skip


async def test_a_delivery_that_a_server_chokes_on_lets_the_others_pass(node: Node) -> None:
    def choke(posted: Posted) -> object:
        return answer(500) if posted.body["object"] == OBJECT else answer(202)

    node.servers.by_body = choke
    for number in ("", "2", "3"):
        await node.publish("Create", inbox(A), about=OBJECT + number)
    for _ in range(10):
        await node.worker.drain()
        node.clock.advance(MINUTE)
    assert [row.state for row in await node.rows()] == ["queued", "delivered", "delivered"]


async def test_one_probe_stands_for_all_and_the_pause_grows(both: Node) -> None:
    both.servers.always[A] = silence()
    for number in range(5):
        await both.publish("Create", inbox(A), about=f"{OBJECT}{number}")
    pauses = []
    for _ in range(4):
        await both.worker.drain()
        pauses.append((await both.peer(A)).next_at - both.clock.now)
        both.clock.advance(pauses[-1] - 1)
        assert await both.worker.step() is False
        both.clock.advance(1)
    steps = zip(pauses, retry.STEPS, strict=False)
    assert all(0.75 * step <= pause <= 1.25 * step for pause, step in steps)
    assert both.servers.sent_to(A) == [f"Create {OBJECT}0"] * 4
    peer = await both.peer(A)
    assert (peer.health, peer.failures, peer.last_error) == ("failing", 4, reasons.TOO_SLOW)


async def test_a_server_that_returns_is_led_back_in_order(node: Node) -> None:
    node.servers.plans[A] = deque([silence()])
    for number in range(20):
        await node.publish("Create", inbox(A), about=f"{OBJECT}{number}")
    await node.worker.drain()
    node.clock.advance(MINUTE)
    node.servers.clear()
    times = []
    for _ in range(200):
        before = len(node.servers.posted)
        await node.worker.drain()
        times += [node.clock.now] * (len(node.servers.posted) - before)
        node.clock.advance(50)
    gaps = [later - earlier for earlier, later in itertools.pairwise(times)]
    assert gaps[:13] == [1000] * 2 + [500] * 4 + [250] * 7
    assert set(gaps[13:]) <= {0}
    assert node.servers.sent_to(A) == [f"Create {OBJECT}{number}" for number in range(20)]


async def test_failures_of_one_moment_count_once(node: Node) -> None:
    await node.set_peer(A, fine_in_a_row=50)
    for number in range(4):
        await node.publish("Create", inbox(A), about=f"{OBJECT}{number}")
    node.clock.advance(2 * MINUTE)
    node.servers.always[A] = silence()
    await node.worker.step()
    assert len(node.servers.posted) == 4
    assert (await node.peer(A)).failures == 1


async def test_a_lagging_server_that_was_fine_gets_four_at_a_time_but_never_two_about_one_object(
    node: Node,
) -> None:
    await node.set_peer(A, fine_in_a_row=20)
    await node.set_peer(B, fine_in_a_row=19)
    for number in range(8):
        await node.publish("Create", inbox(A), inbox(B), about=f"{OBJECT}{number}")
        await node.publish("Like", inbox(A), about=f"{OBJECT}{number}")
    await node.worker.step()
    assert node.servers.most_per_host == {A: 1, B: 1}
    node.clock.advance(MINUTE + 1)
    node.servers.clear()
    await node.worker.step()
    assert node.servers.most_per_host[A] == 4
    assert len(set(node.servers.sent_to(A))) == 4
    await node.worker.drain()
    sent = [what for what in node.servers.sent_to(A) if what.endswith("7")]
    assert sent == [f"Create {OBJECT}7", f"Like {OBJECT}7"]
    assert node.servers.most_per_host[A] == 4


async def test_retry_after_pauses_the_whole_server_and_does_not_make_it_sick(both: Node) -> None:
    both.servers.plans[A] = deque([answer(429, text="slow down", retry_after=3_600)])
    for number in range(3):
        await both.publish("Create", inbox(A), about=f"{OBJECT}{number}")
    await both.worker.drain()
    peer = await both.peer(A)
    assert HOUR <= peer.next_at - both.clock.now <= HOUR * 1.25
    assert peer.health == "well"
    await both.database.write(peers.seen, A)  # inbound traffic does not end a pause that was asked for
    both.clock.advance(HOUR - 1)
    await both.worker.drain()
    assert len(both.servers.posted) == 1
    both.clock.advance(HOUR)
    await both.worker.drain()
    assert both.servers.sent_to(A)[1] == f"Create {OBJECT}0"


@pytest.mark.parametrize("status", [404, 410, 400, 501])
async def test_a_final_answer_ends_the_delivery_and_leaves_the_server_well(node: Node, status: int) -> None:
    await node.set_peer(A, health="failing", failures=3, failing_since=1, last_failure_at=1)
    node.servers.always[A] = answer(status, text="no such inbox")
    await node.publish("Create", inbox(A))
    await node.worker.drain()
    (row,) = await node.rows()
    assert (row.state, row.last_status, row.last_error) == ("failed", status, "no such inbox")
    peer = await node.peer(A)
    assert (peer.health, peer.failures, peer.failing_since) == ("well", 0, None)


@pytest.mark.parametrize("status", [401, 403])
async def test_a_refused_signature_gets_three_spaced_tries(node: Node, status: int) -> None:
    node.servers.always[A] = answer(status)
    await node.publish("Create", inbox(A))
    moments = []
    for _ in range(100):
        if await node.worker.step():
            moments.append(node.clock.now)
        node.clock.advance(10 * SECOND)
    assert [row.state for row in await node.rows()] == ["failed"]
    gaps = [later - earlier for earlier, later in itertools.pairwise(moments)]
    assert len(moments) == 3
    assert gaps[0] >= 22 * SECOND
    assert gaps[1] >= 90 * SECOND
    assert (await node.peer(A)).failures == 0


async def test_what_our_own_rules_forbid_is_final_and_no_fault_of_the_server(node: Node) -> None:
    node.servers.always[A] = RemoteRefused(reasons.SCHEME)
    await node.publish("Create", inbox(A))
    await node.worker.drain()
    (row,) = await node.rows()
    assert (row.state, row.last_error) == ("failed", reasons.SCHEME)
    assert (await node.peer(A)).failures == 0


@pytest.mark.parametrize("error", [RemoteUnreachable(reasons.CROWDED), ValueError("a mistake of ours")])
async def test_trouble_of_our_own_is_tried_again_and_not_counted_against_the_server(
    node: Node, error: Exception
) -> None:
    node.servers.plans[A] = deque([error])
    await node.publish("Create", inbox(A))
    await node.publish("Create", inbox(A), about=OBJECT + "2")
    await node.worker.drain()
    assert [row.state for row in await node.rows()] == ["queued", "delivered"]
    assert (await node.peer(A)).failures == 0
    node.clock.advance(MINUTE)
    await node.worker.drain()
    assert [row.state for row in await node.rows()] == ["delivered", "delivered"]


async def test_an_actor_without_a_key_cannot_send(node: Node) -> None:
    node.actor_id = 7
    await node.database.write(_copy_actor, 7)
    await node.publish("Create", inbox(A))
    await node.worker.drain()
    (row,) = await node.rows()
    assert (row.state, row.last_error) == ("failed", notes.NO_KEY)


def _copy_actor(context: Context, number: int) -> None:
    values = {
        "id": number, "as_type": "Person", "local": True, "handle": "keyless", "domain": "x", "host": "x",
        "uri": "https://x/7", "inbox": "https://x/7/inbox", "created_at": 0, "updated_at": 0,
    }  # fmt: skip
    context.connection.execute(activity.metadata.tables["actor"].insert(), values)


async def test_a_dormant_server_is_asked_once_a_day_and_what_it_missed_is_resumed(node: Node) -> None:
    node.servers.always[A] = silence()
    await node.publish("Delete", inbox(A))
    while (await node.peer(A)) is None or (await node.peer(A)).health != "dormant":
        await node.worker.drain()
        node.clock.advance(max((await node.peer(A)).next_at - node.clock.now, 1))
    begun = len(node.servers.posted)
    for _ in range(10 * 24):
        await node.worker.drain()
        node.clock.advance(HOUR)
    assert 8 <= len(node.servers.posted) - begun <= 13
    node.servers.always.clear()
    node.clock.advance(2 * DAY)
    await node.worker.drain()
    assert [row.state for row in await node.rows()] == ["delivered"]
    assert (await node.peer(A)).health == "well"


async def test_inbound_traffic_wakes_a_failing_server_at_once_but_not_for_every_message(both: Node) -> None:
    both.servers.always[A] = silence()
    await both.publish("Create", inbox(A))
    await both.worker.drain()
    await both.set_peer(A, health="dormant", next_at=retry.NEVER)
    both.clock.advance(MINUTE)
    for _ in range(5):
        await both.database.write(peers.seen, A)
        await both.worker.drain()
    assert len(both.servers.posted) == 2
    both.servers.always.clear()
    both.clock.advance(MINUTE)
    await both.database.write(peers.seen, A)
    await both.worker.drain()
    assert [row.state for row in await both.rows()] == ["delivered"]


async def test_probes_of_failing_servers_never_take_all_places(node: Node) -> None:
    dead = [f"dead{number}.esn.test" for number in range(40)]
    for host in dead:
        await node.set_peer(host, health="failing", failures=1, failing_since=1, last_failure_at=1)
        node.servers.always[host] = silence()
    await node.publish("Create", *map(inbox, dead), inbox(A))
    await node.worker.step()
    assert len(node.servers.posted) == 8 + len(node.servers.sent_to(A))
    for _ in range(3):
        node.clock.advance(SECOND)
        await node.worker.drain()
    assert len(node.servers.sent_to(A)) == 1


async def test_at_most_thirty_two_are_under_way(node: Node) -> None:
    hosts = [f"s{number}.esn.test" for number in range(50)]
    await node.publish("Create", *map(inbox, hosts))
    await node.worker.drain()
    assert node.servers.most == MAX_IN_FLIGHT
    assert len(node.servers.posted) == 50


async def test_a_learned_scheme_is_used_renewed_and_forgotten_after_thirty_days(both: Node) -> None:
    both.servers.plans[A] = deque([answer(202, knocked="rfc9421")])
    for number, days in enumerate((0, 1, 20, 31)):
        both.clock.advance(days * DAY)
        await both.publish("Create", inbox(A), about=f"{OBJECT}{number}")
        both.servers.always[A] = answer(202, knocked="rfc9421" if number < 3 else "cavage")
        await both.worker.drain()
    assert [posted.scheme for posted in both.servers.posted] == [None, "rfc9421", "rfc9421", None]
    peer = await both.peer(A)
    assert peer.scheme == "rfc9421"
    assert peer.scheme_expires_at <= both.clock.now


async def test_a_worker_that_died_in_mid_flight_is_only_a_delay(both: Node) -> None:
    both.servers.gates[A] = asyncio.Event()
    await both.publish("Create", inbox(A))
    await both.publish("Update", inbox(A))
    async with running(both):
        await both.servers.arrived.wait()
    assert both.servers.under_way.total() == 0
    assert await both.states(A) == ["Create queued", "Update queued"]
    both.servers.gates.clear()
    await both.another_worker().drain()
    assert both.servers.sent_to(A) == [f"Create {OBJECT}"] * 2 + [f"Update {OBJECT}"]
    assert await both.states(A) == ["Create delivered", "Update delivered"]


async def test_the_loop_sends_what_is_queued_while_it_waits(both: Node) -> None:
    async with running(both):
        for number in range(3):
            both.servers.arrived.clear()
            await both.publish("Create", inbox(A), about=f"{OBJECT}{number}")
            await both.servers.arrived.wait()
    assert len(both.servers.posted) == 3


async def test_the_loop_does_not_wait_for_a_slow_server(node: Node) -> None:
    node.servers.gates[A] = asyncio.Event()
    async with running(node):
        await node.publish("Create", inbox(A), about=OBJECT + "a")
        await node.servers.arrived.wait()
        for number in range(3):
            node.servers.arrived.clear()
            await node.publish("Create", inbox(A), inbox(B), about=f"{OBJECT}{number}")
            await node.servers.arrived.wait()
        assert len(node.servers.sent_to(B)) == 3
        assert len(node.servers.sent_to(A)) == 1
        node.servers.gates[A].set()
        while len(node.servers.sent_to(A)) < 4:
            node.servers.arrived.clear()
            await node.servers.arrived.wait()


async def test_an_answer_that_came_before_the_end_is_written_at_the_end(node: Node) -> None:
    node.servers.gates[B] = asyncio.Event()
    async with running(node):
        await node.publish("Create", inbox(A), inbox(B))
        await node.servers.arrived.wait()
        while node.servers.under_way[A] or not node.servers.sent_to(A):
            await asyncio.sleep(0)
    assert await node.states(A) == ["Create delivered"]
    assert await node.states(B) == ["Create queued"]


async def test_a_delivery_dropped_while_under_way_stays_dropped_and_its_successor_waits_for_its_end(
    node: Node,
) -> None:
    node.servers.gates[A] = asyncio.Event()
    async with running(node):
        await node.publish("Update", inbox(A))
        await node.servers.arrived.wait()
        await node.publish("Update", inbox(A))
        for _ in range(20):
            await node.rows()
        assert node.servers.under_way[A] == 1
        node.servers.arrived.clear()
        node.servers.gates[A].set()
        await node.servers.arrived.wait()
    assert node.servers.most_per_host[A] == 1
    assert (await node.states(A))[0] == "Update dropped"


async def test_an_activity_deleted_before_it_left_is_no_harm(node: Node) -> None:
    number = await node.publish("Create", inbox(A))

    def remove(context: Context) -> None:
        context.connection.execute(activity.delete().where(activity.c.id == number))

    await node.database.write(remove)
    await node.worker.drain()
    assert node.servers.posted == []


async def test_an_actor_whose_key_changed_signs_with_the_new_one(
    node: Node, monkeypatch: pytest.MonkeyPatch
) -> None:
    reads: list[list[int]] = []
    read = envelopes._read

    def counted(context: Context, activities: list[int], actors: list[int]) -> object:
        reads.append(actors)
        return read(context, activities, actors)

    monkeypatch.setattr(envelopes, "_read", counted)
    for number, change in enumerate((False, False, True)):
        if change:
            node.bus.publish(ActorChanged(node.actor_id))
        await node.publish("Create", inbox(A), about=f"{OBJECT}{number}")
        await node.worker.drain()
    assert reads == [[node.actor_id], [], [node.actor_id]]


async def test_memory_for_bodies_is_bounded(node: Node, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(envelopes, "MAX_BODIES", 3)
    for number in range(10):
        await node.publish("Create", inbox(A), about=f"{OBJECT}{number}")
    await node.worker.drain()
    kept = node.worker._envelopes
    assert len(kept._letters) == 3
    assert kept._bytes == sum(len(letter.body) for letter in kept._letters.values())
    assert len(node.servers.posted) == 10
    assert node.worker._flying == {}
    assert len(node.worker._agenda) == 0


@pytest.mark.parametrize("servers", [1, 10, 32])
async def test_a_round_has_as_many_statements_for_one_server_as_for_all(
    node: Node, statement_counter: Callable[[Database], Counted], servers: int
) -> None:
    hosts = [f"s{number}.esn.test" for number in range(servers)]
    await node.worker.step()
    await node.publish("Create", *map(inbox, hosts))
    counted = statement_counter(node.database)
    await node.worker.step()
    assert len(node.servers.posted) == servers
    assert len(counted.statements) <= 7


async def test_claiming_reads_the_queue_of_the_server_and_not_what_waits_everywhere(node: Node) -> None:
    plans: list[str] = []

    def plan(context: Context) -> None:
        @event.listens_for(context.connection, "before_cursor_execute")
        def look(_c: Any, cursor: Any, statement: str, values: Any, _context: Any, _many: bool) -> None:
            cursor.execute("EXPLAIN QUERY PLAN " + statement, values)
            plans.extend(row[3] for row in cursor.fetchall())

        values = {"hosts": [A, B], "now": 1, "flying": [1]}
        context.connection.execute(claims._READY, values)
        event.remove(context.connection, "before_cursor_execute", look)

    await node.database.read(plan)
    assert "SEARCH delivery USING INDEX ix_delivery_due (host=? AND state=? AND id<?)" in plans
    assert (
        plans.count("SEARCH earlier USING INDEX ix_delivery_object (object_uri=? AND host=? AND rowid<?)")
        == 2
    )
    assert not [line for line in plans if line.startswith("SCAN ") or "ix_delivery_state" in line]


async def test_answers_that_are_written_twice_count_once(both: Node) -> None:
    """A turn that is cancelled while it writes does not know of its commit: they are written again."""
    await both.publish("Create", inbox(A))
    (claimed,) = await both.database.write(claims.claim, [A], [], 1)
    answered = Result(claimed, Outcome.RETRY, status=500, error="no")
    for _ in range(2):
        await both.database.write(record, [answered])
    (row,) = await both.rows(host=A)
    assert (row.state, row.attempts) == ("queued", 1)
    assert (await both.peer(A)).failures == 1
