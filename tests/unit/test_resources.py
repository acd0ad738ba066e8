"""Program files are found in a wheel first, then in a checkout."""

from pathlib import Path

import pytest

from esnfed.errors import ConfigError
from esnfed.resources import find, folder


def test_a_checkout_finds_its_own_folders() -> None:
    root = Path(__file__).resolve().parents[2]
    assert folder("templates") == root / "templates"
    assert folder("migrations") == root / "migrations"
    assert folder("locale") == root / "esnfed" / "locale"
    assert folder("static") == root / "esnfed" / "static"


def test_what_came_with_the_wheel_is_preferred(tmp_path: Path) -> None:
    package = tmp_path / "site-packages" / "esnfed"
    for made in (package / "_resources" / "templates", tmp_path / "site-packages" / "templates"):
        made.mkdir(parents=True)
    assert find("templates", package) == package / "_resources" / "templates"


def test_a_missing_folder_is_named_in_one_sentence(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="“templates” is missing"):
        find("templates", tmp_path)
