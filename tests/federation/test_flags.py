"""Reports between servers: what arrives is kept for the moderators, what leaves names nobody here."""

from __future__ import annotations

import json
from typing import Any

import pytest

from esnfed.errors import Conflict, Invalid, NotFound
from esnfed.models import activity, counter, inbox_message, notification, report
from esnfed.services import actors, reports, statuses
from tests.federation.network import LiveNode, Network
from tests.federation.peer import Peer
from tests.federation.test_inbox import Forger
from tests.federation.test_two_nodes import pair


async def complain(
    live: LiveNode, by: int, about: int, *posts: int, forward: bool, words: str = "Spam"
) -> int:
    """Let one actor report another."""

    def act(context: Any) -> int:
        named = [statuses.by_id(context, number) for number in posts]
        one, other = actors.by_id(context, by), actors.by_id(context, about)
        return reports.make(context, one, other, named, words, forward=forward)

    return int(await live.write(act))


@pytest.mark.parametrize("way", ["out", "back"])
async def test_a_forwarded_report_reaches_the_other_moderators_and_hides_who_made_it(
    network: Network, way: str
) -> None:
    lyon, amina, dakar, paul = await pair(network)
    await lyon.follow(amina, await lyon.find("paul@dakar.esn.test"))
    await network.settle()
    here, by, there, about = (dakar, paul, lyon, amina) if way == "out" else (lyon, amina, dakar, paul)
    post = await there.post(about, "Gagnez vite")
    await network.settle()
    target_uri = (await there.row(about))["uri"]
    target = await here.find(target_uri)
    seen = next(row["id"] for row in await here.home(by))
    number = await complain(here, by, target, seen, forward=True, words="De la publicité")
    await network.settle()
    arrived = await there.one(report, local=False)
    assert (arrived["target_id"], arrived["status_ids"]) == (about, [str(post)])
    assert (arrived["comment"], arrived["state"]) == ("De la publicité", "open")
    assert (await there.row(arrived["reporter_id"]))["uri"] == f"{here.origin}/relay"
    sent = await here.one(activity, as_type="Flag")
    assert sent["public"] is False
    person = await here.row(by)
    for word in (person["uri"], person["handle"], person["url"]):
        assert word not in sent["body"]
    assert json.loads(sent["body"])["object"][0] == target_uri
    made = await here.one(report, id=number)
    assert made["forwarded_at"] is not None
    assert made["uri"] == arrived["uri"]
    assert await there.rows(notification, from_actor_id=arrived["reporter_id"]) == []


async def test_a_report_stays_at_home_unless_it_is_forwarded(network: Network) -> None:
    lyon, _amina, dakar, paul = await pair(network)
    number = await complain(dakar, paul, await dakar.find("amina@lyon.esn.test"), forward=False)
    await network.settle()
    assert await dakar.rows(activity, as_type="Flag") == []
    assert await lyon.rows(report) == []
    assert (await dakar.one(report, id=number))["uri"] is None


async def test_mastodon_and_misskey_forms_are_understood(network: Network) -> None:
    lyon = await network.node("lyon")
    amina = await lyon.actor("amina")
    post = await lyon.post(amina, "Bonjour")
    row, page = await lyon.row(amina), f"{lyon.origin}/@amina/{post}"
    peer = await Peer.start_in(network, "other.esn.test")
    actor = peer.actor("instance.actor", type="Application")
    forms: list[dict[str, Any]] = [
        {"object": [row["uri"], f"{lyon.origin}/ap/objects/{post}"], "content": "Mastodon"},
        {"object": row["uri"], "content": f"Note: {page}\n-----\nMisskey <b>gras</b>"},
        {"object": [f"{lyon.origin}/ap/objects/{post}"], "content": "Akkoma"},
        {"object": {"id": row["uri"], "type": "Person"}, "content": None},
        {"object": f"{lyon.origin}/@Amina", "content": ""},
    ]
    for form in forms:
        assert await peer.post(lyon, peer.activity(actor, "Flag", None) | form) == 202
    await network.settle()
    found = sorted(await lyon.rows(report), key=lambda each: each["id"])
    assert [each["target_id"] for each in found] == [amina] * 5
    assert [each["status_ids"] for each in found] == [[str(post)]] * 3 + [[], []]
    assert "<b>" not in found[1]["comment"]
    assert found[0]["host"] == "other.esn.test"


async def test_what_is_not_about_us_is_ignored_and_what_is_too_much_is_cut(network: Network) -> None:
    lyon, amina, dakar, paul = await pair(network)
    pen = Forger(network, dakar, paul)
    uri = (await lyon.row(amina))["uri"]
    theirs = (await dakar.row(paul))["uri"]
    stranger = await pen.activity("Flag", [theirs, f"{lyon.origin}/ap/objects/12345"])
    assert await pen.send(lyon, stranger) == 202
    posts = [await lyon.post(amina, f"Message {number}") for number in range(reports.MAX_STATUSES + 3)]
    objects = [uri, *(f"{lyon.origin}/ap/objects/{post}" for post in posts)]
    assert await pen.send(lyon, await pen.activity("Flag", objects) | {"content": "x" * 9_000}) == 202
    assert await pen.send(lyon, await pen.activity("Flag", None)) == 202
    await network.settle()
    kept = await lyon.one(report)
    assert (len(kept["status_ids"]), len(kept["comment"])) == (reports.MAX_STATUSES, reports.MAX_COMMENT)
    assert len(await lyon.rows(inbox_message, as_type="Flag", state="ignored")) == 2


async def test_a_server_that_reports_without_end_is_counted(
    network: Network, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reports, "MAX_OPEN_PER_SERVER", 3)
    lyon, amina, dakar, paul = await pair(network)
    pen = Forger(network, dakar, paul)
    uri = (await lyon.row(amina))["uri"]
    for _ in range(5):
        await pen.send(lyon, await pen.activity("Flag", [uri]))
    await network.settle()
    assert len(await lyon.rows(report)) == 3
    assert (await lyon.one(counter, name="too-many-reports"))["count"] == 2


async def test_a_report_is_closed_once_with_what_was_decided(network: Network) -> None:
    lyon, amina, _, _ = await pair(network)
    zoe = await lyon.actor("zoe")
    number = await complain(lyon, zoe, amina, forward=False)
    await lyon.write(reports.close, number, "Avertie")
    closed = await lyon.one(report, id=number)
    assert (closed["state"], closed["conclusion"]) == ("closed", "Avertie")
    with pytest.raises(Conflict):
        await lyon.write(reports.close, number, "")
    with pytest.raises(NotFound):
        await lyon.write(reports.close, 1, "")


async def test_what_makes_no_report_is_refused(network: Network) -> None:
    lyon, amina, _dakar, _paul = await pair(network)
    zoe = await lyon.actor("zoe")
    post = await lyon.post(zoe, "À moi")
    with pytest.raises(Invalid):
        await complain(lyon, amina, amina, forward=False)
    with pytest.raises(Invalid):
        await complain(lyon, zoe, amina, post, forward=False)
    with pytest.raises(Invalid):
        await complain(lyon, zoe, amina, forward=True)
    with pytest.raises(Invalid):
        await complain(lyon, zoe, amina, forward=False, words="x" * 5_001)
