"""The control socket of a running node, and how a command reaches the node or does without one.

One request is one JSON line `{"command", "arguments", "viewer"}`. The answer is JSON lines: `{"accepted"}` at
once, any number of `{"progress"}`, then `{"result"}` or `{"error"}`.
"""

from __future__ import annotations

import asyncio
import logging
import os
import socket
import struct
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import msgspec
import orjson

from esnfed import errors
from esnfed.app import Node, open_node
from esnfed.cli.lock import DataLock
from esnfed.cli.operations import perform
from esnfed.cli.output import Progress, progress_line, report, reporting
from esnfed.cli.texts import _
from esnfed.config import Config
from esnfed.context import Viewer
from esnfed.errors import ConfigError, Conflict, EsnfedError, Malformed
from esnfed.i18n import N_

log = logging.getLogger(__name__)

FILE = "control.sock"
LINE_LIMIT = 1_048_576
PATIENCE = 5.0
"""Seconds within which a running node takes a request."""

CLOSING = 10.0
"""Seconds that running operations get at shutdown."""

_PATH_LIMIT = 100  # a socket's path is 108 bytes at most


class Request(msgspec.Struct, forbid_unknown_fields=True):
    """What a command asks of the node."""

    command: str
    arguments: dict[str, Any] = {}
    viewer: Viewer | None = None


@contextmanager
def _address(path: Path) -> Iterator[str]:
    """Give an address of the socket that fits the system's limit, however deep the data folder lies."""
    if len(os.fsencode(path)) <= _PATH_LIMIT:
        yield str(path)
        return
    folder = os.open(path.parent, os.O_PATH | os.O_CLOEXEC)
    try:
        yield f"/proc/self/fd/{folder}/{path.name}"
    finally:
        os.close(folder)


class ControlServer:
    """Listens for commands on the control socket of a node's data folder, whose lock is held."""

    def __init__(self, node: Node) -> None:
        self._node = node
        self._path = node.config.data_dir / FILE
        self._server: asyncio.Server | None = None
        self._running: set[asyncio.Task[Any]] = set()

    async def start(self) -> None:
        """Listen; a socket left by a node that crashed is replaced."""
        self._path.unlink(missing_ok=True)
        listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        with _address(self._path) as address:
            listener.bind(address)
            os.chmod(address, 0o600)
        self._server = await asyncio.start_unix_server(self._serve, sock=listener, limit=LINE_LIMIT)

    async def close(self) -> None:
        """Stop listening, let running operations finish for ten seconds, then cancel them."""
        if self._server is None:
            return
        self._server.close()
        self._path.unlink(missing_ok=True)
        if self._running:
            _done, late = await asyncio.wait(self._running, timeout=CLOSING)
            for task in late:
                task.cancel()
            await asyncio.gather(*late, return_exceptions=True)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._running.add(task)
        try:
            if _peer(writer) in (os.geteuid(), 0):
                await self._answer(reader, writer)
            else:
                log.warning("refused a command of another user on the control socket")
        except (ConnectionError, asyncio.IncompleteReadError):
            log.info("a command went away before its answer")
        finally:
            self._running.discard(task)
            writer.close()

    async def _answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        def send(**line: Any) -> None:
            writer.write(orjson.dumps(line) + b"\n")

        def progress(state: Progress) -> None:
            send(progress=[state.text, state.done, state.total])

        try:
            request = msgspec.json.decode(await _line(reader), type=Request)
            send(accepted=True)
            with reporting(progress):
                result = await perform(self._node, request.command, request.arguments, request.viewer)
            send(result=result)
        except EsnfedError as error:
            send(error=_sent(error))
        except msgspec.MsgspecError as error:
            send(error=_sent(Malformed(N_("The request is malformed: %(reason)s."), reason=str(error))))
        except Exception:
            log.exception("an operation of the control socket failed")
            send(error=_sent(EsnfedError(N_("The node failed to do this; its log says why."))))
        await writer.drain()


def _peer(writer: asyncio.StreamWriter) -> int:
    """Return the user id of the process at the other end."""
    connection = writer.get_extra_info("socket")
    credentials = connection.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, struct.calcsize("3i"))
    _process, user, _group = struct.unpack("3i", credentials)
    return int(user)


async def _line(reader: asyncio.StreamReader) -> bytes:
    try:
        return await reader.readuntil(b"\n")
    except asyncio.LimitOverrunError as error:
        raise errors.TooLarge(N_("The request or its result is larger than 1 MiB.")) from error


def run_operation(
    config: Config, name: str, arguments: dict[str, Any] | None = None, viewer: Viewer | None = None
) -> Any:
    """Run a registered operation for a command and return its result; progress appears on standard error.

    On SQLite a running node does it; without one the command takes the lock and opens the database itself.
    On PostgreSQL the command opens the database. Conflict when the lock is held by something that does not
    answer within five seconds; else whatever the operation raises.
    """
    with progress_line():
        return asyncio.run(reach(config, Request(name, arguments or {}, viewer)))


async def reach(config: Config, request: Request, patience: float = PATIENCE) -> Any:
    """As `run_operation`, inside a loop; `patience` is in seconds."""
    if config.database:
        return await _alone(config, request)
    clock = asyncio.get_running_loop().time
    deadline = clock() + patience
    while True:
        lock = DataLock(config.data_dir)
        if lock.acquire():
            try:
                return await _alone(config, request)
            finally:
                lock.release()
        with suppress(FileNotFoundError, ConnectionRefusedError):
            return await _ask(config, request, patience)
        if clock() >= deadline:
            raise Conflict(_silent(config))
        await asyncio.sleep(0.05)


async def _alone(config: Config, request: Request) -> Any:
    async with open_node(config) as node:
        return await perform(node, request.command, request.arguments, request.viewer)


async def _ask(config: Config, request: Request, patience: float) -> Any:
    """Send the request to the running node and wait for its result."""
    try:
        async with asyncio.timeout(patience) as limit:
            with _address(config.data_dir / FILE) as address:
                reader, writer = await asyncio.open_unix_connection(address, limit=LINE_LIMIT)
            try:
                writer.write(msgspec.json.encode(request) + b"\n")
                answer = orjson.loads(await _line(reader))
                limit.reschedule(None)
                return await _follow(reader, answer)
            finally:
                writer.close()
    except PermissionError as error:
        raise ConfigError(_("The node runs as another user; run the command as that user.")) from error
    except (TimeoutError, asyncio.IncompleteReadError, ConnectionResetError) as error:
        raise Conflict(_silent(config)) from error


async def _follow(reader: asyncio.StreamReader, answer: dict[str, Any]) -> Any:
    while True:
        if "result" in answer:
            return answer["result"]
        if "error" in answer:
            raise _rebuilt(answer["error"])
        if "progress" in answer:
            report(*answer["progress"])
        answer = orjson.loads(await _line(reader))


def _sent(error: EsnfedError) -> dict[str, Any]:
    """Return an error as it travels: its text untranslated, since the two sides may speak two languages."""
    values = {name: value if isinstance(value, int) else str(value) for name, value in error.values.items()}
    return {"kind": type(error).__name__, "text": error.text, "values": values}


def _rebuilt(error: dict[str, Any]) -> EsnfedError:
    """Return the error of the other side, of its class where we have it."""
    kind = getattr(errors, error["kind"], EsnfedError)
    return (kind if issubclass(kind, EsnfedError) else EsnfedError)(error["text"], **error["values"])


def _silent(config: Config) -> str:
    return _(
        "The data folder %(folder)s is in use by a process that does not answer; if it is a node that hangs, "
        "restart it, if it is another command, wait for its end."
    ) % {"folder": config.data_dir}
