"""A server that is not esnfed: it serves the documents it is given and sends what it is told, well signed."""

from __future__ import annotations

import json
from collections.abc import Callable
from io import BytesIO
from typing import Any

from aiohttp import ClientSession, TCPConnector

from esnfed.federation.keys import generate_rsa, load_private, public_pem
from esnfed.federation.signatures import Signer, sign
from esnfed.vocab import parse
from esnfed.vocab.terms import ACTIVITY_JSON, PUBLIC
from tests.doubles.server import Reply, ServerDouble, document
from tests.federation.network import LiveNode, Network

Document = dict[str, Any]

JRD = "application/jrd+json"
RSA = generate_rsa()
"""One key for every peer of the process: making them is slow, and nothing here depends on a difference."""

PEM = public_pem(RSA.public_der)


class Peer(ServerDouble):
    """`documents` and accounts by hand; `post` signs with the key of any actor that lives here."""

    def __init__(self, network: Network, domain: str) -> None:
        super().__init__(domain)
        self._network = network
        self._number = 0

    @classmethod
    async def start_in(cls, network: Network, domain: str) -> Peer:
        """Start a peer that the nodes of the network find under `domain`; it ends with the network."""
        peer = cls(network, domain)
        await peer.start(network.authority.server_context(domain))
        network.hosts[domain] = peer.door
        network.stack.push_async_callback(peer.stop)
        return peer

    def serve(self, content: Document, path: str | None = None) -> Document:
        """Serve a document at the path of its id, or at another."""
        self.answers[path or content["id"].removeprefix(self.origin)] = document(content)
        return content

    def finger(self, name: str, uri: str, *, domain: str = "") -> None:
        """Answer WebFinger for one account with the actor at `uri`."""
        account = f"acct:{name}@{domain or self.name}"
        links = [{"rel": "self", "type": ACTIVITY_JSON, "href": uri}]
        answer = document({"subject": account, "links": links}, JRD)
        self.answers[f"/.well-known/webfinger?resource={account}"] = answer

    def actor(self, name: str, **changes: Any) -> Document:
        """Serve a plain actor with this peer's key, and its account."""
        uri = f"{self.origin}/users/{name}"
        self.finger(name, uri)
        self.answers[f"/users/{name}/inbox"] = Reply(202)
        return self.serve(
            {
                "@context": "https://www.w3.org/ns/activitystreams",
                "id": uri,
                "type": "Person",
                "preferredUsername": name,
                "inbox": f"{uri}/inbox",
                "outbox": f"{uri}/outbox",
                "followers": f"{uri}/followers",
                "publicKey": {"id": f"{uri}#main-key", "owner": uri, "publicKeyPem": PEM},
            }
            | changes
        )

    def note(self, author: Document, name: str, **changes: Any) -> Document:
        """Return a public Note by an actor of this peer."""
        return {
            "@context": "https://www.w3.org/ns/activitystreams",
            "id": f"{self.origin}/notes/{name}",
            "type": "Note",
            "attributedTo": author["id"],
            "content": f"<p>{name}</p>",
            "published": parse.iso(self._network.nodes[0].node.runtime.clock()),
            "to": [PUBLIC],
            "cc": [author["followers"]],
        } | changes

    def activity(self, author: Document, as_type: str, content: Any, **changes: Any) -> Document:
        """Return a public activity by an actor of this peer."""
        self._number += 1
        return {
            "@context": "https://www.w3.org/ns/activitystreams",
            "id": f"{self.origin}/activities/{self._number}",
            "type": as_type,
            "actor": author["id"],
            "to": [PUBLIC],
            "cc": [author["followers"]],
            "object": content,
        } | changes

    async def post(
        self,
        target: LiveNode,
        activity: Document | bytes,
        *,
        key_uri: str = "",
        path: str = "/inbox",
        alter: Callable[[dict[str, str]], dict[str, str]] = dict,
    ) -> int:
        """Sign and send an activity; return the status of the answer. `alter` changes the signed headers."""
        body = activity if isinstance(activity, bytes) else json.dumps(activity).encode()
        if not key_uri:
            key_uri = f"{json.loads(body)['actor']}#main-key"
        now = target.node.runtime.clock()
        signer = Signer(key_uri, load_private(RSA.private_der))
        headers = sign("cavage", signer, "POST", f"{target.origin}{path}", body, now)
        headers = alter({"Content-Type": ACTIVITY_JSON, "Host": target.domain} | headers)
        url = f"https://127.0.0.1:{self._network.hosts[target.domain][1]}{path}"
        async with (
            ClientSession(connector=TCPConnector(ssl=False)) as session,
            session.post(url, data=BytesIO(body), headers=headers) as answer,
        ):
            return answer.status

    def received(self, as_type: str = "") -> list[Document]:
        """Return the activities that were posted here, of one type or all."""
        posted = [json.loads(seen.body) for seen in self.seen if seen.method == "POST"]
        return [one for one in posted if as_type in ("", one["type"])]
