"""What the browser tests need from outside: Chromium from Debian, and two small packages.

The packages (axe-core as a Python wheel carries it, and a parser that names every error of HTML) are not part
of our environment: they are installed once for each lock file, below `.cache/browser`.
"""

from __future__ import annotations

import fcntl
import hashlib
import json
import shutil
import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).parent
CACHE = HERE.parents[1] / ".cache" / "browser"
LOCK = HERE / "requirements.lock"

SETTINGS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)
"""Debian's Chromium refuses its sandbox to root, and must ask nobody anything by itself."""


class ToolError(Exception):
    """A tool cannot be installed or found: the test fails, it is never skipped."""


def chromium() -> str:
    """Path of Debian's Chromium; ToolError names the package."""
    found = shutil.which("chromium")
    if found is None:
        raise ToolError("The pages are tested in Chromium: run `apt-get install chromium`, then try again.")
    return found


def packages(cache: Path = CACHE) -> Path:
    """The folder of the packages of the lock file, installed on first use; ToolError when that fails."""
    mark = hashlib.sha256(LOCK.read_bytes()).hexdigest()[:16]
    folder = cache / mark
    ready = folder / ".ready"
    if not ready.exists():
        cache.mkdir(parents=True, exist_ok=True)
        with (cache / f"{mark}.lock").open("w") as guard:
            fcntl.flock(guard, fcntl.LOCK_EX)  # parallel test processes wait for the one that installs
            if not ready.exists():
                shutil.rmtree(folder, ignore_errors=True)  # left by an installation that was interrupted
                _install(folder)
                ready.touch()
    return folder


def _install(folder: Path) -> None:
    pip = [sys.executable, "-m", "pip", "--disable-pip-version-check", "--no-input", "install", "--quiet"]
    command = [*pip, "--no-deps", "--require-hashes", "--target", str(folder), "--requirement", str(LOCK)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise ToolError(f"The tools cannot be installed: {' '.join(command)}\n{done.stdout}\n{done.stderr}")


def axe() -> str:
    """The source of axe-core."""
    return (packages() / "axe_playwright_python" / "axe.min.js").read_text("utf-8")


def html_errors(pages: dict[str, str]) -> dict[str, list[str]]:
    """Return the parse errors of HTML pages by their names; a page without any is left out."""
    command = [sys.executable, "-W", "ignore", str(HERE / "html_errors.py"), str(packages())]
    done = subprocess.run(command, input=json.dumps(pages), capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise ToolError(f"The parser failed: {done.stderr}")
    found: dict[str, list[str]] = json.loads(done.stdout)
    return found
