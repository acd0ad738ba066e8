"""What the bench found: figures, their table and their JSON."""

from __future__ import annotations

import json
import statistics
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Figure:
    """One line of the table: microseconds per operation.

    `bare` is what the same work costs at least, from the bare limits of this run; `growth` is the CPU
    compared with the line above, whose size was a tenth (or what `note` says).
    """

    path: str
    cpu: float | None = None
    wall: float | None = None
    bare: float | None = None
    growth: float | None = None
    note: str = ""

    @property
    def ratio(self) -> float | None:
        """CPU as a multiple of the bare limit."""
        return self.cpu / self.bare if self.cpu is not None and self.bare else None


@dataclass(frozen=True, slots=True)
class Sample:
    """CPU and wall seconds of one round, for `operations` operations."""

    cpu: float
    wall: float
    operations: int


def best(samples: Sequence[Sample]) -> tuple[float, float]:
    """Return (CPU, wall) in microseconds per operation of the round that cost least CPU.

    Other programs of the machine only ever add to a round, so the least disturbed one says most.
    """
    chosen = min(samples, key=lambda sample: sample.cpu / sample.operations)
    return chosen.cpu / chosen.operations * 1e6, chosen.wall / chosen.operations * 1e6


def quantiles(seconds: Sequence[float]) -> tuple[float, float]:
    """Return p50 and p99 in microseconds."""
    cuts = statistics.quantiles(seconds, n=100)
    return cuts[49] * 1e6, cuts[98] * 1e6


HEADS = ("path", "CPU us", "wall us", "bare us", "x bare", "growth", "")


def table(figures: Iterable[Figure]) -> str:
    """Return the figures as text, one line each."""
    rows = [HEADS, *(_cells(figure) for figure in figures)]
    widths = [max(len(row[column]) for row in rows) for column in range(len(HEADS))]
    return "\n".join(
        "  ".join(
            cell.ljust(width) if column in (0, len(HEADS) - 1) else cell.rjust(width)
            for column, (cell, width) in enumerate(zip(row, widths, strict=True))
        ).rstrip()
        for row in rows
    )


def _cells(figure: Figure) -> tuple[str, ...]:
    numbers = (
        (figure.cpu, "{:,.0f}"),
        (figure.wall, "{:,.0f}"),
        (figure.bare, "{:,.0f}"),
        (figure.ratio, "{:.1f}"),
        (figure.growth, "{:.2f}"),
    )
    shown = ("" if value is None else form.format(value) for value, form in numbers)
    return (figure.path, *shown, figure.note)


def write_json(path: Path, figures: Iterable[Figure], about: dict[str, object]) -> None:
    """Write the figures, with what is known about the run, to a file."""
    rows = [asdict(figure) | {"ratio": figure.ratio} for figure in figures]
    path.write_text(json.dumps(about | {"figures": rows}, indent=2) + "\n", encoding="utf-8")
