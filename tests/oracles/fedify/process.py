"""The Fedify server as a child process, asked over JSON lines while the node of the test goes on serving."""

from __future__ import annotations

import asyncio
import json
import shutil
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Any

from tests.doubles.authority import Authority
from tests.oracles import node_runtime
from tests.oracles.environments import OracleError, clean_environment

SOURCES = Path(__file__).parent
PATIENCE = 30.0
"""Seconds after which an answer, or the end of the process, is not waited for any longer."""

MAX_LINE = 1 << 24
KNOCKS = {"cavage": "draft-cavage-http-signatures-12", "rfc9421": "rfc9421"}


class Fedify:
    """A running Fedify server with one person; `domain` is its authority."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self._process = process
        self.domain = ""

    @property
    def handle(self) -> str:
        """The account of its person."""
        return f"paul@{self.domain}"

    @property
    def actor(self) -> str:
        """The id of its person."""
        return f"https://{self.domain}/users/paul"

    async def hear(self) -> dict[str, Any]:
        """Read one line; OracleError when none comes."""
        assert self._process.stdout is not None
        try:
            async with asyncio.timeout(PATIENCE):
                line = await self._process.stdout.readline()
        except TimeoutError:
            raise OracleError("Fedify did not answer.") from None
        if not line:
            raise OracleError(f"Fedify ended with status {await self._process.wait()}.")
        found: dict[str, Any] = json.loads(line)
        return found

    async def ask(self, verb: str, **question: Any) -> Any:
        """Ask for something that verbs.mjs can do; OracleError when Fedify says that it failed."""
        assert self._process.stdin is not None
        with suppress(BrokenPipeError, ConnectionResetError):  # said by `hear`, in words
            self._process.stdin.write(json.dumps({"verb": verb, **question}).encode() + b"\n")
            await self._process.stdin.drain()
        answer = await self.hear()
        if "failure" in answer:
            raise OracleError(f"Fedify failed at {verb}: {answer['failure']}")
        return answer["answer"]

    async def end(self) -> None:
        """End the process: it leaves when nobody asks any more, and is killed when it does not."""
        assert self._process.stdin is not None
        self._process.stdin.close()
        try:
            async with asyncio.timeout(PATIENCE):
                await self._process.wait()
        except TimeoutError:
            self._process.kill()
            await self._process.wait()


@asynccontextmanager
async def fedify(folder: Path, authority: Authority, knock: str, keys: Path) -> AsyncIterator[Fedify]:
    """Run Fedify for the length of a block; `knock` is the scheme that it tries first: cavage or rfc9421.

    `keys` is the file of its person's keys, which it writes when it is not there. Its modules are copied
    beside a link to what npm installed, where Node looks for it.
    """
    modules, program = node_runtime.project("fedify"), node_runtime.node("fedify")
    folder.mkdir()
    for source in SOURCES.glob("*.mjs"):
        shutil.copyfile(source, folder / source.name)
    (folder / "node_modules").symlink_to(modules, target_is_directory=True)
    certificate, key = authority.files("localhost")
    process = await asyncio.create_subprocess_exec(
        *(program, folder / "main.mjs", certificate, key, KNOCKS[knock], keys),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        limit=MAX_LINE,
        env=clean_environment() | {"NODE_EXTRA_CA_CERTS": str(authority.path)},
    )
    running = Fedify(process)
    try:
        running.domain = (await running.hear())["domain"]
        yield running
    finally:
        await running.end()
