"""What was deleted is gone: here, on every server that had it, and from everything that once carried it."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import pytest

from esnfed.models import activity, delivery, follow, status
from esnfed.services import actors, blocks, removal
from tests.conftest import MakeRuntime, Prepare
from tests.doubles.authority import Authority
from tests.federation.network import LiveNode, Network, open_network
from tests.federation.test_pages import Browser, browser

__all__ = ["browser"]

AP = "application/activity+json"


@pytest.fixture
async def network(
    runtime: MakeRuntime, prepare_sqlite: Prepare, authority: Authority
) -> AsyncIterator[Network]:
    """Live nodes on SQLite."""
    async with open_network(runtime, prepare_sqlite, authority) as found:
        yield found


async def scene(network: Network, **settings: Any) -> tuple[LiveNode, int, LiveNode, int]:
    """Lyon with Amina, whom Paul of Dakar follows."""
    lyon, dakar = await network.node("lyon"), await network.node("dakar")
    amina, paul = await lyon.actor("amina", **settings), await dakar.actor("paul")
    await dakar.follow(paul, await dakar.find("amina@lyon.esn.test"))
    await network.settle()
    return lyon, amina, dakar, paul


async def sent(live: LiveNode, as_type: str) -> int:
    """The number of the newest activity of a type."""
    rows = await live.rows(activity, as_type=as_type)
    return int(max(row["id"] for row in rows))


async def test_the_posts_of_a_removed_person_are_gone_from_every_address(
    network: Network, browser: Browser
) -> None:
    lyon, amina, dakar, _ = await scene(network)
    post = await lyon.post(amina, "Mon numéro est le 06")
    create = await sent(lyon, "Create")
    await browser.get(lyon, f"/ap/activities/{create}", accept=AP)
    await network.settle()
    await lyon.delete_actor(amina)
    assert (await browser.get(lyon, f"/ap/activities/{create}", accept=AP, status=410)).status == 410
    await network.settle()
    await browser.get(lyon, f"/ap/activities/{create}", accept=AP, status=404)
    await browser.get(lyon, f"/ap/objects/{post}", accept=AP, status=410)
    await browser.get(lyon, f"/ap/actors/{amina}", accept=AP, status=410)
    assert [row["as_type"] for row in await lyon.rows(activity, actor_id=amina)] == ["Delete"]
    assert await dakar.rows(status) == []


async def test_what_a_removed_person_had_queued_is_not_sent_any_more(network: Network) -> None:
    lyon, amina, dakar, _ = await scene(network)
    await lyon.post(amina, "Jamais parti")
    await lyon.delete_actor(amina)
    queued = [row["as_type"] for row in await lyon.rows(delivery, state="queued")]
    assert queued == ["Delete"]
    await network.settle()
    assert await dakar.rows(status) == []


async def test_a_delete_follows_a_direct_post_behind_a_block(network: Network) -> None:
    lyon, amina, dakar, _ = await scene(network)
    there = await lyon.find("paul@dakar.esn.test")
    post = await lyon.post(amina, "Entre nous", visibility="direct", mentions=[there])
    await network.settle()
    assert len(await dakar.rows(status, content="<p>Entre nous</p>")) == 1

    def block(context: Any) -> None:
        blocks.block_actor(context, actors.by_id(context, amina), actors.by_id(context, there))

    await lyon.write(block)
    await network.settle()
    await lyon.remove(amina, post)
    await network.settle()
    assert await dakar.rows(status, content="<p>Entre nous</p>") == []


async def test_a_delete_follows_a_post_to_a_follower_who_was_removed_since(network: Network) -> None:
    lyon, amina, dakar, _ = await scene(network, locked=True)
    await lyon.answer("accept", amina, (await lyon.rows(follow))[0])
    await network.settle()
    post = await lyon.post(amina, "Pour mes abonnés", visibility="followers")
    await network.settle()
    assert len(await dakar.rows(status, content="<p>Pour mes abonnés</p>")) == 1
    await lyon.answer("reject", amina, (await lyon.rows(follow))[0])
    await network.settle()
    await lyon.remove(amina, post)
    await network.settle()
    assert await dakar.rows(status, content="<p>Pour mes abonnés</p>") == []


async def test_a_text_that_was_written_over_is_told_by_nobody(network: Network, browser: Browser) -> None:
    lyon, amina, _, _ = await scene(network)
    post = await lyon.post(amina, "Un secret")
    create = await sent(lyon, "Create")
    lyon.node.runtime.clock.advance(1000)  # type: ignore[attr-defined]
    await lyon.revise(amina, post, "Plus de secret")
    await browser.get(lyon, f"/ap/activities/{create}", accept=AP, status=404)
    update = await browser.get(lyon, f"/ap/activities/{await sent(lyon, 'Update')}", accept=AP)
    assert "Plus de secret" in await update.text()
    first = (await (await browser.get(lyon, f"/ap/actors/{amina}/outbox", accept=AP)).json())["first"]
    page = await browser.get(lyon, first.removeprefix("https://lyon.esn.test"), accept=AP)
    assert "Un secret" not in await page.text()


async def test_the_text_of_a_deleted_post_is_kept_nowhere_once_nothing_of_it_waits(network: Network) -> None:
    lyon, amina, _, _ = await scene(network)
    post = await lyon.post(amina, "À oublier")
    await network.settle()
    await lyon.remove(amina, post)
    assert await lyon.write(removal.forget_deleted_texts, None) is None
    assert [row["as_type"] for row in await lyon.rows(activity) if "oublier" in row["body"]] == []
