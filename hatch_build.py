"""Build hook: compiles the catalogues (.po) into the wheel (.mo); the checkout stays as it is."""

from __future__ import annotations

import shutil
import tempfile
from pathlib import Path
from typing import Any

from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po
from hatchling.builders.hooks.plugin.interface import BuildHookInterface


class CatalogueHook(BuildHookInterface[Any]):
    """Adds one compiled catalogue per language; an editable install reads the sources instead."""

    PLUGIN_NAME = "custom"

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Compile into a temporary folder and tell the builder where each file goes."""
        if version == "editable":
            return
        self._folder = Path(tempfile.mkdtemp(prefix="esnfed-catalogues-"))
        root = Path(self.root)
        for source in sorted(root.glob("esnfed/locale/*/LC_MESSAGES/*.po")):
            target = source.relative_to(root).with_suffix(".mo")
            compiled = self._folder / target
            compiled.parent.mkdir(parents=True)
            with source.open("rb") as text, compiled.open("wb") as binary:
                write_mo(binary, read_po(text, locale=source.parts[-3]))
            build_data["force_include"][str(compiled)] = target.as_posix()

    def finalize(self, version: str, build_data: dict[str, Any], artifact_path: str) -> None:
        """Remove the temporary folder."""
        if version != "editable":
            shutil.rmtree(self._folder)
