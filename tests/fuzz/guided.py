"""The long run, guided by libFuzzer through atheris: `tools/fuzz NAME -runs=200000`; not part of the suite."""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path
from random import Random

import atheris

with atheris.instrument_imports(include=["esnfed"]):
    from tests.fuzz import corpus, targets
    from tests.fuzz.mutation import MAX_INPUT, Mutator


def main(name: str, options: list[str]) -> None:
    """Fuzz one target until `-runs`, `-max_total_time` or a fault, whose input is written to the folder."""
    target, seeds = targets.TARGETS[name]
    pool = seeds()

    def change(data: bytes, limit: int, seed: int) -> bytes:
        random = Random(seed)
        if random.random() < 0.4:
            return bytes(atheris.Mutate(data, limit))
        mutator = Mutator(random, corpus.WORDS, corpus.VALUES)
        return mutator.mutate(data or random.choice(pool), random.choice(pool))[:limit]

    with tempfile.TemporaryDirectory() as folder:
        for number, seed in enumerate(pool):
            (Path(folder) / str(number)).write_bytes(seed)
        arguments = [
            sys.argv[0],
            f"-max_len={MAX_INPUT}",
            "-timeout=10",
            "-rss_limit_mb=1500",
            *options,
            folder,
        ]
        atheris.Setup(arguments, target, custom_mutator=change)
        atheris.Fuzz()


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2:])
