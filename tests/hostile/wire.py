"""Requests written byte for byte: what no HTTP client would let through is sent all the same."""

from __future__ import annotations

import asyncio
import ssl
from types import TracebackType

Headers = list[tuple[str, bytes]]


class Wire:
    """One connection to a node, made anew whenever the node closes it."""

    def __init__(self, port: int) -> None:
        self._port = port
        self._context = ssl.create_default_context()
        self._context.check_hostname = False
        self._context.verify_mode = ssl.CERT_NONE
        self._streams: tuple[asyncio.StreamReader, asyncio.StreamWriter] | None = None

    async def __aenter__(self) -> Wire:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._hang_up()

    async def ask(self, method: bytes, target: bytes, headers: Headers, body: bytes) -> tuple[int, bytes]:
        """Send a request; return the status and the answer, 0 when there was none."""
        lines = [
            b"%s %s HTTP/1.1" % (method, target),
            *(b"%s: %s" % (name.encode(), value) for name, value in headers),
        ]
        request = b"\r\n".join([*lines, b"Content-Length: %d" % len(body), b"", body])
        for _ in range(2):  # a kept connection may have been closed meanwhile
            reader, writer = await self._open()
            try:
                writer.write(request)
                async with asyncio.timeout(8):
                    head = await reader.readuntil(b"\r\n\r\n")
            except (asyncio.IncompleteReadError, ConnectionError):
                await self._hang_up()
                continue
            async with asyncio.timeout(10):
                body_of_answer = await self._finish(reader, head)
            return int(head.split(b" ", 2)[1]), head + body_of_answer
        return 0, b""

    async def _open(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        if self._streams is None:
            self._streams = await asyncio.open_connection("127.0.0.1", self._port, ssl=self._context)
        return self._streams

    async def _finish(self, reader: asyncio.StreamReader, head: bytes) -> bytes:
        lower = head.lower()
        length = lower.partition(b"content-length:")[2].partition(b"\r\n")[0].strip()
        if not length or head.split(b" ", 2)[1] in (b"204", b"304"):  # the length of what a 304 leaves out
            await self._hang_up()
            return b""
        body = await reader.readexactly(int(length))
        if b"connection: close" in lower:
            await self._hang_up()
        return body

    async def _hang_up(self) -> None:
        if self._streams is not None:
            writer, self._streams = self._streams[1], None
            writer.close()
            await asyncio.gather(writer.wait_closed(), return_exceptions=True)
