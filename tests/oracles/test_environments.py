"""The environments of oracles: a failed installation is an error, never a skipped test."""

from __future__ import annotations

import pytest

from tests.oracles import environments


def test_what_cannot_be_installed_is_a_clear_error(tmp_path, monkeypatch):
    monkeypatch.setattr(environments, "HERE", tmp_path)
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    (tmp_path / "nobody").mkdir()
    (tmp_path / "nobody" / "requirements.lock").write_text("no-such-distribution==1.0\n")
    with pytest.raises(environments.OracleError, match="no-such-distribution"):
        environments.interpreter("nobody", tmp_path / "cache")
    assert list(tmp_path.glob("cache/nobody-*/bin/python"))
    assert not list(tmp_path.glob("cache/nobody-*/.ready"))


def test_a_failing_driver_is_an_error():
    with environments.oracle("httpsig") as running:
        with pytest.raises(environments.OracleError, match="KeyError"):
            running.ask("dance")
        with pytest.raises(environments.OracleError, match="KeyError"):
            running.ask("verify")


def test_a_driver_that_ends_is_an_error():
    with environments.oracle("httpsig") as running:
        running._process.kill()
        running._process.wait()
        for _ in range(2):
            with pytest.raises(environments.OracleError, match="ended with status -9"):
                running.ask("sign")
