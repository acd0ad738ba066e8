"""Commands reach a node that serves; and commands that ask other servers meet live ones."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web

from esnfed.cli import serve
from esnfed.cli.control import FILE
from esnfed.cli.frame import load_commands
from esnfed.cli.lock import sole_use
from esnfed.cli.operations import perform
from esnfed.cli.settings import load
from esnfed.config import Config
from esnfed.errors import NotFound, Refused, RemoteError
from esnfed.models import delivery, inbox_message
from esnfed.models import follow as follow_table
from esnfed.models import peer as peer_table
from tests.doubles.authority import Authority
from tests.doubles.server import Reply, ServerDouble
from tests.federation.network import LiveNode, Network
from tests.unit.cli.commands import Terminal, terminal

DAKAR = "dakar.esn.test"
PATIENCE = 20.0
"""Seconds after which a test that waits for the node has failed; nothing waits so long otherwise."""


class Dakar(ServerDouble):
    """The server of paul, who follows marie; it tells each activity that reaches its inbox."""

    def __init__(self) -> None:
        super().__init__(DAKAR)
        self.arrived: asyncio.Queue[dict[str, Any]] = asyncio.Queue()

    def take(self) -> None:
        """Accept what is sent from here on."""
        self.answers["/inbox"] = self._accept

    async def _accept(self, _request: Any) -> Any:
        self.arrived.put_nowait(json.loads(self.seen[-1].body))
        return web.Response(status=202)


@pytest.fixture
async def dakar(authority: Authority) -> AsyncIterator[Dakar]:
    """A server that answers 403 until it is told to take what comes."""
    server = Dakar()
    server.answers["/inbox"] = Reply(403)
    await server.start(authority.server_context(DAKAR))
    yield server
    await server.stop()


@pytest.fixture
def lyon(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], dakar: Dakar,
    authority: Authority, unused_tcp_port: int,
) -> Terminal:  # fmt: skip
    """The node Lyon, made by `init`; paul of Dakar follows marie."""
    node = terminal(tmp_path, monkeypatch, capsys)
    path = node.folder / "node.toml"
    lines = [line for line in path.read_text().splitlines() if not line.startswith("port =")]
    lines += [
        f"port = {unused_tcp_port}",
        f'tls_authority = "{authority.path}"',
        f'hosts = {{ "{DAKAR}" = "127.0.0.1:{dakar.port}" }}',
    ]
    path.write_text("\n".join(lines))
    node.write(
        "INSERT INTO actor (id, as_type, local, handle, domain, host, uri, inbox, created_at, updated_at)"
        " VALUES (5, 'Person', 0, 'paul', ?1, ?1, 'https://' || ?1 || '/paul', 'https://' || ?1 || '/inbox',"
        " 0, 0)",
        DAKAR,
    )
    node.write(
        "INSERT INTO follow (id, actor_id, target_id, state, uri, created_at)"
        " SELECT 6, 5, id, 'accepted', 'https://dakar.esn.test/follows/1', 0 FROM actor"
        " WHERE handle = 'marie'"
    )
    return node


@asynccontextmanager
async def serving(config: Config) -> AsyncIterator[None]:
    """Run `esnfed serve` in this process, workers and control socket and all, holding its lock."""
    stop = asyncio.Event()
    with sole_use(config, "in use"):
        running = asyncio.create_task(serve.run_node(config, stop))
        try:
            while not (config.data_dir / FILE).exists() and not running.done():
                await asyncio.sleep(0)
            async with asyncio.timeout(PATIENCE):
                yield
        finally:
            stop.set()
            await running


async def aside(function: Callable[..., Any], *arguments: Any, **named: Any) -> Any:
    """Run a command in a thread, as the process of its own that it is."""
    return await asyncio.to_thread(partial(function, *arguments, **named))


@pytest.mark.enable_socket
async def test_a_post_by_command_leaves_a_running_node_at_once(lyon: Terminal, dakar: Dakar) -> None:
    dakar.take()
    async with serving(load(lyon.folder / "node.toml", {})):
        made = await aside(lyon.told, "post", "create", "Bonjour", "--as", "marie")
        activity = await dakar.arrived.get()
    assert (activity["type"], activity["object"]["id"]) == ("Create", made["uri"])
    assert activity["object"]["content"] == "<p>Bonjour</p>"


@pytest.mark.enable_socket
async def test_a_password_is_reset_while_the_node_runs(lyon: Terminal) -> None:
    async with serving(load(lyon.folder / "node.toml", {})):
        reset = partial(lyon.told, "user", "reset", "marie", "--password-stdin")
        done = await aside(reset, stdin="another horse battery\n")
        assert done["handle"] == "marie"
        assert await aside(lyon.refused, "serve") == (
            f"The data folder {lyon.folder / 'data'} is already in use by a node or a command."
        )
    assert lyon.rows("SELECT credential_epoch FROM user_account") == [(1,)]


@pytest.mark.enable_socket
async def test_a_failed_delivery_is_explained_and_tried_again_by_a_running_node(
    lyon: Terminal, dakar: Dakar
) -> None:
    async with serving(load(lyon.folder / "node.toml", {})):
        await aside(lyon.told, "post", "create", "Bonjour", "--as", "marie")
        failed = await first(lyon, "attempts", 1)
        explained = await aside(lyon.told, "deliveries", "explain", failed["id"])
        assert f"{DAKAR} refused it with 403" in explained["explanation"]
        assert dakar.arrived.empty()
        dakar.take()
        assert await aside(lyon.told, "deliveries", "retry", failed["id"]) == {"changed": 1}
        assert (await dakar.arrived.get())["type"] == "Create"
        assert (await first(lyon, "state", "delivered"))["status"] == 202


async def first(lyon: Terminal, column: str, value: Any) -> Any:
    """The one delivery, once its column has this value."""
    while True:
        (found,) = await aside(lyon.told, "deliveries", "list")
        if found[column] == value:
            return found


UNCHANGED: dict[str, Any] = {"language": None, "translations": {}, "warning": None}


async def tell(live: LiveNode, operation: str, /, **arguments: Any) -> Any:
    """Run an operation on a node of the network, as its control socket does."""
    load_commands()
    return await perform(live.node, operation, arguments)


async def pair(network: Network) -> tuple[LiveNode, LiveNode]:
    """Lyon with amina, Dakar with paul."""
    lyon, dakar = await network.node("lyon"), await network.node("dakar")
    await lyon.actor("amina", name="Amina", discoverable=True)
    await dakar.actor("paul")
    return lyon, dakar


async def test_somebody_elsewhere_is_shown_followed_and_answers(network: Network) -> None:
    lyon, dakar = await pair(network)
    shown = await tell(dakar, "actor-show", name="@Amina@lyon.esn.test")
    assert (shown["account"], shown["name"], shown["local"]) == ("amina@lyon.esn.test", "Amina", False)
    assert await tell(dakar, "actor-show", name=shown["url"]) == shown
    await tell(lyon, "actor-edit", handle="amina", changes={"locked": True}, fields={})
    assert (await tell(dakar, "follow-add", handle="paul", name=shown["account"]))["state"] == "pending"
    await network.settle()
    assert [each["follower"] for each in await tell(lyon, "follow-requests")] == ["paul@dakar.esn.test"]
    await tell(lyon, "follow-accept", handle="amina", name="paul@dakar.esn.test")
    await network.settle()
    assert [each["state"] for each in await tell(dakar, "follow-list", handle="paul")] == ["accepted"]
    await tell(dakar, "follow-remove", handle="paul", name="amina@lyon.esn.test")
    await network.settle()
    assert await lyon.rows(follow_table) == []


async def test_a_post_mentions_and_reaches_somebody_never_met_before(network: Network) -> None:
    lyon, dakar = await pair(network)
    text = "Salut @paul@dakar.esn.test et @lea@dakar.esn.test"
    made = await tell(lyon, "post-create", handle="amina", texts={"fr": text}, visibility="direct")
    assert (made["mentions"], made["unknown"]) == (["paul@dakar.esn.test"], ["lea@dakar.esn.test"])
    await network.settle()
    there = await tell(dakar, "post-show", name=made["uri"])
    assert (there["visibility"], there["mentions"]) == ("direct", ["paul@dakar.esn.test"])
    reply = await tell(
        dakar, "post-create", handle="paul", texts={"fr": "Merci"}, visibility="direct", reply_to=made["uri"]
    )
    await network.settle()
    assert (await tell(lyon, "post-show", name=reply["uri"]))["reply_to"] == made["uri"]
    await tell(lyon, "post-edit", status_id=int(made["id"]), text="Rebonjour", **UNCHANGED)
    await network.settle()
    assert (await tell(dakar, "post-show", name=made["uri"]))["text"] == "Rebonjour"
    await tell(lyon, "post-delete", status_id=int(made["id"]))
    await network.settle()
    with pytest.raises(NotFound):
        await tell(dakar, "post-show", name=made["uri"])


async def test_a_post_that_is_not_here_is_fetched_with_its_author_to_be_boosted_and_liked(
    network: Network,
) -> None:
    lyon, dakar = await pair(network)
    made = await tell(lyon, "post-create", handle="amina", texts={"fr": "Bonjour"})
    await network.settle()
    for name in ("boost", "like"):
        assert (await tell(dakar, f"post-{name}", handle="paul", name=made["url"]))["changed"] is True
    await network.settle()
    shown = await tell(lyon, "post-show", name=made["id"])
    assert (shown["boosts"], shown["favourites"]) == (1, 1)
    listed = await tell(dakar, "post-list", author="paul")
    assert [(each["uri"], each["boosted_by"]) for each in listed] == [(made["uri"], "paul@dakar.esn.test")]
    for name in ("unboost", "unlike"):
        assert (await tell(dakar, f"post-{name}", handle="paul", name=made["uri"]))["changed"] is True
    await network.settle()
    shown = await tell(lyon, "post-show", name=made["id"])
    assert (shown["boosts"], shown["favourites"]) == (0, 0)
    known = await tell(dakar, "post-show", name=made["uri"])
    with pytest.raises(Refused):
        await tell(dakar, "post-edit", status_id=int(known["id"]), text="Non", **UNCHANGED)


async def test_what_is_no_post_and_what_is_not_there_are_told_apart(network: Network) -> None:
    lyon, dakar = await pair(network)
    amina = await tell(lyon, "actor-show", name="amina")
    with pytest.raises(RemoteError, match="does not lead to a post"):
        await tell(dakar, "post-show", name=amina["uri"])
    with pytest.raises(RemoteError, match="does not know this address"):
        await tell(dakar, "post-show", name="https://lyon.esn.test/ap/objects/1")


async def test_a_probe_writes_down_what_a_server_runs(network: Network) -> None:
    _lyon, dakar = await pair(network)
    found = await tell(dakar, "peer-probe", host="lyon.esn.test")
    assert (found["host"], found["software"], found["open"]) == ("lyon.esn.test", "esnfed", False)
    assert found["version"]
    assert "activitypub" in found["protocols"]
    row = await dakar.one(peer_table, host="lyon.esn.test")
    assert (row["software"], row["software_version"]) == (found["software"], found["version"])
    assert row["probed_at"] == dakar.node.runtime.clock()


async def test_a_blocked_server_gets_nothing_until_it_is_open_again(network: Network) -> None:
    lyon, dakar = await pair(network)
    await tell(dakar, "follow-add", handle="paul", name="amina@lyon.esn.test")
    await network.settle()
    await tell(lyon, "peer-stand", host="dakar.esn.test", standing="blocked", reason="")
    await tell(lyon, "post-create", handle="amina", texts={"fr": "Un"})
    await network.settle()
    assert not [row for row in await lyon.rows(delivery) if row["as_type"] == "Create"]
    await tell(lyon, "peer-stand", host="dakar.esn.test", standing="open", reason="")
    await tell(lyon, "post-create", handle="amina", texts={"fr": "Deux"})
    await network.settle()
    assert [each["text"] for each in await tell(dakar, "post-list")] == ["Deux"]


async def test_a_parked_message_is_replayed_by_the_worker(network: Network) -> None:
    lyon, dakar = await pair(network)
    await tell(lyon, "post-create", handle="amina", texts={"fr": "Salut @paul@dakar.esn.test"})
    await network.settle()
    (message,) = await tell(dakar, "inbox-list", as_type="Create")
    assert message["state"] == "done"
    await dakar.write(_parked, int(message["id"]))
    await tell(dakar, "inbox-replay", ids=[int(message["id"])])
    await network.settle()
    assert (await tell(dakar, "inbox-show", message_id=int(message["id"])))["state"] == "done"


def _parked(context: Any, message_id: int) -> None:
    statement = inbox_message.update().where(inbox_message.c.id == message_id).values(state="parked")
    context.connection.execute(statement)


async def test_a_removed_person_is_gone_elsewhere(network: Network) -> None:
    lyon, dakar = await pair(network)
    await tell(
        lyon, "user-add", handle="lea", email="lea@example.org", name="Léa", role="member", locale="fr",
        password_hash="hash", consents=[{"purpose": "federation", "text_version": "1", "language": "fr"}],
    )  # fmt: skip
    await tell(dakar, "follow-add", handle="paul", name="lea@lyon.esn.test")
    await network.settle()
    await tell(lyon, "user-remove", handle="lea")
    await network.settle()
    assert await dakar.rows(follow_table) == []
    with pytest.raises(NotFound):
        await tell(dakar, "follow-remove", handle="paul", name="lea@lyon.esn.test")
