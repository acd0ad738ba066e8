"""jsonld.js in a child process, which expands documents with the contexts of this folder and no others."""

from __future__ import annotations

import json
import shutil
import subprocess
from pathlib import Path
from typing import Any

from tests.oracles import node_runtime
from tests.oracles.environments import OracleError, clean_environment

SOURCES = Path(__file__).parent
PATIENCE = 60


def expand(folder: Path, documents: list[Any]) -> list[dict[str, Any]]:
    """Expand documents in safe mode; each gives {"expanded": [...]}, or {"failure": why}.

    `folder` must not exist: the program is copied there, beside a link to what npm installed.
    """
    modules, program = node_runtime.project("jsonld"), node_runtime.node("jsonld")
    folder.mkdir()
    shutil.copyfile(SOURCES / "main.mjs", folder / "main.mjs")
    shutil.copytree(SOURCES / "contexts", folder / "contexts")
    (folder / "node_modules").symlink_to(modules, target_is_directory=True)
    done = subprocess.run(
        [program, folder / "main.mjs"],
        input=json.dumps(documents),
        capture_output=True,
        text=True,
        check=False,
        timeout=PATIENCE,
        env=clean_environment(),
    )
    if done.returncode != 0:
        raise OracleError(f"jsonld failed: {done.stderr}")
    found: list[dict[str, Any]] = json.loads(done.stdout)
    return found
