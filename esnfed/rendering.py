"""The one Jinja environment of a node: pages, fragments and mails from templates, in one of its languages."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from datetime import date
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined, pass_context
from jinja2.runtime import Context as Scope
from markupsafe import Markup, escape

from esnfed import __version__, i18n
from esnfed.config import Config
from esnfed.resources import folder
from esnfed.text import language as languages
from esnfed.text.sanitise import teaser

TINTS = 6
"""How many colours the stylesheet has for people without a picture."""


@dataclass(frozen=True, slots=True)
class Speech:
    """How one rendering speaks: its catalogue and its time zone."""

    translator: i18n.Translator
    zone_name: str

    @property
    def locale(self) -> str:
        """Language tag of the interface."""
        return self.translator.locale


class Renderer:
    """Renders templates of one node; made once, used from any thread. Knows nothing of requests."""

    def __init__(self, config: Config) -> None:
        # What is spoken travels beside the template's variables, so that imported macros hear it and
        # are still compiled once: an import `with context` would run the macro file again for every page.
        self._speech: ContextVar[Speech] = ContextVar("speech")
        self._versions: dict[str, str] = {}
        self._environment = Environment(
            loader=FileSystemLoader(folder("templates")),
            autoescape=True,
            undefined=StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
            auto_reload=False,
            cache_size=-1,
            extensions=["jinja2.ext.i18n"],
        )
        self._environment.policies["ext.i18n.trimmed"] = True
        self._install_gettext()
        self._environment.filters.update(_silent_filters(), **self._spoken_filters())
        self._environment.globals.update(
            node=config,
            version=__version__,
            static=self.static,
            interface_languages=[tag for tag in config.languages if tag in i18n.available()],
        )

    def page(self, template: str, locale: str, *, zone_name: str = "UTC", **values: Any) -> str:
        """Return a template rendered in a language; instants are shown in the time zone `zone_name`.

        The template sees `values`, and `locale` and `direction` for its root element. A missing variable
        is an error, never an empty place.
        """
        with self._speaking(locale, zone_name) as speech:
            return self._environment.get_template(template).render(
                **values, locale=speech.locale, direction=languages.direction(speech.locale)
            )

    def fragment(
        self, template: str, macro: str, locale: str, *arguments: Any, zone_name: str = "UTC"
    ) -> Markup:
        """Return one macro of a template file, in a language: a post's HTML for the cache."""
        with self._speaking(locale, zone_name):
            rendered: Callable[..., Markup] = getattr(self._environment.get_template(template).module, macro)
            return rendered(*arguments)

    def static(self, name: str) -> str:
        """Return the path of a static file with a mark of its content: browsers may keep it for ever."""
        if name not in self._versions:
            content = (folder("static") / name).read_bytes()
            self._versions[name] = hashlib.sha256(content).hexdigest()[:10]
        return f"/static/{name}?v={self._versions[name]}"

    @contextmanager
    def _speaking(self, locale: str, zone_name: str) -> Iterator[Speech]:
        i18n.zone(zone_name)
        speech = Speech(i18n.translator(locale), zone_name)
        token = self._speech.set(speech)
        try:
            yield speech
        finally:
            self._speech.reset(token)

    def _install_gettext(self) -> None:
        speech = self._speech

        # pass_context keeps the compiler from folding a call with constant arguments into one language.
        @pass_context
        def gettext(_: Scope, message: str) -> str:
            return speech.get().translator.gettext(message)

        @pass_context
        def ngettext(_: Scope, singular: str, plural: str, count: int) -> str:
            return speech.get().translator.ngettext(singular, plural, count)

        @pass_context
        def pgettext(_: Scope, meaning: str, message: str) -> str:
            return str(speech.get().translator.pgettext(meaning, message))

        @pass_context
        def npgettext(_: Scope, meaning: str, singular: str, plural: str, count: int) -> str:
            return str(speech.get().translator.npgettext(meaning, singular, plural, count))

        install = self._environment.install_gettext_callables  # type: ignore[attr-defined]  # added by the extension
        install(gettext, ngettext, newstyle=True, pgettext=pgettext, npgettext=npgettext)

    def _spoken_filters(self) -> dict[str, Callable[..., Any]]:
        speech = self._speech

        def spoken(function: Callable[..., str]) -> Callable[..., str]:
            """Give a function of (value, locale, ...) the language of the moment."""

            @pass_context
            def inner(_: Scope, value: Any, *arguments: Any) -> str:
                return function(value, speech.get().locale, *arguments)

            return inner

        @pass_context
        def moment(_: Scope, at: int, zone_name: str = "") -> str:
            return i18n.moment(at, speech.get().locale, zone_name or speech.get().zone_name)

        @pass_context
        def day(_: Scope, value: int | str | date, width: str = "long") -> str:
            return i18n.day(value, speech.get().locale, width, speech.get().zone_name)

        @pass_context
        def ago(_: Scope, at: int, now: int) -> str:
            return i18n.ago(at, now, speech.get().locale)

        @pass_context
        def translated(_: Scope, text: str) -> str:
            """Translate a text marked elsewhere, without filling in values: a percent sign stays."""
            return speech.get().translator.gettext(text) if text else ""

        return {
            "translated": translated,
            "moment": moment,
            "day": day,
            "ago": ago,
            "number": spoken(i18n.number),
            "compact": spoken(i18n.compact),
            "percent": spoken(i18n.percent),
            "language_name": spoken(i18n.language_name),
            "territory_name": spoken(i18n.territory_name),
        }


def language_attributes(tag: str | None) -> Markup:
    """Return ` lang="ar" dir="rtl"` for an element in a language; ` dir="auto"` when unknown."""
    normal = languages.normalise(tag) if tag else None
    if normal is None:
        return Markup(' dir="auto"')
    return Markup(' lang="{}" dir="{}"').format(normal, languages.direction(normal))


def initials(name: str) -> Markup:
    """Return one or two letters for an actor without a picture; a dot for a name without letters."""
    words = ["".join(character for character in word if character.isalnum()) for word in name.split()]
    letters = [word[0] for word in words if word]
    chosen = letters[0] + (letters[-1] if len(letters) > 1 else "") if letters else "·"
    return escape(chosen.upper())


def tint(key: str) -> int:
    """Return a colour number from 0 that is always the same for one key, such as a handle."""
    return hashlib.sha256(key.encode("utf-8", "replace")).digest()[0] % TINTS


def _silent_filters() -> dict[str, Callable[..., Any]]:
    """Return the filters that are the same in every language."""
    return {
        "iso": i18n.iso,
        "own_name": i18n.own_name,
        "lang": language_attributes,
        "teaser": teaser,
        "initials": initials,
        "tint": tint,
    }
