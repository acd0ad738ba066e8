"""`python -m tests.crash --cycles 200`: the ordeal outside the suite, with its figures as JSON."""

from __future__ import annotations

import argparse
import asyncio
import json
import sys
import tempfile
from pathlib import Path

from tests.crash.ordeal import Figures, suffer


def main() -> int:
    """Run it; the exit code is 1 when anything was lost, doubled or broken."""
    parser = argparse.ArgumentParser(prog="tests.crash", description=__doc__)
    parser.add_argument("--cycles", type=int, default=200, help="how often the node is killed")
    parser.add_argument("--seed", type=int, default=1, help="seed of the moments and of the load")
    parser.add_argument("--synchronous", choices=("FULL", "NORMAL"), default="FULL")
    chosen = parser.parse_args()

    def tell(figures: Figures) -> None:
        print(f"\r{figures.cycles} kills, {len(figures.faults)} faults", end="", file=sys.stderr, flush=True)

    with tempfile.TemporaryDirectory(prefix="esnfed-crash-") as folder:
        figures = asyncio.run(suffer(Path(folder), chosen.cycles, chosen.seed, chosen.synchronous, tell))
    print(file=sys.stderr)
    print(json.dumps(figures.told(), indent=2))
    return 1 if figures.faults else 0


if __name__ == "__main__":
    sys.exit(main())
