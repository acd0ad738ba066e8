"""Writes the commented TOML file that `esnfed init` leaves to the operator."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields
from typing import Any

from esnfed.cli.settings import SETTINGS
from esnfed.cli.texts import _
from esnfed.config import Config

_DEFAULTS = {field.name: field.default for field in fields(Config)}


def file_text(values: Mapping[str, Any], heading: str) -> str:
    """Return a file that sets `values` and shows the default of every other setting behind a `#`.

    Values are true, false, whole numbers, texts, or lists whose members are written as texts.
    """
    lines = [f"# {line}" for line in heading.splitlines()]
    for setting in SETTINGS:
        if not setting.about:
            continue
        lines += ["", f"# {_(setting.about)}"]
        if setting.name in values:
            lines.append(f"{setting.name} = {toml_value(values[setting.name])}")
        else:
            lines.append(f"# {setting.name} = {toml_value(_DEFAULTS[setting.name])}")
    return "\n".join(lines) + "\n"


def toml_value(value: Any) -> str:
    """Write one value in TOML: true or false, a number, a list of texts, or a text that is printable."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int):
        return str(value)
    if isinstance(value, tuple | list):
        return f"[{', '.join(toml_value(str(each)) for each in value)}]"
    escaped = str(value).replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'
