"""Writes the inputs of fediverse-pasture-inputs into a folder, one JSON file for each set.

Runs in an environment of its own (`requirements.lock`), once for each version of the package:

    python export.py ../../fixtures/pasture
"""

from __future__ import annotations

import json
import sys
from importlib.metadata import metadata
from pathlib import Path

from fediverse_pasture_inputs import available

PACKAGE = "fediverse-pasture-inputs"


def main(folder: Path) -> None:
    """Write every set, and `source.json`, which says where they come from."""
    about = metadata(PACKAGE)
    for name, inputs in sorted(available.items()):
        exported = {"set": name, "title": inputs.title, "group": inputs.group, "examples": inputs.examples}
        _write(folder / "inputs" / f"{name}.json", exported)
    urls = dict(entry.split(", ", 1) for entry in about.get_all("Project-URL") or ())
    source = {
        "package": f"https://pypi.org/project/{PACKAGE}/",
        "version": about["Version"],
        "licence": about["License-Expression"],
        "repository": urls["Repository"],
        "sets": len(available),
        "examples": sum(len(inputs.examples) for inputs in available.values()),
    }
    _write(folder / "source.json", source)


def _write(path: Path, content: object) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(content, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
