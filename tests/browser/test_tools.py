"""A missing tool is one clear sentence, never a skipped test."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from tests.browser import tools
from tests.browser.tools import ToolError


def test_a_missing_browser_names_its_package(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shutil, "which", lambda _: None)
    with pytest.raises(ToolError, match="apt-get install chromium"):
        tools.chromium()


def test_packages_that_cannot_be_installed_say_why(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    lock = tmp_path / "requirements.lock"
    lock.write_text("no such line in a lock")
    monkeypatch.setattr(tools, "LOCK", lock)
    with pytest.raises(ToolError, match="cannot be installed"):
        tools.packages(tmp_path / "cache")
    assert not list(tmp_path.glob("cache/*/.ready")), "the next run tries again"


def test_a_page_with_errors_is_told_from_one_without() -> None:
    sound = "<!DOCTYPE html><html lang=en><title>x</title><p>Hello</p></html>"
    found = tools.html_errors({"sound": sound, "wrong": sound.replace("Hello", "<div></div>")})
    assert list(found) == ["wrong"]
    assert "unexpected-end-tag" in found["wrong"][0]
