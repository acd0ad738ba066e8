"""Throwaway instances of Debian's own Caddy and nginx, with our example configurations, on loopback ports."""

from __future__ import annotations

import asyncio
import os
import pwd
import shutil
import socket
import ssl
import tempfile
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from pathlib import Path

import trustme

DEPLOY = Path(__file__).resolve().parents[2] / "deploy"
DOMAIN = "esn.example.org"
UPSTREAM = "127.0.0.1:8000"


@dataclass(frozen=True)
class Proxy:
    """A running proxy: its two ports and what a client trusts."""

    http: int
    https: int
    tls: ssl.SSLContext

    async def exchange(self, request: bytes, *, secure: bool = True) -> tuple[bytes, bytes]:
        """Send raw bytes, return the head and the body of the answer; the request closes the connection."""
        options = {"ssl": self.tls, "server_hostname": DOMAIN} if secure else {}
        port = self.https if secure else self.http
        reader, writer = await asyncio.open_connection("127.0.0.1", port, **options)
        writer.write(request)
        await writer.drain()
        head, _, body = (await reader.read()).partition(b"\r\n\r\n")
        writer.close()
        return head, body


@dataclass(frozen=True)
class Place:
    """A folder of an unprivileged user, with a certificate and free ports."""

    folder: Path
    authority: trustme.CA
    http: int
    https: int
    upstream: int

    @property
    def certificate(self) -> Path:
        return self.folder / "certificate.pem"

    @property
    def key(self) -> Path:
        return self.folder / "key.pem"


def free_ports(count: int) -> list[int]:
    """Return ports of 127.0.0.1 that nobody uses at the moment."""
    sockets = [socket.create_server(("127.0.0.1", 0)) for _ in range(count)]
    ports = [each.getsockname()[1] for each in sockets]
    for each in sockets:
        each.close()
    return ports


def unprivileged() -> dict[str, object]:
    """Options of a subprocess that give up root, where the tests run as root."""
    if os.getuid() != 0:
        return {}
    nobody = pwd.getpwnam("nobody")
    return {"user": nobody.pw_uid, "group": nobody.pw_gid, "extra_groups": []}


@contextmanager
def place(upstream: int) -> Iterator[Place]:
    """Make the folder with everything in it, owned by the user who will run the proxy."""
    folder = Path(tempfile.mkdtemp(prefix="esnfed-proxy-"))
    try:
        made = Place(folder, trustme.CA(), *free_ports(2), upstream)
        issued = made.authority.issue_cert(DOMAIN)
        for part in issued.cert_chain_pems:
            part.write_to_path(made.certificate, append=True)
        issued.private_key_pem.write_to_path(made.key)
        owner = unprivileged()
        if owner:
            for path in (folder, *folder.iterdir()):
                os.chown(path, owner["user"], owner["group"])  # type: ignore[call-overload]
        yield made
    finally:
        shutil.rmtree(folder)


def replaced(text: str, changes: dict[str, str]) -> str:
    """Replace each text, which must be there: the example is what is tried, but for addresses."""
    for old, new in changes.items():
        assert old in text, old
        text = text.replace(old, new)
    return text


def caddy(at: Place) -> list[str]:
    """Write Caddy's configuration and return the command."""
    ports = f"{{\n\tadmin off\n\thttp_port {at.http}\n\thttps_port {at.https}\n}}\n"
    site = f"{DOMAIN} {{\n\ttls {at.certificate} {at.key}\n\tbind 127.0.0.1"
    changes = {f"{DOMAIN} {{": site, UPSTREAM: f"127.0.0.1:{at.upstream}"}
    text = replaced((DEPLOY / "Caddyfile").read_text(), changes)
    (at.folder / "Caddyfile").write_text(ports + text)
    return ["caddy", "run", "--config", str(at.folder / "Caddyfile"), "--adapter", "caddyfile"]


def nginx(at: Place) -> list[str]:
    """Write nginx's configuration and return the command."""
    changes = {
        "    listen [::]:80;\n": "",
        "    listen [::]:443 ssl http2;\n": "",
        "listen 80;": f"listen 127.0.0.1:{at.http};",
        "listen 443 ssl": f"listen 127.0.0.1:{at.https} ssl",
        f"/etc/letsencrypt/live/{DOMAIN}/fullchain.pem": str(at.certificate),
        f"/etc/letsencrypt/live/{DOMAIN}/privkey.pem": str(at.key),
        UPSTREAM: f"127.0.0.1:{at.upstream}",
    }
    (at.folder / "site.conf").write_text(replaced((DEPLOY / "nginx.conf").read_text(), changes))
    paths = "".join(
        f"    {name}_temp_path {at.folder}/{name};\n"
        for name in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
    )
    (at.folder / "main.conf").write_text(
        f"pid {at.folder}/pid;\nerror_log stderr;\ndaemon off;\nevents {{}}\n"
        f"http {{\n    access_log off;\n{paths}    include {at.folder}/site.conf;\n}}\n"
    )
    program = shutil.which("nginx") or "/usr/sbin/nginx"
    return [program, "-e", "stderr", "-p", str(at.folder), "-c", str(at.folder / "main.conf")]


COMMANDS = {"caddy": caddy, "nginx": nginx}


@asynccontextmanager
async def running(kind: str, upstream: int) -> AsyncIterator[Proxy]:
    """Run one proxy in front of the port `upstream`; it is ended with the block."""
    with place(upstream) as at:
        environment = {"PATH": os.environ["PATH"], "HOME": str(at.folder), "XDG_DATA_HOME": str(at.folder)}
        process = await asyncio.create_subprocess_exec(
            *COMMANDS[kind](at),
            env=environment,
            cwd=at.folder,
            stderr=asyncio.subprocess.PIPE,
            **unprivileged(),  # type: ignore[arg-type]
        )
        assert process.stderr is not None
        said = asyncio.create_task(process.stderr.read())
        try:
            await _listens(process, said, at.https)
            context = ssl.create_default_context()
            at.authority.configure_trust(context)
            yield Proxy(at.http, at.https, context)
        finally:
            if process.returncode is None:
                process.terminate()
            await process.wait()
            await said


async def _listens(process: asyncio.subprocess.Process, said: asyncio.Task[bytes], port: int) -> None:
    """Wait until the port answers; fail with what the proxy said when it ends or takes 20 seconds."""
    async with asyncio.timeout(20):
        while process.returncode is None:
            try:
                _reader, writer = await asyncio.open_connection("127.0.0.1", port)
            except ConnectionRefusedError:
                await asyncio.sleep(0.02)
            else:
                writer.close()
                return
    raise AssertionError((await said).decode())
