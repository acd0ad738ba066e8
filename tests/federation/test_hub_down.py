"""The hub is off: the other two go on as if it had never been, and what is meant for it waits and arrives."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from esnfed.federation import delivery_expiry
from esnfed.federation.retry import DAY, HOUR, STEPS
from esnfed.models import delivery, favourite, follow, inbox_message, peer, record, status, timeline_entry
from esnfed.records import operations
from esnfed.vocab import parse
from tests.federation.network import LiveNode, Network
from tests.unit.records.sheets import project

HUB = "hub.esn.test"


@dataclass(frozen=True)
class Scene:
    """The union's Amina and the mutual's Ines follow each other; the hub's Vera follows both."""

    hub: LiveNode
    vera: int
    union: LiveNode
    amina: int
    mutual: LiveNode
    ines: int


async def scene(network: Network) -> Scene:
    hub, union, mutual = [await network.node(name) for name in ("hub", "union", "mutual")]
    vera, amina, ines = await hub.actor("vera"), await union.actor("amina"), await mutual.actor("ines")
    for name in ("amina@union.esn.test", "ines@mutual.esn.test"):
        await hub.follow(vera, await hub.find(name))
    await network.settle()
    return Scene(hub, vera, union, amina, mutual, ines)


async def befriend(network: Network, made: Scene) -> None:
    await made.mutual.follow(made.ines, await made.mutual.find("amina@union.esn.test"))
    await made.union.follow(made.amina, await made.union.find("ines@mutual.esn.test"))
    await network.settle()


async def everything_works_between_the_two(network: Network, made: Scene) -> None:
    """Follow, post, reply, like, boost, edit, undo, delete and a record, both nodes agreeing at the end."""
    await befriend(network, made)
    assert {row["state"] for row in await made.mutual.rows(follow, actor_id=made.ines)} == {"accepted"}
    post = await made.union.post(made.amina, "Bonjuor")
    await network.settle()
    there = (await made.mutual.home(made.ines))[0]["id"]
    network.advance(1000)
    reply = await made.mutual.post(made.ines, "Salut", in_reply_to_id=there)
    assert await made.mutual.interact("like", made.ines, there)
    assert await made.mutual.interact("boost", made.ines, there)
    await made.union.revise(made.amina, post, "Bonjour")
    await network.settle()
    original = await made.union.one(status, id=post)
    assert (original["replies_count"], original["favourites_count"], original["boosts_count"]) == (1, 1, 1)
    assert (await made.mutual.one(status, id=there))["content"] == "<p>Bonjour</p>"
    assert await made.mutual.interact("unlike", made.ines, there)
    await made.mutual.remove(made.ines, reply)
    await network.settle()
    original = await made.union.one(status, id=post)
    assert (original["replies_count"], original["favourites_count"]) == (0, 0)
    assert await made.union.rows(favourite) == []
    await operations.announce(made.union.node, owner="amina", kind="project", sheet=project())
    await network.settle()
    assert len(await made.mutual.rows(record)) == 1


async def test_two_nodes_never_need_a_hub_that_was_off_from_the_beginning(network: Network) -> None:
    hub, union, mutual = [await network.node(name) for name in ("hub", "union", "mutual")]
    await network.halt(hub)
    amina, ines = await union.actor("amina"), await mutual.actor("ines")
    await everything_works_between_the_two(network, Scene(hub, 0, union, amina, mutual, ines))
    for node in (union, mutual):
        assert [row for row in await node.rows(delivery) if row["host"] == HUB] == []
        assert {row["state"] for row in await node.rows(inbox_message)} == {"done"}


async def test_two_nodes_go_on_when_the_hub_stops_and_it_gets_everything_at_its_return(
    network: Network,
) -> None:
    made = await scene(network)
    await network.halt(made.hub)
    await everything_works_between_the_two(network, made)
    waiting = [row for row in await made.union.rows(delivery, host=HUB) if row["state"] == "queued"]
    assert {row["as_type"] for row in waiting} >= {"Create", "Update"}
    assert (await made.union.one(peer, host=HUB))["health"] == "failing"
    await network.resume(made.hub)
    await wait_out(network, made)
    everyone = await made.union.rows(delivery) + await made.mutual.rows(delivery)
    assert {row["state"] for row in everyone} <= {"delivered", "dropped"}
    seen = {row["uri"]: row for row in await made.hub.rows(status) if row["deleted_at"] is None}
    for node in (made.union, made.mutual):
        for row in await node.rows(status, local=True):
            alive = row["deleted_at"] is None
            assert (row["uri"] in seen) is alive
            assert not alive or seen[row["uri"]]["content"] == row["content"]
    assert len(await made.hub.rows(record)) == 1
    entries = [row["status_id"] for row in await made.hub.rows(timeline_entry, actor_id=made.vera)]
    assert len(entries) == len(set(entries)) == len(seen)
    assert {row["state"] for row in await made.hub.rows(inbox_message)} <= {"done", "ignored"}


async def wait_out(network: Network, made: Scene) -> None:
    """Let the hours pass until nothing is queued any more."""
    for _ in range(200):
        network.advance(HOUR)
        await network.settle()
        queued = [await node.rows(delivery, state="queued") for node in (made.union, made.mutual)]
        if not any(queued):
            return
    raise AssertionError(queued)


async def test_a_stopped_hub_is_probed_by_the_schedule_and_never_more(network: Network) -> None:
    made = await scene(network)
    await network.halt(made.hub)
    for number in range(3):
        await made.union.post(made.amina, f"Numéro {number}")
    pauses = []
    for failures, step in enumerate(STEPS, start=1):
        await network.settle()
        state = await made.union.one(peer, host=HUB)
        assert state["failures"] == failures
        tried = [row["attempts"] for row in await made.union.rows(delivery, host=HUB, state="queued")]
        assert (sum(tried), len(tried)) == (failures, 3)  # one probe stands for all that waits
        pauses.append(state["next_at"] - network.now())
        assert 0.75 * step <= pauses[-1] <= 1.25 * step
        network.advance(pauses[-1] - 1)
        await network.settle()
        assert (await made.union.one(peer, host=HUB))["failures"] == failures
        network.advance(1)
    assert sum(pauses) < DAY
    await network.resume(made.hub)
    await made.union.node.delivery_worker.step()
    assert (await made.union.one(peer, host=HUB))["health"] == "well"


async def test_what_waited_arrives_in_order_and_once(network: Network) -> None:
    made = await scene(network)
    await network.halt(made.hub)
    kept = [await made.union.post(made.amina, f"Numéro {number}") for number in range(6)]
    gone = await made.union.post(made.amina, "Vite oublié")
    await network.settle()  # the first of them was tried, the others never
    network.advance(1000)
    for version in range(3):
        await made.union.revise(made.amina, kept[0], f"Version {version}")
        network.advance(1000)
    await made.union.remove(made.amina, gone)
    await network.settle()
    network.advance(DAY)
    await network.resume(made.hub)
    arrived = await arrivals(network, made)
    uris = [(await made.union.one(status, id=number))["uri"] for number in kept]
    assert [uri for as_type, uri in arrived if as_type == "Create"] == uris
    assert arrived.count(("Update", uris[0])) == 1
    assert arrived.index(("Create", uris[0])) < arrived.index(("Update", uris[0]))
    assert (await made.union.one(status, id=gone))["uri"] not in {uri for _, uri in arrived}
    assert (await made.hub.one(status, uri=uris[0]))["content"] == "<p>Version 2</p>"
    assert len(await made.hub.home(made.vera)) == 6


async def arrivals(network: Network, made: Scene) -> list[tuple[str, str]]:
    """(type, object) of what the hub got after its return, in the order of its arrival."""
    before = {row["id"] for row in await made.hub.rows(inbox_message)}
    found: dict[int, tuple[str, str]] = {}
    for _ in range(60):
        await made.union.node.delivery_worker.step()
        await network.settle(made.hub)
        for row in await made.hub.rows(inbox_message):
            if row["id"] not in before:
                found.setdefault(row["id"], (row["as_type"], _object_of(row)))
        network.advance(5000)
    assert await made.union.rows(delivery, state="queued") == []
    return list(found.values())


def _object_of(row: Any) -> str:
    content = parse.load(row["body"])["object"]
    return str(parse.reference(content))


async def test_a_hub_that_was_away_past_the_horizon_is_found_again_by_a_daily_probe(network: Network) -> None:
    made = await scene(network)
    await network.halt(made.hub)
    await made.union.post(made.amina, "Avant")
    for _ in range(20):
        await network.settle()
        network.advance(12 * HOUR)
    assert (await made.union.one(peer, host=HUB))["health"] == "dormant"
    failures = (await made.union.one(peer, host=HUB))["failures"]
    for _ in range(8):
        await network.settle()
        network.advance(6 * HOUR)
    assert (await made.union.one(peer, host=HUB))["failures"] - failures <= 3
    await made.union.write(delivery_expiry.expire)  # the periodic work of a serving node
    await made.union.post(made.amina, "Pendant")
    await network.resume(made.hub)
    network.advance(2 * DAY)
    await made.union.post(made.amina, "Après")
    for _ in range(40):
        await network.settle()
        network.advance(HOUR)
    assert (await made.union.one(peer, host=HUB))["health"] == "well"
    assert {row["content"] for row in await made.hub.home(made.vera)} == {"<p>Pendant</p>", "<p>Après</p>"}
    [given_up] = await made.union.rows(delivery, state="failed")
    assert given_up["as_type"] == "Create"  # the post from before, after its seven days
