"""A record as a page shows it to one reader."""

from __future__ import annotations

import pytest

from esnfed.records import query
from esnfed.records.cards import card
from tests.unit.records.nodes import Node
from tests.unit.records.sheets import SECRETS, call, project

HOME = "a.esn.test"


@pytest.mark.parametrize(
    ("locale", "wanted", "language"),
    [("es", None, "es"), ("en", None, "fr"), ("es-MX", None, "es"), ("es", "fr", "fr"), ("en", "ja", "fr")],
)
async def test_texts_are_in_the_best_language_there_is(
    node: Node, locale: str, wanted: str | None, language: str
) -> None:
    row = await node.database.read(query.one, await node.announce("call", call()))
    shown = card(row, locale, HOME, wanted)
    assert (shown.language, shown.title) == (language, call()["title"][language])
    assert shown.summary == call()["summary"][language]
    assert shown.languages == ("fr", "es")


async def test_labels_are_in_the_language_of_the_reader(node: Node) -> None:
    status_id = await node.announce("call", call())
    row = await node.database.read(query.one, status_id)
    shown = card(row, "en", HOME)
    assert (shown.kind_label, shown.state, shown.state_label) == ("Call", "open", "Open")
    assert [chip.label for chip in shown.territories] == ["French-speaking Belgium"]
    assert [chip.label for chip in shown.themes] == ["Mutualism", "Youth engagement"]
    assert ("Deadline", "June 30, 2026") in [(fact.label, fact.value) for fact in shown.facts]
    assert shown.organisation.handle == "sne@a.esn.test"
    assert (shown.url, shown.origin) == (f"/r/{status_id}", None)


async def test_a_record_of_another_node_names_it(node: Node, other: Node) -> None:
    await other.announce("project", project())
    received = await node.receive((await other.sent())[-1]["object"])
    shown = card(await node.database.read(query.one, received), "fr", HOME)
    assert shown.origin == "b.esn.test"
    assert shown.url == f"/r/{received}", "its page here"


async def test_a_card_shows_nothing_private(node: Node) -> None:
    row = await node.database.read(query.one, await node.announce("project", project()))
    shown = repr(card(row, "fr", HOME))
    assert "office@sne.example" in shown
    assert not [secret for secret in SECRETS if secret in shown]
