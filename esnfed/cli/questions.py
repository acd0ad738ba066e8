"""Asks an operator for answers: from flags, at the terminal until each is good, else from defaults."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import click

from esnfed.cli.asking import typed_twice
from esnfed.cli.checks import Check
from esnfed.cli.texts import _
from esnfed.errors import Invalid


@dataclass(frozen=True, slots=True)
class Question:
    """One question: the name of its answer, the words of the prompt (marked with N_), and the check."""

    name: str
    prompt: str
    check: Check
    default: str | None = None
    """None: there must be an answer."""

    hidden: bool = False
    """True for a password: typed twice, unseen."""

    secret: bool = False
    """True for what is never repeated in a complaint."""

    @property
    def flag(self) -> str:
        """The option that answers it."""
        return f"--{self.name.replace('_', '-')}"


def ask_all(questions: Sequence[Question], given: Mapping[str, Any], interactive: bool) -> dict[str, Any]:
    """Return the checked answers by name.

    A flag in `given` decides; UsageError, one sentence, when it is not valid, or when nothing is given, there
    is no default, and nobody can be asked. At the terminal a bad answer is explained and asked again.
    """
    return {each.name: _answer(each, given.get(each.name), interactive) for each in questions}


def _answer(question: Question, given: Any, interactive: bool) -> Any:
    if given is not None and given != ():
        return _checked(question, given)
    if interactive:
        return _asked(question)
    if question.default is None:
        raise click.UsageError(_("%(flag)s is needed.") % {"flag": question.flag})
    return _checked(question, question.default)


def _checked(question: Question, value: Any) -> Any:
    try:
        return question.check(value)
    except Invalid as error:
        said = {"flag": question.flag, "wanted": str(error), "value": value}
        if question.secret:
            raise click.UsageError(_("%(flag)s must be %(wanted)s.") % said) from error
        raise click.UsageError(_("%(flag)s must be %(wanted)s, not %(value)s.") % said) from error


def _typed(question: Question) -> Any:
    if question.hidden:
        return typed_twice(_(question.prompt))
    shown = bool(question.default)
    return click.prompt(_(question.prompt), default=question.default, show_default=shown, err=True)


def _asked(question: Question) -> Any:
    while True:
        try:
            return question.check(_typed(question))
        except Invalid as error:
            click.echo(_("The answer must be %(wanted)s.") % {"wanted": error}, err=True)
