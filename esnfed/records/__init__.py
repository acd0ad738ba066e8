"""Records: structured sheets (projects, calls, ...) that are posts at the same time."""

from __future__ import annotations

from importlib import import_module

# What registers itself: the kinds, the property on the wire, what commands can ask of a node.
for _name in ("kinds", "object", "operations"):
    import_module(f"{__name__}.{_name}")
