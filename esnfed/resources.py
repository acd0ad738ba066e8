"""Finds templates, migrations, catalogues and static files, in a checkout or in an installed wheel."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

from esnfed.errors import ConfigError

_PACKAGE = Path(__file__).resolve().parent

Folder = Literal["templates", "migrations", "locale", "static"]


def folder(name: Folder) -> Path:
    """Return the absolute path of a folder of program files.

    Beside this file first (`esnfed/_resources/NAME` in a wheel, `esnfed/NAME` in both), then one level up,
    where a checkout keeps `templates` and `migrations`. ConfigError when the installation lacks it.
    """
    return find(name, _PACKAGE)


def find(name: str, package: Path) -> Path:
    """Return the folder `name` of the program whose package is at `package`; ConfigError when it has none."""
    for candidate in (package / "_resources" / name, package / name, package.parent / name):
        if candidate.is_dir():
            return candidate
    raise ConfigError("The installation is incomplete: its folder “%(name)s” is missing.", name=name)
