"""The command line: one file per command, each registered in `registry.commands`."""

from esnfed.cli.frame import main

__all__ = ["main"]
