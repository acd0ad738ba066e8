"""The systemd unit says what it must, and systemd accepts it."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

UNIT = Path(__file__).resolve().parents[2] / "deploy" / "esnfed.service"
PROGRAM = "/opt/esnfed/bin/esnfed --config /etc/esnfed/esnfed.toml serve"


def test_the_unit_gives_away_what_the_node_does_not_need() -> None:
    lines = UNIT.read_text().splitlines()
    for line in (
        f"ExecStart={PROGRAM}",
        "User=esnfed",
        "NoNewPrivileges=yes",
        "CapabilityBoundingSet=",
        "ProtectSystem=strict",
        "StateDirectoryMode=0700",
        "SystemCallFilter=@system-service",
    ):
        assert line in lines


def test_the_unit_is_valid(tmp_path: Path) -> None:
    sections = [line for line in UNIT.read_text().splitlines() if line.startswith("[")]
    assert sections == ["[Unit]", "[Service]", "[Install]"]
    verifier = shutil.which("systemd-analyze")
    if verifier is None:  # a container without systemd
        return
    unit = tmp_path / "esnfed.service"
    unit.write_text(UNIT.read_text().replace(PROGRAM, "/bin/true"))
    done = subprocess.run([verifier, "verify", str(unit)], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")
