"""The build files: exact versions without addresses, messages for what is missing, the size check."""

from __future__ import annotations

import importlib.util
import os
import re
import shutil
import subprocess
import tomllib
from pathlib import Path
from types import ModuleType

import pytest
from packaging.requirements import Requirement

ROOT = Path(__file__).resolve().parents[3]


def locked() -> dict[str, str]:
    """Return the versions of requirements.lock by normalised name."""
    found = re.findall(r"^([A-Za-z0-9._-]+)==(\S+)", (ROOT / "requirements.lock").read_text(), re.MULTILINE)
    return {re.sub(r"[-_.]+", "-", name).lower(): version for name, version in found}


def test_the_lock_names_exact_versions_with_hashes_and_no_address() -> None:
    text = (ROOT / "requirements.lock").read_text()
    assert "://" not in text
    assert "index-url" not in text
    entries = [entry for entry in re.split(r"\n(?=[A-Za-z0-9])", text) if not entry.startswith("#")]
    assert len(entries) == len(locked()) > 40
    for entry in entries:
        assert re.match(r"[A-Za-z0-9._-]+==\S+", entry), entry
        assert "--hash=sha256:" in entry, entry


def test_the_lock_fits_the_ranges_of_the_project() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    optional = project["optional-dependencies"]
    wanted = [*project["dependencies"], *optional["dev"], *optional["postgres"], *optional["speed"]]
    versions = locked()
    for each in map(Requirement, wanted):
        name = re.sub(r"[-_.]+", "-", each.name).lower()
        if name != "esnfed":
            assert each.specifier.contains(versions[name]), f"{each}: run `make lock`"


def test_make_alone_lists_its_targets() -> None:
    told = subprocess.check_output(["make", "--no-print-directory"], cwd=ROOT, text=True)
    names = [line.split()[1] for line in told.splitlines()]
    assert names == ["help", "run", "check", "test", "lint", "format", "bench", "lock", "clean"]


def test_a_missing_python_is_one_sentence_with_the_line_to_run(tmp_path: Path) -> None:
    (tmp_path / "tools").mkdir()
    shutil.copy(ROOT / "tools" / "environment", tmp_path / "tools")
    done = subprocess.run(
        [tmp_path / "tools" / "environment"],
        env={"PATH": os.environ["PATH"], "PYTHON": "python-that-is-not-there"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.count("\n") == 1
    assert "sudo apt-get install python3 python3-venv" in done.stderr


def test_without_root_the_packages_to_install_are_one_line(tmp_path: Path) -> None:
    for name, script in (("id", "echo 1000"), ("apt-get", "echo never >&2"), ("caddy", ":")):
        (tmp_path / name).write_text(f"#!/bin/sh\n{script}\n")
        (tmp_path / name).chmod(0o755)
    command = ["/bin/sh", ROOT / "tools" / "packages"]
    here = {"PATH": str(tmp_path)}
    done = subprocess.run(command, env=here, capture_output=True, text=True, check=False)
    assert done.returncode == 1
    line = done.stderr.splitlines()[1].strip()
    assert line.startswith("sudo apt-get update && sudo apt-get install --yes ")
    assert line.split()[-3:] == ["chromium", "postgresql", "nginx"]


@pytest.fixture(scope="module")
def size_check() -> ModuleType:
    """The tool as a module."""
    spec = importlib.util.spec_from_file_location("size_check", ROOT / "tools" / "size_check.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_the_size_check_fails_asks_and_knows_exceptions(size_check: ModuleType, tmp_path: Path) -> None:
    folder = tmp_path / "esnfed"
    folder.mkdir()

    def lines(count: int) -> str:
        return "".join(f"    x = {number}\n" for number in range(count - 1))

    (folder / "small.py").write_text(f"def f():\n{lines(40)}")
    (folder / "asked.py").write_text(f"class C:\n  def g(self):\n{lines(41)}")
    (folder / "large.py").write_text(f"async def h():\n{lines(61)}" + "#\n" * 440)
    failures, questions = size_check.check(tmp_path, {})
    assert failures == [
        "esnfed/large.py: 501 lines, 500 at most",
        "esnfed/large.py:h: 61 lines, 60 at most",
    ]
    assert questions == ["esnfed/asked.py:g: 41 lines, is it one thing? (over 40)"]
    excused = {"esnfed/large.py": "why", "esnfed/large.py:h": "why"}
    assert size_check.check(tmp_path, excused)[0] == []
    assert size_check.check(tmp_path, excused | {"esnfed/small.py": "why"})[0] == [
        "esnfed/small.py: named as an exception without need"
    ]


def test_no_exception_is_named(size_check: ModuleType) -> None:
    assert size_check.EXCEPTIONS == {}
