"""Rich text of a sheet: limited HTML by language, sanitised before it is stored."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from esnfed.i18n import N_
from esnfed.records.fields import I18nText, Reading
from esnfed.records.vocabularies.scheme import pick
from esnfed.text.sanitise import sanitise, teaser


@dataclass(frozen=True, kw_only=True)
class I18nRichText(I18nText):
    """Limited HTML by language; `limit` counts characters of HTML."""

    def parse_text(self, value: object, reading: Reading) -> str | None:
        """Return the sanitised HTML; on the wire what is too long is cut before it is sanitised."""
        if value is None:
            return None
        if not isinstance(value, str):
            raise reading.wrong(N_("This must be text."))
        if len(value) > self.limit and not reading.lenient:
            raise reading.wrong(N_("This text is too long."))
        return sanitise(value[: self.limit]).strip() or None

    def show(self, value: Any, language: str) -> str:
        """Return the beginning as plain text."""
        return teaser(pick(value, language))
