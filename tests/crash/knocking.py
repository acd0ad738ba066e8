"""One signed POST to an inbox, with all that is answered."""

from __future__ import annotations

import json
from dataclasses import dataclass

from aiohttp import ClientSession, TCPConnector

from esnfed.federation.keys import load_private
from esnfed.federation.signatures import Signer, sign
from esnfed.vocab.terms import ACTIVITY_JSON
from tests.federation.peer import RSA, Document

PRIVATE = load_private(RSA.private_der)


@dataclass(frozen=True)
class Answered:
    """Status, and the seconds after which the sender may come back."""

    status: int
    retry_after: int | None


async def knock(port: int, domain: str, activity: Document, now: int) -> Answered:
    """Send an activity of an actor of a `Peer` to the shared inbox of a node; `now` is in milliseconds."""
    body = json.dumps(activity).encode()
    signer = Signer(f"{activity['actor']}#main-key", PRIVATE)
    headers = sign("cavage", signer, "POST", f"https://{domain}/inbox", body, now)
    headers |= {"Content-Type": ACTIVITY_JSON, "Host": domain}
    async with (
        ClientSession(connector=TCPConnector(ssl=False)) as session,
        session.post(f"https://127.0.0.1:{port}/inbox", data=body, headers=headers) as answer,
    ):
        later = answer.headers.get("Retry-After")
        return Answered(answer.status, None if later is None else int(later))
