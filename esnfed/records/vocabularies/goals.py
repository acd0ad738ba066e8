"""Sustainable Development Goals 1 to 17 and their 169 targets (3.4, 3.a)."""

from __future__ import annotations

import re
from typing import Any

from esnfed.records.vocabularies.scheme import Scheme, pick, read_data

_CODE = re.compile(r"0?([1-9]|1[0-7])(?:\.([1-9][0-9]?|[a-d]))?")
HASHTAG = {"fr": "ODD", "es": "ODS"}
"""Abbreviation of the goals where it is not SDG; what people search for on the fediverse."""


class Goals(Scheme):
    """Goals by number, targets by number and means of implementation by letter, as the UN writes them."""

    name = "sdg"

    def __init__(self) -> None:
        content = read_data(self.name)
        self.version = int(content["version"])
        self.labels = content["labels"]
        self._goals: dict[str, dict[str, Any]] = {row["id"]: row for row in content["concepts"]}

    def normalise(self, value: object) -> str | None:
        """Accept 3, "3", "03", "3.4" and "3.a"; the goal and the target must exist."""
        if isinstance(value, int) and not isinstance(value, bool):
            value = str(value) if 0 < value < 18 else ""
        match = _CODE.fullmatch(value.lower()) if isinstance(value, str) and len(value) < 8 else None
        if match is None:
            return None
        goal, target = match[1], match[2]
        if target is None:
            return goal
        return f"{goal}.{target}" if target in self._targets(goal) else None

    def _targets(self, goal: str) -> list[str]:
        row = self._goals[goal]
        return [str(number) for number in range(1, row["targets"] + 1)] + list(row["means"])

    def label(self, value: str, locale: str) -> str:
        """Return "3. Good health and well-being"; of a target its code and the goal's name."""
        row = self._goals.get(value.split(".")[0])
        return f"{value}. {pick(row['labels'], locale)}" if row else value

    def broader(self, value: str) -> str | None:
        """Return the goal of a target."""
        goal, dot, _ = value.partition(".")
        return goal if dot else None

    def members(self, broader: str | None = None) -> list[str]:
        """Return the goals, or the targets of one goal."""
        if broader is None:
            return list(self._goals)
        return [f"{broader}.{target}" for target in self._targets(broader)] if broader in self._goals else []

    def hashtag(self, value: str, locale: str) -> str:
        """Return ODD3, SDG3 or ODS3: the goal only, since nobody follows the tag of a target."""
        return f"{HASHTAG.get(locale.split('-')[0].lower(), 'SDG')}{value.split('.')[0]}"
