"""Fails for a file over 500 lines or a function over 60; prints those over 300 or 40 as questions."""

from __future__ import annotations

import ast
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).resolve().parent.parent
FOLDERS = ("esnfed", "tests", "tools")
"""Not migrations: a revision is a flat list of tables, written once and never edited."""

FILE_QUESTION, FILE_LIMIT = 300, 500
FUNCTION_QUESTION, FUNCTION_LIMIT = 40, 60

EXCEPTIONS: dict[str, str] = {}
"""`path` or `path:function` -> the reason why it may be larger. Kept empty."""


class Measure(NamedTuple):
    """One file or function with its length in lines."""

    name: str
    lines: int
    question: int
    limit: int


def measure(path: Path, name: str) -> Iterator[Measure]:
    """Give the file's own measure, then one for each function in it."""
    source = path.read_text(encoding="utf-8")
    yield Measure(name, source.count("\n"), FILE_QUESTION, FILE_LIMIT)
    for node in ast.walk(ast.parse(source, filename=name)):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            lines = (node.end_lineno or node.lineno) - node.lineno + 1
            yield Measure(f"{name}:{node.name}", lines, FUNCTION_QUESTION, FUNCTION_LIMIT)


def check(root: Path, exceptions: dict[str, str]) -> tuple[list[str], list[str]]:
    """Return (failures, questions) for all Python files in our folders under `root`, as printable lines."""
    found = [
        each
        for folder in FOLDERS
        for path in sorted((root / folder).rglob("*.py"))
        for each in measure(path, path.relative_to(root).as_posix())
    ]
    failures = [
        f"{each.name}: {each.lines} lines, {each.limit} at most"
        for each in found
        if each.lines > each.limit and each.name not in exceptions
    ]
    questions = [
        f"{each.name}: {each.lines} lines, is it one thing? (over {each.question})"
        for each in found
        if each.question < each.lines <= each.limit
    ]
    large = {each.name for each in found if each.lines > each.limit}
    failures += [f"{name}: named as an exception without need" for name in exceptions if name not in large]
    return failures, questions


def main() -> int:
    """Print questions, then failures; 1 when there is a failure."""
    failures, questions = check(ROOT, EXCEPTIONS)
    for line in questions:
        print(f"question  {line}")
    for line in failures:
        print(f"too large {line}")
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
