"""How long a sound or a film lasts, as ISO 8601 says it."""

from __future__ import annotations

import re
from typing import Any

_DURATION = re.compile(
    r"P(?:(?P<days>[0-9]{1,4})D)?"
    r"(?:T(?:(?P<hours>[0-9]{1,4})H)?(?:(?P<minutes>[0-9]{1,5})M)?(?:(?P<seconds>[0-9]{1,7}(?:\.[0-9]{1,3})?)S)?)?"
)
_SECONDS = {"days": 86_400, "hours": 3_600, "minutes": 60, "seconds": 1}


def duration(value: Any) -> float | None:
    """Return the seconds of an ISO 8601 duration such as PT1H2M3S, None for what is none, or nothing."""
    found = _DURATION.fullmatch(value) if isinstance(value, str) and len(value) <= 40 else None
    if found is None:
        return None
    return sum(float(found[unit] or 0) * factor for unit, factor in _SECONDS.items()) or None
