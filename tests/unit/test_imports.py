"""What the server's core loads: heavy modules stay outside (performance.md 3, 19)."""

from __future__ import annotations

import subprocess
import sys

import pytest

FORBIDDEN = ("PIL", "lxml", "pkg_resources", "requests", "pydantic", "numpy")


@pytest.mark.parametrize("module", ["esnfed.app", "esnfed.cli.serve"])
def test_the_core_in_a_fresh_interpreter_loads_no_heavy_module(module: str) -> None:
    program = f"import sys, {module}; print(*sorted(name.partition('.')[0] for name in sys.modules))"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    loaded = set(done.stdout.split())
    assert {"esnfed", "aiohttp", "sqlalchemy"} <= loaded
    assert loaded.isdisjoint(FORBIDDEN)
