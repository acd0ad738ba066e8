"""A record as a page shows it to one reader."""

from __future__ import annotations

import pytest

from esnfed.http.reader import Reader
from esnfed.records import query
from esnfed.records.cards import card, conversation, of_posts
from esnfed.records.rendering import slug
from tests.unit.records.nodes import Node
from tests.unit.records.sheets import SECRETS, call, project

HOME = "a.esn.test"


@pytest.mark.parametrize(
    ("reader", "language"),
    [
        (Reader("es"), "es"),
        (Reader("en"), "fr"),
        (Reader("es-MX"), "es"),
        (Reader("es", wanted="fr"), "fr"),
        (Reader("en", wanted="ja"), "fr"),
        (Reader("en", accepts="de, es;q=0.8"), "es"),
    ],
)
async def test_texts_are_in_the_best_language_there_is(node: Node, reader: Reader, language: str) -> None:
    row = await node.database.read(query.one, await node.announce("call", call()))
    shown = card(row, reader, HOME)
    assert (shown.language, shown.title) == (language, call()["title"][language])
    assert shown.summary == call()["summary"][language]
    assert shown.languages == ("fr", "es")


async def test_labels_are_in_the_language_of_the_reader(node: Node) -> None:
    status_id = await node.announce("call", call())
    row = await node.database.read(query.one, status_id)
    shown = card(row, Reader("en"), HOME)
    assert (shown.kind_label, shown.state, shown.state_label) == ("Call", "open", "Open")
    assert card(row, Reader("es"), HOME).state_label == "Abierta", "una convocatoria"
    assert [chip.label for chip in shown.territories] == ["French-speaking Belgium"]
    assert [chip.label for chip in shown.themes] == ["Mutualism", "Youth engagement"]
    assert shown.deadline == "2026-06-30", "the day that the sheet names, not the instant after it"
    assert shown.organisation.handle == "sne@a.esn.test"
    assert (shown.url, shown.origin) == (f"/r/{status_id}/{slug(row['sheet'])}", None)
    assert conversation(row) == f"/@sne/{status_id}"


async def test_a_record_of_another_node_names_it(node: Node, other: Node) -> None:
    await other.announce("project", project())
    received = await node.receive((await other.sent())[-1]["object"])
    row = await node.database.read(query.one, received)
    shown = card(row, Reader("fr"), HOME)
    assert shown.origin == "b.esn.test"
    assert shown.url.startswith(f"/r/{received}/"), "its page here"
    assert conversation(row) == f"/@sne@b.esn.test/{received}"


async def test_a_card_shows_nothing_private(node: Node) -> None:
    row = await node.database.read(query.one, await node.announce("project", project()))
    shown = repr(card(row, Reader("fr"), HOME))
    assert not [secret for secret in SECRETS if secret in shown]


async def test_the_posts_of_records_have_their_card_and_no_other_post_has_one(node: Node) -> None:
    status_id = await node.announce("call", call())
    reader = Reader("fr")
    found = await node.database.read(of_posts, {status_id, status_id + 1}, reader)
    row = await node.database.read(query.one, status_id)
    assert found == {status_id: card(row, reader, HOME)}
    assert hash(found[status_id]) == hash(card(row, reader, HOME)), "fragments are kept by it"
    assert await node.database.read(of_posts, set(), reader) == {}
