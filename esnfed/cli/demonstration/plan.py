"""Where the demonstration lives: ports, addresses, folders, the settings file of each node."""

from __future__ import annotations

import os
import socket
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from esnfed.cli import settings
from esnfed.cli.config_file import file_text
from esnfed.cli.demonstration.script import Home, cast
from esnfed.cli.texts import _
from esnfed.config import Config
from esnfed.errors import ConfigError

FILE = "esnfed.toml"
LISTEN = "127.0.0.1"
BACKLOG = 128
OTHER_PORTS = "8101,8102,8103"


@dataclass(frozen=True, slots=True)
class Plan:
    """The data folder of one demonstration and the settings of its nodes, by key."""

    folder: Path
    ports: tuple[int, ...]
    configs: Mapping[str, Config]

    def file(self, key: str) -> Path:
        """Return the settings file of a node."""
        return self.folder / key / FILE


def make_plan(folder: Path | None, ports: Sequence[int]) -> Plan:
    """Return the plan for these ports, one for each node in the order of the cast; nothing is written.

    Without a folder it is demo-data/PORT-PORT-PORT. ConfigError when the folder belongs to other ports or to
    something that is no demonstration, or when its files cannot be read.
    """
    folder = folder or Path("demo-data", "-".join(map(str, ports)))
    configs: dict[str, Config] = {}
    for home, port in zip(cast().nodes, ports, strict=True):
        configs[home.key] = _config(folder, home, port)
    return Plan(folder, tuple(ports), configs)


def _config(folder: Path, home: Home, port: int) -> Config:
    path = folder / home.key / FILE
    if not path.exists():
        values = _values(home, port)
        return Config(**{**values, "data_dir": path.parent.resolve()})
    found = settings.load(path, {})
    if found.environment != "demo":
        said = {"folder": folder, "environment": found.environment}
        raise ConfigError(
            _(
                "The folder %(folder)s belongs to a node of the environment %(environment)s, not to a "
                "demonstration; choose another with --data."
            )
            % said
        )
    if (found.domain, found.port) != (f"{home.key}.localhost:{port}", port):
        raise ConfigError(
            _(
                "The folder %(folder)s holds a demonstration with other ports (%(domain)s), and addresses "
                "never change; choose another folder with --data, or its ports with --ports."
            )
            % {"folder": folder, "domain": found.domain}
        )
    return found


def _values(home: Home, port: int) -> dict[str, Any]:
    return {
        "domain": f"{home.key}.localhost:{port}",
        "name": home.name,
        "description": home.description,
        "organisation_type": home.organisation_type,
        "languages": tuple(home.languages),
        "data_dir": ".",
        "listen": LISTEN,
        "port": port,
        "environment": "demo",
    }


def prepare_folders(plan: Plan) -> None:
    """Make the folders and the settings files that are not there yet; nothing is overwritten."""
    heading = _(
        "Settings of one node of the demonstration. Commands reach it, running or not, with:\n%(command)s"
    )
    for home, port in zip(cast().nodes, plan.ports, strict=True):
        settings.prepare_data_dir(plan.configs[home.key])
        path = plan.file(home.key)
        if not path.exists():
            command = f"esnfed --config {path} record list"
            write_private(path, file_text(_values(home, port), heading % {"command": command}))


def write_private(path: Path, text: str) -> None:
    """Write a file that only its owner reads, whole or not at all."""
    fresh = path.with_name(f".{path.name}.new")
    with open(os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w", encoding="utf-8") as file:
        file.write(text)
    fresh.replace(path)


def take_ports(stack: ExitStack, ports: Sequence[int]) -> list[socket.socket]:
    """Listen on each port of 127.0.0.1, closed with the stack; ConfigError names the port that is taken.

    They listen from here on, so that a node asked before it is open answers late instead of not at all.
    """
    listeners = []
    for port in ports:
        try:
            listener = socket.create_server((LISTEN, port), backlog=BACKLOG)
        except OSError as error:
            said = {"port": port, "reason": error.strerror, "other": OTHER_PORTS}
            raise ConfigError(
                _(
                    "Port %(port)d cannot be used (%(reason)s); stop what uses it, or choose three free "
                    "ports, such as --ports %(other)s, which make a network of their own."
                )
                % said
            ) from error
        listeners.append(stack.enter_context(listener))
    return listeners
