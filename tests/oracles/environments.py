"""Other people's implementations, each in an environment of its own, driven over JSON lines.

They cannot share ours: their dependencies are older than ours or would hide what we forgot to declare. An
environment is made once for each lock file, by the standard `venv` and `pip`, below `.cache/oracles`.
"""

from __future__ import annotations

import fcntl
import hashlib
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent
CACHE = HERE.parents[1] / ".cache" / "oracles"


class OracleError(Exception):
    """An oracle cannot be installed or run: the test fails, it is never skipped."""


class Oracle:
    """A running driver: one JSON object in, one JSON object out."""

    def __init__(self, name: str) -> None:
        self._name = name
        self._process = subprocess.Popen(
            [interpreter(name), "-W", "ignore", HERE / name / "driver.py"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            env=clean_environment(),
        )

    def ask(self, verb: str, **question: Any) -> Any:
        """Ask the driver; OracleError when it ends or says that it failed outside of its own answer."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        line = ""
        with suppress(BrokenPipeError):  # said below, in words
            self._process.stdin.write(json.dumps({"verb": verb, **question}) + "\n")
            self._process.stdin.flush()
            line = self._process.stdout.readline()
        if not line:
            raise OracleError(f"The oracle {self._name} ended with status {self._process.wait()}.")
        answer = json.loads(line)
        if "failure" in answer:
            raise OracleError(f"The oracle {self._name} failed: {answer['failure']}")
        return answer["answer"]

    def close(self) -> None:
        """End the driver."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdout.close()
        with suppress(BrokenPipeError):  # it ended before it had read its last question
            self._process.stdin.close()
        self._process.wait()


@contextmanager
def oracle(name: str) -> Iterator[Oracle]:
    """Run an oracle for the length of a block."""
    running = Oracle(name)
    try:
        yield running
    finally:
        running.close()


def interpreter(name: str, cache: Path = CACHE) -> Path:
    """The Python of an oracle's environment, which is made on first use; OracleError when that fails."""
    lock = HERE / name / "requirements.lock"
    version = ".".join(map(str, sys.version_info[:2]))
    mark = hashlib.sha256(lock.read_bytes() + version.encode()).hexdigest()[:16]
    folder = cache / f"{name}-{mark}"
    ready = folder / ".ready"
    if not ready.exists():
        cache.mkdir(parents=True, exist_ok=True)
        with (cache / f"{name}-{mark}.lock").open("w") as guard:
            fcntl.flock(guard, fcntl.LOCK_EX)  # parallel test processes wait for the one that installs
            if not ready.exists():
                _install(folder, lock)
                ready.touch()
    return folder / "bin" / "python"


def clean_environment() -> dict[str, str]:
    """Our own environment without what would let our packages into another Python."""
    hidden = {"PYTHONPATH", "PYTHONHOME", "VIRTUAL_ENV", "PIP_TARGET", "PIP_USER"}
    return {name: value for name, value in os.environ.items() if name not in hidden}


def _install(folder: Path, lock: Path) -> None:
    shutil.rmtree(folder, ignore_errors=True)  # left by an installation that was interrupted
    _run([sys.executable, "-m", "venv", folder])
    pip = [folder / "bin" / "python", "-m", "pip", "--disable-pip-version-check", "--no-input", "install"]
    _run([*pip, "--no-deps", "--requirement", lock])


def _run(command: list[str | Path]) -> None:
    done = subprocess.run(command, capture_output=True, text=True, check=False, env=clean_environment())
    if done.returncode != 0:
        words = " ".join(map(str, command))
        raise OracleError(f"The oracle cannot be installed: {words}\n{done.stdout}\n{done.stderr}")
