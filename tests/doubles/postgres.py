"""A throw-away PostgreSQL cluster: unprivileged user, temporary folder, unix socket only, nothing synced.

`python -m tests.doubles.postgres COMMAND...` runs a command on an empty database of such a cluster; each
`URL` among its words is replaced by the address.
"""

from __future__ import annotations

import asyncio
import ctypes
import os
import pwd
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import asyncpg

NEEDED = "These tests need PostgreSQL's server programs: run `apt-get install postgresql` as root."
START_SECONDS = 60.0
MEMORY = Path("/dev/shm")
ROOM = 1 << 30
PR_SET_PDEATHSIG = 1
SETTINGS = {
    "listen_addresses": "",
    "fsync": "off",
    "synchronous_commit": "off",
    "full_page_writes": "off",
    "max_connections": "100",
    "shared_buffers": "32MB",
    "autovacuum": "off",
    "deadlock_timeout": "20ms",
    "max_wal_size": "1GB",
    "wal_level": "minimal",
    "max_wal_senders": "0",
}


class Cluster:
    """A running server; `url(name)` is the address of one of its databases."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def url(self, name: str) -> str:
        """Address as an operator would write it into the configuration."""
        return f"postgresql://postgres@/{name}?host={self.folder}"

    async def execute(self, statement: str) -> None:
        """Run one statement of administration, outside any transaction."""
        connection = await self.connect("postgres")
        try:
            await connection.execute(statement)
        finally:
            await connection.close()

    async def connect(self, name: str) -> asyncpg.Connection:
        """A bare connection, not through our code."""
        return await asyncpg.connect(host=str(self.folder), user="postgres", database=name)


def programs() -> Path:
    """Folder of `initdb` and `postgres`; RuntimeError that says what to install."""
    onpath = shutil.which("postgres")
    places = [Path(onpath).resolve().parent] if onpath else []
    places += sorted(Path("/usr/lib/postgresql").glob("*/bin"), key=lambda path: -int(path.parent.name))
    for place in places:
        if (place / "initdb").exists() and (place / "postgres").exists():
            return place
    raise RuntimeError(NEEDED)


def unprivileged() -> tuple[int, int]:
    """User and group to run as: PostgreSQL refuses root."""
    if os.geteuid() != 0:
        return os.geteuid(), os.getegid()
    for name in ("postgres", "nobody"):
        try:
            entry = pwd.getpwnam(name)
        except KeyError:
            continue
        return entry.pw_uid, entry.pw_gid
    raise RuntimeError("Running PostgreSQL for tests as root needs a user `postgres` or `nobody`.")


@contextmanager
def cluster() -> Iterator[Cluster]:
    """Start a server, stop it by its own process id, remove its files."""
    place = programs()
    user, group = unprivileged()
    identity = {"user": user, "group": group, "extra_groups": []} if os.geteuid() == 0 else {}
    folder = Path(tempfile.mkdtemp(prefix="esnfed-pg-", dir=_place()))
    try:
        os.chown(folder, user, group)
        _initialise(place, folder, identity)
        server = _start(place, folder, identity)
        try:
            found = Cluster(folder)
            asyncio.run(_ready(found, server))
            yield found
        finally:
            server.send_signal(signal.SIGQUIT)  # immediate: nothing here is kept
            server.wait(START_SECONDS)
    finally:
        shutil.rmtree(folder)


def _place() -> Path:
    """Memory where there is plenty, else /tmp; short, because the path of a socket has at most 107 bytes."""
    roomy = MEMORY.is_dir() and os.access(MEMORY, os.W_OK) and shutil.disk_usage(MEMORY).free > ROOM
    return MEMORY if roomy else Path("/tmp")


def _die_with_parent() -> Callable[[], None] | None:
    """What makes Linux stop the server when the tests are killed before they can do it."""
    if sys.platform != "linux":
        return None
    prctl = ctypes.CDLL(None).prctl

    def bind() -> None:
        prctl(PR_SET_PDEATHSIG, signal.SIGQUIT)

    return bind


def _initialise(place: Path, folder: Path, identity: dict[str, object]) -> None:
    words = [
        "-D",
        str(folder / "data"),
        "-U",
        "postgres",
        "--auth=trust",
        "--no-sync",
        "--no-locale",
        "-E",
        "UTF8",
    ]
    done = subprocess.run(
        [str(place / "initdb"), *words], cwd=folder, capture_output=True, text=True, check=False, **identity
    )
    if done.returncode:
        raise RuntimeError(f"initdb failed: {done.stderr.strip()}")


def _start(place: Path, folder: Path, identity: dict[str, object]) -> subprocess.Popen[bytes]:
    options = [word for name, value in SETTINGS.items() for word in ("-c", f"{name}={value}")]
    with (folder / "log").open("wb") as log:
        return subprocess.Popen(
            [str(place / "postgres"), "-D", str(folder / "data"), "-k", str(folder), *options],
            cwd=folder, stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True,
            preexec_fn=_die_with_parent(), **identity,
        )  # fmt: skip


async def _ready(found: Cluster, server: subprocess.Popen[bytes]) -> None:
    async with asyncio.timeout(START_SECONDS):
        while True:
            try:
                return await found.execute("SELECT 1")
            except (OSError, asyncpg.PostgresError):
                if server.poll() is not None:
                    raise RuntimeError((found.folder / "log").read_text()) from None
                await asyncio.sleep(0.02)


def main(words: list[str]) -> int:
    """Run `words` on an empty database."""
    with cluster() as found:
        asyncio.run(found.execute("CREATE DATABASE empty"))
        return subprocess.run(
            [found.url("empty") if word == "URL" else word for word in words], check=False
        ).returncode


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
