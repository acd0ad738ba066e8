"""`esnfed serve` in a process of its own: started, spoken to through its control socket, and killed."""

from __future__ import annotations

import asyncio
import json
import os
import re
import shutil
import socket
import sys
import time
from asyncio.subprocess import DEVNULL, PIPE, Process
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

from esnfed.config import Config

READY = "esnfed serves"
PATIENCE = 60.0
"""Seconds after which a test that waits for the process has failed."""

SOCKET = "control.sock"


class Unanswered(Exception):
    """The process ended before it answered: what was asked may have been done, or not."""


class Served:
    """One node in a process; `log` is what it has said on standard error since it was started."""

    def __init__(
        self, config: Config, folder: Path, authority: Any, hosts: dict[str, tuple[str, int]]
    ) -> None:
        self.config = config
        self.hosts = hosts
        self.log = ""
        self._certificate = authority.files(config.domain)
        self._file = folder / f"{config.domain}.toml"
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port = int(free.getsockname()[1])
        self.process: Process | None = None
        self._reading: asyncio.Task[None] | None = None
        self._said = asyncio.Event()

    async def start(self, before: Callable[[], None] | None = None) -> float:
        """Run the node until it listens; return the seconds that took. `before` runs in the new process."""
        begun = time.monotonic()
        await self.begin(before)
        await self.says(READY)
        self.hosts[self.config.domain] = ("127.0.0.1", self.port)
        return time.monotonic() - begun

    async def begin(self, before: Callable[[], None] | None = None) -> None:
        """Start the process, without waiting for it to listen."""
        assert not self.alive
        self._file.write_text(self._toml(), encoding="utf-8")
        self.log = ""
        self.process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "esnfed", "--lang", "en", "--config", str(self._file), "serve"),
            stdin=DEVNULL,
            stdout=DEVNULL,
            stderr=PIPE,
            preexec_fn=before,
        )
        self._reading = asyncio.create_task(self._read(self.process))

    @property
    def alive(self) -> bool:
        """Whether the process runs."""
        return self.process is not None and self.process.returncode is None

    async def says(self, pattern: str, times: int = 1) -> None:
        """Wait until the log has the pattern so many times; AssertionError when the process ends before."""
        async with asyncio.timeout(PATIENCE):
            while len(re.findall(pattern, self.log)) < times:
                assert self._reading is not None
                assert not self._reading.done(), self.log
                self._said.clear()
                await self._said.wait()

    async def kill(self) -> str:
        """SIGKILL; return what the node had logged until then."""
        assert self.process is not None
        with suppress(ProcessLookupError):
            self.process.kill()
        return await self.ended()

    async def stop(self) -> str:
        """SIGTERM, an orderly end; return the log."""
        assert self.process is not None
        self.process.terminate()
        return await self.ended()

    async def ended(self) -> str:
        """Wait for the end of the process; return the log."""
        assert self.process is not None
        assert self._reading is not None
        async with asyncio.timeout(PATIENCE):
            await self.process.wait()
            await self._reading
        return self.log

    async def close(self) -> None:
        """Leave nothing behind when a test failed half-way."""
        if self.alive:
            await self.kill()

    async def ask(self, command: str, /, **arguments: Any) -> Any:
        """Run an operation through the control socket; Unanswered when the node dies meanwhile."""
        try:
            address = os.path.relpath(self.config.data_dir / SOCKET)
            reader, writer = await asyncio.open_unix_connection(min(address, self._absolute(), key=len))
        except OSError as error:
            raise Unanswered from error
        try:
            writer.write(json.dumps({"command": command, "arguments": arguments}).encode() + b"\n")
            while line := await reader.readline():
                answer = json.loads(line)
                if "result" in answer:
                    return answer["result"]
                assert "error" not in answer, answer
            raise Unanswered
        except ConnectionError as error:
            raise Unanswered from error
        finally:
            writer.close()

    def _absolute(self) -> str:
        return str(self.config.data_dir / SOCKET)

    async def _read(self, process: Process) -> None:
        assert process.stderr is not None
        try:
            while line := await process.stderr.readline():
                self.log += line.decode()
                self._said.set()
        finally:
            self._said.set()

    def _toml(self) -> str:
        values = {
            "domain": self.config.domain,
            "environment": "test",
            "data_dir": str(self.config.data_dir),
            "database": self.config.database,
            "synchronous": self.config.synchronous,
            "port": self.port,
            "tls_authority": str(self.config.tls_authority),
            "tls_certificate": [str(path) for path in self._certificate],
            "first_contact_activities": self.config.first_contact_activities,
            "first_contact_mentions": self.config.first_contact_mentions,
        }
        lines = [f"{name} = {json.dumps(value)}" for name, value in values.items() if value]
        places = (f'"{name}" = "{host}:{port}"' for name, (host, port) in self.hosts.items())
        return "\n".join([*lines, "[hosts]", *places])


def copy_of(config: Config, target: Path) -> Path:
    """Copy the database of a dead node with its WAL, so that looking at it recovers nothing in its place."""
    shutil.rmtree(target, ignore_errors=True)
    target.mkdir(parents=True)
    for ending in ("", "-wal"):
        source = config.data_dir / f"esnfed.sqlite{ending}"
        if source.exists():
            shutil.copyfile(source, target / source.name)
    return target / "esnfed.sqlite"
