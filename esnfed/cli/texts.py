"""Texts of the command line in the language of the person at the terminal."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar

from esnfed.i18n import SOURCE, available, translator

_language: ContextVar[str] = ContextVar("language", default=SOURCE)

VARIABLES = ("ESNFED_LANG", "LC_ALL", "LC_MESSAGES", "LANG")


def _(text: str) -> str:
    """Return the text in the chosen language."""
    return translator(_language.get()).gettext(text)


def plural(one: str, many: str, count: int) -> str:
    """Return the form of a text that fits `count`, in the chosen language."""
    return translator(_language.get()).ngettext(one, many, count)


def language() -> str:
    """Return the chosen language: fr, en, es, or one that has a catalogue."""
    return _language.get()


def wanted(environ: Mapping[str, str]) -> str:
    """Return the language the environment asks for: the first variable set decides; English if unknown."""
    for name in VARIABLES:
        if environ.get(name):
            asked = re.split(r"[_.@-]", environ[name], maxsplit=1)[0].lower()
            return asked if asked in available() else SOURCE
    return SOURCE


def speak(chosen: str) -> None:
    """Use this language from here on, until the enclosing `speaking` ends."""
    _language.set(chosen)


@contextmanager
def speaking(chosen: str) -> Iterator[None]:
    """Use this language inside the block."""
    token = _language.set(chosen)
    try:
        yield
    finally:
        _language.reset(token)
