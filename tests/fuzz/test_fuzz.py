"""A few thousand inputs for each reader of what others write, from a fixed seed: no error but those we name."""

from __future__ import annotations

import gc
import tracemalloc
from random import Random

import pytest

from tests.fuzz import corpus
from tests.fuzz.mutation import Mutator, run
from tests.fuzz.targets import TARGETS, Target

INPUTS = 1_500
SEED = 20260101


@pytest.mark.parametrize("name", TARGETS)
def test_no_input_breaks(name: str) -> None:
    target, seeds = TARGETS[name]
    random = Random(SEED)
    coverage = run(target, seeds(), Mutator(random, corpus.WORDS, corpus.VALUES), random, INPUTS)
    assert len(coverage) > 30


def test_coverage_guides_the_fuzzer_to_a_fault_behind_two_conditions() -> None:
    """The fuzzer can fail: a fault that one change alone does not reach is found."""
    random = Random(SEED)
    with pytest.raises(ZeroDivisionError) as caught:
        run(_faulty, (b'{"type": "Note"}',), Mutator(random, corpus.WORDS, corpus.VALUES), random, 50_000)
    assert "input" in caught.value.__notes__[0]


def _faulty(data: bytes) -> None:
    from_wire, _ = TARGETS["post"]
    from_wire(data)
    if b'"Event"' in data and b"[]" in data:
        raise ZeroDivisionError


@pytest.mark.parametrize("name", TARGETS)
def test_what_was_read_is_not_kept(name: str) -> None:
    """Memory is the same after a thousand inputs as after a hundred: nothing grows with what strangers send."""
    target, seeds = TARGETS[name]
    random = Random(SEED)
    mutator = Mutator(random, corpus.WORDS, corpus.VALUES)
    _feed(target, seeds(), mutator, random, 100)
    tracemalloc.start()
    try:
        _feed(target, seeds(), mutator, random, 100)
        gc.collect()
        before = tracemalloc.get_traced_memory()[0]
        _feed(target, seeds(), mutator, random, 1_000)
        gc.collect()
        grown = tracemalloc.get_traced_memory()[0] - before
    finally:
        tracemalloc.stop()
    assert grown < 300_000, grown


def _feed(target: Target, seeds: tuple[bytes, ...], mutator: Mutator, random: Random, inputs: int) -> None:
    for _ in range(inputs):
        target(mutator.mutate(random.choice(seeds), random.choice(seeds)))
