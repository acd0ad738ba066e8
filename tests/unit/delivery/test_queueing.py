"""Queuing: rows in the caller's transaction, merged with what waits."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from esnfed.bus import DeliveriesQueued
from esnfed.context import Context
from esnfed.database import Database
from esnfed.errors import Refused
from esnfed.federation import delivery_notes as notes
from esnfed.federation.delivery import queue
from esnfed.federation.peers import set_standing
from tests.conftest import Counted
from tests.unit.delivery.doubles import OBJECT, Node, answer, inbox

A, B = "a.esn.test", "b.esn.test"


async def test_each_distinct_inbox_gets_one_row_and_the_worker_is_told_after_the_commit(both: Node) -> None:
    heard: list[DeliveriesQueued] = []
    both.bus.listen(DeliveriesQueued, heard.append)
    await both.publish("Create", inbox(A), inbox(B), inbox(A))
    assert [(row.host, row.state, row.begun_at) for row in await both.rows()] == [
        (A, "queued", None),
        (B, "queued", None),
    ]
    assert heard == [DeliveriesQueued((A, B))]


async def test_nothing_is_queued_or_told_when_the_unit_of_work_fails(node: Node) -> None:
    heard: list[object] = []
    node.bus.listen(DeliveriesQueued, heard.append)

    def publish_and_fail(context: Context, activity_id: int) -> None:
        queue(
            context,
            activity_id=activity_id,
            actor_id=1,
            as_type="Like",
            object_uri=OBJECT,
            inboxes=[inbox(B)],
        )
        raise Refused

    activity_id = await node.publish("Create", inbox(A))
    heard.clear()
    with pytest.raises(Refused):
        await node.database.write(publish_and_fail, activity_id)
    assert [row.host for row in await node.rows()] == [A]
    assert heard == []


async def test_blocked_servers_ourselves_and_nonsense_get_no_row(
    node: Node, caplog: pytest.LogCaptureFixture
) -> None:
    await node.database.write(set_standing, B, "blocked", "spam")
    await node.publish("Create", inbox(A), inbox(B), inbox("node1.esn.test"), "ftp://x/inbox", "nonsense")
    assert [row.host for row in await node.rows()] == [A]
    assert caplog.text.count("nothing is queued for the inbox") == 2


async def test_a_server_blocked_later_is_sent_nothing_until_the_block_ends(node: Node) -> None:
    await node.publish("Create", inbox(A))
    await node.database.write(set_standing, A, "blocked", "")
    await node.worker.drain()
    assert node.servers.posted == []
    await node.database.write(set_standing, A, "open", "")
    await node.worker.drain()
    assert node.servers.sent_to(A) == [f"Create {OBJECT}"]


async def test_a_delete_and_a_create_never_begun_annihilate_with_the_updates_between(both: Node) -> None:
    for as_type in ("Create", "Update", "Delete"):
        await both.publish(as_type, inbox(A))
    assert await both.states(A) == ["Create dropped", "Update dropped", "Delete dropped"]
    assert {row.last_error for row in await both.rows()} == {notes.ANNIHILATED}
    await both.worker.drain()
    assert both.servers.posted == []


async def test_annihilation_is_decided_for_each_inbox(node: Node) -> None:
    node.servers.always[B] = answer(500)
    await node.publish("Create", inbox(B))
    await node.worker.drain()
    create = await node.publish("Create", inbox(A), about=OBJECT + "0")
    await node.publish("Delete", inbox(A), inbox(B))
    assert await node.states(A) == ["Create queued", "Delete queued"]
    assert await node.states(B) == ["Create queued", "Delete queued"]
    assert next(row.activity_id for row in await node.rows(host=A)) == create


@pytest.mark.parametrize(
    ("server_says", "create", "arrives"),
    [
        (answer(202), "Create delivered", ["Delete"]),
        (answer(500), "Create queued", ["Create", "Delete"]),
        (answer(410), "Create failed", ["Delete"]),
    ],
)
async def test_a_delete_follows_a_create_that_was_begun(
    node: Node, server_says: Any, create: str, arrives: list[str]
) -> None:
    node.servers.always[A] = server_says
    await node.publish("Create", inbox(A))
    await node.worker.drain()
    await node.publish("Delete", inbox(A))
    assert await node.states(A) == [create, "Delete queued"]
    node.servers.clear()
    node.servers.always.clear()
    for _ in range(5):
        node.clock.advance(60_000)
        await node.worker.drain()
    assert node.servers.sent_to(A) == [f"{as_type} {OBJECT}" for as_type in arrives]


async def test_a_create_under_way_whose_answer_is_lost_does_not_annihilate(node: Node) -> None:
    """Begun is committed before the first byte: the process may die here."""
    begun: list[int | None] = []

    async def look(*args: Any, **options: Any) -> Any:
        begun.extend(row.begun_at for row in await node.rows())
        await node.publish("Delete", inbox(A))
        return answer()

    node.servers.post = look
    await node.publish("Create", inbox(A))
    await node.worker.step()
    assert begun == [node.clock.now]
    assert await node.states(A) == ["Create delivered", "Delete queued"]


async def test_only_the_newest_update_waits_for_an_inbox(both: Node) -> None:
    await both.publish("Create", inbox(A), inbox(B))
    await both.publish("Update", inbox(A), inbox(B))
    await both.publish("Update", inbox(A), about=OBJECT + "9")
    await both.publish("Update", inbox(A))
    assert [(row.object_uri, row.state) for row in await both.rows(host=A, as_type="Update")] == [
        (OBJECT, "dropped"),
        (OBJECT + "9", "queued"),
        (OBJECT, "queued"),
    ]
    assert await both.states(B) == ["Create queued", "Update queued"]
    await both.worker.drain()
    assert both.servers.sent_to(A) == [f"Create {OBJECT}", f"Update {OBJECT}9", f"Update {OBJECT}"]


async def test_other_activities_about_the_object_are_left_alone(node: Node) -> None:
    for as_type in ("Announce", "Like", "Follow", "Undo", "Delete"):
        await node.publish(as_type, inbox(A))
    assert {row.state for row in await node.rows()} == {"queued"}


async def test_another_actors_delete_annihilates_nothing(node: Node) -> None:
    await node.publish("Create", inbox(A))
    first, node.actor_id = node.actor_id, 0
    await node.start()
    assert node.actor_id != first
    await node.publish("Delete", inbox(A))
    assert await node.states(A) == ["Create queued", "Delete queued"]


async def test_queuing_twice_is_queuing_once(node: Node) -> None:
    activity_id = await node.publish("Create", inbox(A))

    def again(context: Context) -> None:
        queue(
            context,
            activity_id=activity_id,
            actor_id=1,
            as_type="Create",
            object_uri=OBJECT,
            inboxes=[inbox(A)],
        )

    await node.database.write(again)
    assert len(await node.rows()) == 1


@pytest.mark.parametrize(("as_type", "most"), [("Create", 3), ("Update", 4), ("Delete", 5)])
@pytest.mark.parametrize("servers", [1, 100, 400])
async def test_statements_do_not_grow_with_the_number_of_inboxes(
    node: Node, statement_counter: Callable[[Database], Counted], as_type: str, most: int, servers: int
) -> None:
    inboxes = [inbox(f"s{number}.esn.test") for number in range(servers)]
    if as_type != "Create":
        await node.publish("Create", *inboxes)
    counted = statement_counter(node.database)
    await node.publish(as_type, *inboxes)
    assert len([text for text in counted.statements if "activity (" not in text]) <= most
