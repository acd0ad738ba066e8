"""Activities whose features come later: understood, counted, without effect, and never an error."""

from __future__ import annotations

import pytest

from esnfed.activities.later import COUNTER
from esnfed.models import counter, inbox_message
from tests.federation.network import Network
from tests.federation.test_inbox import Forger
from tests.federation.test_two_nodes import pair

TYPES = ["Join", "Leave", "Offer", "Invite", "QuoteRequest"]


@pytest.mark.parametrize("as_type", TYPES)
async def test_it_is_ignored_with_a_note_and_counted_under_its_type(network: Network, as_type: str) -> None:
    lyon, amina, dakar, paul = await pair(network)
    post = await lyon.post(amina, "Assemblée générale")
    for live, actor_id, other in ((dakar, paul, lyon), (lyon, amina, dakar)):
        pen = Forger(network, live, actor_id)
        asked = await pen.activity(
            as_type, f"{lyon.origin}/ap/objects/{post}", instrument=f"{live.origin}/notes/quote"
        )
        assert await pen.send(other, asked) == 202
        await network.settle()
        message = await other.one(inbox_message, as_type=as_type)
        assert message["state"] == "ignored"
        assert message["note"].startswith("This type of activity is understood")
        assert (await other.one(counter, name=COUNTER, key=as_type))["count"] == 1


@pytest.mark.parametrize("as_type", TYPES)
async def test_what_has_not_the_shape_of_it_is_not_counted_as_one(network: Network, as_type: str) -> None:
    lyon, _, dakar, paul = await pair(network)
    pen = Forger(network, dakar, paul)
    shapeless = await pen.activity(as_type, None)
    if as_type == "QuoteRequest":
        shapeless["object"] = f"{lyon.origin}/ap/objects/1"
    await pen.send(lyon, shapeless)
    await network.settle()
    assert (await lyon.one(inbox_message, as_type=as_type))["state"] == "ignored"
    assert await lyon.rows(counter, name=COUNTER) == []
    assert (await lyon.one(counter, name="refused"))["key"] == "Malformed"
